"""The JSON contracts on the demo project, byte for byte; UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import run
from trigger_audit.resources import sql_folder

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
BROKEN = "sql/examples/broken"


def steady(text: str) -> str:
    """The document without what differs between servers, releases and runs."""
    text = re.sub(r'"milliseconds": \d+', '"milliseconds": 0', text)
    text = re.sub(r'"server_version": "[^"]*"', '"server_version": "*"', text)
    return re.sub(r'"version": "[^"]*"', '"version": "*"', text)


def compare(name: str, text: str) -> None:
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def scanned() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run("scan", BROKEN, "--format", "json", cwd=ROOT).out)
    return document


@pytest.mark.parametrize("command", ["scan", "smoke"])
def test_the_demo_project_gives_the_golden_document_and_lines(command: str, tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    found = run(command, BROKEN, "--format", "json", "--output", f"concise={lines}", cwd=ROOT, fresh=True)
    assert found.code == 1
    compare(f"{command}.json", steady(found.out))
    compare(f"{command}.txt", lines.read_text(encoding="utf-8"))


# One statement that the server refuses, a body in a language that is not read, a column of Auth's that is overwritten,
# and a call that ROLLBACK does not undo.
INCOMPLETE = """
create table public.broken (id inte);
create function public.note() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  new.aud := 'nobody';
  perform pg_catalog.pg_advisory_lock(7);
  return new;
end $$;
create trigger note before insert on auth.users for each row execute function public.note();
create trigger suppress before update of is_super_admin on auth.users for each row
  execute function pg_catalog.suppress_redundant_updates_trigger();
"""


@pytest.mark.parametrize(
    "arguments", [("scan", "-"), ("smoke", "-", "--flow", "signup-autoconfirm", "--allow-side-effects")]
)
@pytest.mark.parametrize(("form", "suffix"), [("json", "json"), ("concise", "txt")])
def test_a_project_that_is_incomplete_altered_and_hazardous(arguments: tuple[str, ...], form: str, suffix: str) -> None:
    found = run(*arguments, "--format", form, stdin=INCOMPLETE)
    compare(f"{arguments[0]}-incomplete.{suffix}", steady(found.out))


def test_every_planted_fault_is_found_at_its_line(scanned: dict[str, Any]) -> None:
    found = {(f["rule"], f["severity"], f["object"], f["line"]) for f in scanned["findings"]}
    assert found == {
        ("TA101", "error", "public.track_confirmation_mail()", 3),
        ("TA104", "error", "public.note_login()", 3),
        ("TA103", "error", "public.sync_profile_email()", 3),
        ("TA503", "error", "public.handle_new_user()", 12),
        ("TA102", "warning", "public.handle_new_user()", 16),
        ("TA107", "warning", "public.handle_new_user()", 6),
        ("TA118", "warning", "public.memberships.memberships_user_id_fkey", None),
    }
    (hidden,) = [f for f in scanned["findings"] if f["hidden_by"]]
    assert (hidden["rule"], hidden["hidden_by"]) == ("TA102", 17)


def test_smoke_fails_where_the_faults_break_it() -> None:
    smoked = json.loads(run("smoke", BROKEN, "--format", "json", cwd=ROOT).out)
    outcome = {(f["flow"], f["payload"]): f for f in smoked["flows"]}
    signup = outcome["signup-email", "bare"]
    assert signup["response"]["message"] == "Error sending confirmation email"
    assert signup["mail"] == "sent-token-lost"
    assert (signup["failed_step"]["sqlstate"], signup["failed_step"]["line"]) == ("42P01", 3)
    assert outcome["login", "bare"]["failed_step"]["sqlstate"] == "42501"
    assert outcome["verify-email-change", "bare"]["failed_step"]["sqlstate"] == "42703"
    assert outcome["delete-user", "bare"]["failed_step"]["constraint"] == "memberships_user_id_fkey"
    assert outcome["anonymous", "bare"]["failed_step"]["sqlstate"] == "23502"
    assert smoked["rolled_back"] is True


def test_the_mended_project_has_nothing_above_info_and_every_flow_passes() -> None:
    examples = sql_folder() / "examples"
    paths = (str(examples / "broken"), str(examples / "mended"))
    scan = run("scan", *paths, "--fail-on", "warning", "--strict")
    assert (scan.code, scan.out.splitlines()[-1].partition(" in ")[0]) == (0, "2 infos"), scan.out
    smoke = run("smoke", *paths, "--format", "json", "--strict")
    assert smoke.code == 0, smoke.out
    assert {flow["outcome"] for flow in json.loads(smoke.out)["flows"]} == {"pass"}
