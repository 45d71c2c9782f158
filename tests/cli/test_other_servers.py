"""A database that is no sandbox of the command's: PostgreSQL 15, a plain server, Supabase's roles without superuser."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.running import run
from tests.conftest import FreshDatabase
from tests.database.conftest import _servers, password_server  # noqa: F401
from tests.database.servers import PasswordServer
from trigger_audit.opening import sql_input
from trigger_audit.resources import sql_folder


def with_demo(database: FreshDatabase) -> FreshDatabase:
    for file in sql_input((sql_folder() / "examples" / "broken",)).files:
        database.apply(file.text)
    return database


def document(command: str, dsn: str) -> dict[str, Any]:
    found = run(command, dsn, "--format", "json")
    assert found.code == 1, found.err
    parsed: dict[str, Any] = json.loads(found.out)
    return parsed


def test_findings_on_15_and_18_are_the_same(fresh_database: FreshDatabase, fresh_database15: FreshDatabase) -> None:
    new = document("scan", with_demo(fresh_database).conninfo())
    old = document("scan", with_demo(fresh_database15).conninfo())
    assert old["target"]["server_version"].startswith("15.")
    assert (old["findings"], old["triggers"], old["summary"]) == (new["findings"], new["triggers"], new["summary"])
    assert {finding["rule"] for finding in old["findings"]} >= {"TA101", "TA102", "TA103", "TA104", "TA107", "TA118"}


@pytest.mark.extended
def test_flows_on_15_and_18_are_the_same(fresh_database: FreshDatabase, fresh_database15: FreshDatabase) -> None:
    def told(dsn: str) -> list[tuple[object, ...]]:
        flows = document("smoke", dsn)["flows"]
        return [
            (f["flow"], f["payload"], f["outcome"], f["mail"], (f["failed_step"] or {}).get("sqlstate")) for f in flows
        ]

    new = told(with_demo(fresh_database).conninfo())
    assert told(with_demo(fresh_database15).conninfo()) == new
    assert {outcome for _, _, outcome, _, _ in new} == {"pass", "fail"}


def test_as_postgres_like_on_a_hosted_project(fresh_database: FreshDatabase) -> None:
    """postgres is no superuser and no member of Auth's role: the run says what it could not be faithful to."""
    dsn = with_demo(fresh_database).conninfo("postgres")
    as_postgres = document("scan", dsn)
    as_superuser = document("scan", fresh_database.conninfo())
    assert as_postgres["findings"] == as_superuser["findings"]
    smoked = document("smoke", dsn)
    assert smoked["session"]["by"] == "approximation"
    assert smoked["session"]["gaps"]
    outcome = {(f["flow"], f["payload"]): f for f in smoked["flows"]}
    assert outcome["signup-email", "bare"]["failed_step"]["sqlstate"] == "42P01"
    assert smoked["rolled_back"] is True


def test_what_stays_is_told_before_a_run(fresh_database: FreshDatabase) -> None:
    fresh_database.apply("""
create table public.numbered (id bigint generated always as identity, user_id uuid);
create function public.f() returns trigger language plpgsql security definer set search_path = '' as $$
begin insert into public.numbered (user_id) values (new.id); return new; end $$;
create trigger t after insert on auth.users for each row execute function public.f();
""")
    told = run("smoke", fresh_database.conninfo(), "--flow", "signup-email").err.splitlines()
    first = next(at for at, line in enumerate(told) if "sequences" in line)
    assert told[first : first + 2] == [
        "note: numbers of sequences are not rolled back, these may advance: auth.refresh_tokens_id_seq,"
        " public.numbered_id_seq",
        "note: dead rows of the run stay until vacuum, most in pg_proc and pg_depend: up to some megabytes",
    ]
    quiet = run("smoke", fresh_database.conninfo(), "--flow", "signup-email", "--quiet")
    assert (quiet.code, "note: " in quiet.err) == (0, False)
    sandboxed = run("smoke", "-", "--flow", "signup-email", stdin="select 1;")
    assert "sequences" not in sandboxed.err


@pytest.mark.parametrize("command", ["scan", "smoke"])
def test_a_superusers_login_is_told_once(fresh_database: FreshDatabase, command: str) -> None:
    note = "note: the login is a superuser. Log in as postgres or supabase_auth_admin: then no code of the database"
    assert run(command, fresh_database.conninfo()).err.count(note) == 1
    for role in ("postgres", "supabase_auth_admin"):
        assert "superuser" not in run(command, fresh_database.conninfo(role)).err
    assert "superuser" not in run(command, "-", stdin="select 1;").err


def test_as_auths_own_role(fresh_database: FreshDatabase) -> None:
    smoked = document("smoke", with_demo(fresh_database).conninfo("supabase_auth_admin"))
    assert smoked["session"]["by"] == "login"
    assert {f["failed_step"]["sqlstate"] for f in smoked["flows"] if f["failed_step"]} >= {"42P01", "42501"}


def test_a_plain_server_without_anything_of_supabase(password_server: PasswordServer) -> None:  # noqa: F811
    with password_server.open() as connection:
        connection.execute("create schema shop")
        connection.execute("create table shop.orders (id int primary key, total int not null)")
        connection.execute("create table shop.log (entry text not null)")
        connection.execute("""
            create function shop.note() returns trigger language plpgsql as $$
            begin
              insert into shop.lgo (entry) values ('order');
              update shop.orders set total = 0;
              return null;
            end $$
        """)
        connection.execute("create trigger note after insert on shop.orders for each row execute function shop.note()")
    try:
        outside = run("scan", password_server.url("insider"), "--table", "shop.orders", "--format", "json")
        reasons = [item["reason"] for item in json.loads(outside.out)["not_analysed"]]
        assert any("permission" in reason or "may not" in reason for reason in reasons), reasons
        with password_server.open() as connection:
            connection.execute("grant usage on schema shop to insider")
        found = run("scan", password_server.url("insider"), "--table", "shop.orders", "--format", "json")
        assert found.code == 1, found.err
        parsed = json.loads(found.out)
        assert parsed["target"]["platform"] == "postgres"
        assert {(f["rule"], f["line"]) for f in parsed["findings"]} >= {("TA101", 3), ("TA401", 4)}
        assert all(path["flows"] == [] for f in parsed["findings"] for path in f["paths"])
    finally:
        with password_server.open() as connection:
            connection.execute("drop schema shop cascade")
