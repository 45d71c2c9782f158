"""How a user to go on with is made: the flows before, and what goes wrong in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_audit.auth import flow_named
from trigger_audit.smoke.model import Mail, Payload
from trigger_audit.smoke.requests import SHARED

if TYPE_CHECKING:
    from trigger_audit.auth.steps import Flow
    from trigger_audit.smoke.replay import Observation


@dataclass(frozen=True, slots=True)
class Way:
    """How a starting user is made: by which flows before, with which metadata, and whether with triggers off."""

    before: tuple[Flow, ...]
    payload: Payload
    triggers_off: bool = False


def ways_to(flow: Flow, payload: Payload, *, given: bool) -> tuple[Way, ...]:
    """The first flow that may precede, then the others: a user with the rows that triggers make is worth more.

    Triggers off come last. `given`: the app has metadata of its own, which is tried first.
    """
    if payload is Payload.DUPLICATE:
        return Way((flow,), payload), Way((flow,), payload, triggers_off=True)
    if not flow.starts:
        return (Way((), payload),)
    usual, *others = (flows_before(flow, start) for start in flow.starts)
    return (
        *((Way(usual, Payload.GIVEN),) if given else ()),
        Way(usual, Payload.BARE),
        Way(usual, Payload.FULL),
        *(Way(before, Payload.BARE) for before in others),
        Way(usual, Payload.BARE, triggers_off=True),
    )


def flows_before(flow: Flow, start: str) -> tuple[Flow, ...]:
    """The flows to run before, in order, when it goes on with the user of `start`: the way that leads there first."""
    first = flow_named(start)
    return (*(flows_before(first, first.starts[0]) if first.starts else ()), first)


def why_not(made: Observation, payload: Payload, triggers_off: bool) -> str:
    with_what = f"{made.flow.name} with {payload.value} metadata"
    if triggers_off:
        with_what += " and triggers off"
    if made.limit in SHARED:
        return f"{with_what} gives no verdict: {made.limit}"
    if made.failed is not None:
        verb = "does not end" if made.ran_out else "fails"
        return f"{with_what} {verb} ({made.failed.sqlstate or 'no SQLSTATE'} at {made.failed.statement})"
    if made.mail is Mail.SKIPPED:
        return f"{with_what} sends no mail"
    return f"{with_what} loses the token"
