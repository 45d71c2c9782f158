"""A baseline, ignored findings and ignore comments as a user meets them: the exit code, the reports, what is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Run, run

TABLES = """
create table public.profiles (id uuid primary key references auth.users on delete cascade, name text not null);
create table public.audit_log (id bigint generated always as identity, user_id uuid);
"""
# Fails for a user without a name, and a log that may refuse the sign-up.
FUNCTION = """
create or replace function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, name) values (new.id, new.raw_user_meta_data ->> 'name');
  insert into public.audit_log (user_id) values (new.id);
  return new;
end;
$$;
"""
TRIGGER = """
create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""
# The same, laid out by another hand.
REWRITTEN = """
-- Moved here from elsewhere.


CREATE OR REPLACE FUNCTION public.handle_new_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $body$
-- Makes the profile.
DECLARE
    unused int;
BEGIN
    INSERT INTO public.profiles (id, name)
    VALUES (
        NEW.id, -- the user's
        NEW.raw_user_meta_data->>'name'
    );
    INSERT INTO public.audit_log (user_id)
        VALUES (NEW.id);
    RETURN NEW;
END;
$body$;
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "supabase" / "migrations"
    folder.mkdir(parents=True)
    write(tmp_path, "1_first.sql", TABLES + FUNCTION + TRIGGER)
    return tmp_path


def write(project: Path, name: str, text: str) -> None:
    (project / "supabase" / "migrations" / name).write_text(text)


def scan(project: Path, *options: str) -> Run:
    return run("scan", "supabase", *options, cwd=project)


def document(found: Run) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(found.out)
    return read


def states(found: Run) -> dict[str, str]:
    return {each["rule"]: each["baseline"] for each in document(found)["findings"]}


def entries(project: Path) -> list[tuple[str, str, int]]:
    read = json.loads((project / "known.json").read_text())
    return [(each["rule"], each["severity"], each["count"]) for each in read["findings"]]


WITH = ("--baseline", "known.json")


def test_only_what_is_new_fails(project: Path) -> None:
    assert scan(project).code == 1
    made = scan(project, *WITH, "--write-baseline")
    assert (made.code, made.out.splitlines()[-1].split(" in 1 trigger")[0]) == (0, "no findings (2 in the baseline)")
    assert "baseline: known.json holds 2 findings now" in made.err
    assert entries(project) == [("TA107", "error", 1), ("TA301", "warning", 1)]
    before = (project / "known.json").read_bytes()
    scan(project, *WITH, "--write-baseline")
    assert (project / "known.json").read_bytes() == before

    write(project, "1_first.sql", TABLES)
    write(project, "2_second.sql", REWRITTEN + TRIGGER)
    (project / "trigger-audit.toml").write_text('baseline = "known.json"\nfail-on = "info"\n')
    moved = scan(project, "--format", "json")
    assert (moved.code, states(moved)) == (0, {"TA107": "unchanged", "TA301": "unchanged"})
    assert document(moved)["summary"] | {"baseline": 2, "error": 0, "warning": 0} == document(moved)["summary"]
    assert document(moved)["stale_baseline"] == []

    # The same fault once more in the same function, and two others.
    again = "INSERT INTO public.audit_log (user_id)\n        VALUES (NEW.id);"
    more = REWRITTEN.replace(again, f"{again}\n    {again}\n    DELETE FROM public.audit_log;")
    write(project, "2_second.sql", more + TRIGGER)
    found = scan(project, "--output", "json=found.json", "--format", "concise")
    assert found.code == 1
    told = [line.split()[1:3] for line in found.out.splitlines() if not line.startswith("note: ")]
    assert told == [["error", "TA401"], ["warning", "TA301"], ["warning", "TA301"]]
    assert found.out.splitlines()[-1] == "note: not counted (2 in the baseline)"
    counted = [
        (each["rule"], each["baseline"]) for each in json.loads((project / "found.json").read_text())["findings"]
    ]
    assert sorted(counted) == [
        ("TA107", "unchanged"), ("TA301", "new"), ("TA301", "new"), ("TA301", "unchanged"), ("TA401", "new"),
    ]  # fmt: skip


def test_what_is_gone_is_told_and_taken_out(project: Path) -> None:
    scan(project, *WITH, "--write-baseline")
    mended = FUNCTION.replace("new.raw_user_meta_data ->> 'name'", "coalesce(new.raw_user_meta_data ->> 'name', '')")
    write(project, "2_second.sql", mended)
    asked = scan(project, *WITH, "--select", "TA3")
    assert "gone" not in asked.out + asked.err
    found = scan(project, *WITH)
    assert found.code == 0
    assert "in the baseline, and gone:\n  TA107 public.handle_new_user(): " in found.out
    gone = "TA107 public.handle_new_user()"
    assert f"note: in known.json, and gone: {gone}; --prune-baseline takes that out" in found.err
    assert [each["rule"] for each in document(scan(project, *WITH, "--format", "json"))["stale_baseline"]] == ["TA107"]
    pruned = scan(project, *WITH, "--prune-baseline")
    assert f"note: gone, and taken out of known.json: {gone}" in pruned.err
    assert entries(project) == [("TA301", "warning", 1)]
    assert "gone" not in scan(project, *WITH).out


def test_a_graver_severity_of_the_project_makes_nothing_new(project: Path) -> None:
    scan(project, *WITH, "--write-baseline")
    (project / "trigger-audit.toml").write_text('severity = { TA301 = "error" }')
    found = scan(project, *WITH, "--format", "json")
    assert (found.code, states(found)) == (0, {"TA107": "unchanged", "TA301": "unchanged"})


_NO_BASELINE = (
    "the baseline 'package.json' is no baseline of trigger-audit: its schema is not trigger-audit/baseline/1 "
    "(name another file, which --write-baseline makes)"
)
_WITHOUT_FILE = "needs a file (name it with --baseline, or as baseline in the settings)"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("--baseline none.json", "the baseline 'none.json' does not exist (--write-baseline makes one)"),
        ("--baseline supabase", "the baseline 'supabase' is a folder"),
        ("--baseline package.json", _NO_BASELINE),
        ("--baseline package.json --write-baseline", _NO_BASELINE),
        ("--baseline no/such --write-baseline", "the folder of the baseline 'no/such' does not exist"),
        ("--baseline=", "--baseline is empty (is the variable that it comes from set?)"),
        ("--write-baseline", f"--write-baseline {_WITHOUT_FILE}"),
        ("--prune-baseline", f"--prune-baseline {_WITHOUT_FILE}"),
        (
            "--baseline b --write-baseline --prune-baseline",
            "--write-baseline and --prune-baseline contradict each other (to write is to prune as well)",
        ),
    ],
)
def test_a_baseline_that_is_none_ends_the_run_at_once(project: Path, options: str, error: str) -> None:
    (project / "package.json").write_text('{"name": "app"}')
    found = scan(project, *options.split())
    assert (found.code, found.out, found.error) == (2, "", f"error: {error}")
    assert (project / "package.json").read_text() == '{"name": "app"}'


IGNORED = """
fail-on = "info"
[[ignore-finding]]
rule = "TA1"
object = "public.handle_new_user"
reason = "names are asked for in the form"
[[ignore-finding]]
rule = "missing-exception-handler"
object = "public.handle_new_user()"
reason = "until the queue is there"
expires = {}
[[ignore-finding]]
rule = "TA701"
object = "auth.users.gone"
reason = "of another time"
"""


def test_ignored_findings_hold_until_their_last_day(project: Path) -> None:
    (project / "trigger-audit.toml").write_text(IGNORED.format("9999-12-31"))
    found = scan(project, "--format", "json")
    assert found.code == 0
    reasons = {each["rule"]: each["suppressed"] for each in document(found)["findings"]}
    assert reasons == {
        "TA107": {"reason": "names are asked for in the form"},
        "TA301": {"reason": "until the queue is there"},
    }
    assert document(found)["summary"]["suppressed"] == 2
    assert "note: ignore-finding TA701 of auth.users.gone is about nothing that was found" in found.err

    (project / "trigger-audit.toml").write_text(IGNORED.format("2020-01-31"))
    found = scan(project)
    assert found.code == 1
    assert "1 warning (1 suppressed) in 1 trigger" in found.out
    assert (
        "note: ignore-finding missing-exception-handler of public.handle_new_user() held until 2020-01-31: "
        "the finding counts again" in found.err
    )


def test_a_comment_silences_what_smoke_saw_too(project: Path) -> None:
    comment = "-- trigger-audit: ignore TA107 names are asked for in the form"
    write(project, "1_first.sql", TABLES + FUNCTION.replace("'name');", f"'name'); {comment}") + TRIGGER)
    found = scan(project, "--prove", "--format", "json", "--output", "table=told")
    assert found.code == 0, found.err
    [finding] = [each for each in document(found)["findings"] if each["rule"] == "TA107"]
    assert finding["suppressed"] == {"reason": "names are asked for in the form"}
    assert finding["proof"] == "observed"
    assert (project / "told").read_text().splitlines()[-1].startswith("1 warning (1 suppressed) in ")
    assert "TA107" not in (project / "told").read_text()


def test_a_comment_is_judged_by_all_rules(project: Path) -> None:
    comment = "-- trigger-audit: ignore TA301 the log must be whole"
    text = FUNCTION.replace("values (new.id);", f"values (new.id); {comment}").replace(
        "return new;", f"return new; {comment}"
    )
    write(project, "1_first.sql", TABLES + text + TRIGGER)
    found = scan(project, "--select", "TA0", "--fail-on", "warning", "--format", "concise")
    assert found.code == 1
    [line] = found.out.splitlines()
    assert "warning TA004 the comment ignores TA301, which finds nothing on this line" in line
    assert scan(project, "--ignore", "TA004,TA107", "--fail-on", "warning").code == 0


def test_check_knows_the_same(project: Path) -> None:
    mended = FUNCTION.replace("new.raw_user_meta_data ->> 'name'", "coalesce(new.raw_user_meta_data ->> 'name', '')")
    write(project, "1_first.sql", TABLES + mended + TRIGGER)
    (project / "trigger-audit.toml").write_text('baseline = "known.json"\nfail-on = { check = "warning" }\n')

    def check(*options: str) -> Run:
        return run("check", "supabase", *options, cwd=project)

    assert check().error == "error: the baseline 'known.json' does not exist (--write-baseline makes one)"
    made = check("--write-baseline")
    assert (made.code, entries(project)) == (0, [("TA301", "warning", 1), ("TA301", "info", 1)])
    assert "baseline: known.json holds 2 findings now" in made.err
    write(project, "2_second.sql", mended.replace("  return new;", f"{LOGGED}  return new;"))
    found = check("--format", "concise")
    assert found.code == 1
    assert [line.split()[2] for line in found.out.splitlines() if "warning" in line] == ["TA301"]
    reason = f"{LOGGED.rstrip()} -- trigger-audit: ignore TA301 the log must be whole\n"
    write(project, "2_second.sql", mended.replace("  return new;", f"{reason}  return new;"))
    assert check().code == 0


LOGGED = "  insert into public.audit_log (user_id) values (new.id);\n"
