"""`trigger-audit smoke` as a user runs it: exit codes, and what may be left."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.cli.running import run
from trigger_audit.cli.options import SmokeFailOn
from trigger_audit.cli.smoke import exit_code
from trigger_audit.cli.verdict import no_verdict
from trigger_audit.findings.model import NotAnalysed
from trigger_audit.pipeline import SmokeResult
from trigger_audit.report.smoke_table import closing_line
from trigger_audit.report.table import Style
from trigger_audit.smoke.model import By, FlowResult, Mail, Outcome, Payload, SessionInfo, SmokeReport

PASS, FAIL, ALTERED, SKIPPED = Outcome.PASS, Outcome.FAIL, Outcome.ALTERED, Outcome.SKIPPED
LATENT = {"anonymous", "signup-phone"}


def report(outcomes: Mapping[str, Outcome], *, not_verified: str | None = None) -> SmokeReport:
    flows = tuple(
        FlowResult(flow, Payload.BARE, flow in LATENT, outcome, None, None, None, Mail.NONE, (), 0)
        for flow, outcome in outcomes.items()
    )
    session = SessionInfo("supabase_auth_admin", By.SET_ROLE, "auth", ())
    return SmokeReport(
        target={},
        session=session,
        flows=flows,
        hazards=(),
        strongest_lock=None,
        rolled_back=not_verified is None,
        not_verified=not_verified,
    )


EVERY = "every flow was skipped: the reasons are in the report"
SIGN_UPS = "every sign-up flow was skipped: the reasons are in the report"


@pytest.mark.parametrize(
    ("outcomes", "problem"),
    [
        ({"signup-email": PASS, "login": SKIPPED}, None),
        ({"signup-email": SKIPPED, "login": SKIPPED, "anonymous": PASS}, EVERY),
        ({"signup-email": SKIPPED, "oauth-first": SKIPPED, "login": PASS}, SIGN_UPS),
        ({"signup-email": SKIPPED, "login": FAIL, "anonymous": PASS}, SIGN_UPS),
        ({"signup-email": SKIPPED, "oauth-first": FAIL, "login": PASS}, None),
        ({"login": PASS, "delete-user": SKIPPED}, None),
        ({"anonymous": SKIPPED}, EVERY),
        ({"anonymous": PASS}, None),
    ],
)
def test_whether_there_is_a_verdict(outcomes: dict[str, Outcome], problem: str | None) -> None:
    assert no_verdict(report(outcomes)) == problem


def test_what_may_be_left_is_never_a_verdict() -> None:
    unsure = report({"signup-email": PASS}, not_verified="the connection was lost")
    assert no_verdict(unsure) == "it could not be verified that nothing is left: the connection was lost"
    line = closing_line(SmokeResult(unsure, {}), Style())
    assert line.endswith("; NOT VERIFIED that nothing is left (the connection was lost)\n")
    assert closing_line(SmokeResult(report({"login": PASS}), {}), Style()).endswith("; rolled back, nothing left\n")


@pytest.mark.parametrize(
    ("outcomes", "fail_on", "strict", "code"),
    [
        ({"signup-email": PASS}, SmokeFailOn.ALTERED, True, 0),
        ({"signup-email": ALTERED}, SmokeFailOn.ALTERED, False, 1),
        ({"signup-email": ALTERED}, SmokeFailOn.FAIL, False, 0),
        ({"signup-email": FAIL}, SmokeFailOn.FAIL, False, 1),
        ({"signup-email": FAIL}, SmokeFailOn.NEVER, False, 0),
        ({"signup-email": PASS, "anonymous": FAIL}, SmokeFailOn.ALTERED, False, 0),
        ({"anonymous": FAIL}, SmokeFailOn.ALTERED, False, 1),
        ({"signup-email": PASS, "login": SKIPPED}, SmokeFailOn.ALTERED, False, 0),
        ({"signup-email": PASS, "login": SKIPPED}, SmokeFailOn.NEVER, True, 1),
    ],
)
def test_exit_code(outcomes: dict[str, Outcome], fail_on: SmokeFailOn, strict: bool, code: int) -> None:
    result = SmokeResult(report(outcomes), {})
    assert exit_code(result, fail_on, exit_zero=False, strict=strict) == code
    assert exit_code(result, fail_on, exit_zero=True, strict=strict) == 0
    incomplete = SmokeResult(result.report, {}, (NotAnalysed("a.sql", 1, "not applied: syntax error (42601)"),))
    assert exit_code(incomplete, fail_on, exit_zero=False, strict=strict) == (1 if strict else code)


def test_sign_ups_that_gave_no_verdict_are_no_success() -> None:
    """55P03 is what our own lock_timeout raises, so a flow that meets it is skipped."""
    sql = """
create function public.f() returns trigger language plpgsql as $$
begin
  raise exception 'busy' using errcode = '55P03';
end $$;
create trigger t after insert on auth.users for each row execute function public.f();
"""
    found = run("smoke", "-", "--flow", "signup-email", "--flow", "login", "--exit-zero", stdin=sql)
    assert "1 pass, 4 skipped" in found.out
    assert (found.code, found.error) == (2, f"error: {SIGN_UPS}")
