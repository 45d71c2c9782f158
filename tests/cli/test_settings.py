"""A settings file as a user meets it: which commands heed it, what they say, and what it does to the exit code."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Run, run
from trigger_audit.cli.options import SmokeFailOn
from trigger_audit.cli.smoke import exit_code
from trigger_audit.pipeline import SmokeResult
from trigger_audit.report.smoke_table import closing_line
from trigger_audit.report.table import Style
from trigger_audit.smoke.model import (
    By,
    Expectation,
    FailedStep,
    FlowResult,
    Mail,
    Outcome,
    Payload,
    SessionInfo,
    SmokeReport,
)

# Nobody without an invitation; and an e-mail address, which anonymous users have not.
GATE = """
create table public.invitations (email text primary key);
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text not null);
create function public.gate() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if new.email is not null and not exists (select from public.invitations i where i.email = new.email) then
    raise exception 'by invitation only';
  end if;
  return new;
end $$;
create trigger gate before insert on auth.users for each row execute function public.gate();
create function public.profile() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email);
  return new;
end $$;
create trigger profile after insert on auth.users for each row execute function public.profile();
"""
FLOWS = ("--flow", "signup-email", "--flow", "anonymous", "--flow", "login")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "supabase" / "migrations"
    folder.mkdir(parents=True)
    (folder / "20260101000000_gate.sql").write_text(GATE)
    return tmp_path


def settle(project: Path, text: str, *, config: str = "") -> None:
    (project / "trigger-audit.toml").write_text(text)
    (project / "supabase" / "config.toml").write_text(config)


def flows_of(found: Run) -> dict[str, dict[str, Any]]:
    return {flow["flow"]: flow for flow in json.loads(found.out)["flows"] if flow["payload"] == "bare"}


ANONYMOUS = "[auth]\nenable_anonymous_sign_ins = true\n"


def test_a_refusal_that_is_meant_is_none(project: Path) -> None:
    settle(project, 'expect = { signup-email = "fail:P0001" }')
    found = run("smoke", *FLOWS, "--format", "json", "--output", "table=told", cwd=project)
    assert found.code == 0, found.err
    flows = flows_of(found)
    assert (flows["signup-email"]["outcome"], flows["signup-email"]["reason"]) == ("fail", "as expected: fail:P0001")
    assert flows["anonymous"]["latent"] is True
    assert "settings: trigger-audit.toml" in found.err
    told = (project / "told").read_text()
    assert "  fail, as expected  " in told
    assert "6 fail, 4 of them as expected" in told
    # Without the expectation the same run fails, and the flows have no more keys than these.
    settle(project, "")
    bare = run("smoke", *FLOWS, "--format", "json", cwd=project)
    assert bare.code == 1
    assert flows_of(bare)["signup-email"].keys() == flows["signup-email"].keys()
    assert flows_of(bare)["signup-email"]["reason"] is None


def test_a_refusal_that_does_not_come_fails_the_run(project: Path) -> None:
    settle(project, 'expect = { signup-email = "fail", anonymous = "fail:P0001", login = "fail" }')
    found = run("smoke", *FLOWS, cwd=project)
    assert found.code == 1
    assert "not as expected anonymous (bare, full): fail:23502 instead of fail:P0001\n" in found.out
    assert "not as expected login (bare): pass instead of fail\n" in found.out
    assert "not as expected signup-email" not in found.out
    concise = run("smoke", *FLOWS, "--format", "concise", "--fail-on", "never", cwd=project)
    assert concise.code == 0
    assert "signup-email:bare: fail (as expected) P0001 at " in concise.out
    assert "anonymous:bare: fail (not as expected: fail:P0001) 23502 at " in concise.out
    assert "login:bare: pass (not as expected: fail)" in concise.out


def test_an_enabled_flow_counts(project: Path) -> None:
    """In scan the finding that concerns it alone is an error, in smoke it fails the run; the settings go first."""
    chosen = ("scan", "--select", "TA107", "--format", "concise")
    settle(project, 'expect = { signup-email = "fail" }', config=ANONYMOUS)
    found = run(*chosen, cwd=project)
    assert (found.code, ": error TA107 " in found.out) == (1, True)
    assert "supabase/config.toml enables anonymous: what breaks there counts\n" in found.err
    smoked = run("smoke", *FLOWS, "--format", "json", cwd=project)
    assert smoked.code == 1
    assert flows_of(smoked)["anonymous"]["latent"] is False
    assert json.loads(smoked.out)["summary"]["latent"] == 0
    settle(project, "flows = []", config=ANONYMOUS)
    found = run(*chosen, cwd=project)
    assert (found.code, ": warning TA107 " in found.out, "enables" in found.err) == (0, True, False)


def test_a_severity_goes_before_what_flows_make_of_it(project: Path) -> None:
    """What was seen to happen is told all the same."""
    # The gate refuses all others on purpose: no finding is about that, so that it would count by itself.
    gated = ("signup-email", "signup-autoconfirm", "signup-otp", "oauth-first", "invite", "admin-create")
    expected = "".join(f'expect.{flow} = "fail:P0001"\n' for flow in gated)
    settle(project, expected + 'flows = ["anonymous"]\nseverity = { TA1 = "info" }')
    found = run("scan", "--prove", "--format", "json", cwd=project)
    (finding,) = [each for each in json.loads(found.out)["findings"] if each["rule"] == "TA107"]
    assert (found.code, finding["severity"], finding["proof"]) == (0, "info", "observed")


def test_options_beat_the_file(project: Path) -> None:
    settle(project, 'ignore = ["TA107"]\nfail-on = "never"\nflows = ["anonymous"]\ntables = ["profiles"]')
    found = run("scan", "--format", "json", "--select", "TA107", "--fail-on", "error", cwd=project)
    assert (found.code, json.loads(found.out)["summary"]["error"]) == (1, 1)
    assert json.loads(found.out)["tables"] == ["auth.users", "public.profiles"]
    other = project / "other.toml"
    other.write_text("fail-on = 'info'")
    found = run("scan", "--format", "json", "--config", "other.toml", "--table", "invitations", cwd=project)
    assert (found.code, json.loads(found.out)["tables"]) == (1, ["auth.users", "public.invitations"])


def test_settings_are_shown_with_their_source(project: Path) -> None:
    settle(project, 'ignore = ["TA5"]\nfail-on = { smoke = "fail" }', config=ANONYMOUS)
    found = run("scan", "--show-settings", "--select", "TA1", "--fail-on", "info", cwd=project)
    assert found.code == 0
    rows = dict(line.split("  # ") for line in found.out.splitlines())
    shown = {key.strip(): source for key, source in rows.items()}
    assert shown == {
        'select = ["TA1"]': "--select",
        "ignore = []": "set aside by --select",
        "severity = {}": "default",
        'fail-on.scan = "info"': "--fail-on",
        'fail-on.smoke = "fail"': "trigger-audit.toml",
        'fail-on.check = "error"': "default",
        "tables = []": "default",
        'flows = ["anonymous"]': "supabase/config.toml",
        "expect = {}": "default",
        'baseline = ""': "default",
        "ignore-finding = []": "default",
    }
    smoked = run("smoke", "--show-settings", "--fail-on", "never", cwd=project)
    assert 'fail-on.smoke = "never"' in smoked.out
    assert smoked.code == 0


def test_settings_are_shown_without_a_target(tmp_path: Path) -> None:
    found = run("scan", "--show-settings", cwd=tmp_path)
    assert (found.code, found.err, len(found.out.splitlines())) == (0, "", 11)
    assert run("scan", "--show-settings", "none.sql", cwd=tmp_path).code == 2


def test_settings_of_a_check_are_those_of_its_files_whatever_the_environment_holds(project: Path) -> None:
    settle(project, "", config=ANONYMOUS)
    url = "postgresql://somebody@localhost:1/nowhere"
    found = run("check", "--show-settings", env={"DATABASE_URL": url}, cwd=project)
    assert found.code == 0
    assert 'flows = ["anonymous"]' in found.out
    assert "target: . (from the project found at " in found.err
    scanned = run("scan", "--show-settings", env={"DATABASE_URL": url}, cwd=project)
    assert "flows = [] " in scanned.out
    assert "(from DATABASE_URL)" in scanned.err
    refused = run("check", "--show-settings", url, cwd=project)
    assert (refused.code, refused.out) == (2, "")
    assert "check judges migrations, and this is a database" in refused.error


@pytest.mark.parametrize("command", ["scan", "smoke"])
def test_a_file_that_is_wrong_ends_the_command(project: Path, command: str) -> None:
    settle(project, 'ignor = ["TA1"]')
    found = run(command, cwd=project)
    assert (found.code, found.out) == (2, "")
    assert found.error == "error: trigger-audit.toml: there is no setting 'ignor' (did you mean ignore?)"
    settle(project, "ignore = [\n")
    assert run(command, cwd=project).error == "error: trigger-audit.toml is no TOML: Invalid value (at end of document)"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("", "--config is empty (is the variable that it comes from set?)"),
        ("none.toml", "--config: 'none.toml' is no file"),
        ("x" * 5000, f"--config: '{'x' * 5000}' is no file"),
        ("supabase", "--config: 'supabase' is a folder"),
    ],
)
def test_a_file_that_is_none(project: Path, config: str, message: str) -> None:
    assert run("scan", "--config", config, cwd=project).error == f"error: {message}"


def test_an_empty_file_is_no_settings(project: Path) -> None:
    settle(project, "nonsense = 1")
    found = run("scan", "--config", os.devnull, "--show-settings", cwd=project)
    assert (found.code, found.out.count("# default")) == (0, 11)


def test_hostile_text_does_not_reach_the_terminal(project: Path) -> None:
    settle(project, r'"\u001b[31m\u202e" = 1')
    found = run("scan", cwd=project)
    assert found.code == 2
    assert found.error.isprintable()


def test_a_broken_config_leaves_the_flows_latent_and_says_so(project: Path) -> None:
    settle(project, "", config="[auth")
    found = run("scan", "--show-settings", cwd=project)
    assert "flows = []" in found.out
    assert "config.toml enables is not known: it cannot be read as TOML" in found.err


REFUSED = FailedStep(1, "INSERT auth.users", "P0001", "by invitation only")
EXPECTED = Expectation("P0001")


def result(flow: str, outcome: Outcome, expected: Expectation | None, step: FailedStep | None = None) -> FlowResult:
    return FlowResult(
        flow, Payload.BARE, flow == "anonymous", outcome, None, step, None, Mail.NONE, (), 0, expected=expected
    )


@pytest.mark.parametrize(
    ("flow", "met", "code"),
    [
        (result("login", Outcome.FAIL, EXPECTED, REFUSED), True, 0),
        (result("login", Outcome.FAIL, Expectation(), REFUSED), True, 0),
        (result("login", Outcome.FAIL, Expectation("23502"), REFUSED), False, 1),
        (result("login", Outcome.PASS, EXPECTED), False, 1),
        (result("login", Outcome.ALTERED, EXPECTED), False, 1),
        (result("login", Outcome.SKIPPED, EXPECTED), None, 0),
        (result("login", Outcome.FAIL, None, REFUSED), None, 1),
        (result("anonymous", Outcome.FAIL, EXPECTED, REFUSED), True, 0),
        (result("anonymous", Outcome.PASS, EXPECTED), False, 1),
        (result("anonymous", Outcome.FAIL, None, REFUSED), None, 0),
    ],
)
def test_what_was_expected_and_the_exit_code(flow: FlowResult, met: bool | None, code: int) -> None:
    session = SessionInfo("supabase_auth_admin", By.SET_ROLE, "auth", ())
    flows = (result("signup-email", Outcome.PASS, None), flow)
    smoked = SmokeResult(SmokeReport({}, session, flows, (), None, rolled_back=True), {})
    assert flow.as_expected is met
    assert exit_code(smoked, SmokeFailOn.FAIL, exit_zero=False, strict=False) == code
    assert exit_code(smoked, SmokeFailOn.NEVER, exit_zero=False, strict=False) == 0
    assert exit_code(smoked, SmokeFailOn.FAIL, exit_zero=True, strict=False) == 0
    plain_line = closing_line(smoked, Style())
    counted = plain_line.split("; ")[0].removesuffix(" (1 latent)")
    style = Style(colour=True)
    kind = "error" if code else "info" if flow.outcome is Outcome.SKIPPED else "good"
    assert closing_line(smoked, style).startswith(style.paint(kind, counted))
    assert ("1 of them as expected" in plain_line) is (met is True)
