"""Whatever is wrong: one clear line on stderr, exit code 2, nothing left behind, and never a password."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from tests.cli.running import Run, run
from tests.conftest import FreshDatabase
from tests.database.conftest import _servers, password_server  # noqa: F401
from tests.database.servers import PASSWORD, PasswordServer
from trigger_audit.report.formats import Format

COMMANDS = pytest.mark.parametrize("command", ["scan", "smoke"])


def refused(found: Run) -> str:
    assert found.code == 2, found
    assert found.out == ""
    assert PASSWORD not in found.err
    assert quote(PASSWORD, safe="") not in found.err
    return found.error


@COMMANDS
def test_a_host_that_is_not_there(command: str) -> None:
    assert "refused" in refused(run(command, "postgresql://postgres:geheim123@127.0.0.1:1/postgres")).lower()
    unknown = refused(run(command, "postgresql://postgres:geheim123@nowhere.invalid/postgres"))
    assert "nowhere.invalid" in unknown
    assert "geheim123" not in unknown


@COMMANDS
def test_a_wrong_password_and_an_unknown_database(command: str, password_server: PasswordServer) -> None:  # noqa: F811
    url = password_server.url("insider")
    wrong = url.replace(quote(PASSWORD, safe=""), "wr%C3%B6ng-geheim")
    assert wrong != url
    error = refused(run(command, wrong))
    assert "password" in error
    assert "geheim" not in error
    head, _, _ = url.rpartition("/")
    assert "nothing_here" in refused(run(command, f"{head}/nothing_here"))


@COMMANDS
def test_a_password_of_special_characters_works_and_is_not_shown(
    command: str,
    password_server: PasswordServer,  # noqa: F811
) -> None:
    error = refused(run(command, password_server.url("insider"), "--verbose"))
    assert "auth.users" in error, "it got in, and says what is missing"


@COMMANDS
def test_an_empty_argument_is_no_scan_of_something_else(command: str, tmp_path: Path) -> None:
    found = run(command, "", env={"DATABASE_URL": "postgresql://127.0.0.1:1/x"}, cwd=tmp_path)
    assert "empty" in refused(found)


@COMMANDS
def test_nothing_given_and_nothing_found(command: str, tmp_path: Path) -> None:
    refused(run(command, cwd=tmp_path))


@COMMANDS
@pytest.mark.parametrize("arguments", [("nothing.sql",), ("mysql://u:geheim123@h/d",), (".", "postgresql://h/d")])
def test_targets_that_cannot_be(command: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert "geheim123" not in refused(run(command, *arguments, cwd=tmp_path))


@COMMANDS
def test_an_empty_folder(command: str, tmp_path: Path) -> None:
    assert "no" in refused(run(command, str(tmp_path)))


@COMMANDS
def test_a_file_that_is_not_sql(command: str, tmp_path: Path) -> None:
    file = tmp_path / "picture.sql"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00\x01")
    assert "picture.sql" in refused(run(command, str(file)))


def test_no_auth_schema(sandbox: object, fresh_database: FreshDatabase) -> None:
    with psycopg.connect(fresh_database.conninfo(), autocommit=True) as connection:
        connection.execute("drop schema auth cascade")
        connection.execute("create table public.t (id int)")
    error = refused(run("scan", fresh_database.conninfo()))
    assert "auth.users" in error
    assert "--table" in error
    assert run("scan", fresh_database.conninfo(), "--table", "public.t").code == 0
    assert "auth.users" in refused(run("smoke", fresh_database.conninfo()))


def test_a_role_without_rights_can_scan_but_not_smoke(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(TRAP)
    dsn = fresh_database.conninfo("authenticator")
    assert run("scan", dsn, "--format", "concise").code in (0, 1)
    refused(run("smoke", dsn))


def test_a_migration_with_a_syntax_error_is_reported_and_the_rest_is_judged() -> None:
    sql = "create table public.t (id int,);\n\n" + TRAP
    found = run("scan", "-", "--format", "concise", stdin=sql)
    assert "not applied: -:1: syntax error" in found.err
    assert "-:1:31: not analysed: not applied: syntax error" in found.out


def test_a_body_of_a_megabyte() -> None:
    line = "  insert into public.t (a) values ('" + "x" * 60 + "');\n"
    body = line * (1_000_000 // len(line))
    sql = (
        "create table public.t (a text);\n"
        "create function public.f() returns trigger language plpgsql security definer set search_path = '' as $$\n"
        f"begin\n{body}  return new;\nend $$;\n"
        "create trigger t after insert on auth.users for each row execute function public.f();\n"
    )
    found = run("scan", "-", "--format", "json", stdin=sql, timeout=180)
    assert found.code == 0, found.err
    assert json.loads(found.out)["summary"]["functions"] == 1


TRAP = """
create function public.f() returns trigger language plpgsql as $$
begin
  loop
    perform 1;
  end loop;
end $$;
create trigger t after insert on auth.users for each row execute function public.f();
"""


def test_a_function_that_never_ends_is_skipped_with_function_and_line() -> None:
    one = ("--flow", "signup-email", "--payload", "bare")  # each takes our whole statement_timeout
    found = run("smoke", "-", *one, "--format", "json", stdin=TRAP, timeout=120)
    document = json.loads(found.out)
    assert {flow["outcome"] for flow in document["flows"]} == {"skipped"}
    assert "public.f() line" in document["flows"][0]["reason"]
    assert document["rolled_back"] is True
    assert found.code == 2, "no flow gave a verdict"


HOSTILE = '"a""b\n\x1b[31mred\x1b[0m\u202egnorw\u200b"'


def test_hostile_names_cannot_act_on_a_terminal() -> None:
    sql = f"""
create table public.{HOSTILE} (id uuid, {HOSTILE} text not null);
create function public.{HOSTILE}() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.{HOSTILE} (id) values (new.id);
  return new;
end $$;
create trigger {HOSTILE} after insert on auth.users for each row execute function public.{HOSTILE}();
"""
    for form in ("table", "concise", "json"):
        found = run("scan", "-", "--format", form, stdin=sql)
        assert found.code == 1, found
        assert "TA106" in found.out
        shown = found.out + found.err
        assert not set("\x1b\u202e\u200b\r") & set(shown)
    lines = run("scan", "-", "--format", "concise", stdin=sql).out
    assert lines.count("\n") == len([line for line in lines.splitlines() if " TA" in line])
    smoked = run("smoke", "-", "--flow", "signup-email", stdin=sql)
    assert smoked.code == 1
    assert not set("\x1b\u202e\u200b\r") & set(smoked.out + smoked.err)


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "--fail-on", "never-ever"),
        ("scan", "--nonsense"),
        ("nonsense",),
        ("scan", "-v", "-q", "."),
        ("rule", "TA999"),
    ],
)
def test_options_that_are_not_there(arguments: tuple[str, ...]) -> None:
    refused(run(*arguments))


@COMMANDS
def test_an_unknown_format(command: str) -> None:
    error = refused(run(command, "-", "--format", "xml", stdin="select 1;"))
    assert error == f"error: --format: 'xml' is not one of {', '.join(map(repr, map(str, Format)))} (see --help)"


@COMMANDS
def test_binaries_are_not_for_a_database(command: str, tmp_path: Path) -> None:
    error = refused(run(command, "postgresql://postgres:geheim123@127.0.0.1:1/d", "--postgres", str(tmp_path)))
    assert error.startswith("error: --postgres chooses the sandbox's server, and a database has its own (")
    assert "geheim123" not in error


@pytest.mark.parametrize("text", ["-- nothing here\n/* nor\nhere */\n", ";;\n", "\\echo hello\n"])
def test_a_file_without_a_statement(text: str, tmp_path: Path) -> None:
    (tmp_path / "empty.sql").write_text(text)
    assert "no SQL statement to apply in empty.sql" in refused(run("scan", "empty.sql", cwd=tmp_path))


@COMMANDS
def test_standard_input_without_a_statement(command: str) -> None:
    assert "no SQL statement to apply in standard input" in refused(run(command, "-", stdin=""))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (b"select 1;\nselect '\xe9'", "standard input is not UTF-8: byte 0xe9 in line 2 (offset 18)"),
        (b"\x89PNG\r\n\x1a\n\xff\x00", "standard input is not SQL text: byte 0x00 in line 3"),
        ("select 1".encode("utf-16"), "standard input is not UTF-8: byte 0xff in line 1"),
    ],
)
def test_binary_standard_input(given: bytes, told: str) -> None:
    for env in ({}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        assert told in refused(run("scan", "-", stdin=given, env=env))


def test_input_without_end(tmp_path: Path) -> None:
    assert "/dev/zero is not SQL text" in refused(run("scan", "/dev/zero"))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", "exec yes 'select 1;' > pipe"], cwd=tmp_path) as source:
        error = refused(run("scan", "pipe", cwd=tmp_path))
        assert source.wait(10) != 0
    assert error.startswith("error: pipe is larger than 256 MiB (")


def test_an_unknown_flow_and_an_unknown_rule() -> None:
    assert "signup-email" in refused(run("smoke", "-", "--flow", "signup", stdin="select 1;"))
    assert "TA1" in refused(run("scan", "-", "--select", "TA170", stdin="")).upper()


def test_binaries_that_are_not_there(tmp_path: Path) -> None:
    refused(run("scan", "-", "--postgres", str(tmp_path), stdin=""))


_WRITE = "insert into public.notes (id) values (new.id)"


@pytest.mark.parametrize(
    ("more", "statement", "told"),
    [
        ("", "perform pg_catalog.pg_advisory_lock(42)", "public.f() line 3 calls pg_catalog.pg_advisory_lock"),
        ("", "execute $x$copy (select 1) to program 'true'$x$", "public.f() line 3 calls COPY (reads or writes a file"),
        ("", "execute 'copy auth.users to ' || quote_literal(new.id)", "public.f() line 3 calls COPY"),
        ("", "truncate public.notes", "public.f() line 3 calls TRUNCATE public.notes (locks a table"),
        (
            "create sequence public.s;",
            "perform setval('public.s', 1)",
            "public.f() line 3 calls setval (sets a",
        ),
        (
            "alter table public.notes alter note set default pg_try_advisory_lock(1)::text;",
            _WRITE,
            "public.notes column note default calls pg_try_advisory_lock (takes an advisory lock",
        ),
        (
            "create domain public.d as boolean default pg_try_advisory_lock(1);"
            "alter table public.notes alter note drop default, add d public.d;",
            _WRITE,
            "domain public.d default calls pg_try_advisory_lock",
        ),
        (
            "create function public.g(text) returns boolean immutable language sql as "
            "'select pg_catalog.pg_try_advisory_lock(1)';"
            "alter table public.notes add constraint c check (public.g(note));",
            _WRITE,
            "public.g(text) line 1 calls pg_catalog.pg_try_advisory_lock",
        ),
        (
            "create rule r as on insert to public.notes do also select pg_advisory_lock(1);",
            _WRITE,
            "public.notes rule r calls pg_advisory_lock",
        ),
    ],
)
def test_a_hazard_is_refused_with_its_place(more: str, statement: str, told: str) -> None:
    sql = f"""
create table public.notes (id uuid, note text); {more}
create function public.f() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  {statement};
  return new;
end $$;
create trigger t after insert on auth.users for each row execute function public.f();
"""
    assert told in refused(run("smoke", "-", "--flow", "signup-email", stdin=sql))
    if "pg_advisory_lock(42)" in statement:
        allowed = run("smoke", "-", "--flow", "signup-email", "--allow-side-effects", "--format", "json", stdin=sql)
        assert allowed.code == 0
        assert json.loads(allowed.out)["hazards"][0]["line"] == 3


@COMMANDS
def test_a_text_that_is_not_sql(command: str, tmp_path: Path) -> None:
    (tmp_path / "notes.sql").write_text("hello world\n")
    error = refused(run(command, "notes.sql", cwd=tmp_path))
    assert "the one statement of notes.sql could not be applied: notes.sql:1: " in error
    assert 'syntax error at or near "hello"' in error
    (tmp_path / "notes.sql").write_text("hello world;\nSELECT 1 FROM \x1b[31mnowhere;\n")
    error = refused(run(command, "notes.sql", cwd=tmp_path))
    assert "none of the 2 statements of notes.sql could be applied, first notes.sql:1: " in error
    assert "\x1b" not in error


def test_one_statement_that_can_be_applied_is_enough(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("hello world;\nCREATE TABLE public.notes (id int);\n")
    found = run("scan", "a.sql", cwd=tmp_path)
    assert found.code == 0, found
    assert "not applied" in found.out


def test_a_file_named_like_standard_output_is_refused(tmp_path: Path) -> None:
    for value in ("-", "json=-"):
        found = run("scan", "-", "-o", value, stdin="select 1;", cwd=tmp_path)
        assert found.code == 2
        assert "standard output has its own option (--format " in found.error
    assert list(tmp_path.iterdir()) == []
