"""What went wrong with a run, as the search for culprits compares it, and what the server itself names for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_audit.smoke.culprits import Fault, Off, Trial
from trigger_audit.smoke.model import Culprit

if TYPE_CHECKING:
    from trigger_audit.catalog.model import Catalog, Table
    from trigger_audit.smoke.model import FailedStep
    from trigger_audit.smoke.replay import Observation
    from trigger_audit.smoke.suspects import Suspects
    from trigger_audit.smoke.toggles import Switch

RECURSION = "54001"
_POLICY = re.compile(r'row-level security policy (?:"(?P<policy>(?:[^"]|"")+)" )?for table "(?P<table>(?:[^"]|"")+)"')
_SETTING = re.compile(r'(?:unrecognized configuration|invalid value for) parameter "(?P<name>(?:[^"]|"")+)"')
# A name, a type or the syntax is wrong in the text. Nothing that a statement does to rows brings that about, but it may
# lack what a command would have made. Not so 42P10, and 42501, which row security raises too.
_OF_THE_TEXT = re.compile("42(?!P10|501)")
_COMMANDS = {"SELECT": "r", "INSERT": "a", "UPDATE": "w", "DELETE": "d"}


def fault_of(failed: FailedStep) -> Fault:
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


def told_fault(fault: Fault) -> str:
    return f"{fault[3] or 'refused by Auth'} at {fault[2]}" if fault[0] == "failure" else str(fault[1])


def told_limit(observed: Observation) -> str:
    """The limit of ours that ended a replay, and where."""
    failed = observed.failed
    return f"{observed.limit}" + (f" ({failed.sqlstate} at {failed.statement})" if failed is not None else "")


def trial_of(observed: Observation) -> Trial:
    if observed.limit is not None:
        return Trial(limited=True)
    broken = None if observed.failed is None else fault_of(observed.failed)
    changes = frozenset(("change", change.what) for change in observed.changes)
    return Trial(broken, frozenset() if broken is not None else changes)


@dataclass(frozen=True, slots=True)
class Known:
    """What the functions' texts tell of the switches (`culprits.Knowledge`)."""

    suspects: Suspects
    switches: Sequence[Switch]
    failures: Mapping[Fault, FailedStep]

    def carries(self, outer: int, inner: int) -> bool:
        return any(
            self.suspects.carries(first, then)
            for first in self.switches[outer].triggers
            for then in self.switches[inner].triggers
        )

    def may_follow(self, fault: Fault, switch: int | None, off: Off) -> bool:
        absent = {oid for index in off for oid in self.switches[index].triggers}
        if self.suspects.does_unknown(absent):
            return True
        failed = self.failures.get(fault)
        if failed is not None and failed.sqlstate is not None and _OF_THE_TEXT.match(failed.sqlstate):
            return False
        table = f"{failed.schema}.{failed.table}" if failed is not None and failed.table else None
        triggers = [None] if switch is None else self.switches[switch].triggers
        return any(self.suspects.may_miss(trigger, table, absent) for trigger in triggers)

    def recurring(self, fault: Fault) -> Off:
        failed = self.failures.get(fault)
        if failed is None or failed.sqlstate != RECURSION:
            return frozenset()
        running = {trigger.oid for trigger in self.suspects.in_context(failed.context)}
        return frozenset(index for index, switch in enumerate(self.switches) if not running.isdisjoint(switch.triggers))


def named_by_server(failed: FailedStep, catalog: Catalog, *, behind: bool) -> Culprit | None:
    """The constraint, row security or setting that the server names for a failure, None where it names none."""
    if failed.sqlstate == "42501" and (policy := _POLICY.search(failed.message)) is not None:
        return _row_security(failed, policy["table"], policy["policy"], catalog, behind=behind)
    if failed.sqlstate in ("42704", "22023") and (setting := _SETTING.search(failed.message)) is not None:
        return Culprit("setting", setting["name"], necessary=True, sufficient=True, behind=behind)
    table = f"{failed.schema}.{failed.table}"
    name = failed.constraint or (failed.column if failed.sqlstate == "23502" else None)
    if name is None:
        return None
    # A domain's constraint has a schema, but no table.
    name = f"{table}.{name}" if failed.table is not None else f"{failed.schema}.{name}"
    return Culprit("constraint", name, necessary=True, sufficient=True, behind=behind)


def _row_security(failed: FailedStep, table: str, policy: str | None, catalog: Catalog, *, behind: bool) -> Culprit:
    """PostgreSQL names the table without its schema, and the policy only where it is a restrictive one."""
    guarded = [one for one in catalog.tables.values() if one.relation == table and one.row_security]
    event, _, rest = failed.statement.partition(" ")
    written = [one for one in guarded if one.name == rest.partition(" (")[0]]
    meant = written or guarded
    if len(meant) != 1:
        name = table if policy is None else f"{table}.{policy}"
        return Culprit("policy", name, necessary=True, sufficient=True, behind=behind)
    among = () if policy is not None else _policies(meant[0], event if written else None)
    name = meant[0].name if policy is None else f"{meant[0].name}.{policy}"
    return Culprit("policy", name, necessary=True, sufficient=True, behind=behind, policies=among)


def _policies(table: Table, event: str | None) -> tuple[str, ...]:
    """The permissive policies of a command, of which one must let the row through; of all where it is not known."""
    commands = ("*", _COMMANDS[event]) if event in _COMMANDS else ("*", *_COMMANDS.values())
    return tuple(sorted(policy.name for policy in table.policies if policy.permissive and policy.command in commands))
