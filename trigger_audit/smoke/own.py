"""Runs the user's own statements in order, as a role of the user's choice, and takes them back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psycopg import Error

from trigger_audit.auth.messages import RAW
from trigger_audit.auth.steps import Flow
from trigger_audit.errors import UsageError
from trigger_audit.smoke.attempts import Attempt, Attempts, Change
from trigger_audit.smoke.catalog import refused_functions
from trigger_audit.smoke.context import frames
from trigger_audit.smoke.hazards import refuse_hazards
from trigger_audit.smoke.model import STATEMENTS, By, FlowResult, Mail, Outcome, Payload, SessionInfo, SmokeReport
from trigger_audit.smoke.model import Change as Changed
from trigger_audit.smoke.payloads import USUAL
from trigger_audit.smoke.replay import CHECK_CONSTRAINTS, ROLE_REFUSED, Observation, Observing, note_failure
from trigger_audit.smoke.runner import Excuse, excused, rolled_back, strongest, told_failure
from trigger_audit.smoke.scrub import scrubbed_change
from trigger_audit.smoke.session import Limits, Part, Server, look_at_server
from trigger_audit.smoke.trials import Evidence, Proof, Replay, Shown, Trials
from trigger_audit.smoke.ways import Way
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from psycopg import Connection

    from trigger_audit.analysis.model import Hazard
    from trigger_audit.smoke.watch import Watch

_MOST_COUNTED = 8
_RETURNS_OLD = re.compile(r"\breturn\s+old\b", re.IGNORECASE)
_FLOW = Flow(STATEMENTS, "the user's own statements", (), RAW)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A statement with its name in the report (`UPDATE public.orders`). `kind` is INSERT, ..., or SELECT.

    `writes`: it does, if only in its WITH. `rows` is how many rows it must touch, None where that is not certain.
    `held`: row security applies to what it writes.
    """

    text: str
    label: str
    kind: str
    writes: bool
    rows: int | None
    held: bool


@dataclass(frozen=True, slots=True)
class Own:
    """What is run and as whom. `tables` are those written, (schema, name); `gaps` what the report says of the role."""

    statements: tuple[Labelled, ...]
    part: Part
    tables: tuple[tuple[str, str], ...]
    gaps: tuple[str, ...]


def run_statements(
    connection: Connection,
    own: Own,
    *,
    hazards: Sequence[Hazard],
    allow_side_effects: bool,
    target: Mapping[str, object],
    limits: Limits | None = None,
    evidence: Evidence | None = None,
    excuse: Excuse | None = None,
    ready: Callable[[], None] | None = None,
) -> SmokeReport:
    """Runs the statements in one transaction, the constraints checked at its end as a COMMIT would, and rolls back.

    The report has one flow, `statement`. The rest is as in `run_smoke`, but that auth.users need not be there.
    UsageError where the login may not become the role.
    """
    refuse_hazards(hazards, allow=allow_side_effects, sandbox=target.get("kind") == "sql", what="a statement")
    limits = limits or Limits()

    def work(attempts: OwnAttempts) -> tuple[FlowResult, Shown, SessionInfo, str | None]:
        trials = None if evidence is None else Trials(evidence)
        if trials is not None:
            trials.prepare(attempts)
        if ready is not None:
            ready()
        result = _result(attempts, trials, excuse)
        shown = Shown() if trials is None else trials.shown
        return result, shown, attempts.session.info((*own.gaps, *shown.notes)), strongest(attempts.locks)

    (result, shown, session, lock), not_verified = rolled_back(
        connection, limits, lambda watch: OwnAttempts(connection, own, limits, watch), work, lambda attempts: None
    )
    return SmokeReport(
        target=target,
        session=session,
        flows=(result,),
        hazards=tuple(hazards),
        strongest_lock=lock,
        rolled_back=not_verified is None,
        not_verified=not_verified,
        hidden_errors=shown.hidden_errors,
        toggles=shown.toggles,
        locked=tuple(dict.fromkeys((*map(".".join, own.tables), *shown.locked))),
    )


class OwnAttempts(Attempts):
    """`touched` are the rows that each statement of the last run touched, `expected` those that it should."""

    def __init__(self, connection: Connection, own: Own, limits: Limits, watch: Watch) -> None:
        super().__init__(connection, USUAL, limits, watch, None)
        self.own = own
        self.part = own.part
        self.tables = own.tables
        self.touched: dict[int, int] = {}
        self.change_at = 0
        """Before which statement a replay's change is made, 0 for before all."""
        self.expected = {at: one.rows for at, one in enumerate(own.statements, 1) if one.rows is not None}

    def look_at_server(self) -> Server:
        return look_at_server(self.connection, self.part.role, needs_users=False)

    def look(self) -> None:
        """UsageError where the login may not become the role; TriggerAuditError where it can have no function."""
        session = self.session
        role = plain(session.part.role)
        if session.by is By.APPROXIMATION:
            user = plain(session.server.session_user)
            raise UsageError(
                f"{user} may not become role {role}",
                f"log in as {role}, or as a member of it (GRANT {role} TO {user}) or a superuser",
            )
        self.connection.execute("SAVEPOINT look")
        session.enter()
        try:
            session.sender.prepare(())
        except Error as error:
            refused = refused_functions(session, error)
            if refused is None:
                raise
            raise refused from None
        self.connection.execute("ROLLBACK TO SAVEPOINT look")
        self.connection.execute("RELEASE SAVEPOINT look")

    def _ways(self, flow: Flow, payload: Payload) -> tuple[Way, ...]:
        return (Way((), payload),)

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
    ) -> Attempt:
        self.session.enter()
        if change is not None and not self.change_at:
            self._change(change)
        observation = self._observe(flow, change)
        if observation.ran_out:
            self._hurry()
        return Attempt(observation, None, way)

    def _observe(self, flow: Flow, change: Change | None) -> Observation:
        observation = Observing(flow)
        self.touched = {}
        label = ""
        for index, statement in enumerate(self.own.statements, 1):
            label = statement.label
            if change is not None and index == self.change_at:
                self._change(change)
            started = time.perf_counter()
            try:
                # What the statement is was read so: a trigger may have changed how its strings end.
                self.session.read_strings_plainly()
                self.touched[index] = self.session.sender.run(statement.text)
                observation.longest = max(observation.longest, time.perf_counter() - started)
            except Error as error:
                note_failure(observation, self.session, index, label, error)
                if observation.limit == ROLE_REFUSED and not frames(self.session.sender.context(error)):
                    observation.limit = (
                        f"statement {index} changes the role, and all are run as one: --as-role names it"
                    )
                return observation.done()
            observation.changes += self.differences(index)
        started = time.perf_counter()
        try:
            self.session.sender.write(CHECK_CONSTRAINTS, ())
            observation.longest = max(observation.longest, time.perf_counter() - started)
        except Error as error:
            note_failure(observation, self.session, len(self.own.statements), "COMMIT", error)
        return observation.done()

    def differences(self, index: int) -> Iterator[Changed]:
        """A change where the statement did not touch as many rows as it should."""
        expected, found = self.expected.get(index), self.touched[index]
        if expected is not None and found != expected:
            what = self.own.statements[index - 1].label
            if len(self.own.statements) > 1:
                what = f"statement {index}: {what}"
            yield Changed(what, _rows(expected), _rows(found))


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"


def _result(attempts: OwnAttempts, trials: Trials | None, excuse: Excuse | None) -> FlowResult:
    started = time.perf_counter()
    attempt = attempts.run(_FLOW, Payload.GIVEN)
    milliseconds = round((time.perf_counter() - started) * 1000)
    observation, touched = excused(attempt.observation, excuse), attempts.touched
    proof = Proof()

    def replay(change: Change, *, from_start: bool = False) -> Observation:
        assert attempt.way is not None
        return attempts.again(_FLOW, Payload.GIVEN, attempt.way, change)

    if trials is not None and attempt.way is not None:
        if observation.outcome is Outcome.PASS:
            suppressed = dict(_suppressed_rows(attempts, trials, replay))
            observation = replace(observation, changes=(*observation.changes, *suppressed.values()))
            # The rows that it should touch are those that triggers have left to it.
            attempts.change_at = min(suppressed, default=0)
        proof = trials.blame(observation, replay)
        attempts.change_at = 0
        trials.look_behind(observation, replay)
    failed, limit = told_failure(attempts, observation)
    skipped = observation.outcome is Outcome.SKIPPED
    told = () if skipped else (*_empty(attempts, touched), *_unseen(attempts, trials, observation))
    said = (limit or attempt.reason, proof.reason, *told)
    return FlowResult(
        flow=_FLOW.name,
        payload=Payload.GIVEN,
        latent=False,
        outcome=observation.outcome,
        reason="; ".join(part for part in said if part) or None,
        failed_step=failed,
        response=None,
        mail=Mail.NONE,
        changes=() if skipped else tuple(map(scrubbed_change, observation.changes)),
        milliseconds=milliseconds,
        culprits=proof.culprits,
    )


def _suppressed_rows(attempts: OwnAttempts, trials: Trials, replay: Replay) -> Iterator[tuple[int, Changed]]:
    """Whether it is triggers that keep writing statements from rows: then they touch more of them without triggers.

    Looked for one by one, for what a statement finds is what triggers have made of the rows before.
    """
    before = attempts.touched
    for index in _counted(attempts)[:_MOST_COUNTED]:
        attempts.change_at = index
        again = trials.without_triggers(replay)
        found = attempts.touched.get(index, 0)
        attempts.touched, attempts.change_at = before, 0
        if again is None:
            return
        if found > before[index]:
            attempts.expected[index] = found
            for change in attempts.differences(index):
                yield index, change


def _counted(attempts: OwnAttempts) -> list[int]:
    """The statements that write, and of which it is not certain how many rows they touch."""
    statements = enumerate(attempts.own.statements, 1)
    return [at for at, one in statements if one.writes and one.kind != "SELECT" and one.rows is None]


def _unseen(attempts: OwnAttempts, trials: Trials | None, observation: Observation) -> list[str]:
    """What may be wrong with statements that went through, and is not looked at."""
    if trials is None or observation.outcome is not Outcome.PASS:
        return []
    told = []
    if len(_counted(attempts)) > _MOST_COUNTED:
        told.append(f"whether triggers keep rows from statements is looked at for the first {_MOST_COUNTED} alone")
    catalog = trials.suspects.catalog
    updated = {statement.label for statement in attempts.own.statements if statement.kind == "UPDATE"}
    returning = [
        catalog.trigger_name(trigger)
        for trigger in trials.suspects.triggers
        if (trigger.timing, trigger.level) == ("BEFORE", "ROW")
        and f"UPDATE {catalog.tables[trigger.table].name}" in updated
        and _RETURNS_OLD.search(catalog.functions[trigger.function].source)
    ]
    if returning:
        names = ", ".join(sorted(returning))
        told.append(f"which values the rows have is not looked at: where {names} returns OLD, they keep those they had")
    return told


def _empty(attempts: OwnAttempts, touched: Mapping[int, int]) -> list[str]:
    """The writing statements that touched nothing, where nothing says that they should have."""
    told = []
    for index, count in touched.items():
        statement = attempts.own.statements[index - 1]
        if not count and statement.kind != "SELECT" and not attempts.expected.get(index):
            why = f", and row security applies to {attempts.part.role} there" if statement.held else ""
            told.append(f"{statement.label} (statement {index}) touched no row{why}")
    return told
