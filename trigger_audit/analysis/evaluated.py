"""Which of the expressions that a table stores are evaluated when it is used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Write
    from trigger_audit.analysis.sessions import Session
    from trigger_audit.catalog.model import Catalog, Policy, Table
    from trigger_audit.catalog.stored import Stored

_RULE_EVENTS = {"1": "SELECT", "2": "UPDATE", "3": "INSERT", "4": "DELETE"}
_POLICY_EVENTS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}
_TRIGGER_EVENTS = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}


@dataclass(frozen=True, slots=True)
class Use:
    """An event on a table. `defaults`: the columns that get their DEFAULT, None for all. `by` leads there.

    `fires`: its triggers are not in the cascade, so they are followed here.
    """

    table: int
    event: str
    defaults: frozenset[str] | None
    session: Session
    fires: bool
    by: str = field(compare=False)


def is_evaluated(stored: Stored, use: Use, table: Table, catalog: Catalog) -> bool:
    """Whether the event evaluates the expression, which is one of the table's own."""
    writes = use.event in ("INSERT", "UPDATE")
    match stored.kind:
        case "default":
            return writes and (use.defaults is None or stored.name in use.defaults)
        case "generated":
            # A virtual column (18 and later) is computed when it is read.
            return writes or (stored.command == "v" and use.event == "SELECT")
        case "constraint" | "index" | "partition key":
            return writes
        case "rule":
            return _RULE_EVENTS.get(stored.command) == use.event
        case "trigger":
            return bool(int(stored.command) & _TRIGGER_EVENTS.get(use.event, 0))
        case "policy":
            event = _POLICY_EVENTS.get(stored.command, use.event)
            policy = next((each for each in table.policies if each.name == stored.name), None)
            return event in (use.event, "SELECT") and _holds_for(policy, table, use.session.role, catalog)
    return False


def _holds_for(policy: Policy | None, table: Table, name: str, catalog: Catalog) -> bool:
    """Whether a policy is evaluated for a role: bypassing ones and the owner pass it by."""
    role = catalog.roles.get(name)
    if policy is None or not table.row_security:
        return False
    return role is None or (table.holds_back(role) and policy.is_for(role))


def _without(table: Table, columns: Iterable[str]) -> frozenset[str]:
    return frozenset(column.name for column in table.columns).difference(columns)


def events_of(write: Write) -> tuple[str, ...]:
    """What a write may be to its table."""
    if write.kind == "MERGE":
        return ("INSERT", "UPDATE", "DELETE")
    if write.conflict is not None and not write.conflict.does_nothing:
        return (write.kind, "UPDATE")
    return (write.kind,)


def defaults_of(write: Write, event: str, table: Table) -> frozenset[str] | None:
    """The columns that get their DEFAULT; None where that is not known."""
    if write.kind == "MERGE":
        return None
    rows = write.rows
    if event == "UPDATE":
        rows = (write.conflict.assignments,) if write.conflict is not None else rows
        return frozenset(each.column for row in rows for each in row if each.is_default)
    if event != "INSERT":
        return frozenset()
    if not rows:
        return None if write.columns is None else _without(table, write.columns)
    given = [frozenset(each.column for each in row if not each.is_default) for row in rows]
    always = frozenset.intersection(*given)
    if write.columns is None:
        names = {f"#{number}": column.name for number, column in enumerate(table.columns, 1)}
        always = frozenset(names.get(position, position) for position in always)
    return _without(table, always)
