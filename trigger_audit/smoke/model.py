"""What smoke observes: the shapes of `trigger-audit/smoke/1`, and of the hazards that stop it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Hazard


STATEMENTS = "statement"
"""The flow that the user's own statements are."""


class Outcome(StrEnum):
    """`altered`: Auth would answer that all went well, but what it wrote is not what is there."""

    PASS = "pass"
    FAIL = "fail"
    ALTERED = "altered"
    SKIPPED = "skipped"


class Mail(StrEnum):
    """`sent-token-lost`: the mail has left, and what it holds will be refused. `skipped`: Auth would not send it."""

    NONE = "none"
    NOT_SENT = "not-sent"
    SENT = "sent"
    SENT_TOKEN_LOST = "sent-token-lost"
    SKIPPED = "skipped"


class Payload(StrEnum):
    """What raw_user_meta_data the client sends."""

    BARE = "bare"
    FULL = "full"
    GOOGLE = "google"
    DUPLICATE = "duplicate"
    ADMIN = "admin"
    GIVEN = "given"


class By(StrEnum):
    """How the session became Auth's role; `approximation`: it did not."""

    SESSION_AUTHORIZATION = "session-authorization"
    SET_ROLE = "set-role"
    LOGIN = "login"
    APPROXIMATION = "approximation"


@dataclass(frozen=True, slots=True)
class FailedStep:
    """Where a flow stopped. `index` counts the flow's steps from 1; a failing COMMIT has that of the step before it,
    the look-up of the user at the start has 0.

    `sqlstate` is None where Auth itself refuses what it read (a missing row, a NULL it cannot take). `function` and
    `line` are of the innermost frame that belongs to a function; `line` counts as PostgreSQL does.
    """

    index: int
    statement: str
    sqlstate: str | None
    message: str
    detail: str | None = None
    hint: str | None = None
    context: str | None = None
    schema: str | None = None
    table: str | None = None
    column: str | None = None
    constraint: str | None = None
    function: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets."""

    status: int
    error_code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """What Auth wrote or counts on, and what is there."""

    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Escalation:
    """A right that came from the client's own metadata; `column` may be a key of it: raw_app_meta_data.role."""

    table: str
    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Culprit:
    """`kind` is trigger, constraint, policy or setting; `group` the other triggers that share the toggle.

    `behind`: what it does shows only once the culprits before it are off. `alone`: of those that share the toggle only
    this one can have been running when it failed. `earlier`: it did its harm when the user was made that the flow
    starts from. `policies`: those of which one would have to let the row through, for a table's row security, which
    the server names by the table alone.
    """

    kind: str
    name: str
    necessary: bool
    sufficient: bool
    group: tuple[str, ...] = ()
    behind: bool = False
    alone: bool = False
    earlier: bool = False
    policies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """That a flow refuses, because the app means it to: `sqlstate` None takes whatever it fails with."""

    sqlstate: str | None = None

    def __str__(self) -> str:
        return "fail" if self.sqlstate is None else f"fail:{self.sqlstate}"


@dataclass(frozen=True, slots=True)
class FlowResult:
    """`response` is None where the flow was skipped.

    `without_header` is what a client that sends no X-Supabase-Api-Version gets, where that is PostgreSQL's own error.
    `expected` is what the app means the flow to do, None where nobody says so.
    """

    flow: str
    payload: Payload
    latent: bool
    outcome: Outcome
    reason: str | None
    failed_step: FailedStep | None
    response: Answer | None
    mail: Mail
    changes: tuple[Change, ...]
    milliseconds: int
    escalations: tuple[Escalation, ...] = ()
    culprits: tuple[Culprit, ...] = ()
    without_header: Answer | None = None
    expected: Expectation | None = None

    @property
    def key(self) -> tuple[str, Payload]:
        """What tells it from the others of its run."""
        return self.flow, self.payload

    @property
    def as_expected(self) -> bool | None:
        """Whether it went as expected: None where nothing was, or where it gave no verdict."""
        if self.expected is None or self.outcome is Outcome.SKIPPED:
            return None
        if self.outcome is not Outcome.FAIL:
            return False
        return self.expected.sqlstate in (None, None if self.failed_step is None else self.failed_step.sqlstate)

    @property
    def remark(self) -> str | None:
        """`reason`, and how the flow fared against what was expected of it."""
        told = {True: f"as expected: {self.expected}", False: f"not as expected: {self.expected}"}
        parts = (self.reason, None if self.as_expected is None else told[self.as_expected])
        return "; ".join(part for part in parts if part) or None


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """`role` is the role whose rights the statements had."""

    role: str
    by: By
    search_path: str
    gaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HiddenError:
    """`trigger` is '' where it is not known; `handler` is the function that hid it, `handler_line` its handler's."""

    trigger: str
    function: str
    line: int | None
    sqlstate: str
    message: str
    flow: str
    handler: str = ""
    handler_line: int | None = None


@dataclass(frozen=True, slots=True)
class Toggle:
    trigger: str
    method: str
    lock: str


@dataclass(frozen=True, slots=True)
class SmokeReport:
    """`rolled_back` is true only after a look, in a transaction of its own: PostgreSQL says that those of the run were
    aborted, and there is no row of the probe users.

    `not_verified` says why it is not, where that is known. `strongest_lock` is the strongest lock on `locked` that
    was held when a flow had gone through or triggers were off, None where no flow ran: a statement that fails gives its
    own back before anybody can look. `locked` are the tables written and
    those that switches have locked.
    """

    target: Mapping[str, object]
    session: SessionInfo
    flows: tuple[FlowResult, ...]
    hazards: tuple[Hazard, ...]
    strongest_lock: str | None
    rolled_back: bool
    hidden_errors: tuple[HiddenError, ...] = ()
    toggles: tuple[Toggle, ...] = ()
    not_verified: str | None = None
    locked: tuple[str, ...] = ("auth.users",)

    @property
    def default(self) -> tuple[FlowResult, ...]:
        """The flows by which a run is judged: those that every project has, the latent ones where no other was run."""
        return _default(self.flows)

    @property
    def summary(self) -> dict[str, int]:
        """How many flows had which outcome, and how many of all are latent."""
        counts = {outcome.value: 0 for outcome in Outcome}
        for flow in self.flows:
            counts[flow.outcome.value] += 1
        return {**counts, "latent": sum(flow.latent for flow in self.flows)}


def failing_flows(flows: Sequence[FlowResult]) -> tuple[FlowResult, ...]:
    """Those that make a run fail: they fail or are altered and should not, or go otherwise than is expected of them.

    Latent ones only where no other was run, or where the project says what it expects of them.
    """
    judged = _default(flows)
    wrong = (Outcome.FAIL, Outcome.ALTERED)
    return tuple(
        flow
        for flow in flows
        if flow.as_expected is False or (flow.outcome in wrong and flow in judged and not flow.as_expected)
    )


def _default(flows: Sequence[FlowResult]) -> tuple[FlowResult, ...]:
    return tuple(flow for flow in flows if not flow.latent) or tuple(flows)
