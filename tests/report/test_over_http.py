"""The line that says how the cause is seen over HTTP: only where some flow of the failure shows it."""

from __future__ import annotations

from dataclasses import replace

from trigger_audit.report.smoke_table import failure_text
from trigger_audit.report.table import Style
from trigger_audit.smoke.model import Answer, FailedStep, FlowResult, Mail, Outcome, Payload

STEP = FailedStep(1, "INSERT auth.users", "P0001", "no, 'you' are\nnot <invited>")
SHOWN = Answer(500, "P0001", STEP.message)
HEAD = "over HTTP: without the header X-Supabase-Api-Version the same request"


def _flow(name: str, shown: Answer | None) -> FlowResult:
    return FlowResult(
        flow=name,
        payload=Payload.BARE,
        latent=False,
        outcome=Outcome.FAIL,
        reason=None,
        failed_step=STEP,
        response=Answer(500, "unexpected_failure", "Database error saving new user"),
        mail=Mail.NOT_SENT,
        changes=(),
        milliseconds=1,
        without_header=shown,
    )


def _line(*flows: FlowResult) -> str:
    """The paragraph's lines as one; '' where there is none."""
    text = failure_text(STEP, list(flows), replace(Style(), width=1000), {})
    return next((line for line in text.splitlines() if "over HTTP" in line), "")


def test_all_flows_of_the_failure_show_it() -> None:
    line = _line(_flow("signup-email", SHOWN), _flow("invite", SHOWN))
    assert (
        line
        == f"""   = {HEAD} answers 500 {{"code": "P0001", "message": "no, 'you' are\\\\nnot <invited>"}}""".replace(
            "\\\\", "\\"
        )
    )


def test_some_flows_show_it() -> None:
    line = _line(_flow("anonymous", None), _flow("invite", SHOWN))
    assert f"{HEAD} of invite (bare) answers 500 " in line


def test_no_flow_shows_it() -> None:
    assert _line(_flow("anonymous", None)) == ""


def test_what_moves_the_cursor_is_escaped() -> None:
    line = _line(_flow("invite", Answer(500, "P0001", "\x1b[2Jno\u202e")))
    assert "\x1b" not in line
    assert "\u202e" not in line
    assert '"message": "\\u001b[2Jno\\u202e"}' in line
