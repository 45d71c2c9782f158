"""What is missing for want of a statement that the sandbox could not apply is neither a finding nor a failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import run

TRIGGER = """
create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""
HANDLER = """
create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  {body}
  return new;
end $$;
"""
GEODATA = "create extension geodata with schema extensions;\n"
TABLE = "create table public.profiles (id uuid primary key{more});\n"
INSERT = "insert into public.profiles (id{more}) values (new.id{value});"

SOUND = {
    "a table with a type of an extension": (
        GEODATA + TABLE.format(more=", home extensions.geodata"),
        INSERT.format(more="", value=""),
        'relation "public.profiles" does not exist: -:2 was not applied, and may have made it',
    ),
    "a column that could not be added": (
        GEODATA + TABLE.format(more="") + "alter table public.profiles add column home extensions.geodata;\n",
        INSERT.format(more=", home", value=", null"),
        'column "home" of relation "profiles" does not exist: -:3 was not applied, and may have made it',
    ),
    "a function of an extension": (
        "create extension links with schema extensions;\n" + TABLE.format(more=""),
        "perform extensions.urlencode('a');",
        "function extensions.urlencode(unknown) does not exist (search_path pg_catalog only): "
        "-:1 was not applied, and may have made it",
    ),
    "a schema of an extension": (
        "create extension queues;\nselect queues.create('welcome');\n",
        "perform queues.send('welcome', '{}');",
        'schema "queues" does not exist: -:1 was not applied, and may have made it',
    ),
}


def document(found: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(found.out)
    return parsed


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[pytest.mark.extended] if number > 1 else []) for number, case in enumerate(SOUND)],
)
def test_it_is_not_analysed_and_its_flows_are_skipped(case: str) -> None:
    before, body, reason = SOUND[case]
    sql = before + HANDLER.format(body=body) + TRIGGER
    scanned = run("scan", "-", "--format", "json", stdin=sql)
    assert scanned.code == 0, scanned.out
    assert {finding["rule"] for finding in document(scanned)["findings"]} <= {"TA301"}
    (item,) = (each for each in document(scanned)["not_analysed"] if each["object"] == "public.handle_new_user()")
    assert (item["line"], item["reason"], item["file"]) == (3, reason, "-")
    assert sql.splitlines()[item["file_line"] - 1].strip().startswith(("insert into", "perform"))
    assert run("scan", "-", "--strict", "-q", stdin=sql).code == 1

    smoked = run("smoke", "-", "--flow", "signup-email", "--flow", "login", "--format", "json", stdin=sql)
    flows = {(flow["flow"], flow["payload"]): flow for flow in document(smoked)["flows"]}
    flow = flows["signup-email", "bare"]
    assert (flow["outcome"], flow["culprits"], flow["failed_step"]) == ("skipped", [], None)
    assert flow["reason"].startswith(reason.rpartition(": ")[2] + " (")
    assert flows["login", "bare"]["outcome"] == "pass"
    assert smoked.code == 2, "no sign-up gave a verdict"


@pytest.mark.parametrize(
    ("before", "body", "rule"),
    [
        (GEODATA, INSERT.format(more="", value=""), "TA101"),
        (GEODATA, "perform lower(3.5);", "TA102"),
        # It is there, only not under the path: no extension would mend that.
        ("create extension links with schema extensions;\n", "perform gen_random_bytes(3);", "TA102"),
        ("grant select on public.profiles to anon;\n", INSERT.format(more="", value=""), "TA101"),
    ],
)
def test_what_no_such_statement_would_have_made_stays_a_finding(before: str, body: str, rule: str) -> None:
    sql = before + HANDLER.format(body=body) + TRIGGER
    scanned = run("scan", "-", "--format", "concise", stdin=sql)
    assert (scanned.code, f" error {rule} " in scanned.out) == (1, True), scanned.out
    smoked = run("smoke", "-", "--flow", "signup-email", "--format", "concise", stdin=sql)
    assert (smoked.code, smoked.out.startswith("signup-email:bare: fail ")) == (1, True), smoked.out


def test_what_a_handler_hides_of_it_is_no_hidden_error() -> None:
    body = "begin perform queues.send('welcome', '{}'); exception when others then raise warning 'no queue'; end;"
    sql = "create extension queues;\n" + HANDLER.format(body=body) + TRIGGER
    smoked = run("smoke", "-", "--flow", "signup-email", "--format", "json", stdin=sql)
    assert smoked.code == 0, smoked.out
    assert document(smoked)["hidden_errors"] == []
    reason = 'schema "queues" does not exist: -:1 was not applied, and may have made it'
    assert reason in document(smoked)["session"]["gaps"]


def test_a_proof_leaves_such_flows_out() -> None:
    before, body, _ = SOUND["a schema of an extension"]
    found = run("scan", "-", "--prove", stdin=before + HANDLER.format(body=body) + TRIGGER)
    assert (found.code, found.error) == (2, "error: every sign-up flow was skipped: the reasons are in the report")
    assert "19 skipped" in found.err


def test_ones_own_statement_that_fails_of_it_gives_no_verdict(tmp_path: Path) -> None:
    before, body, _ = SOUND["a schema of an extension"]
    orders = "create table public.orders (id int);\n" + TRIGGER.replace("auth.users", "public.orders")
    (tmp_path / "a.sql").write_text(before + orders.partition("create trigger")[0] + HANDLER.format(
        body=body.replace("new.id", "1")) + "create trigger" + orders.partition("create trigger")[2])  # fmt: skip
    (tmp_path / "own.sql").write_text("insert into public.orders values (1);")
    found = run("smoke", "a.sql", "--statement", "own.sql", "--format", "concise", cwd=tmp_path)
    assert (found.code, found.error) == (2, "error: the statements gave no verdict: the reason is in the report")
    assert "skipped a.sql:1 was not applied, and may have made it (3F000 at INSERT public.orders" in found.out


def test_what_hosted_supabase_refuses_counts_with_strict_and_is_told_by_the_report_alone() -> None:
    sql = "create index on auth.users (created_at);\n"
    reason = "hosted Supabase refuses it: postgres may not change auth.users like this (it was applied here)"
    scanned = run("scan", "-", "--strict", "-q", "--format", "concise", stdin=sql)
    assert (scanned.code, scanned.out) == (1, f"-:1:1: not analysed: {reason}\n")
    smoked = run("smoke", "-", "--flow", "login", "--strict", stdin=sql)
    assert (smoked.code, "hosted Supabase" in smoked.err) == (1, False)
    assert "; 1 statement that hosted Supabase refuses; " in smoked.out.splitlines()[-1]
    assert run("smoke", "-", "--flow", "login", "-q", stdin=sql).code == 0
