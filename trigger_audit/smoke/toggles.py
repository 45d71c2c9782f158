"""Ways of switching single triggers off for the rest of a savepoint, that with the least lock first.

A do-nothing body for the function takes no lock on the table, and other sessions keep the old body until a commit that
never comes; it silences every trigger that calls the function. Nobody waits for it but who replaces the same function,
until our transaction ends, and DROP SCHEMA. CREATE OR REPLACE TRIGGER with WHEN (false) needs no
ownership, ALTER TABLE ... DISABLE TRIGGER does; both take SHARE ROW EXCLUSIVE on the table, which holds up its writers.
Every lock is given back by the rollback to the savepoint. All of it is done as the outer role, or as the owner where
that role is a superuser (see `owners`). What a superuser owns is changed as it is: no statement here holds code of
anybody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from psycopg import sql
from psycopg.rows import dict_row

from trigger_audit.resources import read_sql

if TYPE_CHECKING:
    from trigger_audit.catalog.model import Catalog, Function, Trigger
    from trigger_audit.smoke.session import Session


class Method(StrEnum):
    FUNCTION_NOOP = "function-noop"
    WHEN_FALSE = "when-false"
    DISABLE_TRIGGER = "disable-trigger"


_LOCKS = {
    # What the replayed statements themselves take.
    Method.FUNCTION_NOOP: "RowExclusiveLock",
    Method.WHEN_FALSE: "ShareRowExclusiveLock",
    Method.DISABLE_TRIGGER: "ShareRowExclusiveLock",
}

# Serves every event and level: a row trigger lets the row through, a statement trigger's result is ignored.
_NOOP = "BEGIN IF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END"


@dataclass(frozen=True, slots=True)
class Switch:
    """`triggers` (oids) go off together; `names` are theirs, schema.table.trigger, in the same order.

    `locked` is the table that the switch itself locks (schema, name), None where it locks none. `owner` is the role to
    work it as, None for the outer one; `replaced` the function (oid) that gets another body, None where none does.
    """

    triggers: tuple[int, ...]
    names: tuple[str, ...]
    method: Method
    statement: sql.Composed
    owner: str | None
    locked: tuple[str, str] | None = None
    replaced: int | None = None

    @property
    def lock(self) -> str:
        """The strongest lock on the trigger's table while it is off."""
        return _LOCKS[self.method]


@dataclass(frozen=True, slots=True)
class Switchboard:
    """`stuck` are the names of triggers that cannot be switched off here, each with the reason."""

    switches: tuple[Switch, ...]
    stuck: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Means:
    owns_function: bool
    may_replace: bool
    owns_table: bool
    shared: tuple[int, ...]
    function_owner: str | None
    table_owner: str | None


def switchboard(session: Session, catalog: Catalog, triggers: Sequence[Trigger], *, allow_locks: bool) -> Switchboard:
    """The switch of every given trigger that fires, as the outer role may work it or, for a superuser's, the owners.

    Without `allow_locks` only those that take no lock stronger than the replay itself. Triggers that share a function
    come in one switch where no other way is open. psycopg.Error where the server cannot be asked.
    """
    firing = {trigger.oid: trigger for trigger in triggers if trigger.fires}
    means = _means(session, sorted(firing))
    switches: list[Switch] = []
    stuck: dict[str, str] = {}
    done: set[int] = set()
    for oid, trigger in firing.items():
        if oid in done:
            continue
        name = catalog.trigger_name(trigger)
        known = means.get(oid)
        if known is None:
            stuck[name] = "it is gone"
            continue
        together = [catalog_trigger for catalog_trigger in catalog.triggers if catalog_trigger.oid in known.shared]
        switch = _switch(catalog, trigger, together, known, allow_locks=allow_locks)
        if switch is None:
            stuck[name] = _why_stuck(trigger, known, allow_locks=allow_locks)
            continue
        done.update(switch.triggers)
        switches.append(switch)
    return Switchboard(tuple(switches), stuck)


def _means(session: Session, oids: list[int]) -> dict[int, _Means]:
    parameters = {"triggers": oids, "as_owners": session.owners.needed}
    with session.connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(read_sql("smoke/switches.sql"), parameters).fetchall()
    return {
        row["trigger"]: _Means(
            row["owns_function"],
            row["may_replace"],
            row["owns_table"],
            tuple(row["shared"]),
            row["function_owner"],
            row["table_owner"],
        )
        for row in rows
    }


def _switch(
    catalog: Catalog, trigger: Trigger, together: list[Trigger], means: _Means, *, allow_locks: bool
) -> Switch | None:
    function = catalog.functions[trigger.function]
    alone = (trigger.oid,), (catalog.trigger_name(trigger),)
    table = catalog.tables[trigger.table]
    locked = table.schema, table.relation
    if means.owns_function and means.shared == (trigger.oid,):
        return Switch(*alone, Method.FUNCTION_NOOP, _noop(function), means.function_owner, replaced=function.oid)
    if allow_locks and means.may_replace and not trigger.constraint and trigger.timing != "INSTEAD OF":
        return Switch(*alone, Method.WHEN_FALSE, _when_false(catalog, trigger, function), means.table_owner, locked)
    if allow_locks and means.owns_table:
        return Switch(*alone, Method.DISABLE_TRIGGER, _disable(catalog, trigger), means.table_owner, locked)
    if means.owns_function and len(together) == len(means.shared):
        names = tuple(catalog.trigger_name(one) for one in together)
        oids = tuple(one.oid for one in together)
        return Switch(oids, names, Method.FUNCTION_NOOP, _noop(function), means.function_owner, replaced=function.oid)
    return None


def _why_stuck(trigger: Trigger, means: _Means, *, allow_locks: bool) -> str:
    replaceable = means.may_replace and not trigger.constraint and trigger.timing != "INSTEAD OF"
    if not allow_locks and (replaceable or means.owns_table):
        return "its function is not ours to replace, and a lock on its table needs --allow-locks"
    return "neither its function nor the trigger is ours to change"


def _noop(function: Function) -> sql.Composed:
    return sql.SQL("CREATE OR REPLACE FUNCTION {}() RETURNS pg_catalog.trigger LANGUAGE plpgsql AS {}").format(
        sql.Identifier(function.schema, function.proname), sql.Literal(_NOOP)
    )


def _when_false(catalog: Catalog, trigger: Trigger, function: Function) -> sql.Composed:
    """The trigger as it is, but for its condition. Replacing it sets it to fire in ordinary sessions, as it does."""
    parts: list[sql.Composable] = [
        sql.SQL("CREATE OR REPLACE TRIGGER {} {} {} ON {}").format(
            sql.Identifier(trigger.name),
            sql.SQL(trigger.timing),
            sql.SQL(" OR ").join(_event(trigger, event) for event in trigger.events),
            _table(catalog, trigger),
        )
    ]
    if trigger.old_table or trigger.new_table:
        tables = [(kind, name) for kind, name in (("OLD", trigger.old_table), ("NEW", trigger.new_table)) if name]
        parts.append(sql.SQL("REFERENCING"))
        parts += [sql.SQL(f"{kind} TABLE AS {{}}").format(sql.Identifier(name)) for kind, name in tables]
    parts.append(sql.SQL("FOR EACH ROW WHEN (false)" if trigger.level == "ROW" else "FOR EACH STATEMENT WHEN (false)"))
    arguments = sql.SQL(", ").join(map(sql.Literal, trigger.arguments))
    parts.append(
        sql.SQL("EXECUTE FUNCTION {}({})").format(sql.Identifier(function.schema, function.proname), arguments)
    )
    return sql.SQL(" ").join(parts)


def _event(trigger: Trigger, event: str) -> sql.Composable:
    if event == "UPDATE" and trigger.columns:
        return sql.SQL("UPDATE OF {}").format(sql.SQL(", ").join(map(sql.Identifier, trigger.columns)))
    return sql.SQL(event)


def _disable(catalog: Catalog, trigger: Trigger) -> sql.Composed:
    name = sql.Identifier(trigger.name)
    return sql.SQL("ALTER TABLE {} DISABLE TRIGGER {}").format(_table(catalog, trigger), name)


def _table(catalog: Catalog, trigger: Trigger) -> sql.Identifier:
    table = catalog.tables[trigger.table]
    return sql.Identifier(table.schema, table.relation)


def past_replica(switches: Iterable[Switch], catalog: Catalog) -> tuple[tuple[Switch, ...], tuple[Switch, ...]]:
    """For triggers that fire ALWAYS, also where session_replication_role is replica: switches off, and on again.

    Those that work on the trigger make it one that fires in ordinary sessions alone. Those on again that work on the
    function have no statement of their own: its former definition is needed.
    """
    named = {trigger.oid: trigger for trigger in catalog.triggers if trigger.enabled == "always"}
    off, on = [], []
    for switch in switches:
        always = [named[oid] for oid in switch.triggers if oid in named]
        if not always:
            continue
        if switch.replaced is not None:
            off.append(switch)
            on.append(switch)
            continue
        (trigger,) = always
        table, name = _table(catalog, trigger), sql.Identifier(trigger.name)
        for found, how in ((off, "ENABLE"), (on, "ENABLE ALWAYS")):
            statement = sql.SQL(f"ALTER TABLE {{}} {how} TRIGGER {{}}").format(table, name)
            found.append(replace(switch, method=Method.DISABLE_TRIGGER, statement=statement))
    return tuple(off), tuple(on)


def switch_off(session: Session, switches: Iterable[Switch]) -> None:
    """Works the switches inside the caller's savepoint. psycopg.Error where one is refused: by an event trigger, or
    because the table's lock is not to be had."""
    for switch in switches:
        with session.owners.acting_as(switch.owner) as sender:
            sender.run(switch.statement.as_string(session.connection))
