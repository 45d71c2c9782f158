"""The triggers that a flow can set off, and what their texts tell of how one depends on another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trigger_audit.smoke.context import frames

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Cascade, Site
    from trigger_audit.catalog.model import Catalog, Trigger


@dataclass(slots=True)
class Suspects:
    """The triggers of the cascade that fire. All by oid."""

    catalog: Catalog
    cascade: Cascade
    triggers: tuple[Trigger, ...] = field(init=False)
    _by_name: dict[str, int] = field(init=False)
    _ways: dict[int, set[int]] = field(init=False, default_factory=dict)
    _roots: set[int] = field(init=False, default_factory=set)
    _read: bool = field(init=False, default=False)
    _written: dict[int, set[int]] = field(init=False, default_factory=dict)
    _needed: dict[int, set[int]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name = {self.catalog.trigger_name(trigger): trigger.oid for trigger in self.catalog.triggers}
        reached: dict[int, Trigger] = {}
        for visit in self.cascade.visits:
            if visit.trigger is None:
                continue
            reached[visit.trigger.oid] = visit.trigger
            outer = {self._by_name[step] for step in visit.via if step in self._by_name} - {visit.trigger.oid}
            self._ways.setdefault(visit.trigger.oid, set()).update(outer)
            if not outer:
                self._roots.add(visit.trigger.oid)
        self.triggers = tuple(trigger for trigger in reached.values() if trigger.fires)

    def in_context(self, context: str | None) -> tuple[Trigger, ...]:
        """The triggers whose functions were running, innermost first, by an error's CONTEXT."""
        found: dict[int, Trigger] = {}
        for frame in frames(context):
            for trigger in self.catalog.triggers:
                function = self.catalog.functions[trigger.function]
                if trigger.fires and frame.may_be(function.schema, function.proname):
                    found.setdefault(trigger.oid, trigger)
        return tuple(found.values())

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
        by_oid = {trigger.oid: trigger for trigger in self.catalog.triggers}
        fitting = [
            oid
            for oid in triggers
            if self.catalog.functions[by_oid[oid].function].proname == outermost[-1].name
            and self.catalog.tables[by_oid[oid].table].name == table
        ]
        return fitting[0] if len(fitting) == 1 else None

    def carries(self, outer: int, inner: int) -> bool:
        """Whether `inner` never fires by a statement of Auth itself, and `outer` stands on a way to it."""
        return outer != inner and inner not in self._roots and outer in self._ways.get(inner, ())

    def may_miss(self, trigger: int | None, table: str | None, absent: Iterable[int]) -> bool:
        """Whether a trigger, or a constraint of a table, may count on rows that the absent triggers write or remove.

        By the tables: what they write against what it reads, changes or references. SQL put together at run time is
        not seen.
        """
        self._read_sites()
        written = {table for oid in absent for table in self._written.get(oid, ())}
        needed = set(self._needed.get(trigger, ())) if trigger is not None else set()
        if table is not None:
            own = {found.oid for found in self.catalog.tables.values() if found.name == table}
            needed |= own | self._references(own)
        return bool(written & needed)

    def _references(self, tables: Iterable[int]) -> set[int]:
        return {
            constraint.references
            for oid in tables
            if (table := self.catalog.tables.get(oid)) is not None
            for constraint in table.constraints
            if constraint.kind == "f" and constraint.references is not None
        }

    def _read_sites(self) -> None:
        if self._read:
            return
        self._read = True
        for site in self.cascade.sites:
            written, needed = self._tables(site)
            for step in site.visit.via:
                oid = self._by_name.get(step)
                if oid is not None:
                    self._written.setdefault(oid, set()).update(written)
                    self._needed.setdefault(oid, set()).update(needed)

    def _tables(self, site: Site) -> tuple[set[int], set[int]]:
        """The tables that a statement writes, and those whose rows it needs."""
        path = site.visit.search_path
        written: set[int] = set()
        needed: set[int] = set()
        for facts in site.statement.sql:
            for write in facts.writes:
                table = self.catalog.table(write.target.schema, write.target.name, path)
                if table is not None:
                    written.add(table.oid)
                    needed |= self._references([table.oid]) if write.kind == "INSERT" else {table.oid}
            for relation in facts.reads:
                table = self.catalog.table(relation.schema, relation.name, path)
                if table is not None:
                    needed.add(table.oid)
        return written, needed
