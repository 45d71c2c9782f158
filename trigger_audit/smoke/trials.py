"""Proves on the server which trigger breaks a flow, by replaying it with triggers switched off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

from trigger_audit.smoke.at_start import settings_at_fault
from trigger_audit.smoke.attempts import ChangeRefused
from trigger_audit.smoke.culprits import MOST_TRIALS, Fault, Found, Off, Trial, Verdict, search
from trigger_audit.smoke.faults import Known, fault_of, named_by_server, told_fault, told_limit, trial_of
from trigger_audit.smoke.hidden import Handlers
from trigger_audit.smoke.identities import Originals
from trigger_audit.smoke.model import Culprit, FailedStep, HiddenError, Outcome, Toggle
from trigger_audit.smoke.toggles import Switch, past_replica, switch_off, switchboard

if TYPE_CHECKING:
    from trigger_audit.catalog.model import Trigger
    from trigger_audit.smoke.attempts import Attempts, Change
    from trigger_audit.smoke.replay import Observation
    from trigger_audit.smoke.session import Session
    from trigger_audit.smoke.suspects import Suspects
    from trigger_audit.smoke.unmask import Mask

_MOST_SEARCHES = 3
"""How often new triggers in the CONTEXT of replays may begin the search again."""


class Replay(Protocol):
    """Runs one flow again on a target changed just before, for a user made in the same way; ChangeRefused.

    With `from_start` the target is changed before that user is made.
    """

    def __call__(self, change: Change, *, from_start: bool = False) -> Observation: ...


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
class _Case:
    """One flow that went wrong, and what its replays showed so far."""

    observed: Observation
    replay: Replay
    failures: dict[Fault, FailedStep] = field(init=False)
    first: Trial = field(init=False)
    limits: list[str] = field(default_factory=list)
    seen: dict[tuple[bool, Off], Trial] = field(default_factory=dict)

    def __post_init__(self) -> None:
        failed = self.observed.failed
        self.failures = {} if failed is None else {fault_of(failed): failed}
        self.first = trial_of(self.observed)

    def trial(self, off: Off, change: Change, *, from_start: bool) -> Trial:
        known = self.seen.get((from_start, off))
        if known is None:
            again = self.replay(change, from_start=from_start)
            if again.limit is not None:
                self.limits.append(told_limit(again))
            elif again.failed is not None:
                self.failures.setdefault(fault_of(again.failed), again.failed)
            known = self.seen[from_start, off] = trial_of(again)
        return known


class Trials:
    """Replays for one run. `used` are the switches that were worked, `locked` the tables that they have locked."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.suspects = evidence.suspects
        self.used: dict[str, Toggle] = {}
        self.locked: dict[str, None] = {}
        self._originals = Originals(self.suspects.catalog)
        self._handlers = Handlers(self.suspects, evidence.masks, self._originals)
        self._attempts: Attempts
        self._switches: list[Switch] = []
        self._stuck: dict[str, str] = {}
        self._known: set[int] = set()
        self._blamed: list[Off] = []

    @property
    def shown(self) -> Shown:
        return Shown(
            tuple(sorted(self.used.values(), key=lambda used: used.trigger)),
            tuple(self._handlers.errors.values()),
            tuple(sorted(self.locked)),
            tuple(self._handlers.notes),
        )

    def prepare(self, attempts: Attempts) -> None:
        """Asks the server what can be switched; as the outer role, before any code of the target has run.

        The locks of tables that a switch may lock are told too from here on.
        """
        self._attempts = attempts
        self._handlers.prepare(attempts.session)
        self._board()
        off, on = past_replica(self._switches, self.suspects.catalog)
        if off:
            attempts.past_replica = partial(self._switch_off, off), partial(self._switch_on, on)
        attempts.session.owners.prepare(one.owner for one in self._handlers.definitions.values())

    def _board(self) -> bool:
        """Finds the switches of suspects that are new, and says whether there are any.

        Between flows all is as it was before the first: they were rolled back.
        """
        new = [trigger for trigger in self.suspects.triggers if trigger.oid not in self._known]
        if not new:
            return False
        attempts, session = self._attempts, self._attempts.session
        self._known.update(trigger.oid for trigger in new)
        board = switchboard(session, self.suspects.catalog, new, allow_locks=self.evidence.allow_locks)
        self._switches += board.switches
        self._stuck.update(board.stuck)
        self._originals.add(session, {each.replaced for each in board.switches if each.replaced is not None})
        session.owners.prepare(switch.owner for switch in board.switches)
        lockable = dict.fromkeys(switch.locked for switch in board.switches if switch.locked is not None)
        attempts.tables = (*attempts.tables, *(table for table in lockable if table not in attempts.tables))
        return bool(board.switches)

    def blame(self, observed: Observation, replay: Replay, *, may_start_over: bool = False) -> Proof:
        """What broke or altered the flow, by replaying it changed.

        `may_start_over`: the user that it starts from was made with the triggers on.
        """
        if observed.outcome not in (Outcome.FAIL, Outcome.ALTERED) or not self.evidence.blame:
            return Proof()
        return self._culprits(observed, replay, may_start_over=may_start_over)

    def look_behind(self, observed: Observation, replay: Replay) -> None:
        """What handlers hid, where no error ended the flow."""
        if observed.outcome in (Outcome.PASS, Outcome.ALTERED) and self.evidence.unmask:
            self._handlers.look_behind(observed, replay)

    def without_triggers(self, replay: Replay) -> Observation | None:
        """The flow with everything off that can be switched off; None where there is nothing, or it is refused."""
        try:
            return replay(partial(self._switch_off, self._switches)) if self._switches else None
        except ChangeRefused:
            return None

    def _culprits(self, observed: Observation, replay: Replay, *, may_start_over: bool) -> Proof:
        """What breaks or alters the flow, proved by switching it off, or named by the server where no trigger is."""
        case = _Case(observed, replay)
        try:
            verdict = self._search(case, from_start=False)
            proof, left = self._judge(case, verdict)
            if left and may_start_over:
                before = self._search(case, from_start=True, most=max(MOST_TRIALS - verdict.trials, 8))
                explained = [one for one in before.found if one.fault in left and not self._veils(case, one)]
                proof += self._triggers(case, explained, earlier=True)
                if explained and not before.unfinished:  # one trigger may be behind several
                    left = [fault for fault in left if fault in (*before.unswitched, *before.open)]
            set_so = self._settings(case)
        except ChangeRefused as refused:
            return Proof(reason=f"the cause is not proved, for switching triggers off was refused: {refused.told}")
        if set_so:
            proof += set_so
            left = [fault for fault in left if fault != case.first.faults[0]]
        blamed = frozenset(found.switch for found in verdict.found)
        if blamed and blamed not in self._blamed:
            self._blamed.insert(0, blamed)
        veiled = [one.fault for one in verdict.found if self._veils(case, one)]
        doubtful = (*left, *veiled, *(fault for fault in verdict.open if self._runs_unmoved(case, fault)))
        stuck = dict.fromkeys(why for fault in doubtful for why in self._told_stuck(case, fault))
        reasons = [self._open(case, verdict, doubtful)]
        if stuck:
            reasons.append(f"the cause is not proved, for {'; '.join(stuck)}")
        elif left:
            reasons.append(self._nobodys(case, left))
        return Proof(tuple(proof), "; ".join(reason for reason in reasons if reason) or None)

    def _search(self, case: _Case, *, from_start: bool, most: int = MOST_TRIALS) -> Verdict:
        """Begins again where errors of replays name triggers that nothing had led to before."""
        for _ in range(_MOST_SEARCHES):
            self._learn(case)

            def trial(off: Off) -> Trial:
                chosen = [self._switches[index] for index in sorted(off)]
                return case.trial(off, partial(self._switch_off, chosen), from_start=from_start)

            known = Known(self.suspects, self._switches, case.failures)
            verdict = search(len(self._switches), case.first, trial, known, self._guesses(case), most)
            if not self._learn(case):
                break
        return verdict

    def _settings(self, case: _Case) -> tuple[Culprit, ...]:
        def trial(change: Change) -> Trial:
            return trial_of(case.replay(change))

        return settings_at_fault(self._attempts.session, self.suspects.catalog, case.first.faults[0], trial)

    def _learn(self, case: _Case) -> bool:
        for failed in case.failures.values():
            self.suspects.learn(failed.context)
        return self._board()

    def _judge(self, case: _Case, verdict: Verdict) -> tuple[list[Culprit], list[Fault]]:
        """The culprits, and the faults that happen with everything off and have none."""
        found = self._triggers(case, [one for one in verdict.found if not self._veils(case, one)])
        left = []
        for fault in verdict.unswitched:
            failed = case.failures.get(fault)
            behind = fault not in case.first.faults
            named = None if failed is None else named_by_server(failed, self.suspects.catalog, behind=behind)
            if named is None or self._told_stuck(case, fault, only_here=True):
                left.append(fault)
            else:
                found.append(named)
        return found, left

    def _triggers(self, case: _Case, found: Iterable[Found], *, earlier: bool = False) -> list[Culprit]:
        """Each once, though it may be behind several faults of a run; of several in one switch the one that ran first,
        where that is known."""
        culprits: dict[int, Culprit] = {}
        for one in found:
            switch = self._switches[one.switch]
            failed = case.failures.get(one.fault)
            fired = None
            if failed is not None and len(switch.triggers) > 1:
                fired = self.suspects.fired_by(failed.statement, failed.context, switch.triggers)
            first_at = 0 if fired is None else switch.triggers.index(fired)
            others = tuple(name for at, name in enumerate(switch.names) if at != first_at)
            behind = one.fault not in case.first.faults
            name, alone = switch.names[first_at], fired is not None
            culprit = Culprit("trigger", name, one.necessary, one.sufficient, others, behind, alone, earlier)
            before = culprits.get(one.switch)
            if before is None or (not behind and culprit.necessary and culprit.sufficient):
                culprits[one.switch] = culprit
        return list(culprits.values())

    def _switch_off(self, switches: Sequence[Switch], session: Session) -> None:
        replaced = [switch.replaced for switch in switches if switch.replaced is not None]
        self._originals.require_unaltered(session, replaced)
        switch_off(session, switches)
        for switch in switches:
            if switch.locked is not None:
                self.locked[".".join(switch.locked)] = None
            for name in switch.names:
                self.used.setdefault(name, Toggle(name, switch.method.value, switch.lock))

    def _switch_on(self, switches: Sequence[Switch], session: Session) -> None:
        """Those of `past_replica`."""
        for switch in switches:
            if switch.replaced is not None:
                self._originals.restore(session, switch.replaced, switch.owner)
            else:
                switch_off(session, [switch])

    def _guesses(self, case: _Case) -> Callable[[Fault], Sequence[Off]]:
        """First the triggers that were running when it failed, then what broke the flows before."""
        by_trigger = {oid: index for index, switch in enumerate(self._switches) for oid in switch.triggers}

        def guesses(fault: Fault) -> Sequence[Off]:
            return [_indexes(self._running(case, fault), by_trigger), *self._blamed]

        return guesses

    def _running(self, case: _Case, fault: Fault) -> tuple[Trigger, ...]:
        failed = case.failures.get(fault)
        return () if failed is None else self.suspects.in_context(failed.context)

    # What cannot be switched off

    def _unmoved(self) -> list[Trigger]:
        catalog = self.suspects.catalog
        return [trigger for trigger in self.suspects.triggers if catalog.trigger_name(trigger) in self._stuck]

    def _runs_unmoved(self, case: _Case, fault: Fault) -> bool:
        running = self._running(case, fault)
        return any(trigger in running for trigger in self._unmoved())

    def _veils(self, case: _Case, found: Found) -> bool:
        """Whether the fault may be that of a trigger which cannot be switched off, and fires because of this one."""
        running = self._running(case, found.fault)
        return any(
            self.suspects.carries(outer, stuck.oid) and (not running or stuck in running)
            for outer in self._switches[found.switch].triggers
            for stuck in self._unmoved()
        )

    def _told_stuck(self, case: _Case, fault: Fault, *, only_here: bool = False) -> list[str]:
        """The triggers, with the reason, that cannot be switched off and may have brought the fault about.

        `only_here`: in the flow itself, and not when the user was made that it starts from.
        """
        running = self._running(case, fault)
        flow = case.observed.flow
        certain = [trigger for trigger in self._unmoved() if trigger in running]
        stuck = certain or [
            trigger
            for trigger in self._unmoved()
            if (flow.starts and not only_here) or self.suspects.may_fire(trigger, flow.name)
        ]
        names = sorted(self.suspects.catalog.trigger_name(trigger) for trigger in stuck)
        listed = "; ".join(f"{name}: {self._stuck[name]}" for name in names)
        words = "it cannot be" if certain else "it may be a trigger that cannot be"
        return [f"{words} switched off here ({listed})"] if names else []

    # What stays open

    def _open(self, case: _Case, verdict: Verdict, doubtful: Sequence[Fault]) -> str | None:
        if verdict.unfinished:
            return f"with the culprits off it is not known whether the flow passes: {case.limits[-1]}"
        undecided = [fault for fault in verdict.open if fault not in doubtful]
        if not undecided:
            return None
        if case.limits:
            return f"the cause is not proved, for a replay with triggers off gave no verdict: {case.limits[0]}"
        if verdict.found:
            what = " and ".join(told_fault(fault) for fault in undecided)
            return f"with the culprits off the flow fails otherwise ({what}), perhaps only because they are off"
        return f"the cause is not proved after {verdict.trials} replays"

    def _nobodys(self, case: _Case, left: Sequence[Fault]) -> str:
        what = " and ".join(told_fault(fault) for fault in left)
        if case.limits:
            return f"what brings about {what} is not proved, for a replay gave no verdict: {case.limits[-1]}"
        return (
            f"no trigger is proved to bring about {what}: it happens with every trigger off too, and the server names "
            "no constraint, policy or setting for it"
        )


def _indexes(triggers: Iterable[Trigger], by_trigger: dict[int, int]) -> Off:
    return frozenset(by_trigger[trigger.oid] for trigger in triggers if trigger.oid in by_trigger)
