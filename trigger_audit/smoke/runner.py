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
from trigger_audit.auth.steps import Flow
from trigger_audit.auth.versions import Version, exactly
from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.resources import read_sql
from trigger_audit.smoke.catalog import Target, look_at_target
from trigger_audit.smoke.context import Candidate, Frame, full_name, innermost_frame
from trigger_audit.smoke.hazards import refuse_hazards
from trigger_audit.smoke.memory import Memory
from trigger_audit.smoke.model import FailedStep, FlowResult, Mail, Outcome, Payload, SmokeReport
from trigger_audit.smoke.payloads import Probes, payloads_of
from trigger_audit.smoke.release import answers, version_gaps
from trigger_audit.smoke.replay import Observation, Replay
from trigger_audit.smoke.scrub import scrubbed_change, scrubbed_step
from trigger_audit.smoke.session import Limits, Session, look_at_server, pin_search_path
from trigger_audit.smoke.watch import Watch

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
    auth_version: Version | None = None,
) -> SmokeReport:
    """Replays the named flows of Auth (all where None) on the connection, one savepoint each, and rolls back.

    Latent flows run too and are marked. `hazards` are what the analysis found reachable; `target` goes into the report
    as it is. The connection must be idle; its settings are as before afterwards. It is closed afterwards where a
    function would not end by itself: that flow is skipped, and the others go on over a new one. `auth_version` is the
    one whose answers are told; None takes what Auth's migrations say.

    No attempt begins after sixty times the statement's limit and a minute (11 minutes), and one takes six times the
    limit and ten seconds at most, with at most 11 more to end what will not end (watch.py).

    UsageError for an unknown flow. TriggerAuditError where a hazard is not allowed, the server is a standby or
    read-only, auth.users is missing or not to be written, the connection is lost, or a function that would not end
    could not be ended.
    """
    chosen = _chosen(flows)
    refuse_hazards(hazards, allow=allow_side_effects)
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise TriggerAuditError("the connection is in a transaction already, and smoke must have one of its own")
    limits = limits or Limits()
    with Watch(limits) as watch, watch.heeding_ctrl_c(), _exclusively(connection):
        run = _Run(connection, limits, watch, auth_version)
        try:
            run.start()
            results = tuple(result for flow in chosen for result in run.flow(flow))
            session = run.session.info((*run.target.gaps, *version_gaps(run.target.versions)))
        except Error as error:
            if watch.stopped is not None:
                raise TriggerAuditError("the database does not answer: the connection was closed") from None
            raise TriggerAuditError(f"the database broke off: {_one_line(error)}") from error
        finally:
            not_verified = _roll_back(run)
            if run.connection is not connection:
                run.connection.close()
    return SmokeReport(
        target=target,
        session=session,
        flows=results,
        hazards=tuple(hazards),
        strongest_lock=max(run.locks, key=_LOCKS.index, default=None),
        rolled_back=not_verified is None,
        not_verified=not_verified,
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
    rows, cursors = connection.row_factory, connection.cursor_factory
    _set_up(connection)
    try:
        yield
    finally:
        connection.row_factory, connection.cursor_factory = rows, cursors
        if not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE:
            connection.autocommit, connection.isolation_level, connection.read_only, _ = before
        connection.prepare_threshold = before[3]


def _set_up(connection: Connection) -> None:
    connection.autocommit = False
    connection.isolation_level = IsolationLevel.READ_COMMITTED
    connection.prepare_threshold = None
    connection.row_factory = tuple_row


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

    def __init__(self, connection: Connection, limits: Limits, watch: Watch, auth_version: Version | None) -> None:
        self.connection = connection
        self.limits = limits
        self.watch = watch
        self.auth_version = auth_version
        self.ends = time.monotonic() + 60 * limits.statement / 1000 + 60
        self.making: Flow | None = None
        """The earlier flow that runs at the moment, to make a user to start from."""
        self.probes = Probes()
        self.locks: set[str] = set()
        self.dead_ends: dict[tuple[str, Payload, bool], str] = {}
        self.session: Session
        self.target: Target

    def start(self) -> None:
        """Begins on a connection that is idle: the first one, or one after a function that had to be ended."""
        self.watch.guard(self.connection)
        # A standby refuses to begin a read-write transaction at all, so the first look is one that only reads.
        self.connection.read_only = True
        server = look_at_server(self.connection)
        self.connection.rollback()
        self.connection.read_only = False
        self.session = Session(self.connection, server, self.watch.limits)
        self.session.limit()
        pin_search_path(self.connection)
        self.watch.follow()
        self.target = look_at_target(self.connection, self.session)
        if self.auth_version is not None:
            self.target = replace(self.target, versions=exactly(self.auth_version))

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
            if time.monotonic() > self.ends:
                reason = "not tried: the flows before took too long altogether"
                return _Attempt(Observation(flow, limit=reason), reason)
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
        self.watch.limits = self.session.limits
        self.making = None
        try:
            with self.watch.attempt():
                self.connection.execute("SAVEPOINT flow")
                self.session.set_limits(wait_for_locks=wait_for_locks)
                attempt = self._try(flow, payload, way, refusals)
                self._note_locks()
                self.connection.execute("ROLLBACK TO SAVEPOINT flow")
                self.connection.execute("RELEASE SAVEPOINT flow")
        except Error as error:
            if not self.watch.stopped:
                raise
            return self._go_on(flow, payload, way, refusals, self.watch.error or error)
        return attempt

    def _go_on(self, flow: Flow, payload: Payload, way: _Way, refusals: list[str], error: Error) -> _Attempt | None:
        """After a statement that had to be ended: a new connection. The flow, or that way to it, is given up."""
        words, guilty = self.watch.stopped, self.making or flow
        self._hurry()
        frame = innermost_frame(self.session.sender.context(error))
        self._connect_again(guilty)
        if frame is not None:
            words = f"{words}, in {self._full_name(frame)}" + ("" if frame.line is None else f" line {frame.line}")
        refusal = f"{guilty.name} with {way.payload.value} metadata {words}"
        if not way.triggers_off and (self.making is not None or payload is not Payload.DUPLICATE):
            self.dead_ends[guilty.name, way.payload, way.triggers_off] = refusal
        if self.making is not None:
            refusals.append(refusal)
            return None
        reason = f"{flow.name} {words}"
        return _Attempt(Observation(flow, limit=reason), reason)

    def _connect_again(self, guilty: Flow) -> None:
        told = f"{guilty.name} goes on past our statement_timeout"
        self.connection.close()
        try:
            self.connection = self.watch.reconnect()
            _set_up(self.connection)
            self.start()
        except TimeoutError:
            pid = self.watch.backend and self.watch.backend["pid"]
            raise TriggerAuditError(
                f"{told}, and its server process could not be ended", f"end it: select pg_terminate_backend({pid})"
            ) from None
        except Error as error:
            raise TriggerAuditError(
                f"{told}, so that its connection had to be ended, and the database takes no other: {_one_line(error)}"
            ) from None

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
            self.making = earlier
            known = self.dead_ends.get((earlier.name, way.payload, triggers_off))
            refusal = known or self._dead_end(replay.run(earlier), way)
            if refusal is not None:
                refusals.append(refusal)
                return None
        self.making = None
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
        if made.ran_out:
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
        self.session.limits = self.watch.limits = replace(
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
        told, opened = answers(flow, observation.response, failed, self.target.versions)
        return FlowResult(
            flow=flow.name,
            payload=payload,
            latent=flow.latent,
            outcome=observation.outcome,
            reason=reason,
            failed_step=failed,
            response=None if skipped else told,
            mail=observation.mail,
            changes=() if skipped else tuple(scrubbed_change(change) for change in observation.changes),
            milliseconds=milliseconds,
            without_header=None if skipped else opened,
        )

    def _named(self, failed: FailedStep | None) -> FailedStep | None:
        """The failed step with the function's full name; asked after ROLLBACK TO, an aborted transaction cannot."""
        frame = innermost_frame(None if failed is None else failed.context)
        if failed is None or frame is None:
            return failed
        return replace(failed, function=self._full_name(frame))

    def _full_name(self, frame: Frame) -> str:
        with self.connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(read_sql("smoke/functions.sql"), {"name": frame.name, "schema": frame.schema})
            candidates = [
                Candidate(row["schema_name"], row["function_name"], tuple(row["argument_types"]), row["fired"])
                for row in cursor
            ]
        return full_name(frame, candidates)


def flows_before(flow: Flow, start: str) -> tuple[Flow, ...]:
    """The flows to run before, in order, when it goes on with the user of `start`: the way that leads there first."""
    first = flow_named(start)
    return (*(flows_before(first, first.starts[0]) if first.starts else ()), first)


def _why_not(made: Observation, payload: Payload, triggers_off: bool) -> str:
    with_what = f"{made.flow.name} with {payload.value} metadata"
    if triggers_off:
        with_what += " and triggers off"
    if made.failed is not None:
        verb = "does not end" if made.ran_out else "fails"
        return f"{with_what} {verb} ({made.failed.sqlstate or 'no SQLSTATE'} at {made.failed.statement})"
    if made.mail is Mail.SKIPPED:
        return f"{with_what} sends no mail"
    return f"{with_what} loses the token"


def _limit_reason(limit: str, failed: FailedStep) -> str:
    place = ""
    if failed.function is not None:
        place = f", in {failed.function}" + ("" if failed.line is None else f" line {failed.line}")
    return f"{limit} ({failed.sqlstate} at {failed.statement}{place}: {failed.message})"


def _roll_back(run: _Run) -> str | None:
    """Ends the transaction and looks, in a new one that can only read, that no probe row is left.

    Why that cannot be said, None where it can: never an error of its own, for it runs behind others. A session advisory
    lock that a trigger took survives a rollback, so all are given back.
    """
    connection = run.connection
    try:
        connection.rollback()
        connection.read_only = True
        session: Session | None = getattr(run, "session", None)
        if session is None:
            return None  # nothing has run
        session.set_limits()
        session.enter_to_look()
        parameters = {"ids": run.probes.ids, "emails": run.probes.emails}
        row = connection.execute(read_sql("smoke/leftovers.sql"), parameters).fetchone()
        connection.rollback()
        connection.execute("SELECT pg_catalog.pg_advisory_unlock_all()")
        connection.rollback()
    except Error as error:
        connection.close()
        return f"the look whether rows of the probe users are left was not possible: {_one_line(error)}"
    if row is None or row[1]:
        role = session.info(()).role
        return f"row security hides rows of auth.users from {role}, so that rows of the probe users would not be seen"
    if row[0]:
        like = "trigger-audit-%@example.%"
        return f"rows of the probe users are left in auth.users ({row[0]}): their e-mail is like '{like}'"
    return None
