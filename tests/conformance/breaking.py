"""Triggers that break flows, in the database that the real Auth works on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from tests.conformance.acting import Scene, Stage
from tests.conformance.service import Database, Reply
from trigger_audit.auth import FLOWS
from trigger_audit.auth.steps import Kind, Step
from trigger_audit.auth.values import Constant, Document
from trigger_audit.smoke.model import FlowResult, Mail, Payload, SmokeReport
from trigger_audit.smoke.payloads import SignUps
from trigger_audit.smoke.runner import run_smoke

_REFUSAL = """
CREATE FUNCTION public.conformance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'refused' USING DETAIL = 'a detail', HINT = 'a hint';
END $$;
"""


@contextmanager
def broken(database: Database, statements: str) -> Iterator[None]:
    """Applies the SQL, which names everything it makes `conformance`, and removes that afterwards."""
    with psycopg.connect(database.conninfo(), autocommit=True, prepare_threshold=None) as connection:
        connection.execute(statements.encode())
        try:
            yield
        finally:
            connection.execute("DROP FUNCTION IF EXISTS public.conformance() CASCADE")
            connection.execute("DROP TABLE IF EXISTS public.conformance CASCADE")


def refusal(trigger: str) -> str:
    """A function that raises an error, and the trigger, given from its timing on."""
    return f"{_REFUSAL} CREATE TRIGGER conformance {trigger} EXECUTE FUNCTION public.conformance();"


def deferred_refusal(events: str) -> str:
    """The same at COMMIT."""
    return (
        f"{_REFUSAL} CREATE CONSTRAINT TRIGGER conformance AFTER {events} DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION public.conformance();"
    )


def trigger_against(step: Step) -> str:
    """A trigger definition that meets the statement, from its timing on; other statements like it are met too."""
    table = f"auth.{step.table}"
    if step.kind is Kind.UPDATE:
        named = step.label.partition("(")[2].rstrip(")").split(", ")[0]
        return f"BEFORE UPDATE OF {named} ON {table} FOR EACH STATEMENT"
    payload = next((write.value for write in step.writes if write.column == "payload"), None)
    kind = next((write.value for write in step.writes if write.column == "token_type"), None)
    if isinstance(payload, Document):
        action = dict(payload.keys)["action"]
        return f"BEFORE INSERT ON {table} FOR EACH ROW WHEN (NEW.payload->>'action' = '{action}')"
    if isinstance(kind, Constant):
        return f"BEFORE INSERT ON {table} FOR EACH ROW WHEN (NEW.token_type = '{kind.value}')"
    return f"BEFORE {step.kind.value} ON {table} FOR EACH STATEMENT"


LATER = {
    "BEFORE UPDATE OF raw_user_meta_data ON auth.users FOR EACH ROW WHEN (NEW.email_confirmed_at IS NOT NULL)": {
        "signup-autoconfirm": 10,
        "oauth-first": 11,
    },
    "BEFORE DELETE ON auth.one_time_tokens FOR EACH ROW WHEN (OLD.token_type = 'email_change_token_new')": {
        "verify-email-change": 6
    },
    "BEFORE UPDATE OF updated_at ON auth.identities FOR EACH STATEMENT": {"verify-email-change": 7},
}
"""Triggers against statements (by number) that an earlier one hides from `trigger_against`."""

UNREACHED = {("email-change", 4), ("soft-delete", 11)}
"""DELETEs that find no row after an earlier one like them; no trigger tells them apart."""


def all_triggers() -> dict[str, dict[str, int]]:
    """A trigger against each statement that writes: by flow the number of the first statement that it meets."""
    triggers: dict[str, dict[str, int]] = {}
    for flow in FLOWS:
        for number, step in enumerate(flow.steps, start=1):
            if step.kind in (Kind.INSERT, Kind.UPDATE, Kind.DELETE):
                triggers.setdefault(trigger_against(step), {}).setdefault(flow.name, number)
    return {**triggers, **LATER}


@dataclass(frozen=True, slots=True)
class Observed:
    """What the client reads, and whether a letter has left."""

    status: int
    error_code: str | None
    message: str
    letters: bool


def seen_by_client(stage: Stage, scene: Scene) -> Observed:
    """Sends the requests until one fails."""
    before = len(stage.outside.letters)
    reply = Reply(0, {}, {})
    for request in scene.requests:
        reply = request()
        if reply.failed:
            break
    return Observed(*reply.error, len(stage.outside.letters) > before)


def predicted(result: FlowResult) -> Observed:
    """The same as smoke tells it."""
    assert result.response is not None, result
    answer = result.response
    letters = result.mail in (Mail.SENT, Mail.SENT_TOKEN_LOST)
    return Observed(answer.status, answer.error_code, answer.message, letters)


def smoke(
    database: Database, flows: Sequence[str], payloads: Sequence[Payload] = (Payload.BARE,)
) -> dict[str, FlowResult]:
    """Smoke's results of the flows, on the same database with the same triggers; by flow, and with other metadata than
    bare by `flow/payload`.

    Usually with bare metadata alone: the requests that these are compared with carry none.
    """
    with psycopg.connect(database.conninfo(), autocommit=True, prepare_threshold=None) as connection:
        report = run_smoke(
            connection,
            flows=flows,
            hazards=(),
            allow_side_effects=False,
            target={},
            sign_ups=SignUps(payloads=tuple(payloads)),
        )
    assert report.rolled_back
    return by_flow(report)


def by_flow(report: SmokeReport) -> dict[str, FlowResult]:
    return {
        result.flow if result.payload is Payload.BARE else f"{result.flow}/{result.payload.value}": result
        for result in report.flows
    }


def meddling(body: str, trigger: str, *, more: str = "") -> str:
    """A SECURITY DEFINER function with the body, and the row-level trigger, given from its timing on."""
    return f"""
    {more}
    CREATE FUNCTION public.conformance() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN {body} END $$;
    CREATE TRIGGER conformance {trigger} FOR EACH ROW EXECUTE FUNCTION public.conformance();
    """
