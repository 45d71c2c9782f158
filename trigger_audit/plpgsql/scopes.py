"""Which variables a place in a body sees: blocks nest, an inner declaration hides an outer one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.embedded import names_of
from trigger_audit.plpgsql.tree import Span


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable. `declaration` is None for a loop's own (an integer, or a cursor loop's record) and for
    SQLSTATE and SQLERRM (text).

    `label` is the label of the block or loop that it belongs to, None without one.
    """

    name: str
    declaration: tree.AnyDeclaration | None
    type_text: str
    label: str | None


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a variable is visible."""

    span: Span
    variable: Variable


def scopes(body: tree.Body) -> tuple[Scope, ...]:
    """Every variable of the body with its range, outer ones first."""
    return tuple(_scopes(body.block))


def seen_at(known: tuple[Scope, ...], offset: int) -> Mapping[str, Variable]:
    """The variables by name at a character of the body, inner ones hiding outer ones."""
    return {scope.variable.name: scope.variable for scope in known if scope.span.start <= offset < scope.span.end}


def _own(name: str, type_text: str, label: str | None) -> Variable:
    (folded,) = names_of((name,))
    return Variable(folded, None, type_text, label)


def _scopes(statement: tree.Statement) -> Iterator[Scope]:
    if isinstance(statement, tree.Block):
        for declaration in statement.declarations:
            kind = declaration.type_text if isinstance(declaration, tree.Declaration) else ""
            if isinstance(declaration, tree.CursorDeclaration):
                kind = "refcursor"
            # A default may use what was declared before it, not itself.
            span = Span(declaration.span.end, statement.span.end)
            yield Scope(span, Variable(declaration.name, declaration, kind, statement.label))
        for handler in statement.handlers:
            for name in ("sqlstate", "sqlerrm"):
                yield Scope(handler.span, Variable(name, None, "text", None))
    elif isinstance(statement, tree.ForInteger):
        last = statement.step or statement.upper
        span = Span(last.span.end, statement.span.end)
        yield Scope(span, _own(statement.variable, "integer", statement.label))
    elif isinstance(statement, tree.ForCursor):
        # "A record variable is created automatically and exists only inside the loop", whatever is declared outside.
        start = statement.body[0].span.start if statement.body else statement.span.end
        yield Scope(Span(start, statement.span.end), _own(statement.target, "record", statement.label))
    for group in tree.substatements(statement):
        for inner in group:
            yield from _scopes(inner)
