"""Triggers that break flows, in the sandbox that the real Auth works on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from tests.conformance.acting import Scene, Stage
from tests.conformance.service import Reply
from trigger_audit.auth import FLOWS
from trigger_audit.auth.steps import Flow, Kind, Step
from trigger_audit.auth.values import Constant, Document
from trigger_audit.sandbox.server import Sandbox
from trigger_audit.smoke.model import FlowResult, Mail, Payload
from trigger_audit.smoke.runner import run_smoke

_REFUSAL = """
CREATE FUNCTION public.conformance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'refused' USING DETAIL = 'a detail', HINT = 'a hint';
END $$;
"""


@contextmanager
def broken(sandbox: Sandbox, statements: str) -> Iterator[None]:
    """Applies the SQL, which names everything it makes `conformance`, and removes that afterwards."""
    with psycopg.connect(sandbox.conninfo(), autocommit=True, prepare_threshold=None) as connection:
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


def all_triggers() -> dict[str, tuple[Flow, ...]]:
    """A trigger against each statement that writes, and the flows that send it."""
    flows: dict[str, list[Flow]] = {}
    for flow in FLOWS:
        for step in flow.steps:
            if step.kind in (Kind.INSERT, Kind.UPDATE, Kind.DELETE):
                of = flows.setdefault(trigger_against(step), [])
                if flow not in of:
                    of.append(flow)
    return {trigger: tuple(of) for trigger, of in flows.items()}


@dataclass(frozen=True, slots=True)
class Observed:
    """What the client reads, and whether a letter has left."""

    status: int
    error_code: str | None
    message: str
    letters: bool


def seen_by_client(stage: Stage, scene: Scene) -> Observed:
    """Sends the requests until one fails."""
    before = stage.outside.count(scene.to)
    reply = Reply(0, {}, {})
    for request in scene.requests:
        reply = request()
        if reply.failed:
            break
    return Observed(*reply.error, stage.outside.count(scene.to) > before)


def predicted(result: FlowResult) -> Observed:
    """The same as smoke tells it."""
    assert result.response is not None, result
    answer = result.response
    letters = result.mail in (Mail.SENT, Mail.SENT_TOKEN_LOST)
    return Observed(answer.status, answer.error_code, answer.message, letters)


def smoke(sandbox: Sandbox, flows: Sequence[str]) -> dict[str, FlowResult]:
    """Smoke's results of the flows with bare metadata, on the same database with the same triggers."""
    with psycopg.connect(sandbox.conninfo(), autocommit=True, prepare_threshold=None) as connection:
        report = run_smoke(connection, flows=flows, hazards=(), allow_side_effects=False, target={})
    assert report.rolled_back
    return {result.flow: result for result in report.flows if result.payload is Payload.BARE}
