"""Runs the flows in one transaction that is always rolled back, and looks afterwards that nothing is left."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psycopg import Error, IsolationLevel
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row, tuple_row

from trigger_audit.auth import FLOWS, flow_named
from trigger_audit.auth.messages import Response
from trigger_audit.auth.steps import Flow
from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.resources import read_sql
from trigger_audit.smoke.catalog import Target, look_at_target
from trigger_audit.smoke.context import Candidate, full_name, innermost_frame
from trigger_audit.smoke.hazards import refuse_hazards
from trigger_audit.smoke.memory import Memory
from trigger_audit.smoke.model import Answer, FailedStep, FlowResult, Mail, Outcome, Payload, SmokeReport
from trigger_audit.smoke.payloads import Probes, payloads_of
from trigger_audit.smoke.replay import Observation, Replay
from trigger_audit.smoke.scrub import scrubbed_change, scrubbed_step
from trigger_audit.smoke.session import Limits, Server, Session, look_at_server

if TYPE_CHECKING:
    from psycopg import Connection

    from trigger_audit.analysis.model import Hazard

_LOCKS = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)


def run_smoke(
    connection: Connection,
    *,
    flows: Sequence[str] | None,
    hazards: Sequence[Hazard],
    allow_side_effects: bool,
    target: Mapping[str, object],
    limits: Limits | None = None,
) -> SmokeReport:
    """Replays the named flows of Auth (all where None) on the connection, one savepoint each, and rolls back.

    Latent flows run too and are marked. `hazards` are what the analysis found reachable; `target` goes into the report
    as it is. The connection must be idle; its settings are as before afterwards.

    UsageError for an unknown flow. TriggerAuditError where a hazard is not allowed, the server is a standby or
    read-only, auth.users is missing or not to be written, or the connection is lost.
    """
    chosen = _chosen(flows)
    refuse_hazards(hazards, allow=allow_side_effects)
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise TriggerAuditError("the connection is in a transaction already, and smoke must have one of its own")
    with _exclusively(connection):
        run = _Run(connection, limits or Limits())
        try:
            # A standby refuses to begin a read-write transaction at all, so the first look is one that only reads.
            connection.read_only = True
            server = look_at_server(connection)
            connection.rollback()
            connection.read_only = False
            run.start(server)
            results = tuple(result for flow in chosen for result in run.flow(flow))
            session = run.session.info(run.target.gaps)
        except Error as error:
            raise TriggerAuditError(f"the database broke off: {_one_line(error)}") from error
        finally:
            rolled_back = _roll_back(connection, run)
    return SmokeReport(
        target=target,
        session=session,
        flows=results,
        hazards=tuple(hazards),
        strongest_lock=max(run.locks, key=_LOCKS.index, default=None),
        rolled_back=rolled_back,
    )


def _chosen(names: Sequence[str] | None) -> tuple[Flow, ...]:
    if names is None:
        return FLOWS
    known = {flow.name for flow in FLOWS}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no flow {name!r}", f"the flows are {', '.join(flow.name for flow in FLOWS)}")
    return tuple(flow for flow in FLOWS if flow.name in names)


@contextmanager
def _exclusively(connection: Connection) -> Iterator[None]:
    """One READ COMMITTED read-write transaction, no autocommit, no prepared statements; the old settings afterwards."""
    before = (connection.autocommit, connection.isolation_level, connection.read_only, connection.prepare_threshold)
    rows = connection.row_factory
    connection.autocommit = False
    connection.isolation_level = IsolationLevel.READ_COMMITTED
    connection.prepare_threshold = None
    connection.row_factory = tuple_row
    try:
        yield
    finally:
        connection.row_factory = rows
        if not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE:
            connection.autocommit, connection.isolation_level, connection.read_only, _ = before
        connection.prepare_threshold = before[3]


def _one_line(error: Error) -> str:
    return " ".join((error.diag.message_primary or str(error)).split())


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One run of a flow, and in what way its user came to be where that is worth a word."""

    observation: Observation
    reason: str | None


@dataclass(frozen=True, slots=True)
class _Way:
    """How a starting user is made: by which flows before, with which metadata, and whether with triggers off."""

    before: tuple[Flow, ...]
    payload: Payload
    triggers_off: bool = False


class _Run:
    """The state of one smoke run: the session, the target, and the probe users made so far."""

    def __init__(self, connection: Connection, limits: Limits) -> None:
        self.connection = connection
        self.limits = limits
        self.probes = Probes()
        self.locks: set[str] = set()
        self.dead_ends: dict[tuple[str, Payload, bool], str] = {}
        self.session: Session
        self.target: Target

    def start(self, server: Server) -> None:
        self.session = Session(self.connection, server, self.limits)
        self.session.limit()
        self.target = look_at_target(self.connection, self.session)

    def flow(self, flow: Flow) -> Iterator[FlowResult]:
        for payload in payloads_of(flow):
            started = time.perf_counter()
            attempt = self._in_savepoint(flow, payload)
            milliseconds = round((time.perf_counter() - started) * 1000)
            yield self._result(flow, payload, attempt, milliseconds)

    def _in_savepoint(self, flow: Flow, payload: Payload) -> _Attempt:
        """Tries the ways to a starting user in turn, each in a savepoint, until the flow can go on from one."""
        refusals: list[str] = []
        for way in self._ways(flow, payload):
            attempt = self._attempt(flow, payload, way, refusals)
            if attempt is not None and self._may_hide_a_limit(attempt.observation):
                attempt = self._attempt(flow, payload, way, refusals, wait_for_locks=True)
            if attempt is not None:
                return attempt
        observation = Observation(flow, limit="; ".join(refusals))
        return _Attempt(observation, "no user to start from: " + "; ".join(refusals))

    def _attempt(
        self,
        flow: Flow,
        payload: Payload,
        way: _Way,
        refusals: list[str],
        *,
        wait_for_locks: bool = False,
    ) -> _Attempt | None:
        self.connection.execute("SAVEPOINT flow")
        self.session.set_limits(wait_for_locks=wait_for_locks)
        attempt = self._try(flow, payload, way, refusals)
        self._note_locks()
        self.connection.execute("ROLLBACK TO SAVEPOINT flow")
        self.connection.execute("RELEASE SAVEPOINT flow")
        return attempt

    def _may_hide_a_limit(self, observation: Observation) -> bool:
        """Whether a statement took so long that a handler in it may have caught our lock_timeout (55P03)."""
        return observation.limit is None and observation.longest * 1000 >= self.session.limits.lock

    def _ways(self, flow: Flow, payload: Payload) -> tuple[_Way, ...]:
        """The first flow that may precede, then the others: a user with the rows that triggers make is worth more.

        Triggers off come last.
        """
        if payload is Payload.DUPLICATE:
            return _Way((flow,), payload), _Way((flow,), payload, triggers_off=True)
        if not flow.starts:
            return (_Way((), payload),)
        usual, *others = (flows_before(flow, start) for start in flow.starts)
        return (
            _Way(usual, Payload.BARE),
            _Way(usual, Payload.FULL),
            *(_Way(before, Payload.BARE) for before in others),
            _Way(usual, Payload.BARE, triggers_off=True),
        )

    def _try(self, flow: Flow, payload: Payload, way: _Way, refusals: list[str]) -> _Attempt | None:
        """Makes the starting user and runs the flow; None where the user cannot be made in this way."""
        triggers_off = way.triggers_off
        first = self.probes.user(way.payload)
        replay = Replay(self.connection, self.session, self.target, Memory(first), self.probes.ids)
        if triggers_off:
            try:
                self.session.switch_triggers(off=True)
            except Error as error:
                refusals.append(f"triggers cannot be switched off here ({_one_line(error)})")
                return None
        self.session.enter()
        for earlier in way.before:
            known = self.dead_ends.get((earlier.name, way.payload, triggers_off))
            refusal = known or self._dead_end(replay.run(earlier), way)
            if refusal is not None:
                refusals.append(refusal)
                return None
        if triggers_off:
            self.session.leave()
            self.session.switch_triggers(off=False)
            self.session.enter()
        if payload is Payload.DUPLICATE:
            twin = self.probes.user(payload, first)
            replay = Replay(self.connection, self.session, self.target, Memory(twin), self.probes.ids)
        reason = None
        if triggers_off:
            reason = f"starts from a user made with triggers off, because {refusals[0]}"
        elif refusals:
            made = way.before[0].name + (" with full metadata" if way.payload is Payload.FULL else "")
            reason = f"starts from the user of {made}, because {refusals[0]}"
        observation = replay.run(flow)
        if payload is not Payload.DUPLICATE and not triggers_off:
            self._dead_end(observation, way)
        return _Attempt(observation, reason)

    def _dead_end(self, made: Observation, way: _Way) -> str | None:
        """Why no flow can go on from this one, None if it can; remembered, for it would be the same every time.

        A twin's failure is its own and says nothing of other users.
        """
        if made.limit is not None:
            self._hurry()
        if made.outcome not in (Outcome.FAIL, Outcome.SKIPPED) and made.mail not in (
            Mail.SENT_TOKEN_LOST,
            Mail.SKIPPED,
        ):
            return None
        refusal = _why_not(made, way.payload, way.triggers_off)
        self.dead_ends[made.flow.name, way.payload, way.triggers_off] = refusal
        return refusal

    def _hurry(self) -> None:
        """Shortens the limits once one has been reached: a function that never ends is not waited for each time."""
        self.session.limits = replace(
            self.limits, statement=max(1, self.limits.statement // 5), lock=max(1, self.limits.lock // 5)
        )

    def _note_locks(self) -> None:
        if self.connection.info.transaction_status == TransactionStatus.INTRANS:
            rows = self.connection.execute(read_sql("smoke/locks.sql")).fetchall()
            self.locks.update(row[0] for row in rows)

    def _result(self, flow: Flow, payload: Payload, attempt: _Attempt, milliseconds: int) -> FlowResult:
        observation = attempt.observation
        failed = self._named(observation.failed)
        failed = None if failed is None else scrubbed_step(failed)
        reason = attempt.reason
        if observation.limit is not None and failed is not None:
            reason = _limit_reason(observation.limit, failed)
            failed = None
        skipped = observation.outcome is Outcome.SKIPPED
        return FlowResult(
            flow=flow.name,
            payload=payload,
            latent=flow.latent,
            outcome=observation.outcome,
            reason=reason,
            failed_step=failed,
            response=None if skipped else _answer(observation.response or flow.success, failed),
            mail=observation.mail,
            changes=() if skipped else tuple(scrubbed_change(change) for change in observation.changes),
            milliseconds=milliseconds,
        )

    def _named(self, failed: FailedStep | None) -> FailedStep | None:
        """The failed step with the function's full name; asked after ROLLBACK TO, an aborted transaction cannot."""
        frame = innermost_frame(None if failed is None else failed.context)
        if failed is None or frame is None:
            return failed
        with self.connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(read_sql("smoke/functions.sql"), {"name": frame.name, "schema": frame.schema})
            candidates = [
                Candidate(row["schema_name"], row["function_name"], tuple(row["argument_types"]), row["fired"])
                for row in cursor
            ]
        return replace(failed, function=full_name(frame, candidates))


def flows_before(flow: Flow, start: str) -> tuple[Flow, ...]:
    """The flows to run before, in order, when it goes on with the user of `start`: the way that leads there first."""
    first = flow_named(start)
    return (*(flows_before(first, first.starts[0]) if first.starts else ()), first)


def _why_not(made: Observation, payload: Payload, triggers_off: bool) -> str:
    with_what = f"{made.flow.name} with {payload.value} metadata"
    if triggers_off:
        with_what += " and triggers off"
    if made.failed is not None:
        verb = "fails" if made.limit is None else "does not end"
        return f"{with_what} {verb} ({made.failed.sqlstate or 'no SQLSTATE'} at {made.failed.statement})"
    if made.mail is Mail.SKIPPED:
        return f"{with_what} sends no mail"
    return f"{with_what} loses the token"


def _limit_reason(limit: str, failed: FailedStep) -> str:
    place = ""
    if failed.function is not None:
        place = f", in {failed.function}" + ("" if failed.line is None else f" line {failed.line}")
    return f"{limit} ({failed.sqlstate} at {failed.statement}{place}: {failed.message})"


def _answer(response: Response, failed: FailedStep | None) -> Answer:
    message = response.message if failed is None else response.text(failed.message, failed.sqlstate)
    return Answer(response.status, response.error_code, message)


def _roll_back(connection: Connection, run: _Run) -> bool:
    """Ends the transaction and looks, in a new one that can only read, that no probe row is left.

    False where the look was not possible: never an error of its own, for it runs behind others. A session advisory lock
    that a trigger took survives a rollback, so all are given back.
    """
    try:
        connection.rollback()
        connection.read_only = True
        session: Session | None = getattr(run, "session", None)
        if session is None:
            return True  # nothing has run
        session.enter()
        parameters = {"ids": run.probes.ids, "emails": run.probes.emails}
        row = connection.execute(read_sql("smoke/leftovers.sql"), parameters).fetchone()
        connection.rollback()
        connection.execute("SELECT pg_catalog.pg_advisory_unlock_all()")
        connection.rollback()
    except Error:
        connection.close()
        return False
    return row is not None and row[0] == 0 and not row[1]
