"""What a function may find when it runs, once for each kind of statement that sets it off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trigger_audit.analysis.changes import Change, Stored, changes, fresh_row, keys
from trigger_audit.analysis.conditions import assumptions, evaluate
from trigger_audit.analysis.state import State, firing_rows
from trigger_audit.analysis.truth import Truth

if TYPE_CHECKING:
    from trigger_audit.analysis.fired import Fired, Triggers
    from trigger_audit.analysis.model import SqlFacts, StatementFacts, Write
    from trigger_audit.auth.model import Firing
    from trigger_audit.catalog.model import Table, Trigger

Groups = Mapping[object, list[tuple["Fired", "Situation"]]]
"""Triggers that may fire, by trigger and event, with every situation in which a write fires them."""

_SURE = frozenset((True,))


@dataclass(frozen=True, slots=True)
class Situation:
    """A state in which a function runs, with the rows that stand in tables by then.

    `firings` are positions in the list of Auth's statements on the root table and event. `certain`: nothing on the way
    here depended on data. `steady`: nothing did in this round of a cycle.
    """

    state: State
    stored: tuple[Stored, ...]
    firings: tuple[int, ...]
    certain: bool
    steady: bool = True

    def set_off(self, fired: Fired) -> Situation:
        """The situation of a trigger that this one's write fires."""
        state = replace(fired.state, assumed=fired.state.assumed | self.state.assumed)
        return Situation(state, fired.stored, self.firings, self.certain and fired.sure, self.steady and fired.sure)

    def in_helper(self, sure: bool) -> Situation:
        """The situation of a function that this one calls: it sees neither rows nor TG_ variables."""
        state = State("", None, None, self.state.depth, None, None, assumed=self.state.assumed)
        return replace(self, state=state, certain=self.certain and sure, steady=self.steady and sure)


def root_changes(table: Table, event: str, firings: Sequence[Firing]) -> list[tuple[Change, tuple[int, ...]]]:
    """The events that start a cascade, Auth's alike statements taken together; any row where Auth makes none."""
    groups: dict[object, list[int]] = {}
    for position, firing in enumerate(firings):
        rows = tuple(None if row is None else frozenset(row.items()) for row in (firing.old, firing.new))
        groups.setdefault((firing.columns, firing.changed, firing.kept, rows), []).append(position)
    found: list[tuple[Change, tuple[int, ...]]] = []
    if not groups:
        new = fresh_row(table, "new") if event in ("INSERT", "UPDATE") else None
        old = fresh_row(table, "old") if event in ("UPDATE", "DELETE") else None
        found.append((Change(table, event, None, new, old, True), ()))
        if new is not None and old is not None:
            # The usual UPDATE leaves the keys alone: then `WHERE id = NEW.id` means the row itself.
            kept = new.changed({column: old.term(column) for column in keys(table)}, new.name)
            found.append((Change(table, event, None, kept, old, True), ()))
        return found
    for positions in groups.values():
        first = firings[positions[0]]
        new, old = firing_rows(first, table)
        columns = first.columns if event == "UPDATE" else None
        found.append((Change(table, event, columns, new, old, True), tuple(positions)))
    return found


class Reach:
    """Which statements of one function run in which of its situations. Conditions are read once a situation.

    With `assume` the situations remember how conditions came out that depend on data: if one has let a cycle go round
    once, it lets it go round again as long as what it looks at stays the same.
    """

    def __init__(self, situations: Sequence[Situation], *, assume: bool = False) -> None:
        self._situations = situations
        self._assume = assume
        self._read: dict[tuple[int, int], frozenset[Truth]] = {}

    def into(self, statement: StatementFacts) -> list[Situation]:
        """The situations in which a statement may run, with what is still certain there."""
        # A loop may have no round, and a handler runs where something failed.
        straight = statement.loop_depth == 0 and not statement.in_handler
        if straight and not statement.conditions:
            return list(self._situations)
        found: list[Situation] = []
        for at, situation in enumerate(self._situations):
            # An early exit or another branch that data may take is the exception: what comes after it is the rule.
            sure = usual = straight
            state = situation.state
            for number, condition in enumerate(statement.conditions, 1):
                outcomes = self._outcomes(at, state, condition.expression)
                if (True not in outcomes) if condition.holds else (outcomes == _SURE):
                    break
                if (outcomes != _SURE) if condition.holds else (True in outcomes):
                    sure = False
                    usual = usual and not condition.holds
                    if number == len(statement.conditions) and not self._assume:
                        # Nobody would look at what it tells.
                        continue
                    known = assumptions(condition.expression.node, state, condition.holds)
                    if known:
                        state = replace(state, assumed=state.assumed | known)
            else:
                if sure:
                    found.append(situation)
                    continue
                found.append(
                    Situation(
                        state if self._assume else situation.state,
                        situation.stored,
                        situation.firings,
                        situation.certain and usual,
                        False,
                    )
                )
        return found

    def _outcomes(self, at: int, state: State, expression: SqlFacts) -> frozenset[Truth]:
        if state is not self._situations[at].state:
            return evaluate(expression.node, state)
        key = at, id(expression)
        known = self._read.get(key)
        if known is None:
            known = evaluate(expression.node, state)
            self._read[key] = known
        return known


def fired_by(
    triggers: Triggers,
    write: Write,
    sql: SqlFacts,
    table: Table,
    situations: Iterable[Situation],
    only: frozenset[int] | None = None,
) -> Iterator[tuple[Fired, Situation]]:
    """Every trigger that a write may fire, with the writer's situation; those held back are among them.

    `only` leaves out all but these oids.
    """
    for situation in situations:
        for change in changes(write, sql, table, situation.state, situation.stored):
            for fired in triggers.fired(change, situation.state.depth, situation.stored, only):
                yield fired, situation


def grouped(found: Iterator[tuple[Fired, Situation]]) -> tuple[Groups, dict[object, Fired]]:
    """By trigger and event: those that may fire with all their situations, and those that are held back."""
    groups: dict[object, list[tuple[Fired, Situation]]] = {}
    held: dict[object, Fired] = {}
    for fired, situation in found:
        key = fired.trigger.oid, fired.change.event, fired.change.owner
        if fired.held:
            held.setdefault(key, fired)
        else:
            groups.setdefault(key, []).append((fired, situation))
    return groups, held


def by_actions(
    triggers: Triggers, starts: Sequence[tuple[Change, tuple[int, ...]]]
) -> Iterator[tuple[Trigger, list[tuple[Fired, tuple[int, ...]]]]]:
    """The triggers of other tables that foreign keys' actions fire when a row of an audited table goes or changes."""
    found: dict[tuple[int, str], list[tuple[Fired, tuple[int, ...]]]] = {}
    for change, positions in starts:
        for fired in triggers.actions(change, 0, ()):
            if not fired.held:
                found.setdefault((fired.trigger.oid, fired.change.event), []).append((fired, positions))
    for group in found.values():
        yield group[0][0].trigger, group
