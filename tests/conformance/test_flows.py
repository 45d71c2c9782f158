"""The flows as data against what the real Auth sends: the statements, their columns and values, mails and commits.

What differs on purpose stands here with its reason:

* flow_state: OAuth keeps its row there between redirect and callback. It is no part of our flows; see `_LEFT_OUT`.
* A change of address sends two mails at the same moment; our flow marks the one place where they leave.
* admin-create has app_metadata given. Without, the one UPDATE that writes it is missing; the rest is the same.
* The audit log's payload has `traits` (and `actor_name`), which we leave out; OAuth providers add keys of their own.
* The provider is a stand-in for Keycloak here and Google in our flow: Google's addresses cannot be pointed elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.conformance.acting import ACTS, LINKS, Scene, Stage, admin_create_plainly
from tests.conformance.record import Event, Sent, recording
from trigger_audit.auth import FLOWS, ColumnState, Nullability, flow_named, initial_state
from trigger_audit.auth.signup import OAUTH_PROVIDER
from trigger_audit.auth.steps import Flow, Kind, Step
from trigger_audit.auth.values import Document
from trigger_audit.sandbox.server import Sandbox

_LEFT_OUT = {"oauth-first": "flow_state", "oauth-again": "flow_state"}
_READS = (Kind.RELOAD, Kind.PROVIDERS)
_UNTOLD_KEYS = {"traits", "iss", "custom_claims"}
"""Keys of JSON documents that Auth writes and our flows do not name."""


def sent_by_auth(sandbox: Sandbox, scene: Scene) -> list[Event]:
    """What Auth sends while the requests of the scene succeed."""
    with recording(sandbox) as taken:
        for request in scene.requests:
            reply = request()
            assert not reply.failed, reply
    return taken.events()


def expected(flow: Flow) -> Iterator[str]:
    for step in flow.steps:
        if step.mail_before:
            yield "MAIL"
        yield str(Sent(step.kind, step.table, "", dict.fromkeys(step.columns)))
        if step.commit_after:
            yield "COMMIT"


def shown(flow: Flow, events: list[Event]) -> list[str]:
    """The events as text, without what is left out on purpose."""
    told: list[str] = []
    for event in events:
        if isinstance(event, Sent) and event.table == _LEFT_OUT.get(flow.name):
            continue
        if event == "MAIL" and told[-1:] == ["MAIL"]:
            continue
        told.append(str(event))
    return told


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_auth_sends_the_statements_of_the_flow(stage: Stage, auth_sandbox: Sandbox, flow: Flow) -> None:
    events = sent_by_auth(auth_sandbox, ACTS[flow.name](stage))
    assert shown(flow, events) == list(expected(flow))
    written = [e for e in events if isinstance(e, Sent) and e.kind not in _READS and e.table != "flow_state"]
    steps = [(number, step) for number, step in enumerate(flow.steps, start=1) if step.kind not in _READS]
    misfits = [
        misfit
        for (number, step), sent in zip(steps, written, strict=True)
        for misfit in _misfits(flow, number, step, sent)
    ]
    assert misfits == []


@pytest.mark.parametrize("name", LINKS)
def test_a_link_sends_the_same_statements_as_a_code(stage: Stage, auth_sandbox: Sandbox, name: str) -> None:
    assert shown(flow_named(name), sent_by_auth(auth_sandbox, LINKS[name](stage))) == list(expected(flow_named(name)))


def test_creating_a_user_without_app_metadata_lacks_one_statement(stage: Stage, auth_sandbox: Sandbox) -> None:
    flow = flow_named("admin-create")
    optional = "UPDATE users raw_app_meta_data, updated_at"
    without = [text for text in expected(flow) if text != optional]
    assert shown(flow, sent_by_auth(auth_sandbox, admin_create_plainly(stage))) == without


def test_flow_state_is_written_around_an_oauth_callback_alone(stage: Stage, auth_sandbox: Sandbox) -> None:
    """Before the transaction, and as the last statement in it."""
    events = sent_by_auth(auth_sandbox, ACTS["oauth-first"](stage))
    there = [index for index, event in enumerate(events) if isinstance(event, Sent) and event.table == "flow_state"]
    assert there == [0, len(events) - 2]


def _misfits(flow: Flow, number: int, step: Step, sent: Sent) -> Iterator[str]:
    """Where the statement's values lie outside of what `initial_state` says of the step."""
    if step.kind is Kind.DELETE:
        columns = [condition.column for condition in step.where]
        if not all(column in sent.sql.partition("WHERE")[2] for column in columns):
            yield f"{step.label}: {sent.sql}"
        return
    state = initial_state(flow.name, number)
    symbols = {write.column: write.value for write in step.writes}
    for column, value in sent.values.items():
        place = f"{step.label}.{column}: {value!r}"
        if not _within(state[column], value):
            yield f"{place} is not {state[column]}"
        symbol = symbols[column]
        if isinstance(symbol, Document) and value is not None:
            document = json.loads(value)
            missing = state[column].keys - document.keys()
            untold = document.keys() - state[column].keys - _UNTOLD_KEYS
            if missing or (untold and step.kind is Kind.INSERT):
                yield f"{place} lacks {sorted(missing)}, has {sorted(untold)} besides"
            for key, content in symbol.keys:
                if isinstance(content, str | bool) and content != OAUTH_PROVIDER and document[key] != content:
                    yield f"{place}: {key} is {document[key]!r}, not {content!r}"


def _within(state: ColumnState, value: str | None) -> bool:
    if value is None:
        return state.nullability is not Nullability.NEVER
    if state.nullability is Nullability.ALWAYS:
        return False
    literal = {"t": "true", "f": "false"}.get(value, value)
    quoted = "'" + literal.replace("'", "''") + "'"
    return state.value in (None, literal, quoted, f"'{OAUTH_PROVIDER}'")
