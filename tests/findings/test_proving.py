"""What of an observation is a finding's proof, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.analysis.test_reported import NESTED, facts_of
from tests.findings.test_fingerprint import FINDING, PLACE
from trigger_audit.analysis.reported import ReportedPlaces
from trigger_audit.findings.fingerprint import fingerprint
from trigger_audit.findings.model import Finding, Path, Proof, Severity
from trigger_audit.findings.proving import prove
from trigger_audit.smoke.model import (
    By,
    Change,
    Escalation,
    FailedStep,
    FlowResult,
    HiddenError,
    Mail,
    Outcome,
    Payload,
    SessionInfo,
    SmokeReport,
)

BODY = "\nbegin\n  insert into public.t (a)\n  values (new.id);\n  return new;\nend"
# public.f() line 4 is a value of the statement that PostgreSQL names by line 3.
PLACES = ReportedPlaces([facts_of("plpgsql", BODY)])
STEP = FailedStep(
    index=1,
    statement="INSERT auth.users",
    sqlstate="23502",
    message='null value in column "b" of relation "t" violates not-null constraint',
    schema="public",
    table="t",
    column="b",
    function="public.f()",
    line=3,
)
PASS = FlowResult(
    flow="signup-email",
    payload=Payload.BARE,
    latent=False,
    outcome=Outcome.PASS,
    reason=None,
    failed_step=None,
    response=None,
    mail=Mail.SENT,
    changes=(),
    milliseconds=1,
)
FAIL = replace(PASS, outcome=Outcome.FAIL, failed_step=STEP)


def report_of(*flows: FlowResult, by: By = By.SET_ROLE, hidden: tuple[HiddenError, ...] = ()) -> SmokeReport:
    return SmokeReport(
        target={},
        session=SessionInfo("supabase_auth_admin", by, "auth", ()),
        flows=flows,
        hazards=(),
        strongest_lock=None,
        rolled_back=True,
        hidden_errors=hidden,
    )


def proved(finding: Finding, report: SmokeReport, places: ReportedPlaces = PLACES) -> Finding:
    (found,) = prove([finding], report, places)
    assert (found.severity, fingerprint(found)) == (finding.severity, fingerprint(finding))
    return found


def is_observed(finding: Finding, step: FailedStep, flow: str = "signup-email") -> bool:
    return proved(finding, report_of(replace(FAIL, flow=flow, failed_step=step))).proof is Proof.OBSERVED


def test_the_flows_and_payloads_that_showed_it() -> None:
    found = proved(FINDING, report_of(FAIL, replace(FAIL, payload=Payload.FULL), replace(FAIL, flow="invite"), PASS))
    assert found == replace(FINDING, proof=Proof.OBSERVED, observed_in=("signup-email (bare, full)", "invite (bare)"))


@pytest.mark.parametrize(
    "step",
    [
        replace(STEP, sqlstate="23503"),
        replace(STEP, function="public.g()"),
        replace(STEP, function="other.f()"),
        replace(STEP, function=None, line=None),
        replace(STEP, line=4),
        replace(STEP, line=None),
        replace(STEP, column="a"),
        replace(STEP, table="u"),
        replace(STEP, schema="other"),
    ],
    ids=str,
)
def test_all_of_a_failure_must_fit(step: FailedStep) -> None:
    assert is_observed(FINDING, STEP)
    assert is_observed(FINDING, replace(STEP, function="f()")), "its own search_path covers the schema"
    assert not is_observed(FINDING, step)


def test_a_name_without_a_schema_proves_nothing_where_two_functions_bear_it() -> None:
    facts = facts_of("plpgsql", BODY)
    elsewhere = type(facts.function)("plpgsql", BODY, "app.f()")  # type: ignore[call-arg, arg-type]
    two = ReportedPlaces([facts, replace(facts, function=elsewhere)])
    bare = report_of(replace(FAIL, failed_step=replace(STEP, function="f()")))
    assert proved(FINDING, bare, PLACES).proof is Proof.OBSERVED
    assert proved(FINDING, bare, two) == FINDING
    assert proved(FINDING, report_of(FAIL), two).proof is Proof.OBSERVED


def test_without_the_body_the_lines_of_the_place_count() -> None:
    unknown = ReportedPlaces([])
    finding = replace(FINDING, place=replace(PLACE, line=3, end_line=5))
    for line, proof in ((2, Proof.CATALOG), (3, Proof.OBSERVED), (5, Proof.OBSERVED), (6, Proof.CATALOG)):
        report = report_of(replace(FAIL, failed_step=replace(STEP, line=line)))
        assert proved(finding, report, unknown).proof is proof


def test_a_skipped_flow_shows_nothing() -> None:
    skipped = replace(FAIL, outcome=Outcome.SKIPPED)
    assert proved(FINDING, report_of(skipped)) == FINDING


def test_a_name_that_the_server_complains_of() -> None:
    finding = replace(FINDING, sqlstate="42P01", cause="42P01 events", proof=Proof.SERVER)
    step = replace(STEP, sqlstate="42P01", message='relation "events" does not exist', column=None)
    assert is_observed(finding, step)
    assert is_observed(finding, replace(step, line=5)), "one finding stands for every line that names it"
    assert not is_observed(finding, replace(step, message='relation "events_2" does not exist'))
    assert not is_observed(finding, replace(step, function="public.g()"))


def test_a_missing_privilege_is_about_its_object() -> None:
    finding = replace(FINDING, sqlstate="42501", cause="supabase_auth_admin INSERT table public.t")
    step = replace(STEP, sqlstate="42501", message="permission denied for table t")
    assert is_observed(finding, step)
    assert not is_observed(finding, replace(step, message="permission denied for table u"))
    assert not is_observed(finding, replace(step, message='new row violates row-level security policy for table "t"'))
    column = replace(finding, cause="supabase_auth_admin INSERT table public.t (b)")
    assert is_observed(column, step)
    schema = replace(finding, cause="supabase_auth_admin USAGE schema private")
    assert is_observed(schema, replace(step, message="permission denied for schema private"))


BLOCKING = replace(
    FINDING,
    object="public.t.t_user_id_fkey",
    paths=(Path("auth.users", None, ("DELETE",), ("auth.users",), ("delete-user",)),),
    place=None,
    sqlstate="23503",
    severity=Severity.WARNING,
    message="public.t (user_id) references auth.users with ON DELETE SET NULL, and the column is NOT NULL",
)


def test_a_foreign_key_that_keeps_a_user() -> None:
    refused = FailedStep(2, "DELETE auth.users", "23503", "m", schema="public", table="t", constraint="t_user_id_fkey")
    assert is_observed(BLOCKING, refused, "delete-user")
    assert not is_observed(BLOCKING, refused, "signup-email")
    assert not is_observed(BLOCKING, replace(refused, constraint="t_owner_fkey"), "delete-user")
    assert not is_observed(BLOCKING, replace(refused, table="u"), "delete-user")
    assert not is_observed(BLOCKING, replace(refused, sqlstate="23001"), "delete-user")


def test_a_foreign_key_that_sets_null_where_none_may_be() -> None:
    finding = replace(BLOCKING, sqlstate="23502")
    emptied = FailedStep(2, "DELETE auth.users", "23502", "m", schema="public", table="t", column="user_id")
    assert is_observed(finding, emptied, "delete-user")
    assert not is_observed(finding, replace(emptied, column="owner_id"), "delete-user")
    assert not is_observed(finding, replace(emptied, function="public.f()", line=3), "delete-user")


def test_a_recursion_is_seen_in_the_frames_wherever_the_stack_ends() -> None:
    finding = replace(FINDING, sqlstate="54001", cause="auth.users.t1 -> auth.users.t1")
    context = "PL/pgSQL function public.g() line 9 at PERFORM\nPL/pgSQL function public.f() line 3 at SQL statement"
    step = FailedStep(1, "UPDATE auth.users", "54001", "m", context=context, function="public.g()", line=9)
    assert is_observed(finding, step)
    assert not is_observed(finding, replace(step, context=context.replace("line 3", "line 5")))
    assert not is_observed(finding, replace(step, context=context.replace("public.f", "other.f")))
    assert not is_observed(finding, replace(step, context=None))


HIDDEN = replace(FINDING, severity=Severity.WARNING, hidden_by=9)
ERROR = HiddenError("auth.users.t1", "public.f()", 3, "23502", STEP.message, "login")


@pytest.mark.parametrize(
    "error",
    [
        replace(ERROR, sqlstate="23503"),
        replace(ERROR, line=5),
        replace(ERROR, line=None),
        replace(ERROR, function="public.g()"),
        replace(ERROR, message='null value in column "a" of relation "t" violates not-null constraint'),
    ],
    ids=str,
)
def test_what_a_handler_hides(error: HiddenError) -> None:
    found = proved(HIDDEN, report_of(PASS, hidden=(ERROR,)))
    assert (found.proof, found.observed_in) == (Proof.OBSERVED, ("login (hidden by a handler)",))
    assert proved(HIDDEN, report_of(PASS, hidden=(error,))) == HIDDEN
    assert proved(FINDING, report_of(hidden=(ERROR,))) == FINDING, "it says that nothing hides it"


def test_a_silent_handler_is_seen_by_what_it_hid() -> None:
    places = ReportedPlaces([facts_of("plpgsql", NESTED)])
    silent = replace(FINDING, rule="TA302", sqlstate=None, cause="INSERT a", place=replace(PLACE, line=6, end_line=6))

    def seen(line: int | None, finding: Finding = silent, function: str = "public.f()") -> bool:
        error = HiddenError("auth.users.t1", function, line, "42P01", "m", "signup-email")
        return proved(finding, report_of(PASS, hidden=(error,)), places).proof is Proof.OBSERVED

    assert seen(3)
    assert seen(6), "the handler's own line, where the error has none in a function"
    assert not seen(9), "the outer block's"
    assert seen(9, replace(silent, place=replace(PLACE, line=12, end_line=12)))
    assert not seen(None)
    assert not seen(3, function="public.g()")
    assert not seen(3, replace(silent, rule="TA301"))


def test_a_right_that_the_metadata_brought() -> None:
    finding = replace(FINDING, rule="TA503", sqlstate=None, cause="public.members.role", proof=Proof.DATAFLOW)
    got = replace(PASS, payload=Payload.ADMIN, outcome=Outcome.ALTERED)
    seen = replace(got, escalations=(Escalation("public.members", "role", "admin"),))
    assert proved(finding, report_of(seen)).observed_in == ("signup-email (admin)",)
    other = replace(got, escalations=(Escalation("public.members", "plan", "admin"),))
    assert proved(finding, report_of(other)) == finding


BOTH = replace(
    FINDING,
    paths=(Path("auth.users", "t1", ("INSERT",), ("auth.users.t1",), ("anonymous", "invite", "signup-email")),),
)
INVITE = replace(PASS, flow="invite")
ANONYMOUS = replace(PASS, flow="anonymous", latent=True)


def test_a_certain_failure_that_did_not_happen() -> None:
    found = proved(BOTH, report_of(PASS, replace(PASS, payload=Payload.FULL), INVITE, ANONYMOUS))
    assert found == replace(BOTH, why="w Smoke did not see this happen: invite and signup-email went through.")
    gained = replace(PASS, outcome=Outcome.ALTERED, escalations=(Escalation("public.t", "role", "admin"),))
    assert proved(BOTH, report_of(gained, INVITE, ANONYMOUS)) == found


@pytest.mark.parametrize(
    "result",
    [
        replace(PASS, payload=Payload.FULL, outcome=Outcome.SKIPPED),
        replace(PASS, payload=Payload.FULL, outcome=Outcome.FAIL, failed_step=replace(STEP, line=5)),
        replace(
            PASS, payload=Payload.FULL, outcome=Outcome.ALTERED, changes=(Change("auth.users", "1 row", "0 rows"),)
        ),
        replace(PASS, payload=Payload.FULL, mail=Mail.SKIPPED),
        replace(PASS, payload=Payload.FULL, reason="starts from a user made with triggers off, because ..."),
    ],
    ids=lambda result: result.outcome,
)
def test_a_flow_that_did_not_go_the_whole_way_contradicts_nothing(result: FlowResult) -> None:
    assert proved(BOTH, report_of(PASS, result, INVITE, ANONYMOUS)) == BOTH


def test_what_is_no_contradiction() -> None:
    passed = report_of(PASS, INVITE, ANONYMOUS)
    for finding in (
        replace(BOTH, severity=Severity.WARNING),
        replace(BOTH, proof=Proof.DATAFLOW),
        replace(BOTH, hidden_by=9),
        replace(BOTH, sqlstate=None),
        replace(BOTH, paths=(replace(BOTH.paths[0], flows=()),)),
        replace(BOTH, paths=(replace(BOTH.paths[0], flows=("anonymous",)),)),
    ):
        assert proved(finding, passed) == finding
    assert proved(BOTH, report_of(PASS, ANONYMOUS)) == BOTH, "invite was not run"


def test_a_trigger_that_may_have_met_no_row_contradicts_nothing() -> None:
    (path,) = BOTH.paths
    passed = report_of(PASS, INVITE, ANONYMOUS)
    helper = replace(path, via=(*path.via, "public.helper(uuid)"))
    deeper = replace(path, via=(*path.via, "public.profiles.t2"))
    session = replace(path, table="auth.sessions", events=("DELETE",))
    inserted = replace(path, table="auth.sessions")
    refuted = {
        at: proved(replace(BOTH, paths=(at,)), passed).why != BOTH.why for at in (helper, deeper, session, inserted)
    }
    assert refuted == {helper: True, deeper: False, session: False, inserted: True}
    login = replace(deeper, flows=("login",))
    found = proved(replace(BOTH, paths=(path, login)), report_of(PASS, INVITE, ANONYMOUS, replace(PASS, flow="login")))
    assert found.why.endswith(": invite and signup-email went through."), "what login met is not known"


def test_a_session_that_is_not_auths_says_nothing_of_rights() -> None:
    privilege = replace(BOTH, rule="TA104", sqlstate="42501", cause="supabase_auth_admin INSERT table public.t")
    flows = (PASS, INVITE, ANONYMOUS)
    assert proved(privilege, report_of(*flows, by=By.APPROXIMATION)) == privilege
    assert "did not see" in proved(privilege, report_of(*flows)).why
    assert "did not see" in proved(BOTH, report_of(*flows, by=By.APPROXIMATION)).why
