"""`trigger-audit scan --prove`: what a run of Auth's flows makes of the findings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.running import Run, run
from tests.cli.test_contract import BROKEN, ROOT
from tests.cli.test_scan import FAULTY
from tests.conftest import FreshDatabase
from tests.database.conftest import _servers, password_server  # noqa: F401
from tests.database.servers import PasswordServer

HAZARDOUS = FAULTY.replace("  return new;", "  perform pg_catalog.pg_advisory_lock(7);\n  return new;")


def document(found: Run) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(found.out)
    return parsed


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    """The demo project: the table on standard output, and the JSON document."""
    file = tmp_path_factory.mktemp("proved") / "scan.json"
    found = run("scan", BROKEN, "--prove", "--output", f"json={file}", cwd=ROOT, fresh=True)
    return found, file.read_text()


def test_what_of_the_demo_project_is_observed(proved: tuple[Run, str]) -> None:
    found, text = proved
    assert found.code == 1
    proof = {(f["rule"], f["object"]): f["proof"] for f in json.loads(text)["findings"]}
    assert proof == {
        ("TA101", "public.track_confirmation_mail()"): "observed",
        ("TA102", "public.handle_new_user()"): "observed",
        ("TA103", "public.sync_profile_email()"): "observed",
        ("TA104", "public.note_login()"): "observed",
        ("TA107", "public.handle_new_user()"): "observed",
        ("TA118", "public.memberships.memberships_user_id_fkey"): "observed",
        # The sign-up that asks for the role fails before anybody has it.
        ("TA503", "public.handle_new_user()"): "dataflow",
    }


@pytest.mark.extended
def test_nothing_but_the_proof_differs_and_two_runs_give_the_same_bytes(proved: tuple[Run, str]) -> None:
    _, text = proved
    plain, again = document(run("scan", BROKEN, "--format", "json", cwd=ROOT)), json.loads(text)
    for found, before in zip(again["findings"], plain["findings"], strict=True):
        assert list(found) == list(before)
        assert {key for key in found if found[key] != before[key]} <= {"proof"}
    assert {key for key in again if again[key] != plain[key]} == {"findings"}
    assert run("scan", BROKEN, "--prove", "--format", "json", cwd=ROOT).out == text


def test_the_table_says_in_which_flows(proved: tuple[Run, str]) -> None:
    found, _ = proved
    assert "= proof: observed in delete-user (bare)\n" in found.out
    assert "= proof: observed in signup-phone (bare, full), anonymous (bare, full)\n" in found.out
    assert "= proof: observed in admin-create (hidden by a handler)\n" in found.out
    assert found.out.count("= proof:") == 6
    assert "note: the flows of Auth were run and rolled back: " in found.err


def test_a_database_is_left_as_it_was(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(FAULTY + "create table public.log (id serial primary key);")
    found = run("scan", fresh_database.conninfo(), "--prove", "--format", "json")
    assert found.code == 1, found.err
    (finding,) = [f for f in document(found)["findings"] if f["rule"] == "TA106"]
    assert finding["proof"] == "observed"
    assert "note: dead rows of the run stay until vacuum" in found.err
    with psycopg.connect(fresh_database.conninfo()) as connection:
        rows = connection.execute("select count(*) from auth.users").fetchone()
        users = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database()"
        ).fetchone()
    assert (rows, users) == ((0,), (1,))


@pytest.mark.extended
def test_a_session_that_is_not_auths_refutes_no_missing_privilege(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(FAULTY.replace("name text not null", "name text").replace("security definer", ""))
    found = run("scan", fresh_database.conninfo("postgres"), "--prove", "--format", "json")
    (finding,) = [f for f in document(found)["findings"] if f["rule"] == "TA104"]
    assert finding["proof"] == "catalog"
    assert "did not see" not in finding["why"]
    assert "note: they ran as postgres, so that rights which Auth's role lacks did not show" in found.err
    as_auth = run("scan", fresh_database.conninfo(), "--prove", "--format", "json")
    assert {f["proof"] for f in document(as_auth)["findings"] if f["rule"] == "TA104"} == {"observed"}


def test_without_a_run_the_findings_stand_and_the_exit_code_is_2(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(FAULTY)
    with psycopg.connect(fresh_database.conninfo(), autocommit=True) as connection:
        statement = f'alter database "{fresh_database.name}" set default_transaction_read_only = on'
        connection.execute(statement.encode())
    for more in ((), ("--exit-zero",)):
        found = run("scan", fresh_database.conninfo(), "--prove", "--format", "concise", *more)
        assert found.code == 2
        assert "TA106" in found.out
        assert "default_transaction_read_only" in found.error


def test_side_effects_are_refused_and_can_be_allowed() -> None:
    refused = run("scan", "-", "--prove", "--format", "json", stdin=HAZARDOUS)
    assert refused.code == 2
    assert "public.handle_new_user()" in refused.error
    # It is a sandbox already.
    assert "copy" not in refused.error
    assert "what goes out of the sandbox is done for good: accept that with --allow-side-effects" in refused.error
    assert {f["proof"] for f in document(refused)["findings"] if f["rule"] == "TA106"} == {"catalog"}
    allowed = run("scan", "-", "--prove", "--allow-side-effects", "--format", "json", stdin=HAZARDOUS)
    assert allowed.code == 1, allowed.err
    assert {f["proof"] for f in document(allowed)["findings"] if f["rule"] == "TA106"} == {"observed"}


def test_what_other_tables_do_is_no_side_effect_of_a_sign_up() -> None:
    orders = """
        create table public.orders (id int primary key);
        create function public.lock_up() returns trigger language plpgsql as $$
        begin perform pg_catalog.pg_advisory_lock(7); return new; end $$;
        create trigger lock_up after insert on public.orders for each row execute function public.lock_up();
    """
    found = run("scan", "-", "--prove", "--table", "public.orders", "--format", "json", stdin=FAULTY + orders)
    assert found.code == 1, found.err
    assert {f["proof"] for f in document(found)["findings"] if f["rule"] == "TA106"} == {"observed"}


def test_allowing_side_effects_without_a_run_is_refused() -> None:
    found = run("scan", "-", "--allow-side-effects", stdin=FAULTY)
    assert (found.code, "--prove" in found.error, found.out) == (2, True, "")


def test_a_server_without_auth_has_nothing_to_prove(password_server: PasswordServer) -> None:  # noqa: F811
    with password_server.open() as connection:
        connection.execute("create table public.orders (id int primary key)")
        connection.execute(
            "create function public.note() returns trigger language plpgsql as $$ "
            "begin update public.orders set id = 0; return null; end $$"
        )
        connection.execute("create trigger n after insert on public.orders for each row execute function public.note()")
    try:
        target = password_server.url("insider")
        found = run("scan", target, "--prove", "--table", "public.orders", "--format", "concise")
        assert found.code == 2
        assert "TA401" in found.out
        assert "no auth.users" in found.error
    finally:
        with password_server.open() as connection:
            connection.execute("drop table public.orders")
            connection.execute("drop function public.note")


UNEXPLAINED = """
create table public.profiles (id uuid primary key);
alter table public.profiles enable row level security;
grant all on public.profiles to supabase_auth_admin;
create function public.handle_new_user() returns trigger language plpgsql set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;
create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""
ROW_SECURITY = '42501 new row violates row-level security policy for table "profiles"'


def test_a_flow_that_fails_without_a_finding_is_an_error_of_its_own() -> None:
    found = run("scan", "-", "--prove", stdin=UNEXPLAINED)
    said = "default flows fail that no finding explains: signup-email (bare, full, duplicate, admin), "
    assert (found.code, found.error.startswith(f"error: {said}")) == (1, True)
    assert found.error.endswith(f": {ROW_SECURITY} (trigger-audit smoke names the cause)")
    assert f"\nnot explained: {said}" in found.out
    for more in (("--exit-zero",), ("--fail-on", "never")):
        assert run("scan", "-", "--prove", *more, stdin=UNEXPLAINED).code == 0


@pytest.mark.extended
def test_what_another_rule_explains_or_the_project_expects_is_no_error(tmp_path: Path) -> None:
    explained = run("scan", "-", "--prove", "--select", "TA4", stdin=FAULTY)
    assert (explained.code, "error:" in explained.err) == (0, False), explained.err
    flows = ("signup-email", "signup-autoconfirm", "signup-otp", "oauth-first", "invite", "admin-create")
    expected = "".join(f'{flow} = "fail:42501"\n' for flow in flows)
    (tmp_path / "trigger-audit.toml").write_text(f"[expect]\n{expected}")
    meant = run("scan", "-", "--prove", stdin=UNEXPLAINED, cwd=tmp_path)
    assert (meant.code, "error:" in meant.err, "not explained" in meant.out) == (0, False, False), meant.err
