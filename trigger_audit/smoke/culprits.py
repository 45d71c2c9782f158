"""Which switches break a flow, by trying: no server in here, only what each trial showed.

A fault is one thing that is wrong with a run: the failure that ended it (its step, SQLSTATE, function and line, or
constraint), or one altered value. A trial replays the flow with some switches off and tells which faults it has.
Another fault than the one looked for proves nothing, since a trigger that is missing breaks things too.

For each fault the smallest set of switches is looked for that brings it about with all others off. The members without
which the flow then goes through are at fault; a switch that is alone in its set is at fault even where nothing goes
through without it. Those found go off, and the next fault is looked for, until the flow passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Fault = tuple[object, ...]
"""Compared as a whole. The first item is `failure` or `change`."""

Off = frozenset[int]
"""Indexes of switches that are off."""

MOST_TRIALS = 64


@dataclass(frozen=True, slots=True)
class Trial:
    """What a replay showed: the failure that ended it, what was altered.

    `limited`: one of our own limits ended it, which says nothing.
    """

    broken: Fault | None = None
    changes: frozenset[Fault] = frozenset()
    limited: bool = False

    @property
    def passes(self) -> bool:
        return not (self.limited or self.broken or self.changes)

    @property
    def faults(self) -> tuple[Fault, ...]:
        return (self.broken,) if self.broken is not None else tuple(sorted(self.changes, key=repr))

    def has(self, fault: Fault) -> bool:
        return not self.limited and (fault == self.broken or fault in self.changes)

    def is_free_of(self, fault: Fault) -> bool:
        """Whether the flow got past the place of the fault without it: a run that broke off elsewhere did not."""
        return not self.limited and self.broken is None and fault not in self.changes


class Knowledge(Protocol):
    """What is known of the switches from the functions' texts."""

    def carries(self, outer: int, inner: int) -> bool:
        """Whether `inner` fires only because `outer` wrote to its table."""

    def may_follow(self, fault: Fault, switch: int | None, off: Off) -> bool:
        """Whether a fault that shows with `off` off may come from just that: what they did not write is missed.

        `switch` is the one that brings it about, None where none does.
        """

    def recurring(self, fault: Fault) -> Off:
        """The switches that were running, one inside the other, in a failure that is a recursion without end."""


@dataclass(frozen=True, slots=True)
class Found:
    """One switch at fault. `necessary`: without it alone, all others on, the fault does not happen.

    `sufficient`: with it alone on (and what makes it fire at all) the fault happens.
    """

    switch: int
    fault: Fault
    necessary: bool
    sufficient: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """`unswitched` are the faults that happen with every switch off; `open` those whose cause could not be told.

    `unfinished`: with those found off, one of our own limits ended the replay, so that there may be further faults.
    """

    found: tuple[Found, ...] = ()
    unswitched: tuple[Fault, ...] = ()
    open: tuple[Fault, ...] = ()
    trials: int = 0
    unfinished: bool = False


class _OutOfTrials(Exception):
    pass


@dataclass(slots=True)
class _Search:
    count: int
    replay: Callable[[Off], Trial]
    knowledge: Knowledge
    most: int
    seen: dict[Off, Trial] = field(default_factory=dict)

    def trial(self, off: Off) -> Trial:
        known = self.seen.get(off)
        if known is None:
            if len(self.seen) >= self.most:
                raise _OutOfTrials
            known = self.seen[off] = self.replay(off)
        return known

    def on(self, switches: Off) -> Trial:
        """Only these on."""
        return self.trial(frozenset(range(self.count)) - switches)

    def smallest(self, fault: Fault, removed: Off, guesses: Sequence[Off]) -> Off | None:
        """A set of switches that brings the fault about by itself, none of which can be spared.

        None where there is none. The guesses are tried first, each cut down to what is not removed.
        """
        everything = frozenset(range(self.count)) - removed
        if self.on(frozenset()).has(fault):
            return frozenset()
        for guess in guesses:
            if (few := guess & everything) and self.on(few).has(fault):
                return self._reduced(fault, few)
        return self._reduced(fault, everything) if self.on(everything).has(fault) else None

    def _reduced(self, fault: Fault, enough: Off) -> Off:
        """Delta debugging: drops ever smaller parts of the set as long as the fault still happens."""
        parts = 2
        while len(enough) > 1:
            members = sorted(enough)
            size = -(-len(members) // parts)
            chunks = [frozenset(members[start : start + size]) for start in range(0, len(members), size)]
            smaller = next((chunk for chunk in chunks if self.on(chunk).has(fault)), None)
            if smaller is not None:
                enough, parts = smaller, 2
                continue
            smaller = next((enough - chunk for chunk in chunks if self.on(enough - chunk).has(fault)), None)
            if smaller is not None:
                enough, parts = smaller, max(parts - 1, 2)
            elif parts >= len(members):
                break
            else:
                parts = min(len(members), parts * 2)
        return enough

    def at_fault(self, fault: Fault, together: Off, removed: Off) -> list[Found]:
        """The members of a smallest set without which the flow goes through, or its only one."""
        guilty = [
            switch
            for switch in sorted(together)
            if len(together) == 1
            or self.on(together - {switch}).is_free_of(fault)
            or self.trial(removed | {switch}).is_free_of(fault)
        ]
        recurring = self.knowledge.recurring(fault)
        named = [switch for switch in guilty if switch in recurring] or [
            switch
            for switch in guilty
            if not any(other != switch and self.knowledge.carries(switch, other) for other in guilty)
        ]
        return [
            Found(
                switch,
                fault,
                necessary=self._goes(fault, removed | {switch}),
                sufficient=all(other == switch or self.knowledge.carries(other, switch) for other in together),
            )
            for switch in named
        ]

    def _goes(self, fault: Fault, off: Off) -> bool:
        """Whether the fault does not happen with these off. What one of our limits ended has not shown that."""
        trial = self.trial(off)
        return not trial.limited and not trial.has(fault)


def search(
    count: int,
    first: Trial,
    replay: Callable[[Off], Trial],
    knowledge: Knowledge,
    guesses: Callable[[Fault], Sequence[Off]] = lambda fault: (),
    most: int = MOST_TRIALS,
) -> Verdict:
    """Looks for the switches, numbered from 0 to `count` - 1, behind every fault of `first`, the run with all on.

    `guesses` gives, for a fault, sets to be tried first. At most `most` replays are made; what is then still unknown is
    `open`.
    """
    state = _Search(count, replay, knowledge, most, {frozenset(): first})
    found: list[Found] = []
    unswitched: list[Fault] = []
    undecided: list[Fault] = []
    removed: Off = frozenset()
    now = first
    try:
        while True:
            known = {*unswitched, *undecided}
            fault = next((fault for fault in now.faults if fault not in known), None)
            if fault is None:
                break
            together = state.smallest(fault, removed, guesses(fault))
            if together is None:
                undecided.append(fault)
                continue
            if not together:
                hidden = bool(removed) and knowledge.may_follow(fault, None, removed)
                (undecided if hidden else unswitched).append(fault)
                continue
            guilty = state.at_fault(fault, together, removed)
            if removed and any(knowledge.may_follow(fault, one.switch, removed) for one in guilty):
                guilty = []
            if not guilty:
                undecided.append(fault)
                continue
            found += guilty
            removed |= {one.switch for one in guilty}
            now = state.trial(removed)
    except _OutOfTrials:
        undecided += [fault for fault in now.faults if fault not in (*unswitched, *undecided)]
    return Verdict(tuple(found), tuple(unswitched), tuple(undecided), len(state.seen) - 1, now.limited)
