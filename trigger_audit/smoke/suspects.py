"""The triggers that a flow can set off, and what their texts tell of how one depends on another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING

from trigger_audit.smoke.context import Frame, frames

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Cascade
    from trigger_audit.analysis.ways import Touch, Ways
    from trigger_audit.catalog.model import Catalog, Trigger

_WRITES = ("INSERT", "UPDATE", "DELETE")
_RETURN_NEW = re.compile(r"\breturn\s+new\b", re.IGNORECASE)
_WHOLE_NEW = re.compile(r"\bnew\b(?!\s*\.)", re.IGNORECASE)


@dataclass(slots=True)
class Suspects:
    """The triggers that fire where a flow leads, also over views, to partitions and heirs. All by oid.

    Where SQL put together at run time leads is learnt from the errors that come from there.
    """

    catalog: Catalog
    cascade: InitVar[Cascade]
    ways: Ways
    triggers: tuple[Trigger, ...] = field(init=False)
    _by_oid: dict[int, Trigger] = field(init=False)
    _by_function: dict[str, list[Trigger]] = field(init=False, default_factory=dict)
    _learnt: dict[int, set[int]] = field(init=False, default_factory=dict)
    _flows: dict[int, set[str]] = field(init=False, default_factory=dict)
    _running: dict[int, set[str]] = field(init=False, default_factory=dict)

    def __post_init__(self, cascade: Cascade) -> None:
        self._by_oid = {trigger.oid: trigger for trigger in self.catalog.triggers}
        for trigger in self.catalog.triggers:
            self._by_function.setdefault(self.catalog.functions[trigger.function].proname, []).append(trigger)
        reached = {visit.trigger.oid: visit.trigger for visit in cascade.visits if visit.trigger is not None}
        for oid in sorted(self.ways.triggers):
            reached.setdefault(oid, self._by_oid[oid])
        self.triggers = tuple(trigger for trigger in reached.values() if trigger.fires)
        for visit in cascade.visits:
            flows = {firing.flow for firing in visit.firings}
            self._running.setdefault(visit.function.oid, set()).update(flows)
            if visit.trigger is not None:
                self._flows.setdefault(visit.trigger.oid, set()).update(flows)

    def learn(self, context: str | None) -> None:
        """Takes in what an error's CONTEXT tells: triggers that nothing else leads to, and which set which off."""
        running: set[int] = set()
        for frame in frames(context):
            fitting = {trigger.oid for trigger in self._of(frame)}
            for inner in running:
                self._learnt.setdefault(inner, set()).update(fitting - {inner})
            running |= fitting
        known = {trigger.oid for trigger in self.triggers}
        self.triggers += tuple(self._by_oid[oid] for oid in sorted(running - known))

    def in_context(self, context: str | None) -> tuple[Trigger, ...]:
        """The triggers whose functions were running, innermost first, by an error's CONTEXT."""
        found: dict[int, Trigger] = {}
        for frame in frames(context):
            for trigger in self._of(frame):
                found.setdefault(trigger.oid, trigger)
        return tuple(found.values())

    def _of(self, frame: Frame) -> list[Trigger]:
        """The firing triggers whose function it may be; suspects alone where there are some."""
        fitting = [
            trigger
            for trigger in self._by_function.get(frame.name, ())
            if trigger.fires and frame.may_be(self.catalog.functions[trigger.function].schema, frame.name)
        ]
        suspected = [trigger for trigger in fitting if trigger in self.triggers]
        return suspected or fitting

    def innermost(self, flow: str, statement: str, context: str | None) -> Trigger | None:
        """The trigger whose function was running when a flow's own statement failed, where only one fits.

        `statement` as in a failed step (`INSERT auth.users`). It must be one that this statement sets off, or that
        one sets off whose function stands further out in the CONTEXT.
        """
        stack = [fitting for frame in frames(context) if (fitting := self._of(frame))]
        if not stack:
            return None
        event, _, rest = statement.partition(" ")
        outside = [trigger for trigger in stack[-1] if self.may_fire(trigger, flow)]
        if event in _WRITES:
            on_it = [trigger for trigger in outside if self._on(trigger, rest.partition(" (")[0])]
            others = [trigger for trigger in outside if trigger not in on_it]
            outside = [trigger for trigger in on_it if event in trigger.events] or others
        for level in reversed(stack[:-1]):
            outside = [
                inner
                for inner in level
                if self.may_fire(inner, flow) and any(self._sets_off(outer.oid, inner.oid) for outer in outside)
            ]
        return outside[0] if len(outside) == 1 else None

    def _on(self, trigger: Trigger, table: str) -> bool:
        """Whether it is on the table of that name. The user's own statements may name a view or a parent."""
        named = next((found for found in self.catalog.tables.values() if found.name == table), None)
        return named is None or named.kind != "r" or self.catalog.tables[trigger.table] is named

    def may_fire(self, trigger: Trigger, flow: str) -> bool:
        """Whether a flow may set it off, as far as is known: what is not reached by Auth's statements alone may."""
        flows = self._flows.get(trigger.oid)
        if flows:
            return flow in flows
        outer = [oid for oid, found in self._flows.items() if found and self._sets_off(oid, trigger.oid)]
        return not outer or trigger.oid in self.ways.first or any(flow in self._flows[oid] for oid in outer)

    def may_run(self, function: int, flow: str) -> bool:
        """Whether a flow may run the function (oid) after its starting user is made, as far as is known."""
        flows = self._running.get(function)
        if not flows or flow in flows:
            return True
        firing = [trigger for trigger in self.triggers if self.may_fire(trigger, flow)]
        return any(trigger.function == function or self.ways.beyond(trigger.oid).unknown for trigger in firing)

    def fired_by(self, statement: str, context: str | None, triggers: Iterable[int]) -> int | None:
        """Which of these triggers (oids) of one function a flow's own statement must have fired, by an error's CONTEXT.

        Known where that function ran once and outermost: then its trigger is one on the statement's table (`statement`
        as in a failed step: `INSERT auth.users`).
        """
        passed = frames(context)
        outermost = frames((context or "").rstrip().rpartition("\n")[2])
        if not outermost or [frame.name for frame in passed].count(outermost[-1].name) != 1:
            return None
        table = statement.partition(" ")[2].partition(" (")[0]
        fitting = [
            oid
            for oid in triggers
            if self.catalog.functions[self._by_oid[oid].function].proname == outermost[-1].name
            and self.catalog.tables[self._by_oid[oid].table].name == table
        ]
        return fitting[0] if len(fitting) == 1 else None

    def carries(self, outer: int, inner: int) -> bool:
        """Whether `inner` never fires by a statement of Auth itself, and `outer` stands on a way to it."""
        return outer != inner and inner not in self.ways.first and self._sets_off(outer, inner)

    def _sets_off(self, outer: int, inner: int) -> bool:
        return inner in self.ways.beyond(outer).triggers or outer in self._learnt.get(inner, ())

    def does_unknown(self, absent: Iterable[int]) -> bool:
        """Whether one of them does more than can be told: commands (DDL, SET), SQL put together at run time."""
        return any(self.ways.beyond(oid).unknown for oid in absent)

    def may_miss(self, trigger: int | None, table: str | None, absent: Iterable[int]) -> bool:
        """Whether a trigger, or what is kept with a table, may count on what the absent triggers do to rows.

        By the tables: what they write against what it reads, changes or references; and by the columns of the row that
        BEFORE triggers set. Policies, views, defaults and the like are seen through.
        """
        absent = tuple(absent)
        written = {touch.table for oid in absent for touch in self.ways.beyond(oid).touches if touch.event in _WRITES}
        needed = self._needed(self.ways.beyond(trigger).touches) if trigger is not None else set()
        own = {found.oid for found in self.catalog.tables.values() if found.name == table}
        needed |= own | self._references(own)
        if written & needed:
            return True
        return any(self._may_miss_columns(trigger, own, self._by_oid[oid]) for oid in absent)

    def _may_miss_columns(self, trigger: int | None, tables: set[int], absent: Trigger) -> bool:
        if absent.timing != "BEFORE" or absent.level != "ROW":
            return False
        set_by_it = self._columns_set(absent)
        if not set_by_it:
            return False
        if absent.table in tables:
            return True
        if trigger is None or self._by_oid[trigger].table != absent.table:
            return False
        reader = self._by_oid[trigger]
        text = f"{self.catalog.functions[reader.function].source} {reader.when or ''}"
        named = {word.lower() for word in re.findall(r"\w+", text)}
        whole = "" in set_by_it or _WHOLE_NEW.search(_RETURN_NEW.sub("", text)) is not None
        return whole or not set_by_it.isdisjoint(named)

    def _columns_set(self, trigger: Trigger) -> set[str]:
        """The columns of NEW that its function assigns, '' for the whole row."""
        from trigger_audit.analysis.bodies import read_body
        from trigger_audit.analysis.targets import target_parts, written_by

        read = read_body(self.catalog.functions[trigger.function])
        parts = [target_parts(target) for each in read.statements for target in written_by(each.statement)]
        return {part[1].lower() if len(part) > 1 else "" for part in parts if part and part[0] == "new"}

    def _needed(self, touches: Iterable[Touch]) -> set[int]:
        needed: set[int] = set()
        for touch in touches:
            needed |= self._references([touch.table]) if touch.event == "INSERT" else {touch.table}
        return needed

    def _references(self, tables: Iterable[int]) -> set[int]:
        return {
            constraint.references
            for oid in tables
            if (table := self.catalog.tables.get(oid)) is not None
            for constraint in table.constraints
            if constraint.kind == "f" and constraint.references is not None
        }
