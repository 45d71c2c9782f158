"""Whether a cycle of triggers goes round for ever: it is followed with what each round's writes leave behind.

PostgreSQL gives up with 54001 where nothing stops it. What stops it: a column list, a WHEN clause, a test of OLD
against NEW, of TG_OP or of pg_trigger_depth(), a WHERE that the write itself makes false. In a BEFORE trigger the
latter stops nothing, for the row in the table is still the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from trigger_audit.analysis.imprint import imprint, sight_of
from trigger_audit.analysis.situations import Reach, Situation, fired_by
from trigger_audit.analysis.state import NEVER_ENDING

if TYPE_CHECKING:
    from trigger_audit.analysis.fired import Triggers
    from trigger_audit.analysis.model import BodyFacts, SqlFacts, StatementFacts, Write
    from trigger_audit.catalog.model import Table, Trigger

# The first round starts from a row that Auth or anybody wrote; from the second on everything is the cycle's own doing.
# The fourth sees rows that the cycle alone has made, also over two tables.
_ROUNDS = 4
_MOST_SITUATIONS = 8


class Verdict(StrEnum):
    """STOPS by itself, goes on for EVER, or DEPENDS on data."""

    STOPS = "stops"
    EVER = "ever"
    DEPENDS = "depends"


@dataclass(frozen=True, slots=True)
class Link:
    """How one function leads to the next: the statement, its SQL, and the write with its table (None: a call)."""

    statement: StatementFacts
    sql: SqlFacts
    write: Write | None
    table: Table | None


@dataclass(frozen=True, slots=True)
class Leg:
    """A function on the way: its trigger and event (None: a helper), its situations, and what led to it."""

    trigger: Trigger | None
    event: str | None
    facts: BodyFacts
    situations: tuple[Situation, ...]
    link: Link | None


MOST_FOLLOWED = 1000
"""Cycles that are followed, one for each situation that they begin in. Triggers that all write one table and fire one
another make cycles by the square of their number; this many take two to three seconds."""


@dataclass(slots=True)
class Known:
    """What became of cycles so far, by their writes and by what they saw of the situation that they began in."""

    verdicts: dict[object, Verdict] = field(default_factory=dict)
    followed: int = 0

    @property
    def full(self) -> bool:
        """Whether no more cycles are followed."""
        return self.followed >= MOST_FOLLOWED


def verdict(triggers: Triggers, legs: Sequence[Leg], closing: Link, known: Known) -> Verdict | None:
    """What becomes of a cycle. `legs` begin with the trigger that `closing` fires again.

    The same cycle is met on many ways, with rows that are mostly alike: it is followed once for all of them. None where
    MOST_FOLLOWED has been reached.
    """
    if known.full:
        return None
    stops = True
    cycle = (*legs[1:], replace(legs[0], link=closing))
    sight = sight_of(cycle)
    place = tuple(
        (
            leg.trigger and leg.trigger.oid,
            leg.event,
            leg.link and id(leg.link.statement),
            leg.link and id(leg.link.write),
        )
        for leg in cycle
    )
    for situation in legs[0].situations:
        key = None if sight is None else (place, imprint(situation, sight))
        found = known.verdicts.get(key)
        if found is None:
            found = _follow(triggers, legs, closing, situation)
            known.followed += 1
            if key is not None:
                known.verdicts[key] = found
        if found is Verdict.EVER:
            return found
        stops = stops and found is Verdict.STOPS
    return Verdict.STOPS if stops else Verdict.DEPENDS


def _follow(triggers: Triggers, legs: Sequence[Leg], closing: Link, start: Situation) -> Verdict:
    current = [start]
    for number in range(_ROUNDS):
        # What has let the first round happen is assumed: it counts only as far as later rounds may change it.
        current = [replace(found, steady=True) for found in current]
        if number == _ROUNDS - 1:
            # As deep as no guard by pg_trigger_depth() lets it go.
            current = [replace(found, state=replace(found.state, depth=NEVER_ENDING)) for found in current]
        current = _round(triggers, legs, closing, current)
        if not current:
            return Verdict.STOPS
    return Verdict.EVER if any(situation.steady for situation in current) else Verdict.DEPENDS


def _round(triggers: Triggers, legs: Sequence[Leg], closing: Link, current: list[Situation]) -> list[Situation]:
    ahead = [*legs[1:], Leg(legs[0].trigger, legs[0].event, legs[0].facts, (), closing)]
    for leg in ahead:
        assert leg.link is not None
        reached = Reach(current, assume=True).into(leg.link.statement)
        if leg.trigger is None or leg.link.write is None or leg.link.table is None:
            current = [situation.in_helper(sure=True) for situation in reached]
            continue
        current = [
            situation.set_off(fired)
            for fired, situation in fired_by(
                triggers, leg.link.write, leg.link.sql, leg.link.table, reached, only=frozenset((leg.trigger.oid,))
            )
            if fired.change.event == leg.event and not fired.held
        ][:_MOST_SITUATIONS]
    return current
