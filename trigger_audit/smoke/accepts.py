"""Whether a cast, a column or a CHECK takes a value, as far as that can be told without the server."""

from __future__ import annotations

import re

from sqlglot import exp

from trigger_audit.analysis.expressions import Unreadable, expression_node, identifier
from trigger_audit.analysis.nodes import bare, literal_text
from trigger_audit.analysis.shapes import array_items, quantifier
from trigger_audit.analysis.wanted import Check, Kind, Wanted

_PATTERNS = {
    Kind.INTEGER: re.compile(r"\s*[+-]?\d{1,9}\s*", re.ASCII),
    Kind.NUMBER: re.compile(r"\s*[+-]?\d{1,30}(\.\d+)?\s*", re.ASCII),
    Kind.BOOLEAN: re.compile(r"\s*(true|false|t|f|yes|no|on|off|1|0)\s*", re.IGNORECASE),
    Kind.UUID: re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE),
    Kind.DATE: re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+Z)?", re.ASCII),
    Kind.TIMESTAMP: re.compile(r"\d{4}-\d\d-\d\d([ T][\d:.]+Z?)?", re.ASCII),
    Kind.TIME: re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII),
    Kind.INTERVAL: re.compile(r"\d+ \w+|\d\d:\d\d", re.ASCII),
    Kind.INET: re.compile(r"\d{1,3}(\.\d{1,3}){3}", re.ASCII),
    Kind.ARRAY: re.compile(r"\{.*\}", re.DOTALL),
}
_CHECK = re.compile(r"\s*CHECK\s*\((?P<condition>.*)\)(?:\s+NOT VALID|\s+NO INHERIT|\s+NOT ENFORCED)*\s*", re.DOTALL)
_ORDERED = (exp.GT, exp.GTE, exp.LT, exp.LTE)
_MOST_PATTERN = 200


def text_of(value: object) -> str:
    """A JSON scalar as ->> gives it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def accepts(wanted: Wanted, value: object) -> bool:
    """Whether the value gets through; what cannot be decided does."""
    match wanted.kind:
        case Kind.OBJECT:
            return isinstance(value, dict)
        case Kind.LIST:
            return isinstance(value, list)
        case Kind.JSON:
            return not isinstance(value, str) and all(holds(check, value) is not False for check in wanted.checks)
    if isinstance(value, dict | list):
        return False
    text = text_of(value)
    if wanted.kind is Kind.ENUM and text not in wanted.labels:
        return False
    pattern = _PATTERNS.get(wanted.kind)
    if pattern is not None and not pattern.fullmatch(text):
        return False
    if wanted.length is not None and len(text) > wanted.length:
        return False
    return all(holds(check, value) is not False for check in wanted.checks)


def holds(check: Check, value: object) -> bool | None:
    """The CHECK's outcome for the value; None for NULL and for what is not understood, and both let a row pass."""
    node = condition_of(check)
    try:
        return None if node is None else _truth(node, check.name, value)
    except (ArithmeticError, ValueError, re.error, RecursionError):
        return None


def condition_of(check: Check) -> exp.Expression | None:
    """The node of `CHECK ((...))` as pg_get_constraintdef prints it."""
    found = _CHECK.fullmatch(check.definition)
    try:
        return None if found is None else expression_node(found["condition"])
    except Unreadable:
        return None


def _truth(node: exp.Expression, name: str, value: object) -> bool | None:
    node = bare(node)
    match node:
        case exp.And() | exp.Or():
            sides = {_truth(node.this, name, value), _truth(node.expression, name, value)}
            decided = isinstance(node, exp.Or)
            return decided if decided in sides else None if None in sides else not decided
        case exp.Not():
            inner = _truth(node.this, name, value)
            return None if inner is None else not inner
        case exp.Is() if isinstance(node.expression, exp.Null):
            # The value is none; of what is not understood nothing is known.
            return None if _value(node.this, name, value) is None else bool(node.args.get("negate"))
        case exp.In() if node.expressions:
            return _one_of(_value(node.this, name, value), node.expressions)
        case exp.EQ() if quantifier(node.expression) == "any":
            return _one_of(_value(node.this, name, value), array_items(node.expression))
        case exp.EQ() | exp.NEQ():
            left, right = _value(node.this, name, value), _value(node.expression, name, value)
            if left is None or right is None:
                return None
            return (_comparable(left, right) is True) == isinstance(node, exp.EQ)
        case exp.Between():
            low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
            high = exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
            return _truth(exp.And(this=low, expression=high), name, value)
        case exp.RegexpLike() | exp.RegexpILike():
            left, pattern = _value(node.this, name, value), literal_text(node.expression)
            if left is None or pattern is None or len(pattern) > _MOST_PATTERN:
                return None
            flags = re.IGNORECASE if isinstance(node, exp.RegexpILike) else 0
            return re.search(pattern, left, flags) is not None
    if isinstance(node, _ORDERED):
        left, right = _value(node.this, name, value), _value(node.expression, name, value)
        return None if left is None or right is None else _ordered(node, left, right)
    return None


def _ordered(node: exp.Expression, left: str, right: str) -> bool:
    try:
        order = (float(left) > float(right)) - (float(left) < float(right))
    except ValueError:
        order = (left > right) - (left < right)
    match node:
        case exp.GT():
            return order > 0
        case exp.GTE():
            return order >= 0
        case exp.LT():
            return order < 0
    return order <= 0


def _one_of(text: str | None, items: list[exp.Expression] | None) -> bool | None:
    if text is None or items is None:
        return None
    texts = [literal_text(item) for item in items]
    if text in texts:
        return True
    return None if None in texts else False


def _comparable(left: str, right: str) -> bool:
    try:
        return float(left) == float(right)
    except ValueError:
        return left == right


def _value(node: exp.Expression, name: str, value: object) -> str | None:
    """The text of the checked value, of a function of it that is known here, or of a literal; None for the rest."""
    node = bare(node)
    match node:
        case exp.Cast():
            return _value(node.this, name, value)
        case exp.Length():
            inner = _value(node.this, name, value)
            return None if inner is None else str(len(inner))
        case exp.Trim() if node.args.get("expression") is None and node.args.get("position") in (None, "BOTH"):
            inner = _value(node.this, name, value)
            return None if inner is None else inner.strip(" ")
        case exp.Lower():
            inner = _value(node.this, name, value)
            return None if inner is None else inner.lower()
        case exp.Upper():
            inner = _value(node.this, name, value)
            return None if inner is None else inner.upper()
        case exp.Column():
            found = identifier(node.this)
            return text_of(value) if found == name and not isinstance(value, dict | list) else None
    return literal_text(node)
