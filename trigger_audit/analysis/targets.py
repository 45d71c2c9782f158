"""What PL/pgSQL statements assign to."""

from __future__ import annotations

import re

from trigger_audit.analysis.expressions import fold
from trigger_audit.plpgsql import tree

_PART = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^\s."\[(]+))\s*', re.ASCII)


def target_parts(target: str) -> tuple[str, ...]:
    """The names of an assignment's target, folded, subscripts left out: `new."Email"[1]` is (new, Email)."""
    parts: list[str] = []
    at = 0
    while (found := _PART.match(target, at)) is not None:
        quoted, plain = found.groups()
        parts.append(fold(plain) if quoted is None else quoted.replace('""', '"'))
        at = found.end()
        if target[at : at + 1] != ".":
            break
        at += 1
    return tuple(parts) or (target,)


def is_whole(target: str) -> bool:
    """Whether the target is a variable itself, no field and no element of it."""
    return len(target_parts(target)) == 1 and "[" not in target


def written_by(statement: tree.Statement | tree.AnyDeclaration) -> tuple[str, ...]:
    """The targets that a statement itself assigns to, as written."""
    match statement:
        case tree.Assign():
            return (statement.target,)
        case tree.Sql() | tree.Execute() | tree.Fetch():
            return statement.into
        case tree.ForQuery() | tree.ForExecute() | tree.ForEach():
            return statement.targets
        case tree.ForInteger():
            return (statement.variable,)
        case tree.ForCursor():
            return (statement.target,)
        case tree.GetDiagnostics():
            return tuple(target for target, _ in statement.items)
    return ()
