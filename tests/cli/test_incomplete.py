"""What could not be applied, read or run is counted and listed in every format, and --strict makes it count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import run
from tests.cli.test_scan import SOUND

REFUSED = "\n\nselect missing();\ncreate table public.x (\n  id inte\n);\n"
# Where the server points at.
COLUMNS = {14: 8, 16: 6}
REASONS = (
    (14, "not applied: function missing() does not exist (42883)"),
    (16, 'not applied: type "inte" does not exist (42704)'),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A sound migration with two statements that no server takes, and a file that the Supabase CLI leaves out."""
    migrations = tmp_path / "supabase" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "1_init.sql").write_text(SOUND + REFUSED)
    (migrations / "notes.sql").write_text("select 1;")
    return tmp_path


FILE = "supabase/migrations/1_init.sql"


@pytest.mark.parametrize("command", ["scan", "smoke"])
def test_refused_statements_in_every_format_and_under_strict(command: str, project: Path) -> None:
    as_json = run(command, "supabase", "--format", "json", cwd=project)
    assert as_json.code == 0
    document = json.loads(as_json.out)
    assert document["not_analysed"] == [
        {"object": FILE, "line": line, "reason": reason, "file": FILE, "file_line": line} for line, reason in REASONS
    ]
    if command == "scan":
        assert document["summary"]["not_analysed"] == 2

    concise = run(command, "supabase", "--format", "concise", "-q", "--strict", cwd=project)
    assert concise.code == 1
    told = [f"{FILE}:{line}:{COLUMNS[line]}: not analysed: {reason}" for line, reason in REASONS]
    assert concise.out.splitlines()[-2:] == told
    assert "not applied: 2 statements" in concise.err

    table = run(command, "supabase", "--strict", "--exit-zero", cwd=project)
    assert table.code == 0
    assert "".join(f"  {FILE}:{line}:{COLUMNS[line]}: {reason}\n" for line, reason in REASONS) in table.out
    assert ("; 2 not analysed; " if command == "scan" else "; 2 statements not applied; ") in table.out.splitlines()[-1]
    assert table.err.splitlines()[1:] == [
        "note: supabase/migrations/notes.sql is left out: "
        "the Supabase CLI does not apply it: its name is not digits_name.sql",
        f"not applied: 2 statements, all in the report; the first: {FILE}:14: "
        "function missing() does not exist (42883)",
    ]


def test_demo_of_a_sound_project_has_nothing_of_it() -> None:
    found = run("demo", "--mended", fresh=True)
    assert "; 0 not analysed; " in found.out
    assert "not applied" not in found.out + found.err


def test_no_cache_is_told_under_verbose(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path / "nonexistent"), "XDG_CACHE_HOME": ""}
    found = run("scan", "-", "-v", stdin=SOUND, env=env)
    assert found.code == 0
    told = f"the prepared sandbox is not kept in the cache folder: there is no folder {tmp_path}/nonexistent"
    assert f"note: {told}" in found.err.splitlines()
    assert list(tmp_path.iterdir()) == []


def test_the_suffix_in_capitals(project: Path, tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.mkdir()
    (loose / "A.SQL").write_text(SOUND)
    (project / "supabase" / "migrations" / "2_more.SQL").write_text("select 1;")
    found = run("scan", "loose", "supabase", cwd=tmp_path)
    assert "not applied: 5 statements, all in the report; the first: supabase/migrations/1_init.sql:2: " in found.err
    assert "note: supabase/migrations/2_more.SQL is left out: " in found.err


def test_concise_names_what_was_altered() -> None:
    sql = """
create function public.f() returns trigger language plpgsql as $$
begin
  new.aud := 'nobody';
  return new;
end $$;
create trigger t before insert on auth.users for each row execute function public.f();
"""
    found = run("smoke", "-", "--flow", "signup-email", "--format", "concise", stdin=sql)
    assert found.code == 1
    assert "signup-email:bare: altered auth.users.aud: expected authenticated, found nobody" in found.out, found.out


def test_what_is_altered_alike_is_told_once() -> None:
    sql = """
create function public.f() returns trigger language plpgsql as $$
begin
  new.confirmation_token := '';
  return new;
end $$;
create trigger t before update on auth.users for each row execute function public.f();
"""
    found = run("smoke", "-", "--flow", "invite", stdin=sql)
    assert found.code == 1
    assert "altered invite (bare, full)\n" in found.out
    assert found.out.count("\naltered ") == 1
