"""Shapes of expressions that sqlglot has no node for, or several."""

from __future__ import annotations

from sqlglot import exp

from trigger_audit.analysis.expressions import identifier


def record(node: exp.Expression) -> str | None:
    """'new' or 'old' where the node is the whole record."""
    if not isinstance(node, exp.Column):
        return None
    name = identifier(node.args.get("table")) if isinstance(node.this, exp.Star) else identifier(node.this)
    if not isinstance(node.this, exp.Star) and node.args.get("table") is not None:
        return None
    return name if name in ("new", "old") else None


def is_named(node: exp.Anonymous, *names: str) -> bool:
    """Whether a call that sqlglot does not know goes by one of these names."""
    return str(node.this).lower() in names


def quantifier(node: exp.Expression) -> str | None:
    """'any' or 'all' of `operator ANY (...)`."""
    if isinstance(node, exp.Any):
        return "any"
    if isinstance(node, exp.All):
        return "all"
    if isinstance(node, exp.Anonymous) and is_named(node, "all", "any", "some"):
        return "all" if is_named(node, "all") else "any"
    return None


def array_items(node: exp.Expression) -> list[exp.Expression] | None:
    """The items of ANY (ARRAY[...]) and ALL (ARRAY[...]); None for a query or another array."""
    inner = node.this
    if isinstance(node, exp.Anonymous):
        inner = node.expressions[0] if len(node.expressions) == 1 else None
    while isinstance(inner, exp.Paren | exp.Cast):
        inner = inner.this
    return list(inner.expressions) if isinstance(inner, exp.Array) else None
