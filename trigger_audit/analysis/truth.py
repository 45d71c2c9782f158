"""Comparing and combining terms.

Constants are compared by their text, for their type is not known: equal, different, or not to be told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from trigger_audit.analysis.state import Term

Truth = bool | None
"""True, False, or None: SQL's NULL."""

ANY_TRUTH: frozenset[Truth] = frozenset((True, False, None))
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_TRUE = frozenset(("true", "t", "yes", "on"))
_FALSE = frozenset(("false", "f", "no", "off"))


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _same(one: str, other: str, exact: bool, number: bool) -> bool | None:
    """Whether two constants are equal; None where that depends on the type (citext, jsonb, timestamps, char(n))."""
    if one == other:
        return True
    if exact:
        return False
    numbers = _number(one), _number(other)
    if numbers[0] is not None and numbers[1] is not None:
        # '1' and '01' are one number, but two texts.
        return number or None if numbers[0] == numbers[1] else False
    low, high = one.lower(), other.lower()
    if (low in _TRUE and high in _TRUE) or (low in _FALSE and high in _FALSE):
        return None
    if low.rstrip() == high.rstrip():
        return None
    if one[:1] in ("{", "[", "(") or other[:1] in ("{", "[", "("):
        return None
    dated = one[:1].isdigit() and other[:1].isdigit()
    if dated and not (_UUID.fullmatch(one) and _UUID.fullmatch(other)):
        return None
    return False


def _order(one: str, other: str, number: bool) -> int | None:
    """The sign of one - other for numbers; the order of texts depends on their collation."""
    numbers = _number(one), _number(other)
    if not number or numbers[0] is None or numbers[1] is None:
        return None
    return (numbers[0] > numbers[1]) - (numbers[0] < numbers[1])


def compare(operator: str, one: Term, other: Term) -> frozenset[Truth]:
    """The outcomes of `one operator other`; the operator is one of = <> < <= > >=."""
    found: set[Truth] = set()
    if one.nulls or other.nulls:
        found.add(None)
    if one.constants == frozenset() or other.constants == frozenset():
        return frozenset((None,))
    if one.symbol is not None and one.symbol == other.symbol:
        found.add(operator in ("=", "<=", ">="))
        return frozenset(found)
    if operator in ("=", "<>") and _never_same(one, other):
        return frozenset(found | {operator == "<>"})
    if one.constants is None or other.constants is None:
        return frozenset(found | {True, False})
    exact = one.exact or other.exact
    # An operator of a number and a text does not exist: either both are numbers, or both are texts.
    number = one.number or other.number
    for first in one.constants:
        for second in other.constants:
            found |= _compared(operator, first, second, exact, number)
    return frozenset(found)


def _never_same(one: Term, other: Term) -> bool:
    return other.symbol in one.differs_from or one.symbol in other.differs_from


def _compared(operator: str, one: str, other: str, exact: bool, number: bool) -> set[Truth]:
    if operator in ("=", "<>"):
        same = _same(one, other, exact, number)
        return {True, False} if same is None else {same is (operator == "=")}
    order = _order(one, other, number)
    if order is None:
        return {operator in ("<=", ">=")} if one == other else {True, False}
    return {{"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[operator]}


def distinct(one: Term, other: Term) -> frozenset[Truth]:
    """The outcomes of `one IS DISTINCT FROM other`: never NULL."""
    if one.symbol is not None and one.symbol == other.symbol:
        return frozenset((False,))
    found: set[Truth] = set()
    if one.nulls and other.nulls:
        found.add(False)
    if (one.nulls and other.constants != frozenset()) or (other.nulls and one.constants != frozenset()):
        found.add(True)
    if one.constants != frozenset() and other.constants != frozenset():
        found |= {not truth for truth in compare("=", one, other) if truth is not None}
    return frozenset(found)


def truth(found: Term) -> frozenset[Truth]:
    outcomes: set[Truth] = {None} if found.nulls else set()
    if found.constants is None:
        return frozenset(outcomes | {True, False})
    for value in found.constants:
        outcomes |= {True} if value in ("true", "t") else {False} if value in ("false", "f") else {True, False}
    return frozenset(outcomes)


def boolean(outcomes: Iterable[Truth], symbol: str | None = None) -> Term:
    found = frozenset(outcomes)
    constants = frozenset("true" if outcome else "false" for outcome in found if outcome is not None)
    if len(found) == 1:
        symbol = "NULL" if not constants else f"'{next(iter(constants))}'"
    return Term(None in found, constants, symbol)


def and_(one: frozenset[Truth], other: frozenset[Truth]) -> frozenset[Truth]:
    found: set[Truth] = set()
    for first in one:
        for second in other:
            if first is False or second is False:
                found.add(False)
            else:
                found.add(None if first is None or second is None else True)
    return frozenset(found)


def not_(one: frozenset[Truth]) -> frozenset[Truth]:
    return frozenset(None if outcome is None else not outcome for outcome in one)


def either(values: list[Term], nulls: bool, symbol: str | None) -> Term:
    constants: frozenset[str] | None = frozenset()
    for value in values:
        constants = None if constants is None or value.constants is None else constants | value.constants
    return Term(nulls, constants, symbol, all(value.exact for value in values))


def distinct_rows(one: tuple[Term, ...], other: tuple[Term, ...]) -> frozenset[Truth]:
    if len(one) != len(other):
        return frozenset((True, False))
    outcomes = [distinct(first, second) for first, second in zip(one, other, strict=True)]
    if any(outcome == frozenset((True,)) for outcome in outcomes):
        return frozenset((True,))
    return frozenset((True, False)) if any(True in outcome for outcome in outcomes) else frozenset((False,))


def row_is_null(fields: tuple[Term, ...], negated: bool) -> frozenset[Truth]:
    """`row IS NULL` asks whether every field is NULL, `row IS NOT NULL` whether none is."""
    if negated:
        if any(field.constants == frozenset() for field in fields):
            return frozenset((False,))
        return frozenset((True, False)) if any(field.nulls for field in fields) else frozenset((True,))
    if any(not field.nulls for field in fields):
        return frozenset((False,))
    return frozenset((True, False)) if any(field.constants != frozenset() for field in fields) else frozenset((True,))
