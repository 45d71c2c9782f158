"""What an exception handler does with an error: every way through its statements, and how that way ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.nodes import bare, column_of, literal_text
from trigger_audit.analysis.statements import read_expression
from trigger_audit.analysis.targets import target_parts
from trigger_audit.plpgsql import tree

if TYPE_CHECKING:
    from trigger_audit.plpgsql.tree import Fragment

UNEXPECTED = "ZZZZZ"
"""The SQLSTATE of an error that nobody names: of the conditions, OTHERS alone catches it."""

LOGGED = frozenset(("warning", "log"))
"""RAISE levels that reach the server's log: log_min_messages is `warning` by default and on Supabase, LOG ranks higher.

DEBUG, INFO and NOTICE go to the client alone, and Auth keeps none of them.
"""


class End(Enum):
    """How a way through statements ends: at their end, with RETURN, EXIT or CONTINUE, or in an exception."""

    FALLS = "falls"
    RETURNS = "returns"
    EXITS = "exits"
    CONTINUES = "continues"
    RAISES = "raises"


@dataclass(frozen=True, slots=True)
class Way:
    """One way through a handler. `told`: something that stays was done with the error on it."""

    end: End
    told: bool

    def raises(self, must_return: bool) -> bool:
        """Whether an exception comes out. `must_return`: where control falls out of the handler, that is 2F005."""
        return self.end is End.RAISES or (must_return and self.end is End.FALLS)


Tells = Callable[[tree.Statement], bool]


def never(_: tree.Statement) -> bool:
    """Tells nothing: for those who only ask whether an exception comes out."""
    return False


def ways_through(body: tuple[tree.Statement, ...], sqlstate: str, tells: Tells = never) -> frozenset[Way]:
    """Every way that an error of this SQLSTATE may take through a handler's statements.

    `tells` says of a statement whether it leaves something behind. Conditions on SQLSTATE and SQLERRM are decided as
    far as the SQLSTATE tells: an UNEXPECTED error has none of the states and texts that a condition may ask for.
    """
    return _Ways(sqlstate, _ErrorNames.of(body), tells).through(body, False)


def escapes(body: tuple[tree.Statement, ...], sqlstate: str, *, must_return: bool = False) -> bool:
    """Whether a handler's statements end in an exception whenever they get an error of this SQLSTATE."""
    return all(way.raises(must_return) for way in ways_through(body, sqlstate))


@dataclass(frozen=True, slots=True)
class _ErrorNames:
    """The names that hold the caught error's SQLSTATE, and those that hold its text or where it came from."""

    states: frozenset[str]
    others: frozenset[str]

    @staticmethod
    def of(body: tuple[tree.Statement, ...]) -> _ErrorNames:
        states, others = {"sqlstate"}, {"sqlerrm"}
        for statement in body:
            for inner in tree.walk(statement):
                if isinstance(inner, tree.GetDiagnostics) and inner.stacked:
                    for target, item in inner.items:
                        (states if item == "returned_sqlstate" else others).add(target_parts(target)[-1])
                elif isinstance(inner, tree.Assign):
                    value = inner.value.text.strip().lower()
                    if value in ("sqlstate", "sqlerrm"):
                        (states if value == "sqlstate" else others).add(target_parts(inner.target)[-1])
        return _ErrorNames(frozenset(states), frozenset(others))


class _Ways:
    def __init__(self, sqlstate: str, names: _ErrorNames, tells: Tells) -> None:
        self._sqlstate = sqlstate
        self._names = names
        self._tells = tells

    def through(self, statements: tuple[tree.Statement, ...], told: bool) -> frozenset[Way]:
        ended: set[Way] = set()
        here = {told}
        for statement in statements:
            found = {way for before in here for way in self._statement(statement, before)}
            here = {way.told for way in found if way.end is End.FALLS}
            ended |= {way for way in found if way.end is not End.FALLS}
            if not here:
                break
        return frozenset(ended | {Way(End.FALLS, after) for after in here})

    def _statement(self, statement: tree.Statement, told: bool) -> Iterable[Way]:
        told = told or self._tells(statement)
        match statement:
            case tree.Raise():
                return (Way(End.RAISES if statement.level == "exception" else End.FALLS, told),)
            case tree.Return():
                return (Way(End.RETURNS, told),)
            case tree.Exit():
                left = Way(End.EXITS if statement.is_exit else End.CONTINUES, told)
                return (left,) if statement.condition is None else (left, Way(End.FALLS, told))
            case tree.If():
                return self._branches(statement.branches, statement.otherwise or (), told)
            case tree.Case(subject=None):
                return self._branches(statement.branches, statement.otherwise, told)
            case tree.Case():
                return self._case(statement, told)
            case tree.Block():
                return self._block(statement, told)
            case _ if isinstance(statement, tree.AnyLoop):
                # A loop is taken to run: EXIT and CONTINUE are its own, and control comes out behind it.
                own = (End.FALLS, End.EXITS, End.CONTINUES)
                return {
                    Way(End.FALLS, way.told) if way.end in own else way for way in self.through(statement.body, told)
                }
        return (Way(End.FALLS, told),)

    def _branches(
        self, branches: tuple[tree.Branch, ...], otherwise: tuple[tree.Statement, ...] | None, told: bool
    ) -> set[Way]:
        """`otherwise` is None where PostgreSQL raises 20000 for want of a match."""
        found: set[Way] = set()
        for branch in branches:
            decided = self._decide(branch.condition)
            if decided is not False:
                found |= self.through(branch.body, told)
            if decided is True:
                return found
        return found | ({Way(End.RAISES, told)} if otherwise is None else self.through(otherwise, told))

    def _case(self, statement: tree.Case, told: bool) -> set[Way]:
        subject = _node(statement.subject)
        found: set[Way] = set()
        for branch in statement.branches:
            wanted = _node(branch.condition)
            decided = self._same(subject, [wanted]) if subject is not None and wanted is not None else None
            if decided is not False:
                found |= self.through(branch.body, told)
            if decided is True:
                return found
        rest = statement.otherwise
        return found | ({Way(End.RAISES, told)} if rest is None else self.through(rest, told))

    def _block(self, block: tree.Block, told: bool) -> set[Way]:
        """A block with handlers of its own may keep what is raised in it; what it does besides is taken to work."""
        found = set(self.through(block.body, told))
        raised = {way for way in found if way.end is End.RAISES}
        keeps = next((handler for handler in block.handlers if "others" in handler.conditions), None)
        if raised and keeps is not None:
            found -= raised
            for way in raised:
                found |= self.through(keeps.body, way.told)
        return found

    def _decide(self, condition: Fragment) -> bool | None:
        node = _node(condition)
        return None if node is None else self._truth(node)

    def _truth(self, node: exp.Expression) -> bool | None:
        node = bare(node)
        match node:
            case exp.Boolean():
                return bool(node.this)
            case exp.Not():
                inner = self._truth(node.this)
                return None if inner is None else not inner
            case exp.And() | exp.Or():
                sides = self._truth(node.this), self._truth(node.expression)
                absorbing = isinstance(node, exp.Or)
                if absorbing in sides:
                    return absorbing
                return None if None in sides else not absorbing
            case exp.EQ() | exp.NullSafeEQ():
                return self._same(node.this, [node.expression])
            case exp.NEQ() | exp.NullSafeNEQ():
                same = self._same(node.this, [node.expression])
                return None if same is None else not same
            case exp.In() if node.expressions:
                same = self._same(node.this, node.expressions)
                return None if same is None else same is not bool(node.args.get("negate"))
        # sqlglot keeps the NOT of NOT LIKE in the node.
        return bool(node.args.get("negate")) if self._sqlstate == UNEXPECTED and self._mentions(node) else None

    def _same(self, one: exp.Expression, others: list[exp.Expression]) -> bool | None:
        """Whether one is any of the others, as far as the error's SQLSTATE tells."""
        one, *others = (bare(node) for node in (one, *others))
        if len(others) == 1 and literal_text(one) is not None:
            one, others = others[0], [one]
        texts = [literal_text(node) for node in others]
        column = column_of(one)
        if column is not None and column[1] in self._names.states and None not in texts:
            return self._sqlstate in texts
        return False if self._sqlstate == UNEXPECTED and self._mentions(one) else None

    def _mentions(self, node: exp.Expression) -> bool:
        """Whether an expression looks at the error."""
        known = self._names.states | self._names.others
        columns = (column_of(column) for column in node.find_all(exp.Column))
        return any(column is not None and column[1] in known for column in columns)


def _node(fragment: Fragment | None) -> exp.Expression | None:
    return None if fragment is None else read_expression(fragment).node
