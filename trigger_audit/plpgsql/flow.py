"""Control flow: what dominates a statement, which handlers are around it, and where a body can end without RETURN."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.lexer import tokenise
from trigger_audit.plpgsql.tree import Fragment, Span


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition that is known where a statement runs: that it held, or (False) that it did not: false or NULL."""

    condition: Fragment
    holds: bool


@dataclass(frozen=True, slots=True)
class _Around:
    guards: tuple[Guard, ...]
    handlers: tuple[tuple[tree.Block, tuple[tree.Handler, ...]], ...]


# Whether a condition always holds (True), never (False), or may do either (None).
Decide = Callable[[Fragment], bool | None]

_known: OrderedDict[int, tuple[tree.Body, dict[int, _Around]]] = OrderedDict()
_KEPT = 16


def guards_of(body: tree.Body, statement: tree.Statement | tree.AnyDeclaration) -> tuple[Guard, ...]:
    """The conditions that dominate a statement of the body, outermost first: branches taken and early exits passed."""
    return _index(body)[id(statement)].guards


def handlers_around(
    body: tree.Body, statement: tree.Statement | tree.AnyDeclaration
) -> tuple[tuple[tree.Block, tuple[tree.Handler, ...]], ...]:
    """The blocks whose handlers protect a statement, innermost first.

    A block's handlers protect neither its own declarations nor each other.
    """
    return _index(body)[id(statement)].handlers


def _index(body: tree.Body) -> dict[int, _Around]:
    """What is around each statement, by identity; kept for the bodies last asked about."""
    known = _known.get(id(body))
    if known is not None and known[0] is body:
        return known[1]
    index: dict[int, _Around] = {}
    _visit(body.block, _Around((), ()), index)
    _known[id(body)] = (body, index)
    while len(_known) > _KEPT:
        _known.popitem(last=False)
    return index


def _visit(statement: tree.Statement, around: _Around, index: dict[int, _Around]) -> None:
    index[id(statement)] = around
    match statement:
        case tree.Block():
            for declaration in statement.declarations:
                index[id(declaration)] = around
            protected = around
            if statement.handlers:
                protected = replace(around, handlers=((statement, statement.handlers), *around.handlers))
            _visit_list(statement.body, protected, index)
            for handler in statement.handlers:
                _visit_list(handler.body, around, index)
        case tree.If():
            inner = around
            for branch in statement.branches:
                _visit_list(branch.body, _with(inner, branch.condition, True), index)
                inner = _with(inner, branch.condition, False)
            _visit_list(statement.otherwise or (), inner, index)
        case tree.Case():
            inner = around
            for branch in statement.branches:
                # With a subject the WHEN is a value, not a condition: nothing is claimed.
                if statement.subject is None:
                    _visit_list(branch.body, _with(inner, branch.condition, True), index)
                    inner = _with(inner, branch.condition, False)
                else:
                    _visit_list(branch.body, around, index)
            _visit_list(statement.otherwise or (), inner, index)
        case tree.While():
            _visit_list(statement.body, _with(around, statement.condition, True), index)
        case tree.Loop() | tree.ForInteger() | tree.ForQuery() | tree.ForExecute() | tree.ForCursor() | tree.ForEach():
            _visit_list(statement.body, around, index)
        case _:
            pass


def _with(around: _Around, condition: Fragment, holds: bool) -> _Around:
    return replace(around, guards=(*around.guards, Guard(condition, holds)))


def _visit_list(statements: tuple[tree.Statement, ...], around: _Around, index: dict[int, _Around]) -> None:
    for statement in statements:
        _visit(statement, around, index)
        for condition, holds in _passed(statement):
            around = _with(around, condition, holds)


def _passed(statement: tree.Statement) -> tuple[tuple[Fragment, bool], ...]:
    """What is known behind a statement: branches of an IF that never come out of it were not taken."""
    if isinstance(statement, tree.If):
        known: list[tuple[Fragment, bool]] = []
        for branch in statement.branches:
            if _comes_out(branch.body):
                return tuple(known)
            known.append((branch.condition, False))
        if statement.otherwise is not None and len(statement.branches) == 1 and not _comes_out(statement.otherwise):
            return ()
        return tuple(known)
    if isinstance(statement, tree.Exit) and statement.condition is not None:
        return ((statement.condition, False),)
    if isinstance(statement, tree.Assert):
        return ((statement.condition, True),)
    return ()


def _comes_out(statements: tuple[tree.Statement, ...]) -> bool:
    """Whether control can go on behind a list."""
    return _Ends(lambda _: None).runs(statements).falls


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Whether control falls out of the end, and the labels that EXIT and CONTINUE leave for ('' the innermost loop)."""

    falls: bool
    exits: frozenset[str] = frozenset()


class _Ends:
    """Follows control through statements; `decide` knows conditions."""

    def __init__(self, decide: Decide) -> None:
        self._decide = decide

    def runs(self, statements: tuple[tree.Statement, ...]) -> _Outcome:
        exits: frozenset[str] = frozenset()
        for statement in statements:
            outcome = self.run(statement)
            exits |= outcome.exits
            if not outcome.falls:
                return _Outcome(False, exits)
        return _Outcome(True, exits)

    def run(self, statement: tree.Statement) -> _Outcome:
        match statement:
            case tree.Return():
                return _Outcome(False)
            case tree.Raise():
                return _Outcome(statement.level != "exception")
            case tree.Exit():
                return self._exit(statement)
            case tree.If():
                return self._if(statement)
            case tree.Case():
                outcomes = [self.runs(branch.body) for branch in statement.branches]
                # Without ELSE and without a match PostgreSQL raises 20000: control does not fall out there.
                if statement.otherwise is not None:
                    outcomes.append(self.runs(statement.otherwise))
                return _any(outcomes)
            case tree.Block():
                outcomes = [self.runs(statement.body), *(self.runs(handler.body) for handler in statement.handlers)]
                return self._labelled(_any(outcomes), statement.label)
            case tree.Loop():
                outcome = self.runs(statement.body)
                left = "" in outcome.exits or (statement.label is not None and statement.label in outcome.exits)
                return _Outcome(left, outcome.exits - {"", statement.label or ""})
            case (
                tree.While()
                | tree.ForInteger()
                | tree.ForQuery()
                | tree.ForExecute()
                | tree.ForCursor()
                | tree.ForEach()
            ):
                outcome = self.runs(statement.body)
                endless = isinstance(statement, tree.While) and self._decide(statement.condition) is True
                left = "" in outcome.exits or (statement.label is not None and statement.label in outcome.exits)
                return _Outcome(left or not endless, outcome.exits - {"", statement.label or ""})
            case _:
                return _Outcome(True)

    def _exit(self, statement: tree.Exit) -> _Outcome:
        decided = True if statement.condition is None else self._decide(statement.condition)
        if decided is False:
            return _Outcome(True)
        # CONTINUE goes on with the loop: it leaves the list, but not the loop.
        exits = frozenset({statement.label or ""}) if statement.is_exit else frozenset[str]()
        return _Outcome(decided is None, exits)

    def _if(self, statement: tree.If) -> _Outcome:
        outcomes: list[_Outcome] = []
        for branch in statement.branches:
            decided = self._decide(branch.condition)
            if decided is not False:
                outcomes.append(self.runs(branch.body))
            if decided is True:
                return _any(outcomes)
        outcomes.append(self.runs(statement.otherwise) if statement.otherwise is not None else _Outcome(True))
        return _any(outcomes)

    @staticmethod
    def _labelled(outcome: _Outcome, label: str | None) -> _Outcome:
        """EXIT with a block's label goes on behind the block."""
        if label is None or label not in outcome.exits:
            return outcome
        return _Outcome(True, outcome.exits - {label})


def _any(outcomes: list[_Outcome]) -> _Outcome:
    exits = frozenset[str]().union(*(outcome.exits for outcome in outcomes))
    return _Outcome(any(outcome.falls for outcome in outcomes), exits)


def falls_through(body: tree.Body, decide: Decide = lambda _: None) -> Span | None:
    """The outermost block's END where control can reach it without RETURN (2F005), else None.

    `decide` tells what is known of a condition; by default the words TRUE and FALSE alone are.
    """

    def known(condition: Fragment) -> bool | None:
        decided = decide(condition)
        if decided is None:
            return {"true": True, "false": False}.get(condition.text.strip().lower())
        return decided

    outcome = _Ends(known).run(body.block)
    # A label that nothing in the body bears is the function's own name: EXIT goes to the end then too.
    if not (outcome.falls or outcome.exits):
        return None
    tokens, _ = tokenise(body.source.slice(body.block.span))
    last = tokens[-3 if body.block.label is not None and tokens[-2].word != "end" else -2]
    return Span(body.block.span.start + last.start, body.block.span.end)
