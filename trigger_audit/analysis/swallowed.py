"""Handlers that keep the failure of a write from everybody: neither an exception nor a trace comes out of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.calls import Calls, sql_of
from trigger_audit.analysis.dynamic import command_of, constant_command
from trigger_audit.analysis.handlers import catcher, must_return
from trigger_audit.analysis.handling import LOGGED, UNEXPECTED, End, Way, ways_through
from trigger_audit.analysis.model import Site
from trigger_audit.analysis.targets import target_parts, written_by
from trigger_audit.auth.roles import QUEUES
from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.lexer import tokenise

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, BodyFacts, StatementFacts, Visit
    from trigger_audit.auth.model import Firing
    from trigger_audit.catalog.model import Function, Table

_KINDS = ("INSERT", "UPDATE", "DELETE", "MERGE")
_DYNAMIC_WRITE = re.compile(r"\s*(insert|update|delete|merge)\b", re.IGNORECASE)
# Calls that hand the news to somebody outside the transaction's tables.
_TELLING_CALL = re.compile(r"dblink\w*|pg_background_\w+|http(_\w+)?|pg_notify")
_NOTIFY = re.compile(r"\s*notify\b", re.IGNORECASE)
_RETRYING = (tree.Loop, tree.While, tree.ForInteger)
_LOOPS = (*_RETRYING, tree.ForQuery, tree.ForExecute, tree.ForCursor, tree.ForEach)
_MOST_CALLS = 4


@dataclass(frozen=True, slots=True, order=True)
class Lost:
    """A write whose failure is swallowed: its kind, and the table's name (None where an EXECUTE makes it up)."""

    kind: str
    table: str | None


@dataclass(slots=True)
class Swallower:
    """A handler with the writes that it protects, in the order of the cascade, and the visits that bring it there."""

    facts: BodyFacts
    handler: tree.Handler
    lost: dict[Lost, None] = field(default_factory=dict)
    reached: list[tuple[Visit, tuple[Firing, ...]]] = field(default_factory=list)


def swallowers(audit: Audit) -> Iterator[Swallower]:
    """Every handler in reach of the cascade that swallows the failure of a write, in the order in which it is met."""
    yield from _Search(audit).found().values()


class _Search:
    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._catalog = audit.catalog
        self._calls = Calls(audit.catalog)
        self._visits: dict[tuple[int, str, tuple[str, ...]], Visit] = {}
        self._first: dict[int, Visit] = {}
        self._silent: dict[tuple[int, int, tuple[str, ...]], bool] = {}
        self._used: dict[int, bool] | None = None

    def found(self) -> dict[tuple[int, int], Swallower]:
        found: dict[tuple[int, int], Swallower] = {}
        for site in self._audit.cascade.sites:
            if not site.statement.handlers and not site.visit.caught:
                continue
            for lost, table in self._writes(site):
                held = self._holder(site)
                if held is None or not self._swallows(*held):
                    continue
                visit, handler = held
                facts = self._audit.bodies[visit.function.oid]
                if not self._matters(table, facts, handler, visit):
                    continue
                key = (visit.function.oid, handler.span.start)
                swallower = found.setdefault(key, Swallower(facts, handler))
                swallower.lost[lost] = None
                swallower.reached.append((visit, site.firings))
        return found

    def _writes(self, site: Site) -> Iterator[tuple[Lost, Table | None]]:
        """The writes of a statement to tables that last; those of temporary ones are not in the catalog."""
        for sql in sql_of(site, self._catalog):
            for write in sql.writes:
                table = self._catalog.table(write.target.schema, write.target.name, site.visit.search_path)
                if table is not None and write.kind in _KINDS and table.schema not in QUEUES:
                    yield Lost(write.kind, table.name), table
        command = command_of(site.statement.statement)
        if command is not None and constant_command(site, self._catalog) is None:
            node = next((sql.node for sql in site.statement.sql if sql.fragment is command), None)
            literals = () if node is None else (literal for literal in node.find_all(exp.Literal) if literal.is_string)
            kinds = [found[1].upper() for literal in literals if (found := _DYNAMIC_WRITE.match(str(literal.this)))]
            if kinds:
                yield Lost(kinds[0], None), None

    def _holder(self, site: Site) -> tuple[Visit, tree.Handler] | None:
        """The handler that gets an error which nobody expects of a statement, and the visit that it stands in."""
        handler = catcher(site, UNEXPECTED)
        if handler is None or isinstance(handler, tree.Handler):
            return None if handler is None else (site.visit, handler)
        if not self._visits:
            for visit in self._audit.cascade.visits:
                self._visits.setdefault((visit.root.oid, visit.root_event, visit.via), visit)
        via = site.visit.via
        for depth in range(len(via) - 1, 0, -1):
            outer = self._visits.get((site.visit.root.oid, site.visit.root_event, via[:depth]))
            if outer is not None and outer.function.name == handler.function:
                return outer, handler.handler
        return None

    def _matters(self, table: Table | None, facts: BodyFacts, handler: tree.Handler, visit: Visit) -> bool:
        """Inside another handler what is written is that one's trace; unless it is the failed write, tried again."""
        block = _block_of(facts, handler)
        around = _handler_around(facts, block)
        if around is None or table is None:
            return around is None
        outer = _block_of(facts, around)
        first = range(outer.span.start, outer.handlers[0].span.start)
        return any(
            self._catalog.table(write.target.schema, write.target.name, visit.search_path) is table
            for statement in facts.statements
            for write in statement.writes
            if write.span.start in first
        )

    def _swallows(self, visit: Visit, handler: tree.Handler) -> bool:
        key = (visit.function.oid, handler.span.start, visit.search_path)
        known = self._silent.get(key)
        if known is None:
            known = self._silent[key] = self._keeps_silent(visit, handler)
        return known

    def _keeps_silent(self, visit: Visit, handler: tree.Handler) -> bool:
        facts = self._audit.bodies[visit.function.oid]
        assert facts.body is not None
        block = _block_of(facts, handler)
        loop = _innermost(facts, block, _LOOPS)
        handed_over = _read_outside(facts, handler, loop)
        by_statement = {id(statement.statement): statement for statement in facts.statements}

        def tells(statement: tree.Statement) -> bool:
            if any(target_parts(target)[0] in handed_over for target in written_by(statement)):
                return True
            known = by_statement.get(id(statement))
            return known is not None and self._tells(visit, facts, known)

        ways = ways_through(handler.body, UNEXPECTED, tells)
        silent = {way for way in ways if not way.told and not way.raises(must_return(facts, handler))}
        # Where success leaves, what comes after is there for the failure: a loop's next round, or the next attempt.
        tries: tree.Statement | None = None
        if isinstance(loop, _RETRYING) and _leaves_when_done(loop):
            tries = loop
        elif all(way.end is not End.FALLS for way in ways_through(block.body, UNEXPECTED)):
            tries = block
        if tries is not None:
            aloud = any(
                isinstance(statement.statement, tree.Raise) or self._tells(visit, facts, statement)
                for statement in facts.statements
                if statement.span.start >= tries.span.end
            )
            silent = {way for way in silent if not _tried_again(way, tries, aloud)}
        return bool(silent) and not self._result_is_used(visit.function)

    def _tells(self, visit: Visit, facts: BodyFacts, statement: StatementFacts, depth: int = 0) -> bool:
        """Whether a statement leaves something behind that somebody can find later."""
        written = statement.statement
        if isinstance(written, tree.Raise) and written.level in LOGGED:
            return True
        if isinstance(written, tree.Assign) and target_parts(written.target)[0] == "new":
            return visit.trigger is not None and visit.trigger.timing == "BEFORE" and "." in written.target
        site = Site(visit, facts, statement, (), False)
        command = command_of(written)
        if command is not None and constant_command(site, self._catalog) is None:
            return True
        for sql in sql_of(site, self._catalog):
            if _NOTIFY.match(sql.fragment.text) and not sql.is_expression:
                return True
            for write in sql.writes:
                table = self._catalog.table(write.target.schema, write.target.name, visit.search_path)
                if table is not None and write.kind in ("INSERT", "UPDATE", "MERGE"):
                    return True
            if any(call.schema in QUEUES or _TELLING_CALL.fullmatch(call.name) for call in sql.calls):
                return True
            for function in self._calls.functions(sql, visit.search_path):
                if depth < _MOST_CALLS and self._tells_inside(function, visit, depth + 1):
                    return True
        return False

    def _tells_inside(self, function: Function, caller: Visit, depth: int) -> bool:
        facts = self._audit.bodies.get(function.oid)
        if facts is None or facts.body is None:
            # Another language: what it does with the error cannot be seen.
            return True
        if not self._first:
            for met in self._audit.cascade.visits:
                self._first.setdefault(met.function.oid, met)
        visit = self._first.get(function.oid, caller)
        return any(
            (isinstance(statement.statement, tree.Raise) and statement.statement.level == "exception")
            or self._tells(visit, facts, statement, depth)
            for statement in facts.statements
        )

    def _result_is_used(self, function: Function) -> bool:
        """Whether a caller looks at what the function returns: then that is where it says how it went."""
        if function.returns_trigger or function.returns == _VOID:
            return False
        if self._used is None:
            self._used = {}
            for site in self._audit.cascade.sites:
                for sql in site.statement.sql:
                    for called in self._calls.functions(sql, site.visit.search_path):
                        used = not isinstance(site.statement.statement, tree.Perform | tree.Call)
                        self._used[called.oid] = self._used.get(called.oid, False) or used
        return self._used.get(function.oid, False)


_VOID = 2278


def _block_of(facts: BodyFacts, handler: tree.Handler) -> tree.Block:
    assert facts.body is not None
    return next(
        block
        for block in tree.walk(facts.body.block)
        if isinstance(block, tree.Block) and any(own.span == handler.span for own in block.handlers)
    )


def _around(facts: BodyFacts, inner: tree.Statement) -> Iterator[tree.Statement]:
    """The statements around another, outermost first."""
    assert facts.body is not None
    for statement in tree.walk(facts.body.block):
        if statement is not inner and statement.span.start <= inner.span.start < statement.span.end:
            yield statement


def _handler_around(facts: BodyFacts, inner: tree.Block) -> tree.Handler | None:
    """The innermost handler in whose statements a block stands."""
    found: tree.Handler | None = None
    for statement in _around(facts, inner):
        if isinstance(statement, tree.Block):
            for handler in statement.handlers:
                if handler.span.start <= inner.span.start < handler.span.end:
                    found = handler
    return found


def _innermost(facts: BodyFacts, inner: tree.Block, kinds: tuple[type, ...]) -> tree.Statement | None:
    found: tree.Statement | None = None
    for statement in _around(facts, inner):
        if isinstance(statement, kinds):
            found = statement
    return found


def _read_outside(facts: BodyFacts, handler: tree.Handler, loop: tree.Statement | None) -> frozenset[str]:
    """The variables that are read behind the handler, in the next round of a loop too: what it sets there is a sign."""
    start = handler.span.end if loop is None else loop.span.start
    inside = range(handler.span.start, handler.span.end)
    return frozenset(
        token.word
        for statement in facts.statements
        if statement.span.start >= start and statement.span.start not in inside
        for sql in statement.sql
        for token in tokenise(sql.fragment.text)[0]
        if token.kind == "word"
    ) - {"new", "old"}


def _leaves_when_done(loop: tree.Statement) -> bool:
    """Whether a loop is left where no handler runs: then the next round is another try."""
    return any(isinstance(statement, tree.Return | tree.Exit) for statement in _outside_handlers(loop))


def _outside_handlers(statement: tree.Statement) -> Iterator[tree.Statement]:
    yield statement
    groups = (statement.body,) if isinstance(statement, tree.Block) else tree.substatements(statement)
    for group in groups:
        for inner in group:
            yield from _outside_handlers(inner)


def _tried_again(way: Way, tries: tree.Statement, aloud: bool) -> bool:
    """Whether a way leads into another attempt; where these have an end, something behind them must speak."""
    if way.end in (End.FALLS, End.CONTINUES):
        return isinstance(tries, tree.Loop) or aloud
    return way.end is End.EXITS and aloud
