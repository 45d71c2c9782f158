"""Which triggers a change fires, foreign keys' actions included, and what each of them sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trigger_audit.analysis.changes import Change, Stored, fresh_row
from trigger_audit.analysis.conditions import assumptions, condition_node, evaluate
from trigger_audit.analysis.state import EVERY_COLUMN, NULL, UNKNOWN, Row, State
from trigger_audit.analysis.targets import target_parts, written_by

if TYPE_CHECKING:
    from collections.abc import Callable

    from trigger_audit.analysis.model import BodyFacts
    from trigger_audit.catalog.model import Catalog, Function, Table, Trigger

_SURE = frozenset((True,))
_CERTAIN_KINDS = ("c", "n", "d")


@dataclass(frozen=True, slots=True)
class Fired:
    """A trigger that a change may fire. `sure` as in `Change`, the trigger's WHEN taken in.

    `held` says that a WHEN clause, a column list or the like keeps it from firing: then nothing else counts.
    """

    trigger: Trigger
    change: Change
    state: State
    stored: tuple[Stored, ...]
    sure: bool
    held: bool


class Triggers:
    """The catalog's triggers as a cascade meets them."""

    def __init__(self, catalog: Catalog, body_of: Callable[[Function], BodyFacts]) -> None:
        self._catalog = catalog
        self._body_of = body_of
        self._touched: dict[tuple[int, str], frozenset[str]] = {}
        self._assigned: dict[int, frozenset[str]] = {}
        self._lively: dict[tuple[int, str], bool] = {}

    def of(self, table: Table) -> Iterator[Trigger]:
        """Those that fire for a write to this table; a partition has its parents' too (rows' only)."""
        yield from (trigger for trigger in self._catalog.triggers_by_table.get(table.oid, ()) if trigger.fires)
        parent = self._catalog.tables.get(table.partition_of) if table.partition_of is not None else None
        if parent is not None:
            yield from (trigger for trigger in self.of(parent) if trigger.level == "ROW")

    def concern(self, table: Table, kind: str) -> bool:
        """Whether a write of this kind can set anything off. Cheap, for most writes cannot."""
        known = self._lively.get((table.oid, kind))
        if known is None:
            self._lively[table.oid, kind] = False
            known = any(True for _ in self.of(table)) or (
                kind != "INSERT"
                and any(
                    self.concern(child, "DELETE" if key.on_delete == "c" and kind == "DELETE" else "UPDATE")
                    for child, key in self._catalog.referencing.get(table.oid, ())
                    if (key.on_delete if kind in ("DELETE", "MERGE") else key.on_update) in _CERTAIN_KINDS
                )
            )
            self._lively[table.oid, kind] = known
        return known

    def assigned(self, trigger: Trigger) -> frozenset[str]:
        """The columns of NEW that a trigger's function may assign."""
        known = self._assigned.get(trigger.function)
        function = self._catalog.functions.get(trigger.function)
        if function is None or function.language not in ("plpgsql", "sql"):
            # moddatetime(updated_at), tsvector_update_trigger(column, ...): functions in C are told what to assign.
            return frozenset(trigger.arguments)
        if known is None:
            facts = self._body_of(function)
            targets = (target_parts(target) for found in facts.statements for target in written_by(found.statement))
            known = frozenset(parts[1] if len(parts) > 1 else EVERY_COLUMN for parts in targets if parts[0] == "new")
            self._assigned[trigger.function] = known
        return known

    def touched(self, trigger: Trigger, event: str) -> frozenset[str]:
        """The columns of NEW whose value a BEFORE trigger of the event, or the function itself, may have changed."""
        key = trigger.table, event
        known = self._touched.get(key)
        if known is None:
            known = frozenset().union(
                *(
                    self.assigned(other)
                    for other in self._catalog.triggers_by_table.get(trigger.table, ())
                    if other.fires and other.timing == "BEFORE" and other.level == "ROW" and event in other.events
                )
            )
            self._touched[key] = known
        return known | self.assigned(trigger)

    def fired(
        self, change: Change, depth: int, stored: tuple[Stored, ...], only: frozenset[int] | None = None
    ) -> Iterator[Fired]:
        """The triggers of the changed table and, through foreign keys, of others; in firing order.

        `depth` is pg_trigger_depth() where the change is made. `only` leaves out all but these oids.
        """
        yield from self._own(change, depth, stored, only)
        yield from self.actions(change, depth, stored, only)

    def actions(
        self,
        change: Change,
        depth: int,
        stored: tuple[Stored, ...],
        only: frozenset[int] | None = None,
        seen: frozenset[tuple[int, str]] = frozenset(),
    ) -> Iterator[Fired]:
        """Those of other tables alone: what foreign keys' actions fire."""
        for follower in self._followers(change):
            key = follower.table.oid, follower.event
            if key in seen or not self.concern(follower.table, follower.event):
                continue
            # A foreign key's action runs inside its own trigger, one level deeper. AFTER triggers are queued to the
            # statement that set the action off and fire at its level.
            yield from self._own(follower, depth, stored, only)
            yield from self.actions(follower, depth, stored, only, seen | {key})

    def _followers(self, change: Change) -> Iterator[Change]:
        """What foreign keys' actions do when a row goes or its key changes."""
        if not change.rows or change.event not in ("DELETE", "UPDATE") or change.old is None:
            return
        for child, key in self._catalog.referencing.get(change.table.oid, ()):
            deletes = change.event == "DELETE"
            action = key.on_delete if deletes else key.on_update
            if action not in _CERTAIN_KINDS:
                continue
            pairs = tuple(zip(key.columns, key.referenced_columns, strict=False))
            if not deletes and not self._key_changes(change, tuple(column for _, column in pairs)):
                continue
            old = fresh_row(child, "child", {column: change.old.term(parent) for column, parent in pairs})
            if deletes and action == "c":
                yield Change(child, "DELETE", None, None, old, False, change.write, owner=child.owner)
                continue
            if action == "c" and change.new is not None:
                values = {column: change.new.term(parent) for column, parent in pairs}
            elif action == "n":
                values = {column: NULL for column, _ in pairs}
            else:
                values = {column: UNKNOWN for column, _ in pairs}
            new = old.changed(values, old.name)
            columns = frozenset(values)
            yield Change(child, "UPDATE", columns, new, old, False, change.write, owner=child.owner)

    @staticmethod
    def _key_changes(change: Change, referenced: tuple[str, ...]) -> bool:
        if change.new is None or change.old is None:
            return False
        if change.columns is not None and not change.columns & frozenset(referenced):
            return False
        pairs = [(change.new.term(column), change.old.term(column)) for column in referenced]
        return any(new.symbol is None or new.symbol != old.symbol for new, old in pairs)

    def _own(
        self, change: Change, depth: int, stored: tuple[Stored, ...], only: frozenset[int] | None
    ) -> Iterator[Fired]:
        for trigger in self.of(change.table):
            if only is not None and trigger.oid not in only:
                continue
            if change.event in trigger.events and trigger.timing in change.timings:
                yield self.firing(trigger, change, depth, stored)

    def firing(self, trigger: Trigger, change: Change, depth: int, stored: tuple[Stored, ...]) -> Fired:
        """One trigger on one change that concerns its event."""
        inside = 1 if change.owner and trigger.timing == "BEFORE" else 0
        for_row = trigger.level == "ROW"
        table = self._catalog.tables.get(trigger.table, change.table)
        touched = self.touched(trigger, change.event) if for_row else frozenset[str]()
        new, old = (change.new, change.old) if for_row else (None, None)
        # WHEN is read before the function runs: for an AFTER trigger when the event is queued, one level above it; of a
        # foreign key's action that is the action's own level.
        when_depth = depth + (1 if change.owner else 0)
        state = State(change.event, table, trigger, when_depth, new, old, touched)
        held = (for_row and not change.rows) or not listed(trigger, change)
        outcomes = _SURE if trigger.when is None else evaluate(condition_node(trigger.when), state)
        held = held or True not in outcomes
        sure = (change.sure if for_row else True) and outcomes == _SURE
        assumed = change.assumed
        if trigger.when is not None and len(outcomes) > 1:
            assumed |= assumptions(condition_node(trigger.when), state, True)
        inner = replace(state, depth=depth + 1 + inside, assumed=assumed)
        return Fired(trigger, change, inner, _stored(trigger, change, inner, stored), sure, held)


def listed(trigger: Trigger, change: Change) -> bool:
    """Whether UPDATE OF lets it fire: PostgreSQL looks at the statement's SET list, not at what has changed."""
    if change.event != "UPDATE" or not trigger.columns or change.columns is None:
        return True
    named = set(change.columns)
    # A generated column counts as set when one that it is computed from is (which these are is not in the catalog), and
    # always where the table has BEFORE triggers, for these may set anything (ExecInitGenerated).
    named |= {column.name for column in change.table.columns if column.generated}
    return not named.isdisjoint(trigger.columns)


def _stored(trigger: Trigger, change: Change, state: State, stored: tuple[Stored, ...]) -> tuple[Stored, ...]:
    """What stands in the table while the trigger runs: before it the old row, after it the new one."""
    row: Row | None = state.old if trigger.timing == "BEFORE" else state.new
    if row is None:
        return stored
    if trigger.timing != "BEFORE" and state.touched:
        if EVERY_COLUMN in state.touched:
            row = fresh_row(change.table, "touched")
        else:
            unknown = fresh_row(change.table, "touched")
            row = row.changed({name: unknown.term(name) for name in state.touched}, row.name)
    return (*stored, Stored(change.table.oid, row, change.write))
