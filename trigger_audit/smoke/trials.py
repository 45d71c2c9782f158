"""Proves on the server which trigger breaks a flow, and which errors handlers hide, by replaying it changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from trigger_audit.smoke.attempts import ChangeRefused
from trigger_audit.smoke.context import frames
from trigger_audit.smoke.culprits import Fault, Off, Trial, Verdict, search
from trigger_audit.smoke.identities import Identity, altered, identities
from trigger_audit.smoke.model import Culprit, FailedStep, HiddenError, Outcome, Toggle
from trigger_audit.smoke.scrub import scrubbed_step
from trigger_audit.smoke.toggles import Switch, Switchboard, switch_off, switchboard
from trigger_audit.smoke.unmask import Definition, Mask, definitions

if TYPE_CHECKING:
    from trigger_audit.catalog.model import Trigger
    from trigger_audit.smoke.attempts import Attempts, Change
    from trigger_audit.smoke.replay import Observation
    from trigger_audit.smoke.session import Session
    from trigger_audit.smoke.suspects import Suspects

Replay = Callable[["Change"], "Observation"]
"""Runs one flow again for a user made in the same way, on a target changed just before; ChangeRefused."""

_MOST_HIDDEN = 16
_POLICY = re.compile(r'row-level security policy (?:"(?P<policy>(?:[^"]|"")+)" )?for table "(?P<table>(?:[^"]|"")+)"')
# Nothing that a statement does to rows brings these about: the name, the syntax or the right is missing either way.
_OF_THE_TEXT = re.compile("42(?!P10)")


@dataclass(frozen=True, slots=True)
class Proof:
    """`reason` says why the cause of what went wrong stays unproved, None where nothing is open."""

    culprits: tuple[Culprit, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the target's triggers, and what may be done with them.

    `allow_locks`: switches may take locks that hold up other sessions' writes. `unmask`: handlers may be opened.
    `blame`: the triggers at fault are looked for.
    """

    suspects: Suspects
    masks: tuple[Mask, ...]
    allow_locks: bool
    unmask: bool
    blame: bool = True


@dataclass(frozen=True, slots=True)
class Shown:
    """What the trials of a whole run add to its report; `notes` say what could not be looked at."""

    toggles: tuple[Toggle, ...] = ()
    hidden_errors: tuple[HiddenError, ...] = ()
    locked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Trials:
    """Replays for one run. `used` are the switches that were worked, `hidden` the errors that handlers hid.

    `notes` say what could not be looked at, `locked` are the tables that switches have locked.
    """

    evidence: Evidence
    used: dict[str, Toggle] = field(default_factory=dict)
    hidden: dict[tuple[object, ...], HiddenError] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    locked: dict[str, None] = field(default_factory=dict)
    _board: Switchboard = field(default_factory=lambda: Switchboard((), {}))
    _definitions: dict[int, Definition] = field(default_factory=dict)
    _known: dict[int, Identity] = field(default_factory=dict)
    _blamed: list[Off] = field(default_factory=list)

    @property
    def shown(self) -> Shown:
        return Shown(
            tuple(sorted(self.used.values(), key=lambda used: used.trigger)),
            tuple(self.hidden.values()),
            tuple(sorted(self.locked)),
            tuple(self.notes),
        )

    def prepare(self, attempts: Attempts) -> None:
        """Asks the server what can be switched; as the outer role, before any code of the target has run.

        The locks of tables that a switch may lock are told too from here on.
        """
        session = attempts.session
        suspects = self.evidence.suspects
        self._board = switchboard(session, suspects.catalog, suspects.triggers, allow_locks=self.evidence.allow_locks)
        self._definitions = definitions(session, {mask.function.oid for mask in self.evidence.masks})
        replaced = {switch.replaced for switch in self._board.switches if switch.replaced is not None}
        self._known = identities(session, replaced | self._definitions.keys())
        session.owners.prepare(
            (*(switch.owner for switch in self._board.switches), *(one.owner for one in self._definitions.values()))
        )
        lockable = dict.fromkeys(switch.locked for switch in self._board.switches if switch.locked is not None)
        attempts.tables = (*attempts.tables, *lockable)

    def look_into(self, observed: Observation, replay: Replay) -> Proof:
        """What broke or altered the flow, by replaying it changed; and what handlers hid where it went through."""
        if observed.outcome in (Outcome.FAIL, Outcome.ALTERED) and self.evidence.blame:
            return self.culprits(observed, replay)
        if observed.outcome is Outcome.PASS and self.evidence.unmask:
            self.look_behind_handlers(observed, replay)
        return Proof()

    def without_triggers(self, replay: Replay) -> Observation | None:
        """The flow with everything off that can be switched off; None where there is nothing, or it is refused."""
        switches = self._board.switches
        try:
            return replay(lambda session: self._switch_off(session, switches)) if switches else None
        except ChangeRefused:
            return None

    def culprits(self, observed: Observation, replay: Replay) -> Proof:
        """What breaks or alters the flow, proved by switching it off, or named by the server where no trigger is."""
        switches = self._board.switches
        failures = {_fault(observed.failed): observed.failed} if observed.failed is not None else {}
        guesses = self._guesses(failures)
        limits: list[str] = []

        def trial(off: Off) -> Trial:
            chosen = [switches[index] for index in sorted(off)]
            again = replay(lambda session: self._switch_off(session, chosen))
            if again.limit is not None:
                limits.append(_limit(again))
            elif again.failed is not None:
                failures[_fault(again.failed)] = again.failed
            return _trial(again)

        first = _trial(observed)
        known = _Known(self.evidence.suspects, switches, failures)
        try:
            verdict = search(len(switches), first, trial, known, guesses)
        except ChangeRefused as refused:
            return Proof(reason=f"the cause is not proved, for switching triggers off was refused: {refused.told}")
        blamed = frozenset(found.switch for found in verdict.found)
        if blamed and blamed not in self._blamed:
            self._blamed.insert(0, blamed)
        return Proof(
            (*self._triggers(verdict, failures, first), *_named_by_server(verdict, failures, first)),
            self._open(verdict, failures, limits),
        )

    def _triggers(self, verdict: Verdict, failures: dict[Fault, FailedStep], first: Trial) -> list[Culprit]:
        """Each once, though it may be behind several faults of a run; of several in one switch the one that ran first,
        where that is known."""
        found: dict[int, Culprit] = {}
        for one in verdict.found:
            switch = self._board.switches[one.switch]
            failed = failures.get(one.fault)
            fired = None
            if failed is not None and len(switch.triggers) > 1:
                fired = self.evidence.suspects.fired_by(failed.statement, failed.context, switch.triggers)
            first_at = 0 if fired is None else switch.triggers.index(fired)
            others = tuple(name for at, name in enumerate(switch.names) if at != first_at)
            behind = one.fault not in first.faults
            name, alone = switch.names[first_at], fired is not None
            culprit = Culprit("trigger", name, one.necessary, one.sufficient, others, behind, alone)
            before = found.get(one.switch)
            if before is None or (not behind and culprit.necessary and culprit.sufficient):
                found[one.switch] = culprit
        return list(found.values())

    def _switch_off(self, session: Session, switches: Sequence[Switch]) -> None:
        self._require_unaltered(session, [switch.replaced for switch in switches if switch.replaced is not None])
        switch_off(session, switches)
        for switch in switches:
            if switch.locked is not None:
                self.locked[".".join(switch.locked)] = None
            for name in switch.names:
                self.used.setdefault(name, Toggle(name, switch.method.value, switch.lock))

    def _guesses(self, failures: dict[Fault, FailedStep]) -> Callable[[Fault], Sequence[Off]]:
        """First the triggers that were running when it failed, then what broke the flows before."""
        by_trigger = {oid: index for index, switch in enumerate(self._board.switches) for oid in switch.triggers}

        def guesses(fault: Fault) -> Sequence[Off]:
            failed = failures.get(fault)
            running = self.evidence.suspects.in_context(failed.context) if failed is not None else ()
            return [_indexes(running, by_trigger), *self._blamed]

        return guesses

    def _open(self, verdict: Verdict, failures: dict[Fault, FailedStep], limits: Sequence[str]) -> str | None:
        if verdict.unfinished:
            return f"with the culprits off it is not known whether the flow passes: {limits[-1]}"
        if not verdict.open:
            return None
        running = {
            self.evidence.suspects.catalog.trigger_name(trigger)
            for fault in verdict.open
            if (failed := failures.get(fault)) is not None
            for trigger in self.evidence.suspects.in_context(failed.context)
        }
        stuck = [f"{name}: {why}" for name, why in sorted(self._board.stuck.items()) if name in running]
        if stuck:
            return f"the cause is not proved, for it cannot be switched off here ({'; '.join(stuck)})"
        if limits:
            return f"the cause is not proved, for a replay with triggers off gave no verdict: {limits[0]}"
        if verdict.found:
            what = " and ".join(_told(fault) for fault in verdict.open)
            return f"with the culprits off the flow fails otherwise ({what}), perhaps only because they are off"
        return f"the cause is not proved after {verdict.trials} replays"

    def look_behind_handlers(self, observed: Observation, replay: Replay) -> None:
        """Replays a flow that went through with its functions' handlers open; what they hid is put into `hidden`."""
        known = self._definitions
        opened = [mask for mask in self.evidence.masks if mask.function.oid in known]
        for _ in range(_MOST_HIDDEN):
            if not opened:
                return
            by_function: dict[int, list[Mask]] = {}
            for mask in opened:
                by_function.setdefault(mask.function.oid, []).append(mask)
            opening = {oid: (known[oid].owner, known[oid].without(few)) for oid, few in by_function.items()}
            try:
                again = replay(partial(self._replace, opening))
            except ChangeRefused as refused:
                self.notes[
                    f"what exception handlers hide is not known, for opening them was refused: {refused.told}"
                ] = None
                return
            failed = again.failed
            if again.limit is not None:
                self.notes[f"what exception handlers hide in {observed.flow.name} is not known: {_limit(again)}"] = None
                return
            if failed is None or failed.sqlstate is None:
                return
            passed = frames(failed.context)
            hiding = next((mask for frame in passed for mask in opened if mask.hides(frame)), None)
            if hiding is None:
                return  # opening the handlers broke something else, which is nobody's error
            opened.remove(hiding)
            self._note(observed, failed, hiding)

    def _replace(self, statements: Mapping[int, tuple[str | None, str]], session: Session) -> None:
        """Puts the functions (oid: owner to act as, statement) in the places of those that bear their names."""
        self._require_unaltered(session, statements)
        # The bodies are the target's own but for a RAISE: what they name need not be found under the present path.
        session.connection.execute("SET LOCAL check_function_bodies = off")
        for owner, statement in statements.values():
            with session.owners.acting_as(owner) as sender:
                sender.run(statement)

    def _require_unaltered(self, session: Session, functions: Iterable[int]) -> None:
        changed = altered(session, functions, self._known)
        if changed:
            catalog = self.evidence.suspects.catalog.functions
            names = ", ".join(catalog[oid].name for oid in changed)
            raise ChangeRefused(f"triggers have changed what the name stands for, or what is there: {names}")

    def _note(self, observed: Observation, failed: FailedStep, mask: Mask) -> None:
        running = self.evidence.suspects.in_context(failed.context)
        trigger = self.evidence.suspects.catalog.trigger_name(running[0]) if running else ""
        function, line = self._place(failed) or (mask.function.name, mask.line)
        key = trigger, function, line, failed.sqlstate
        assert failed.sqlstate is not None
        message = scrubbed_step(failed).message
        error = HiddenError(trigger, function, line, failed.sqlstate, message, observed.flow.name)
        self.hidden.setdefault(key, error)

    def _place(self, failed: FailedStep) -> tuple[str, int | None] | None:
        """The innermost function of the failure by its full name, where the catalog leaves no doubt which it is."""
        frame = next(iter(frames(failed.context)), None)
        if frame is None:
            return None
        named = [
            function
            for function in self.evidence.suspects.catalog.functions.values()
            if frame.may_be(function.schema, function.proname)
        ]
        return (named[0].name if len(named) == 1 else frame.text), frame.line


@dataclass(frozen=True, slots=True)
class _Known:
    suspects: Suspects
    switches: Sequence[Switch]
    failures: dict[Fault, FailedStep]

    def carries(self, outer: int, inner: int) -> bool:
        return any(
            self.suspects.carries(first, then)
            for first in self.switches[outer].triggers
            for then in self.switches[inner].triggers
        )

    def may_follow(self, fault: Fault, switch: int | None, off: Off) -> bool:
        failed = self.failures.get(fault)
        if failed is None or (failed.sqlstate is not None and _OF_THE_TEXT.match(failed.sqlstate)):
            return False
        absent = {oid for index in off for oid in self.switches[index].triggers}
        table = f"{failed.schema}.{failed.table}" if failed.constraint and failed.table else None
        triggers = [None] if switch is None else self.switches[switch].triggers
        return any(self.suspects.may_miss(trigger, table, absent) for trigger in triggers)


def _indexes(triggers: Iterable[Trigger], by_trigger: dict[int, int]) -> Off:
    return frozenset(by_trigger[trigger.oid] for trigger in triggers if trigger.oid in by_trigger)


def _fault(failed: FailedStep) -> Fault:
    """What makes two failures the same. Messages hold values of the run; only what Auth itself refuses has no other."""
    return (
        "failure",
        failed.index,
        failed.statement,
        failed.sqlstate,
        failed.function,
        failed.line,
        failed.schema,
        failed.table,
        failed.column,
        failed.constraint,
    )


def _told(fault: Fault) -> str:
    return f"{fault[3] or 'refused by Auth'} at {fault[2]}" if fault[0] == "failure" else str(fault[1])


def _limit(observed: Observation) -> str:
    """The limit of ours that ended a replay, and where."""
    failed = observed.failed
    return f"{observed.limit}" + (f" ({failed.sqlstate} at {failed.statement})" if failed is not None else "")


def _trial(observed: Observation) -> Trial:
    if observed.limit is not None:
        return Trial(limited=True)
    broken = None if observed.failed is None else _fault(observed.failed)
    changes = frozenset(("change", change.what) for change in observed.changes)
    return Trial(broken, frozenset() if broken is not None else changes)


def _named_by_server(verdict: Verdict, failures: dict[Fault, FailedStep], first: Trial) -> list[Culprit]:
    """The constraint or policy behind a failure that happens with every trigger off."""
    named = []
    for fault in verdict.unswitched:
        failed = failures.get(fault)
        if failed is None or failed.sqlstate is None:
            continue
        kind, name = _names(failed)
        if name is not None:
            named.append(Culprit(kind, name, necessary=True, sufficient=True, behind=fault not in first.faults))
    return named


def _names(failed: FailedStep) -> tuple[str, str | None]:
    table = f"{failed.schema}.{failed.table}"
    policy = _POLICY.search(failed.message) if failed.sqlstate == "42501" else None
    if policy is not None:
        return "policy", ".".join(part for part in (policy["table"], policy["policy"]) if part)
    if failed.constraint is not None:
        return "constraint", f"{table}.{failed.constraint}"
    if failed.sqlstate == "23502" and failed.column is not None:
        return "constraint", f"{table}.{failed.column}"
    return "constraint", None
