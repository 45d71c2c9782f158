"""What the conditions that dominate a place say of expressions: which are NULL there, which not, which values are left.

A condition that must not hold may as well have been NULL: IF takes its branch for true alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlglot import exp

from trigger_audit.analysis.functions import STRICT_NODES, is_strict_call
from trigger_audit.analysis.nodes import bare, call_of, column_of, json_step, key_of, literal_text

_COMPARISONS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpILike,
    exp.SimilarTo, exp.Between, exp.JSONBContainsTopKey, exp.ArrayContainsAll,
)  # fmt: skip


@dataclass(slots=True)
class Assumptions:
    """Keys (`nodes.key_of`) of expressions known to be NULL or not, and the texts that an expression is confined to."""

    not_null: set[str] = field(default_factory=set)
    null: set[str] = field(default_factory=set)
    confined: dict[str, frozenset[str]] = field(default_factory=dict)
    found: bool = False

    def __bool__(self) -> bool:
        return bool(self.not_null or self.null or self.confined or self.found)

    def with_condition(self, node: exp.Expression, holds: bool) -> Assumptions:
        """These and one more."""
        more = Assumptions(set(self.not_null), set(self.null), dict(self.confined), self.found)
        more._learn(node, holds)
        return more

    @classmethod
    def of(cls, conditions: Iterable[tuple[exp.Expression, bool]]) -> Assumptions:
        """What all of (condition, holds) say together."""
        known = cls()
        for node, holds in conditions:
            known._learn(node, holds)
        return known

    def _learn(self, node: exp.Expression, holds: bool) -> None:
        node = bare(node)
        match node:
            case exp.And() if holds:
                self._learn(node.this, True)
                self._learn(node.expression, True)
            case exp.Or() if not holds:
                self._learn(node.this, False)
                self._learn(node.expression, False)
            case exp.Not() if holds:
                self._learn_false(node.this)
            case exp.Not():
                # NOT x that is not true: x is true, or NULL.
                inner = bare(node.this)
                if _never_null(inner):
                    self._learn(inner, True)
                elif isinstance(inner, exp.In):
                    self._confine_in(inner)
            case exp.Is() if isinstance(node.expression, exp.Null):
                if bool(node.args.get("negate")) == holds:
                    self._is_not_null(node.this)
                else:
                    self.null.add(key_of(node.this))
            case exp.NullSafeNEQ() | exp.NullSafeEQ() if isinstance(node.expression, exp.Null):
                if isinstance(node, exp.NullSafeNEQ) == holds:
                    self._is_not_null(node.this)
                else:
                    self.null.add(key_of(node.this))
            case exp.NullSafeEQ() if holds and literal_text(node.expression) is not None:
                self._is_not_null(node.this)
                self._confine(node.this, [node.expression])
            case _ if holds:
                self._learn_true(node)
            case exp.EQ() if isinstance(bare(node.this), exp.Coalesce):
                # coalesce(x, '') = '' is never NULL; where it is not true, x is neither NULL nor ''.
                self._beyond_fallback(bare(node.this), node.expression)
            case exp.Column():
                self._note_found(node)

    def _learn_false(self, node: exp.Expression) -> None:
        """The condition is false, not NULL."""
        node = bare(node)
        self._learn(node, False)
        if isinstance(node, exp.Or):
            self._learn_false(node.this)
            self._learn_false(node.expression)
        elif isinstance(node, exp.NEQ):
            self._learn_true(exp.EQ(this=node.this.copy(), expression=node.expression.copy()))
        elif isinstance(node, (*_COMPARISONS, exp.In)):
            self._is_not_null(node.this)

    def _learn_true(self, node: exp.Expression) -> None:
        if isinstance(node, exp.In):
            self._is_not_null(node.this)
            self._confine_in(node)
        elif isinstance(node, exp.NEQ) and isinstance(bare(node.this), exp.Coalesce):
            self._beyond_fallback(bare(node.this), node.expression)
        elif isinstance(node, _COMPARISONS):
            self._is_not_null(node.this)
            right = node.args.get("expression")
            if isinstance(right, exp.Expression):
                self._is_not_null(right)
            if isinstance(node, exp.JSONBContainsTopKey):
                self._has_key(node)
            elif isinstance(node, exp.EQ) and isinstance(right, exp.Expression):
                self._equal(node.this, right)
                self._equal(right, node.this)
        elif isinstance(node, exp.Column):
            self._note_found(node)
            self._is_not_null(node)
        elif isinstance(node, exp.Exists):
            self.found = True

    def _note_found(self, node: exp.Column) -> None:
        if column_of(node) == (None, "found"):
            self.found = True

    def _equal(self, node: exp.Expression, other: exp.Expression) -> None:
        other = bare(other)
        if isinstance(other, exp.Any):
            listed = bare(other.this)
            if isinstance(listed, exp.Array):
                self._confine(node, listed.expressions)
        elif literal_text(other) is not None:
            self._confine(node, [other])

    def _confine_in(self, node: exp.Expression) -> None:
        if node.args.get("query") is None:
            self._confine(node.this, node.expressions)

    def _confine(self, node: exp.Expression, listed: list[exp.Expression]) -> None:
        texts = [literal_text(entry) for entry in listed]
        known = frozenset(text for text in texts if text is not None)
        if texts and len(known) == len(set(texts)):
            for key in _with_casts(node):
                self.confined[key] = self.confined[key] & known if key in self.confined else known

    def _beyond_fallback(self, node: exp.Expression, other: exp.Expression) -> None:
        """coalesce(x, 'a') <> 'a'."""
        fallbacks = [argument for argument in node.expressions if isinstance(argument, exp.Expression)]
        text = literal_text(other)
        if len(fallbacks) == 1 and text is not None and literal_text(fallbacks[0]) == text:
            self._is_not_null(node.this)

    def _has_key(self, node: exp.Expression) -> None:
        key = literal_text(node.expression)
        if key is not None:
            self.not_null.add(f"{key_of(node.this)} -> {(key,)!r}")

    def _is_not_null(self, node: exp.Expression) -> None:
        """An expression is not NULL: then neither is any argument of strict functions and operators in it."""
        node = bare(node)
        if literal_text(node) is not None:
            return
        self.not_null.add(key_of(node))
        if isinstance(node, exp.Nullif | exp.Cast):
            self._is_not_null(node.this)
            return
        step = json_step(node)
        if step is not None:
            self._is_not_null(step[0])
            return
        call = call_of(node)
        if call is not None:
            if is_strict_call(call[0], call[1]):
                for argument in call[2]:
                    self._is_not_null(argument)
        elif isinstance(node, STRICT_NODES):
            for child in node.iter_expressions():
                if not isinstance(child, exp.DataType):
                    self._is_not_null(child)


def _with_casts(node: exp.Expression) -> list[str]:
    """The keys of an expression and of what it is a cast of: x::text = 'a' confines x too."""
    node = bare(node)
    keys = [key_of(node)]
    while isinstance(node, exp.Cast):
        node = bare(node.this)
        keys.append(key_of(node))
    return keys


def _never_null(node: exp.Expression) -> bool:
    node = bare(node)
    if isinstance(node, exp.And | exp.Or):
        return _never_null(node.this) and _never_null(node.expression)
    if isinstance(node, exp.Not):
        return _never_null(node.this)
    return isinstance(node, exp.Is | exp.NullSafeEQ | exp.NullSafeNEQ | exp.Exists | exp.Boolean) or (
        column_of(node) == (None, "found")
    )
