"""Names for values: the same for the same computation of the same terms."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from trigger_audit.analysis.expressions import sql_of

_VOLATILE = tuple(
    getattr(exp, name) for name in ("Rand", "Randn", "Uuid", "Uniform", "NextValueFor", "AggFunc") if hasattr(exp, name)
)
_IMMUTABLE = frozenset(
    ("btrim", "ltrim", "rtrim", "to_jsonb", "jsonb_extract_path_text", "jsonb_extract_path", "digest")
)


def symbol_of(node: exp.Expression, symbol_of_term: Callable[[exp.Expression], str | None]) -> str | None:
    """The value's name, made of those of its terms; None where it may vary from one look to the next."""
    if isinstance(node, (exp.Query, exp.Subquery, exp.Exists, exp.Star, exp.Window, *_VOLATILE)):
        return None
    parts = [type(node).__name__]
    if isinstance(node, exp.Anonymous):
        if str(node.this).lower() not in _IMMUTABLE:
            return None
        parts.append(str(node.this).lower())
    for key, value in node.args.items():
        if key == "this" and isinstance(node, exp.Anonymous):
            continue
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, exp.DataType | exp.Identifier | exp.JSONPath | exp.JSONPathPart | exp.Var):
                parts.append(sql_of(item))
            elif isinstance(item, exp.Expression):
                symbol = symbol_of(item, symbol_of_term) if isinstance(item, exp.If) else symbol_of_term(item)
                if symbol is None:
                    return None
                parts.append(symbol)
            elif item is not None:
                parts.append(repr(item))
    return "(" + " ".join(parts) + ")"
