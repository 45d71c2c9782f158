"""Runs the flows in one transaction that is always rolled back, and looks afterwards that nothing is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from psycopg import Error, sql
from psycopg.pq import TransactionStatus

from trigger_audit.auth import FLOWS
from trigger_audit.auth.roles import SCHEMA
from trigger_audit.auth.steps import Flow
from trigger_audit.auth.versions import Version
from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.resources import read_sql
from trigger_audit.smoke.attempts import Attempt, Attempts, Change, set_up
from trigger_audit.smoke.context import innermost_frame, one_line
from trigger_audit.smoke.existing import refuse_known_address, rows_of
from trigger_audit.smoke.hazards import refuse_hazards
from trigger_audit.smoke.model import (
    Escalation,
    FailedStep,
    FlowResult,
    Outcome,
    Payload,
    SessionInfo,
    SmokeReport,
)
from trigger_audit.smoke.payloads import USUAL, Metadata, SignUps, metadata_for, payloads_of
from trigger_audit.smoke.release import answers, version_gaps
from trigger_audit.smoke.replay import Observation
from trigger_audit.smoke.rights import Rights, escalations
from trigger_audit.smoke.scrub import scrubbed_change, scrubbed_step
from trigger_audit.smoke.session import Limits, Session
from trigger_audit.smoke.transactions import not_aborted
from trigger_audit.smoke.trials import Evidence, Proof, Shown, Trials
from trigger_audit.smoke.watch import Watch

if TYPE_CHECKING:
    from psycopg import Connection

    from trigger_audit.analysis.model import Hazard

Excuse = Callable[[str | None, str], str | None]
"""From a failure's SQLSTATE and message to why it says nothing of the target; None where it does say something."""

_Attempts = TypeVar("_Attempts", bound=Attempts)
_Result = TypeVar("_Result")

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
    sign_ups: SignUps = USUAL,
    auth_version: Version | None = None,
    evidence: Evidence | None = None,
    excuse: Excuse | None = None,
    ready: Callable[[], None] | None = None,
) -> SmokeReport:
    """Replays the named flows of Auth (all where None) on the connection, one savepoint each, and rolls back.

    Latent flows run too and are marked. `hazards` are what the analysis found reachable; `target` goes into the report
    as it is. The connection must be idle; its settings are as before afterwards. It is closed afterwards where a
    function would not end by itself: that flow is skipped, and the others go on over a new one. `sign_ups` says who
    signs up and with what; by default only keys that many projects read are sent. `auth_version` is the one whose
    answers are told; None takes what Auth's migrations say. With `evidence` the triggers that break a flow are looked
    for. A failure for which `excuse` has one gives no verdict: the flow is skipped.
    `ready` is called once nothing stands in the way of the first flow.

    No attempt begins after sixty times the statement's limit and a minute (11 minutes), and one takes six times the
    limit and ten seconds at most, with at most 11 more to end what will not end (watch.py).

    UsageError for an unknown flow, and where none runs with the payloads of `sign_ups`. TriggerAuditError where a
    hazard is not allowed, the server is a standby or read-only, auth.users is missing or not to be written, the given
    address is a user's already, the connection is lost, or a function that would not end could not be ended.
    """
    chosen = _chosen(flows, sign_ups)
    refuse_hazards(hazards, allow=allow_side_effects, sandbox=target.get("kind") == "sql")
    limits = limits or Limits()

    def work(attempts: Attempts) -> tuple[Shown, tuple[FlowResult, ...], SessionInfo, str | None]:
        run = _Run(attempts, evidence, excuse)
        run.prepare()
        if ready is not None:
            ready()
        results = tuple(result for flow in chosen for result in run.flow(flow))
        target_gaps = (*attempts.target.gaps, *version_gaps(attempts.target.versions))
        shown = Shown() if run.trials is None else run.trials.shown
        session = attempts.session.info((*target_gaps, *run.notes, *shown.notes))
        return shown, results, session, strongest(attempts.locks)

    (shown, results, session, lock), not_verified = rolled_back(
        connection,
        limits,
        lambda watch: Attempts(connection, sign_ups, limits, watch, auth_version),
        work,
        _rows_left,
    )
    return SmokeReport(
        target=target,
        session=session,
        flows=results,
        hazards=tuple(hazards),
        strongest_lock=lock,
        rolled_back=not_verified is None,
        not_verified=not_verified,
        hidden_errors=shown.hidden_errors,
        toggles=shown.toggles,
        locked=tuple(dict.fromkeys((f"{SCHEMA}.users", *shown.locked))),
    )


def rolled_back(
    connection: Connection,
    limits: Limits,
    begin: Callable[[Watch], _Attempts],
    work: Callable[[_Attempts], _Result],
    look: Callable[[_Attempts], str | None],
) -> tuple[_Result, str | None]:
    """What `work` gives in a transaction that is rolled back, and why it is not verified that nothing is left of it.

    `look` looks for that in a later transaction that can only read, and says what it found. TriggerAuditError where
    the connection is in a transaction already, where it is lost, and as `work` raises it.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise TriggerAuditError("the connection is in a transaction already, and smoke must have one of its own")
    with Watch(limits) as watch, watch.heeding_ctrl_c(), _exclusively(connection):
        attempts = begin(watch)
        try:
            attempts.start()
            result = work(attempts)
        except Error as error:
            if watch.stopped is not None:
                raise TriggerAuditError("the database does not answer: the connection was closed") from None
            raise TriggerAuditError(f"the database broke off: {one_line(error)}") from error
        finally:
            not_verified = _roll_back(attempts, look)
            if attempts.connection is not connection:
                attempts.connection.close()
    return result, not_verified


def strongest(locks: Iterable[str]) -> str | None:
    return max(locks, key=_LOCKS.index, default=None)


def _chosen(names: Sequence[str] | None, sign_ups: SignUps) -> tuple[Flow, ...]:
    known = {flow.name for flow in FLOWS}
    for name in names or ():
        if name not in known:
            raise UsageError(f"there is no flow {name!r}", f"the flows are {', '.join(flow.name for flow in FLOWS)}")
    chosen = tuple(flow for flow in FLOWS if names is None or flow.name in names)
    if chosen and not any(payloads_of(flow, sign_ups) for flow in chosen):
        payloads = ", ".join(payload.value for payload in sign_ups.payloads)
        raise UsageError(f"none of the flows sends metadata when a user signs up, so none runs with payload {payloads}")
    return chosen


@contextmanager
def _exclusively(connection: Connection) -> Iterator[None]:
    """One READ COMMITTED read-write transaction, no autocommit, no prepared statements; the old settings afterwards."""
    before = (connection.autocommit, connection.isolation_level, connection.read_only, connection.prepare_threshold)
    rows, cursors = connection.row_factory, connection.cursor_factory
    set_up(connection)
    try:
        yield
    finally:
        connection.row_factory, connection.cursor_factory = rows, cursors
        if not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE:
            connection.autocommit, connection.isolation_level, connection.read_only, _ = before
        connection.prepare_threshold = before[3]


class _Run:
    """The results so far, and what they need to know of each other."""

    def __init__(self, attempts: Attempts, evidence: Evidence | None, excuse: Excuse | None) -> None:
        self.attempts = attempts
        self.excuse = excuse
        self.trials = None if evidence is None else Trials(evidence)
        self.metadata: Metadata
        self.rights: dict[str, Rights | None] = {}
        self.notes: dict[str, None] = {}

    def prepare(self) -> None:
        """Before any flow: makes the metadata, asks what can be switched off.

        TriggerAuditError where the given address is somebody's.
        """
        attempts, sign_ups = self.attempts, self.attempts.sign_ups
        if sign_ups.email is not None:
            refuse_known_address(attempts.connection, attempts.session, sign_ups.email)
        self.metadata = metadata_for(sign_ups, rows_of(attempts.connection, attempts.session, sign_ups.references))
        attempts.probes.documents = self.metadata.documents
        self.notes.update(dict.fromkeys(self.metadata.notes))
        if self.trials is not None:
            self.trials.prepare(attempts)

    def flow(self, flow: Flow) -> Iterator[FlowResult]:
        payloads = payloads_of(flow, self.attempts.sign_ups)
        asks = self.metadata.privileged.keys() & payloads
        for payload in payloads:
            started = time.perf_counter()
            rights = bool(asks) and payload in (*asks, Payload.FULL)
            attempt = self.attempts.run(flow, payload, rights=rights)
            attempt = replace(attempt, observation=excused(attempt.observation, self.excuse))
            milliseconds = round((time.perf_counter() - started) * 1000)
            got = self._escalations(flow, payload, attempt)
            proof = self._proof(flow, payload, attempt)
            yield self._result(flow, payload, attempt, milliseconds, got, proof)

    def _proof(self, flow: Flow, payload: Payload, attempt: Attempt) -> Proof:
        way = attempt.way
        if way is None or self.trials is None:
            return Proof()

        def replay(change: Change, *, from_start: bool = False) -> Observation:
            return self.attempts.again(flow, payload, way, change, from_start=from_start)

        may_start_over = bool(way.before) and not way.triggers_off
        self.trials.look_behind(attempt.observation, replay)
        return self.trials.blame(attempt.observation, replay, may_start_over=may_start_over)

    def _escalations(self, flow: Flow, payload: Payload, attempt: Attempt) -> tuple[Escalation, ...]:
        """The rights that the metadata brought: those that the same user would not have got with `full`."""
        if payload is Payload.FULL:
            self.rights[flow.name] = attempt.rights
        if attempt.rights is None or payload not in self.metadata.privileged:
            return ()
        self.notes.update(dict.fromkeys(attempt.rights.gaps))
        privileged = self.metadata.privileged[payload]
        if not escalations(attempt.rights, None, privileged):
            return ()
        otherwise = self.rights.get(flow.name)
        for other in (Payload.FULL, Payload.BARE):
            if otherwise is None:
                otherwise = self.attempts.run(flow, other, rights=True).rights
        self.rights[flow.name] = otherwise
        return escalations(attempt.rights, otherwise, privileged)

    def _result(
        self,
        flow: Flow,
        payload: Payload,
        attempt: Attempt,
        milliseconds: int,
        got: tuple[Escalation, ...],
        proof: Proof,
    ) -> FlowResult:
        observation = attempt.observation
        failed, limit = told_failure(self.attempts, observation)
        reason = limit or "; ".join(part for part in (attempt.reason, proof.reason) if part) or None
        skipped = observation.outcome is Outcome.SKIPPED
        told, opened = answers(flow, observation.response, failed, self.attempts.target.versions)
        return FlowResult(
            flow=flow.name,
            payload=payload,
            latent=flow.latent,
            outcome=Outcome.ALTERED if got and observation.outcome is Outcome.PASS else observation.outcome,
            reason=reason,
            failed_step=failed,
            response=None if skipped else told,
            mail=observation.mail,
            changes=() if skipped else tuple(scrubbed_change(change) for change in observation.changes),
            milliseconds=milliseconds,
            escalations=got,
            culprits=proof.culprits,
            without_header=None if skipped else opened,
        )


def excused(observation: Observation, excuse: Excuse | None) -> Observation:
    """Without a verdict where its failure says nothing of the target."""
    failed = observation.failed
    if failed is None or excuse is None or observation.limit is not None:
        return observation
    return replace(observation, limit=excuse(failed.sqlstate, failed.message))


def told_failure(attempts: Attempts, observation: Observation) -> tuple[FailedStep | None, str | None]:
    """The failed step as it is told, with the function's full name; or, for a limit of ours, the reason in words.

    Asked after ROLLBACK TO: an aborted transaction cannot.
    """
    failed = observation.failed
    frame = innermost_frame(None if failed is None else failed.context)
    if failed is not None and frame is not None:
        failed = replace(failed, function=attempts.full_name_of(frame))
    failed = None if failed is None else scrubbed_step(failed)
    if observation.limit is not None and failed is not None:
        return None, _limit_reason(observation.limit, failed)
    return failed, None


def _limit_reason(limit: str, failed: FailedStep) -> str:
    place = ""
    if failed.function is not None:
        place = f", in {failed.function}" + ("" if failed.line is None else f" line {failed.line}")
    return f"{limit} ({failed.sqlstate} at {failed.statement}{place}: {failed.message})"


def _roll_back(attempts: _Attempts, look: Callable[[_Attempts], str | None]) -> str | None:
    """Ends the transaction and looks, in a new one that can only read, that it has left nothing.

    Why that cannot be said, None where it can: never an error of its own, for it runs behind others. A session advisory
    lock that a trigger took survives a rollback, so all are given back: before it, since behind a pooler the server
    process may be another one afterwards.
    """
    connection = attempts.connection
    try:
        session: Session | None = getattr(attempts, "session", None)
        if connection.info.transaction_status == TransactionStatus.INTRANS:
            _unlock(attempts, session)
        connection.rollback()
        if session is None:
            return None  # nothing has run
        # Where it takes a function, the transaction can only read from the moment on when that is made.
        connection.read_only = not session.apart
        session.set_limits()
        found = not_aborted(connection, attempts.transactions) or look(attempts)
        _unlock(attempts, session)
        connection.rollback()
    except Error as error:
        connection.close()
        return f"the look whether anything is left of the run was not possible: {one_line(error)}"
    return found


def _unlock(attempts: Attempts, session: Session | None) -> None:
    backend = attempts.watch.backend
    if session is not None and backend is not None and not session.found_locked:
        attempts.connection.execute(read_sql("smoke/unlock.sql"), {"pid": backend["pid"]})


def _rows_left(attempts: Attempts) -> str | None:
    """Why it cannot be said that no row of the probe users is left, None where it can."""
    session = attempts.session
    parameters = {"ids": attempts.probes.ids, "emails": attempts.probes.emails}
    role, sender = session.enter_to_look()
    [[rows, hidden]] = sender.texts(sql.SQL(read_sql("smoke/leftovers.sql")), parameters, for_good=True)
    if hidden != "false":
        return f"row security hides rows of auth.users from {role}, so that rows of the probe users would not be seen"
    if rows != "0":
        like = "trigger-audit-%@example.%" if attempts.probes.address is None else attempts.probes.address
        return f"rows of the probe users are left in auth.users ({rows}): their e-mail is like '{like}'"
    return None
