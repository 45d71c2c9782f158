"""Reads an expression in a state: the values that it may take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlglot import exp

from trigger_audit.analysis.expressions import identifier
from trigger_audit.analysis.nodes import json_step
from trigger_audit.analysis.shapes import array_items, is_named, quantifier, record
from trigger_audit.analysis.state import NULL, UNKNOWN, State, Term, constant
from trigger_audit.analysis.symbols import symbol_of
from trigger_audit.analysis.truth import (
    Truth,
    and_,
    boolean,
    compare,
    distinct,
    distinct_rows,
    either,
    not_,
    row_is_null,
    truth,
)

Columns = Callable[[exp.Column], Term | None]
"""Resolves a column that is neither NEW's nor OLD's: of the row that a WHERE looks at. None: not known."""

_COMPARISONS: dict[type[exp.Expression], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
# Casts that keep two equal values equal and a constant's text what it was.
_TEXT_KEEPING = frozenset(("TEXT", "VARCHAR", "UUID", "BOOLEAN", "INT", "BIGINT", "USERDEFINED", "USER-DEFINED"))
_KEEPS_NULLNESS = (exp.Lower, exp.Upper, exp.Trim, exp.Length)


class Reader:
    """Reads one expression in one state."""

    __slots__ = ("_columns", "_naming", "_state")

    def __init__(self, state: State, columns: Columns | None) -> None:
        self._state = state
        self._columns = columns
        # Whether tests get a symbol too: only where somebody compares them or remembers how they came out.
        self._naming = True

    def truth(self, node: exp.Expression) -> frozenset[Truth]:
        naming, self._naming = self._naming, bool(self._state.assumed)
        found = self.term(node)
        self._naming = naming
        outcomes = truth(found)
        if found.symbol is not None and self._state.assumed and len(outcomes) > 1:
            if (found.symbol, True) in self._state.assumed:
                return frozenset((True,))
            if (found.symbol, False) in self._state.assumed:
                return outcomes - {True}
        return outcomes

    def term(self, node: exp.Expression) -> Term:
        match node:
            case exp.Paren():
                return self.term(node.this)
            case exp.Null():
                return NULL
            case exp.Boolean():
                return constant("true" if node.this else "false")
            case exp.Literal():
                return constant(str(node.this), number=not node.is_string)
            case exp.Neg(this=exp.Literal() as literal) if not literal.is_string:
                return constant("-" + str(literal.this), number=True)
            case exp.Cast():
                return self._cast(node)
            case exp.Column():
                return self._column(node)
            case exp.And() | exp.Or():
                return boolean(self._both(node, isinstance(node, exp.And)), self._name(node))
            case exp.Not():
                return boolean(not_(self.truth(node.this)), self._name(node))
            case exp.NullSafeNEQ():
                return boolean(self._distinct(node.this, node.expression), self._name(node))
            case exp.NullSafeEQ():
                return boolean(not_(self._distinct(node.this, node.expression)), self._name(node))
            case exp.Is():
                return self._is(node)
            case exp.In():
                return self._in(node)
            case exp.Between():
                value, low, high = self.term(node.this), self.term(node.args["low"]), self.term(node.args["high"])
                return boolean(and_(compare(">=", value, low), compare("<=", value, high)), self._name(node))
            case exp.Coalesce():
                return self._coalesce(node)
            case exp.Nullif():
                return self._nullif(node)
            case exp.Case():
                return self._case(node)
            case exp.Exists():
                return boolean((True, False))
            case exp.DPipe():
                return self._concatenation(node)
            case exp.Anonymous() | exp.Dot():
                return self._call(node)
            case exp.JSONExtractScalar() | exp.JSONBExtractScalar():
                return self._member(node)
        operator = _COMPARISONS.get(type(node))
        if operator is not None:
            return self._comparison(node, operator)
        return self._other(node)

    def _both(self, node: exp.Connector, holds: bool) -> frozenset[Truth]:
        """AND, or OR as the AND of what is denied. The right side counts only where the left one lets it."""
        left, right = self.truth(node.this), self.truth(node.expression)
        if len(left) > 1 and holds in left:
            known = self._state.assumed | self.known_once(node.this, holds)
            where_left_lets = Reader(replace(self._state, assumed=known), self._columns).truth(node.expression)
        else:
            where_left_lets = right
        found: set[Truth] = set()
        for outcome in left:
            rest = where_left_lets if outcome is holds else right
            one = frozenset((outcome,))
            found |= and_(one, rest) if holds else not_(and_(not_(one), not_(rest)))
        return frozenset(found)

    def known_once(self, node: exp.Expression, holds: bool) -> frozenset[tuple[str, bool]]:
        """What is known once a test was true (`holds`), or was not."""
        while isinstance(node, exp.Paren):
            node = node.this
        if isinstance(node, exp.And if holds else exp.Or):
            return self.known_once(node.this, holds) | self.known_once(node.expression, holds)
        if isinstance(node, exp.Not) and holds:
            # Not true may be NULL; only what is never NULL turns round.
            inner = node.this.this if isinstance(node.this, exp.Paren) else node.this
            if isinstance(inner, exp.Is):
                return self.known_once(inner, False)
        if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
            symbol = self._operand(node.this).symbol
            return frozenset() if symbol is None else frozenset(((_nullness(symbol), holds is not _negated(node)),))
        found: set[tuple[str, bool]] = set()
        if holds and isinstance(node, tuple(_COMPARISONS)):
            # A comparison that is true has seen no NULL.
            symbols = (self._operand(side).symbol for side in (node.this, node.expression))
            found |= {(_nullness(symbol), False) for symbol in symbols if symbol is not None}
        symbol = self._operand(node).symbol
        if symbol is not None:
            found.add((symbol, holds))
            if holds and isinstance(node, exp.EQ | exp.NEQ):
                one, other = ("(EQ ", "(NEQ ") if isinstance(node, exp.EQ) else ("(NEQ ", "(EQ ")
                found.add((symbol.replace(one, other, 1), False))
        return frozenset(found)

    def _narrowed(self, found: Term) -> Term:
        """A term as far as it is known by now whether it is NULL."""
        if found.symbol is None or not self._state.assumed or not found.nulls:
            return found
        nullness = _nullness(found.symbol)
        if (nullness, True) in self._state.assumed:
            return NULL
        return replace(found, nulls=False) if (nullness, False) in self._state.assumed else found

    def _column(self, node: exp.Column) -> Term:
        return self._narrowed(self._plain_column(node))

    def _plain_column(self, node: exp.Column) -> Term:
        name = identifier(node.this)
        qualifier = identifier(node.args.get("table"))
        if name is None:
            return UNKNOWN
        if qualifier in ("new", "old") and node.args.get("db") is None:
            return self._state.field(qualifier, name)
        if self._columns is not None and (found := self._columns(node)) is not None:
            return found
        return UNKNOWN if qualifier is not None else self._state.variable(name)

    def _cast(self, node: exp.Cast) -> Term:
        inner = self.term(node.this)
        target = node.args["to"]
        kind = target.this
        kind_name = kind.value if isinstance(kind, exp.DataType.Type) else str(kind)
        if kind_name.upper() in _TEXT_KEEPING and not target.expressions:
            return inner
        if inner.constants == frozenset():
            return NULL
        symbol = None if inner.symbol is None else f"cast({inner.symbol} as {target.sql('postgres')})"
        return Term(inner.nulls, None, symbol)

    def _comparison(self, node: exp.Expression, operator: str) -> Term:
        left, right = node.this, node.expression
        quantified = quantifier(right)
        if quantified is not None:
            items = array_items(right)
            if items is None or (operator, quantified) not in (("=", "any"), ("<>", "all")):
                return UNKNOWN
            found = self._among(left, items)
            return boolean(found if operator == "=" else not_(found), self._name(node))
        one, other = self._fields(left), self._fields(right)
        if one is not None and other is not None:
            if operator not in ("=", "<>"):
                return UNKNOWN
            equal: set[Truth] = set(not_(distinct_rows(one, other)))
            # Two records compare NULL fields as equal, two row constructors give NULL for them.
            if any(field.nulls for field in (*one, *other)):
                equal.add(None)
            return boolean(equal if operator == "=" else not_(frozenset(equal)), self._name(node))
        return boolean(compare(operator, self._operand(left), self._operand(right)), self._name(node))

    def _distinct(self, left: exp.Expression, right: exp.Expression) -> frozenset[Truth]:
        one, other = self._fields(left), self._fields(right)
        if one is not None and other is not None:
            return distinct_rows(one, other)
        return distinct(self._operand(left), self._operand(right))

    def _fields(self, node: exp.Expression) -> tuple[Term, ...] | None:
        """The fields of a row: NEW, NEW.*, ROW(...), (a, b). None where the node is no row."""
        while isinstance(node, exp.Paren):
            node = node.this
        name = record(node)
        if name is not None and self._state.trigger is not None and self._state.table is not None:
            return tuple(self._state.field(name, column.name) for column in self._state.table.columns)
        if isinstance(node, exp.Tuple) or (isinstance(node, exp.Anonymous) and is_named(node, "row")):
            found: list[Term] = []
            for item in node.expressions:
                found.extend(self._fields(item) or (self._operand(item),))
            return tuple(found)
        return None

    def _is(self, node: exp.Is) -> Term:
        subject, what = node.this, node.expression
        negated = _negated(node)
        if isinstance(what, exp.Not):
            what = what.this
        fields = self._fields(subject)
        outcomes: frozenset[Truth]
        if isinstance(what, exp.Null):
            if fields is not None:
                return boolean(row_is_null(fields, negated))
            value = self._narrowed(self._operand(subject))
            outcomes = frozenset(
                outcome
                for outcome, possible in ((True, value.nulls), (False, value.constants != frozenset()))
                if possible
            )
        elif isinstance(what, exp.Boolean):
            outcomes = frozenset(outcome is bool(what.this) for outcome in self.truth(subject))
        else:
            return boolean((True, False))
        return boolean(not_(outcomes) if negated else outcomes, self._name(node))

    def _in(self, node: exp.In) -> Term:
        if node.args.get("query") is not None or not node.expressions:
            return UNKNOWN
        if any(isinstance(item, exp.Query) for item in node.expressions):
            return UNKNOWN
        return boolean(self._among(node.this, node.expressions), self._name(node))

    def _among(self, subject: exp.Expression, items: Iterable[exp.Expression]) -> frozenset[Truth]:
        value = self.term(subject)
        none: frozenset[Truth] = frozenset((True,))
        for item in items:
            none = and_(none, not_(compare("=", value, self.term(item))))
        return not_(none)

    def _coalesce(self, node: exp.Coalesce) -> Term:
        reached: list[Term] = []
        for item in (node.this, *node.expressions):
            value = self.term(item)
            if value.constants == frozenset():
                continue
            reached.append(value)
            if not value.nulls:
                break
        if not reached:
            return NULL
        if len(reached) == 1:
            return reached[0]
        return either(reached, reached[-1].nulls, self._symbol(node))

    def _nullif(self, node: exp.Nullif) -> Term:
        value = self.term(node.this)
        equal = compare("=", value, self.term(node.expression))
        if True not in equal:
            return value
        if equal == frozenset((True,)):
            return NULL
        return Term(True, value.constants, self._symbol(node), value.exact)

    def _case(self, node: exp.Case) -> Term:
        reached: list[Term] = []
        for branch in node.args["ifs"]:
            if node.this is not None:
                holds = compare("=", self.term(node.this), self.term(branch.this))
            else:
                holds = self.truth(branch.this)
            if True in holds:
                reached.append(self.term(branch.args["true"]))
            if holds == frozenset((True,)):
                break
        else:
            default = node.args.get("default")
            reached.append(NULL if default is None else self.term(default))
        if len(reached) == 1:
            return reached[0]
        return either(reached, any(value.nulls for value in reached), self._symbol(node))

    def _concatenation(self, node: exp.DPipe) -> Term:
        one, other = self.term(node.this), self.term(node.expression)
        if one.constants == frozenset() or other.constants == frozenset():
            return NULL
        constants = None
        if one.constants is not None and other.constants is not None:
            constants = frozenset(first + second for first in one.constants for second in other.constants)
        return Term(one.nulls or other.nulls, constants, self._symbol(node), one.exact and other.exact)

    def _member(self, node: exp.Expression) -> Term:
        """`document ->> 'key'`."""
        step = json_step(node)
        if step is not None and len(step[1]) == 1 and step[1][0] is not None:
            document = self.term(step[0])
            if document.constants == frozenset(("{}",)):
                return NULL
            for key, text in document.members:
                if key == step[1][0]:
                    return replace(self._other(node), nulls=document.nulls) if text is None else constant(text)
        return self._other(node)

    def _call(self, node: exp.Expression) -> Term:
        function = node
        if isinstance(node, exp.Dot):
            if identifier(node.this) != "pg_catalog":
                return UNKNOWN
            function = node.expression
        if isinstance(function, exp.Anonymous) and is_named(function, "pg_trigger_depth"):
            return constant(str(self._state.depth), number=True)
        return Term(True, None, self._symbol(function))

    def _other(self, node: exp.Expression) -> Term:
        if isinstance(node, _KEEPS_NULLNESS):
            inner = self.term(node.this)
            return NULL if inner.constants == frozenset() else Term(inner.nulls, None, self._symbol(node))
        if isinstance(node, exp.Binary) and any(
            self.term(side).constants == frozenset() for side in (node.this, node.expression)
        ):
            # PostgreSQL's own operators are strict.
            return NULL
        return Term(True, None, self._symbol(node))

    def _name(self, node: exp.Expression) -> str | None:
        """The symbol of a test."""
        return self._symbol(node) if self._naming else None

    def _operand(self, node: exp.Expression) -> Term:
        naming, self._naming = self._naming, True
        found = self.term(node)
        self._naming = naming
        return found

    def _symbol(self, node: exp.Expression) -> str | None:
        return symbol_of(node, lambda part: self.term(part).symbol)


def _nullness(symbol: str) -> str:
    """The name of the fact that a term is NULL."""
    return f"{symbol} IS NULL"


def _negated(node: exp.Is) -> bool:
    return bool(node.args.get("negate")) is not isinstance(node.expression, exp.Not)
