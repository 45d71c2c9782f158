"""Small readings of sqlglot nodes: columns, calls, JSON paths, literals, and what counts as the same expression."""

from __future__ import annotations

import re

from sqlglot import exp

from trigger_audit.analysis.expressions import fold, identifier

_TEXT_ARRAY = re.compile(r'\{(?:[^{}"\\,]+(?:,[^{}"\\,]+)*)\}')


def bare(node: exp.Expression) -> exp.Expression:
    """The node without the parentheses around it."""
    while isinstance(node, exp.Paren) and isinstance(node.this, exp.Expression):
        node = node.this
    return node


def column_of(node: exp.Expression) -> tuple[str | None, str] | None:
    """(qualifier, name) of `name`, `q.name`, `(q).name`; None for anything else and longer names."""
    if isinstance(node, exp.Column) and node.args.get("db") is None:
        name = identifier(node.this)
        return None if name is None else (identifier(node.args.get("table")), name)
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
        record = column_of(bare(node.this)) if isinstance(node.this, exp.Expression) else None
        name = identifier(node.expression)
        if record is not None and record[0] is None and name is not None:
            return record[1], name
    return None


def call_of(node: exp.Expression) -> tuple[str | None, str, list[exp.Expression]] | None:
    """(schema, name, arguments) of a call that sqlglot has no class for, or that is qualified."""
    schema = None
    if isinstance(node, exp.Dot) and isinstance(node.this, exp.Identifier):
        schema = identifier(node.this)
        inner = node.expression
    else:
        inner = node
    if not isinstance(inner, exp.Anonymous):
        return None
    if isinstance(inner.this, exp.Identifier):
        return schema, identifier(inner.this) or "", list(inner.expressions)
    return schema, fold(str(inner.this)), list(inner.expressions)


def literal_text(node: exp.Expression) -> str | None:
    """The text of a constant, casts looked through: 'x', 1, -1, true. None for anything else, NULL included."""
    node = bare(node)
    match node:
        case exp.Cast() if isinstance(node.this, exp.Expression):
            return literal_text(node.this)
        case exp.Neg() if isinstance(node.this, exp.Literal):
            return f"-{node.this.this}"
        case exp.Literal() | exp.ByteString() | exp.RawString():
            return str(node.this)
        case exp.Boolean():
            return "true" if node.this else "false"
    return None


def json_step(node: exp.Expression) -> tuple[exp.Expression, tuple[str | None, ...]] | None:
    """(document, keys) of `->`, `->>`, `#>`, `#>>`, a subscript or jsonb_extract_path; a computed key is None."""
    match node:
        case exp.JSONExtract() | exp.JSONExtractScalar():
            return node.this, _path_keys(node.expression)
        case exp.JSONBExtract() | exp.JSONBExtractScalar():
            return node.this, _array_keys(node.expression)
        case exp.Bracket() if len(node.expressions) == 1:
            return node.this, (literal_text(node.expressions[0]),)
    call = call_of(node)
    if call is not None and call[0] in (None, "pg_catalog") and len(call[2]) > 1:
        name = call[1].removesuffix("_text")
        if name in ("jsonb_extract_path", "json_extract_path"):
            return call[2][0], tuple(literal_text(argument) for argument in call[2][1:])
        if name in ("jsonb_object_field", "json_object_field"):
            return call[2][0], (literal_text(call[2][1]),)
    return None


def _path_keys(path: exp.Expression) -> tuple[str | None, ...]:
    if not isinstance(path, exp.JSONPath):
        return (literal_text(path),)
    keys: list[str | None] = []
    for part in path.expressions:
        if isinstance(part, exp.JSONPathRoot):
            continue
        known = isinstance(part, exp.JSONPathKey | exp.JSONPathSubscript) and isinstance(part.this, str | int)
        keys.append(str(part.this) if known else None)
    return tuple(keys) or (None,)


def _array_keys(path: exp.Expression) -> tuple[str | None, ...]:
    path = bare(path)
    if isinstance(path, exp.Array):
        return tuple(literal_text(entry) for entry in path.expressions) or (None,)
    text = literal_text(path)
    if text is None or not _TEXT_ARRAY.fullmatch(text):
        return (None,)
    return tuple(part.strip() for part in text[1:-1].split(","))


def key_of(node: exp.Expression) -> str:
    """A text that two nodes share when they are the same expression; unquoted names folded, parentheses dropped."""
    node = bare(node)
    column = column_of(node)
    if column is not None:
        return repr(column)
    step = json_step(node)
    if step is not None:
        return f"{key_of(step[0])} {type(node).__name__ if None in step[1] else '->'} {step[1]!r}" + (
            f" {node.sql('postgres')}" if None in step[1] else ""
        )
    if isinstance(node, exp.Cast):
        return f"{key_of(node.this)}::{node.to.sql('postgres')}"
    literal = literal_text(node)
    if literal is not None:
        return f"'{literal}'"
    call = call_of(node)
    if call is not None:
        return f"{call[0]}.{call[1]}({', '.join(key_of(argument) for argument in call[2])})"
    parts = ", ".join(key_of(child) for child in node.iter_expressions())
    return f"{type(node).__name__}({parts})" if parts else node.sql("postgres")


def beside(node: exp.Expression, removed: exp.Expression) -> list[exp.Expression] | None:
    """Of nullif(coalesce(x, y, ''), '') x and y: NULL where they are. None for anything else; trim is seen through."""
    node, text = bare(node), literal_text(removed)
    while isinstance(node, exp.Trim) and node.args.get("expression") is None and text is not None and not text.strip():
        node, text = bare(node.this), ""
    if not isinstance(node, exp.Coalesce) or not node.expressions or text is None:
        return None
    return [node.this, *node.expressions[:-1]] if literal_text(node.expressions[-1]) == text else None


def is_where(statement: exp.Expression, node: exp.Expression) -> bool:
    """Whether a node is the statement's WHERE itself: that is evaluated before it holds."""
    where = statement.args.get("where")
    return where is not None and where.this == node
