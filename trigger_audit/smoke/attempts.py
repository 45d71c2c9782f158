"""Runs one flow at a time in a savepoint, for a user made as an app's user would be, and takes it back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psycopg import Error, IsolationLevel
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row, tuple_row

from trigger_audit.auth.roles import SCHEMA
from trigger_audit.auth.steps import Flow
from trigger_audit.auth.values import Probe
from trigger_audit.auth.versions import Version, exactly
from trigger_audit.errors import TriggerAuditError
from trigger_audit.resources import read_sql
from trigger_audit.smoke.catalog import Target, look_at_target
from trigger_audit.smoke.context import Candidate, Frame, full_name, innermost_frame, one_line
from trigger_audit.smoke.event_triggers import EventTrigger, refuser
from trigger_audit.smoke.memory import Memory
from trigger_audit.smoke.model import Mail, Outcome, Payload
from trigger_audit.smoke.payloads import Probes, SignUps
from trigger_audit.smoke.replay import OUR_LIMITS, Observation, Replay
from trigger_audit.smoke.requests import SHARED, Requests, Shared, look_at_shared
from trigger_audit.smoke.rights import Rights, look_at_rights
from trigger_audit.smoke.session import AUTH, Limits, Server, Session, look_at_server, pin_search_path
from trigger_audit.smoke.transactions import current_transaction
from trigger_audit.smoke.watch import Watch
from trigger_audit.smoke.ways import Way, ways_to, why_not

if TYPE_CHECKING:
    from psycopg import Connection


def set_up(connection: Connection) -> None:
    connection.autocommit = False
    connection.isolation_level = IsolationLevel.READ_COMMITTED
    connection.prepare_threshold = None
    connection.row_factory = tuple_row


class ChangeRefused(Exception):
    """What was to be changed before a flow cannot be; `told` says who refuses it, or why."""

    def __init__(self, told: str) -> None:
        super().__init__(told)
        self.told = told


def _refused(error: Error, by: EventTrigger | None) -> ChangeRefused:
    if by is not None:
        return ChangeRefused(f"event trigger {by.name} refuses it ({error.sqlstate}: {one_line(error)})")
    if error.sqlstate in OUR_LIMITS:
        return ChangeRefused(f"{OUR_LIMITS[error.sqlstate]} ({error.sqlstate})")
    return ChangeRefused(f"{one_line(error)} ({error.sqlstate})")


Change = Callable[[Session], None]
"""Changes the target before a flow, as the outer role, in the flow's savepoint."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a flow, and how its user came to be: `reason` where that is worth a word, `way` to do it again (None
    where there was no user to start from). `rights` are what the user got, where that was asked for."""

    observation: Observation
    reason: str | None
    way: Way | None = None
    rights: Rights | None = None


class Attempts:
    """The state of one run: the session, the target, and the probe users made so far.

    `part` is whom it runs as, `tables` those whose locks are told.
    """

    part = AUTH
    tables: tuple[tuple[str, str], ...] = ((SCHEMA, "users"),)

    def __init__(
        self, connection: Connection, sign_ups: SignUps, limits: Limits, watch: Watch, auth_version: Version | None
    ) -> None:
        self.connection = connection
        self.limits = limits
        self.watch = watch
        self.auth_version = auth_version
        self.ends = time.monotonic() + 60 * limits.statement / 1000 + 60
        self.making: Flow | None = None
        """The earlier flow that runs at the moment, to make a user to start from."""
        self.sign_ups = sign_ups
        self.probes = Probes(address=sign_ups.email)
        self.locks: set[str] = set()
        self.dead_ends: dict[tuple[str, Payload, bool], str] = {}
        self.transactions: list[str] = []
        """The ids of the transactions begun: each must be found aborted afterwards."""
        self.session: Session
        self.target: Target
        self.shared: Shared
        self.past_replica: tuple[Change, Change] | None = None
        """Switches triggers that fire ALWAYS off, and on again."""

    def start(self) -> None:
        """Begins on a connection that is idle: the first one, or one after a function that had to be ended."""
        self.watch.guard(self.connection)
        # A standby refuses to begin a read-write transaction at all, so the first look is one that only reads.
        self.connection.read_only = True
        server = self.look_at_server()
        self.connection.rollback()
        self.connection.read_only = False
        pin_search_path(self.connection)
        self.session = Session(self.connection, server, self.watch.limits, self.part)
        self.session.limit()
        self.watch.follow()
        self.transactions.append(current_transaction(self.connection))
        self.look()

    def look_at_server(self) -> Server:
        """TriggerAuditError where nothing can be run on it."""
        return look_at_server(self.connection)

    def look(self) -> None:
        """Asks what the target has, before any code of its users has run. TriggerAuditError."""
        self.target = look_at_target(self.connection, self.session)
        self.shared = look_at_shared(self.connection)
        if self.auth_version is not None:
            self.target = replace(self.target, versions=exactly(self.auth_version))

    def run(self, flow: Flow, payload: Payload, *, rights: bool = False) -> Attempt:
        """Tries the ways to a starting user in turn, each in a savepoint, until the flow can go on from one.

        It tries the next one too where the requests before are in the way of a verdict because they share the
        transaction. Of a user made with triggers off only a flow that goes through says something then.
        """
        refusals: list[str] = []
        undecided: Attempt | None = None
        for way in self._ways(flow, payload):
            if time.monotonic() > self.ends:
                reason = "not tried: the flows before took too long altogether"
                return Attempt(Observation(flow, limit=reason), reason)
            attempt = self._in_savepoint(flow, payload, way, refusals, rights=rights)
            if attempt is not None and self._may_hide_a_limit(attempt.observation):
                attempt = self._in_savepoint(flow, payload, way, refusals, rights=rights, wait_for_locks=True)
            if attempt is None:
                continue
            outcome, limit = attempt.observation.outcome, attempt.observation.limit
            if limit in SHARED and payload is not Payload.DUPLICATE:
                undecided = undecided or attempt
                refusals.append(f"after {way.before[-1].name if way.before else flow.name}: {limit}")
            elif undecided is None or not way.triggers_off or outcome in (Outcome.PASS, Outcome.ALTERED):
                return attempt
        if undecided is not None:
            return undecided
        observation = Observation(flow, limit="; ".join(refusals))
        return Attempt(observation, "no user to start from: " + "; ".join(refusals))

    def again(self, flow: Flow, payload: Payload, way: Way, change: Change, *, from_start: bool = False) -> Observation:
        """The same run on a changed target, for a user made in the same way before the change, or after (`from_start`).

        ChangeRefused where the server refuses the change; all is as before then.
        """
        if time.monotonic() > self.ends:
            return Observation(flow, limit="not tried: the flows before took too long altogether")
        refusals: list[str] = []
        attempt = self._in_savepoint(flow, payload, way, refusals, change=change, from_start=from_start)
        if attempt is not None and self._may_hide_a_limit(attempt.observation):
            attempt = self._in_savepoint(
                flow, payload, way, refusals, change=change, from_start=from_start, wait_for_locks=True
            )
        return Observation(flow, limit="; ".join(refusals)) if attempt is None else attempt.observation

    def _in_savepoint(
        self,
        flow: Flow,
        payload: Payload,
        way: Way,
        refusals: list[str],
        *,
        rights: bool = False,
        wait_for_locks: bool = False,
        change: Change | None = None,
        from_start: bool = False,
    ) -> Attempt | None:
        self.watch.limits = self.session.limits
        self.making = None
        try:
            with self.watch.attempt():
                self.connection.execute("SAVEPOINT flow")
                try:
                    self.session.set_limits(wait_for_locks=wait_for_locks)
                    attempt = self._try(
                        flow, payload, way, refusals, rights=rights, change=change, from_start=from_start
                    )
                    self._note_locks()
                finally:
                    if not self.connection.closed and not self.watch.stopped:
                        self.connection.execute("ROLLBACK TO SAVEPOINT flow")
                        self.connection.execute("RELEASE SAVEPOINT flow")
        except UnicodeError:
            return self._give_up(flow, payload, way, refusals, "text that is not in the encoding of the connection")
        except Error as error:
            if not self.watch.stopped:
                if self.connection.closed or self.connection.info.transaction_status != TransactionStatus.INTRANS:
                    raise
                return self._give_up(flow, payload, way, refusals, f"{one_line(error)} ({error.sqlstate})")
            told = self.watch.error or error
            return self._go_on(flow, payload, way, refusals, told, changed=change is not None, remember=not from_start)
        return attempt

    def _give_up(self, flow: Flow, payload: Payload, way: Way, refusals: list[str], said: str) -> Attempt | None:
        """After a statement of smoke's own, between those of Auth, that could not run."""
        words = f"smoke cannot go on with what a trigger has left behind: {said}"
        if self.making is not None:
            refusals.append(f"{self.making.name} with {way.payload.value} metadata: {words}")
            return None
        return Attempt(Observation(flow, limit=words), words, way)

    def _go_on(
        self,
        flow: Flow,
        payload: Payload,
        way: Way,
        refusals: list[str],
        error: Error,
        *,
        changed: bool,
        remember: bool,
    ) -> Attempt | None:
        """After a statement that had to be ended: a new connection. The flow, or that way to it, is given up.

        What a flow does on a changed target is not kept for others to start from.
        """
        words, guilty = self.watch.stopped, self.making or flow
        self._hurry()
        frame = innermost_frame(self.session.sender.context(error))
        self._connect_again(guilty)
        if frame is not None:
            words = f"{words}, in {self.full_name_of(frame)}" + ("" if frame.line is None else f" line {frame.line}")
        refusal = f"{guilty.name} with {way.payload.value} metadata {words}"
        kept = self.making is not None or not (changed or payload is Payload.DUPLICATE)
        if kept and remember and not way.triggers_off:
            self.dead_ends[guilty.name, way.payload, way.triggers_off] = refusal
        if self.making is not None:
            refusals.append(refusal)
            return None
        reason = f"{flow.name} {words}"
        return Attempt(Observation(flow, limit=reason), reason, way)

    def _connect_again(self, guilty: Flow) -> None:
        told = f"{guilty.name} goes on past our statement_timeout"
        self.connection.close()
        try:
            self.connection = self.watch.reconnect()
            set_up(self.connection)
            self.start()
        except TimeoutError:
            pid = self.watch.backend and self.watch.backend["pid"]
            raise TriggerAuditError(
                f"{told}, and its server process could not be ended", f"end it: select pg_terminate_backend({pid})"
            ) from None
        except Error as error:
            raise TriggerAuditError(
                f"{told}, so that its connection had to be ended, and the database takes no other: {one_line(error)}"
            ) from None

    def _may_hide_a_limit(self, observation: Observation) -> bool:
        """Whether a statement took so long that a handler in it may have caught our lock_timeout (55P03)."""
        return observation.limit is None and observation.longest * 1000 >= self.session.limits.lock

    def _ways(self, flow: Flow, payload: Payload) -> tuple[Way, ...]:
        return ways_to(flow, payload, given=self.sign_ups.given is not None)

    def _try(
        self,
        flow: Flow,
        payload: Payload,
        way: Way,
        refusals: list[str],
        *,
        rights: bool,
        change: Change | None,
        from_start: bool,
    ) -> Attempt | None:
        """Makes the starting user and runs the flow; None where the user cannot be made in this way."""
        triggers_off = way.triggers_off
        first = self.probes.user(way.payload)
        requests = Requests(self.session, self.shared)
        replay = Replay(self.connection, self.session, self.target, Memory(first), self.probes.ids, requests)
        if triggers_off:
            try:
                if self.past_replica is not None:
                    self._change(self.past_replica[0])
                    self.session.leave()
                self.session.switch_triggers(off=True)
            except (ChangeRefused, Error) as error:
                told = error.told if isinstance(error, ChangeRefused) else one_line(error)
                refusals.append(f"triggers cannot be switched off here ({told})")
                return None
        self.session.enter()
        if change is not None and from_start:
            self._change(change)
        for earlier in way.before:
            self.making = earlier
            known = None if from_start else self.dead_ends.get((earlier.name, way.payload, triggers_off))
            refusal = known or self._dead_end(replay.run(earlier), way, remember=not from_start)
            if refusal is not None:
                refusals.append(refusal)
                return None
        self.making = None
        if triggers_off:
            if self.past_replica is not None:
                try:
                    self._change(self.past_replica[1])
                except ChangeRefused as refused:
                    refusals.append(f"triggers that fire ALWAYS cannot be switched on again ({refused.told})")
                    return None
            self.session.leave()
            self.session.switch_triggers(off=False)
            self.session.enter()
            requests.interrupt()
        if payload is Payload.DUPLICATE:
            twin = self.probes.user(payload, first)
            replay = Replay(self.connection, self.session, self.target, Memory(twin), self.probes.ids, requests)
        reason = None
        if refusals:
            made = way.before[0].name + (" with full metadata" if way.payload is Payload.FULL else "")
            start = "a user made with triggers off" if triggers_off else f"the user of {made}"
            reason = f"starts from {start}, because {refusals[0]}"
        if change is not None and not from_start:
            self._change(change)
            requests.interrupt()
        observation = replay.run(flow)
        if change is not None and observation.ran_out:
            self._hurry()
        if payload is not Payload.DUPLICATE and not triggers_off and change is None:
            self._dead_end(observation, way)
        got = self._rights(observation, replay) if rights else None
        return Attempt(observation, reason, way, got)

    def _change(self, change: Change) -> None:
        self.session.leave()
        pin_search_path(self.connection)
        self.session.read_strings_plainly()
        try:
            change(self.session)
        except Error as error:
            if self.connection.closed:
                raise
            raise _refused(error, refuser(self.session.event_triggers, error)) from error
        self._note_locks()
        self.session.enter()

    def _rights(self, observation: Observation, replay: Replay) -> Rights | None:
        """What the new user has got, None where none was made. The savepoint is rolled back next."""
        if not observation.flow.signs_up or observation.outcome not in (Outcome.PASS, Outcome.ALTERED):
            return None
        user = str(replay.memory.probes[Probe.USER_ID])
        return look_at_rights(self.session, self.target, self.sign_ups.rights, user)

    def _dead_end(self, made: Observation, way: Way, *, remember: bool = True) -> str | None:
        """Why no flow can go on from this one, None if it can; remembered where it would be the same every time.

        A twin's failure is its own and says nothing of other users.
        """
        if made.ran_out:
            self._hurry()
        if made.outcome not in (Outcome.FAIL, Outcome.SKIPPED) and made.mail not in (
            Mail.SENT_TOKEN_LOST,
            Mail.SKIPPED,
        ):
            return None
        refusal = why_not(made, way.payload, way.triggers_off)
        if remember:
            self.dead_ends[made.flow.name, way.payload, way.triggers_off] = refusal
        return refusal

    def _hurry(self) -> None:
        """Shortens the limits once one has been reached: a function that never ends is not waited for each time."""
        self.session.limits = self.watch.limits = replace(
            self.limits, statement=max(1, self.limits.statement // 5), lock=max(1, self.limits.lock // 5)
        )

    def _note_locks(self) -> None:
        if self.connection.info.transaction_status == TransactionStatus.INTRANS:
            parameters = {"schemas": [schema for schema, _ in self.tables], "names": [name for _, name in self.tables]}
            rows = self.connection.execute(read_sql("smoke/locks.sql"), parameters).fetchall()
            self.locks.update(row[0] for row in rows)

    def full_name_of(self, frame: Frame) -> str:
        with self.connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(read_sql("smoke/functions.sql"), {"name": frame.name, "schema": frame.schema})
            candidates = [
                Candidate(row["schema_name"], row["function_name"], tuple(row["argument_types"]), row["fired"])
                for row in cursor
            ]
        return full_name(frame, candidates)
