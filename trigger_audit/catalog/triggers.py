"""Triggers, in the order in which PostgreSQL fires them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import groupby

from trigger_audit.catalog.model import Table, Trigger
from trigger_audit.catalog.rows import Row, Rows, definition, schema_changed

ROW, BEFORE, INSTEAD = 1, 2, 64
"""Bits of pg_trigger.tgtype (PostgreSQL's catalog/pg_trigger.h)."""

EVENTS = ((4, "INSERT"), (16, "UPDATE"), (8, "DELETE"), (32, "TRUNCATE"))
"""Bits of pg_trigger.tgtype for what fires the trigger, in the order of `Trigger.events`."""

ENABLED = {"O": "origin", "D": "disabled", "R": "replica", "A": "always"}

PHASES = {
    ("BEFORE", "STATEMENT"): 0,
    ("BEFORE", "ROW"): 1,
    ("INSTEAD OF", "ROW"): 2,
    ("AFTER", "ROW"): 3,
    ("AFTER", "STATEMENT"): 4,
}

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]|\bWHEN\b""")


def read_triggers(rows: Rows, tables: Mapping[int, Table]) -> tuple[Trigger, ...]:
    """The triggers of the given tables: by schema and table, then in firing order (phase, then bytes of the name)."""
    triggers: list[Trigger] = []
    for table, found in groupby(rows("triggers"), key=lambda row: row[2]):
        if table not in tables:
            # Only an extension's own trigger on an extension's own table gets here.
            continue
        counts: Counter[tuple[str, str, str]] = Counter()
        of_table = [_trigger(row, tables[table], counts) for row in found]
        triggers += sorted(of_table, key=lambda trigger: PHASES[trigger.timing, trigger.level])
    return tuple(triggers)


def _trigger(row: Row, table: Table, counts: Counter[tuple[str, str, str]]) -> Trigger:
    """One trigger; `counts` holds how many came before it per timing, level and event."""
    (
        oid,
        name,
        _,
        function,
        bits,
        numbers,
        text,
        enabled,
        constraint,
        deferrable,
        deferred,
        old_table,
        new_table,
        arguments,
    ) = row
    timing = "BEFORE" if bits & BEFORE else "INSTEAD OF" if bits & INSTEAD else "AFTER"
    level = "ROW" if bits & ROW else "STATEMENT"
    events = tuple(event for bit, event in EVENTS if bits & bit)
    for event in events:
        counts[timing, level, event] += 1
    names = {column.number: column.name for column in table.columns} if numbers else {}
    return Trigger(
        oid=oid,
        name=name,
        table=table.oid,
        function=function,
        timing=timing,
        events=events,
        level=level,
        columns=tuple(names[number] for number in numbers),
        when=None if text is None else when_condition(definition(text)),
        enabled=ENABLED[enabled],
        constraint=constraint,
        deferrable=deferrable,
        initially_deferred=deferred,
        old_table=old_table,
        new_table=new_table,
        arguments=tuple(arguments or ()),
        order=min(counts[timing, level, event] for event in events),
    )


def when_condition(text: str) -> str:
    """The condition of pg_get_triggerdef's `... WHEN (condition) EXECUTE FUNCTION ...`, without enclosing parentheses.

    WHEN is reserved, so the server quotes it wherever it is a name; outside quotes and parentheses it is the clause.
    In a literal a quote is doubled and a backslash is an ordinary character (session.sql sets
    standard_conforming_strings, and deparsed literals are never E'...').

    Raises:
        TriggerAuditError: there is no such clause (the trigger was replaced after the snapshot was taken).
    """
    depth = 0
    opened: int | None = None
    seen = False
    for token in _TOKEN.finditer(text):
        match token.group():
            case "WHEN":
                seen = seen or depth == 0
            case "(":
                if seen and depth == 0:
                    opened = token.end()
                depth += 1
            case ")":
                depth -= 1
                if opened is not None and depth == 0:
                    return _without_parentheses(text[opened : token.start()])
    raise schema_changed()


def _without_parentheses(expression: str) -> str:
    """`expression` without pairs of parentheses that enclose all of it."""
    while expression.startswith("("):
        depth = 0
        for token in _TOKEN.finditer(expression):
            depth += {"(": 1, ")": -1}.get(token.group(), 0)
            if depth == 0 and token.group() == ")":
                break
        if token.end() != len(expression):
            break
        expression = expression[1:-1]
    return expression
