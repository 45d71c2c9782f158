"""A function's body as a flat list of statements: their SQL, the conditions above them and the handlers around them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from trigger_audit.analysis.model import BodyFacts, Condition, Expression, SqlFacts, StatementFacts
from trigger_audit.analysis.statements import read_expression, read_statement
from trigger_audit.analysis.targets import is_whole, target_parts, written_by
from trigger_audit.analysis.tokens import Tokens
from trigger_audit.plpgsql import flow, tree
from trigger_audit.plpgsql.lexer import BLANKS, identifier
from trigger_audit.plpgsql.parser import parse_body
from trigger_audit.plpgsql.sql_body import parse_sql_body

if TYPE_CHECKING:
    from trigger_audit.catalog.model import Function

_Listed = tree.Statement | tree.Declaration | tree.CursorDeclaration
_RETURN = re.compile(r"\s*return\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Read:
    body: tree.Body | None
    problem: tree.SyntaxProblem | None
    statements: tuple[StatementFacts, ...]
    assignments: Mapping[str, Expression | None]


def reading(bodies: dict[int, BodyFacts]) -> Callable[[Function], BodyFacts]:
    """`read_body`, which reads each function once and keeps it in `bodies` by oid."""

    def body_of(function: Function) -> BodyFacts:
        if function.oid not in bodies:
            bodies[function.oid] = read_body(function)
        return bodies[function.oid]

    return body_of


def read_body(function: Function) -> BodyFacts:
    """Parse and read a function's body. A language other than plpgsql and sql gives neither body nor problem."""
    arguments = tuple(name for name, _ in function.arguments if name)
    read = _read(function.language, function.source, arguments)
    return BodyFacts(function, read.body, read.problem, read.statements, read.assignments)


@lru_cache(maxsize=1024)
def _read(language: str, source: str, arguments: tuple[str, ...]) -> _Read:
    nothing: Mapping[str, Expression | None] = MappingProxyType({})
    if language not in ("plpgsql", "sql"):
        return _Read(None, None, (), nothing)
    try:
        body = parse_body(source) if language == "plpgsql" else parse_sql_body(source)
    except tree.SyntaxProblem as problem:
        return _Read(None, problem, (), nothing)
    statements = tuple(_Reader(body).statements())
    return _Read(body, None, statements, MappingProxyType(_assigned_once(statements, arguments)))


def _fragments(statement: _Listed) -> Iterator[tuple[tree.Fragment, bool]]:
    """The statement's own fragments, those of statements inside it left out; the second tells whole SQL statements."""
    match statement:
        case tree.Declaration(default=tree.Fragment() as default):
            yield default, False
        case tree.CursorDeclaration():
            yield statement.query, True
        case tree.If() | tree.Case():
            if isinstance(statement, tree.Case) and statement.subject is not None:
                yield statement.subject, False
            for branch in statement.branches:
                yield branch.condition, False
        case tree.While():
            yield statement.condition, False
        case tree.ForInteger():
            yield statement.lower, False
            yield statement.upper, False
            if statement.step is not None:
                yield statement.step, False
        case tree.ForQuery():
            yield statement.query, True
        case tree.ForExecute() | tree.Execute():
            yield statement.command, False
            yield from ((parameter, False) for parameter in statement.parameters)
        case tree.ForCursor(arguments=tree.Fragment() as arguments):
            yield from ((argument, False) for argument in _arguments(arguments))
        case tree.ForEach():
            yield statement.array, False
        case tree.Exit(condition=tree.Fragment() as condition):
            yield condition, False
        case tree.Return(value=tree.Fragment() as value) | tree.ReturnNext(value=tree.Fragment() as value):
            yield value, False
        case tree.ReturnQuery():
            yield statement.query, not statement.dynamic
            yield from ((parameter, False) for parameter in statement.parameters)
        case tree.Raise():
            yield from ((parameter, False) for parameter in statement.parameters)
            yield from ((option, False) for _, option in statement.options)
        case tree.Assert():
            yield statement.condition, False
            if statement.message is not None:
                yield statement.message, False
        case tree.Assign():
            yield statement.value, False
        case tree.Sql():
            # RETURN expression is the whole of a BEGIN ATOMIC or RETURN function's body.
            if (returned := _RETURN.match(statement.sql.text)) is not None:
                yield _part(statement.sql, returned.end(), len(statement.sql.text)), False
            else:
                yield statement.sql, True
        case tree.Call():
            yield statement.sql, True
        case tree.Perform():
            yield statement.query, True
        case tree.Open():
            if statement.arguments is not None:
                yield from ((argument, False) for argument in _arguments(statement.arguments))
            if statement.query is not None:
                yield statement.query, not statement.dynamic
            yield from ((parameter, False) for parameter in statement.parameters)


def _part(fragment: tree.Fragment, start: int, end: int) -> tree.Fragment:
    begin = fragment.span.start
    return tree.Fragment(fragment.text[start:end], tree.Span(begin + start, begin + end))


def _arguments(fragment: tree.Fragment) -> Iterator[tree.Fragment]:
    """A cursor's arguments one by one, the `name :=` before them cut off."""
    tokens = Tokens(fragment.text)
    for start, end in tokens.split(0, len(tokens.items)):
        begin = start + 2 if tokens.word(start + 1) in (":=", "=>") else start
        if begin < end:
            yield _part(fragment, tokens.items[begin].start, tokens.items[end - 1].end)


class _Reader:
    """Flattens one body."""

    def __init__(self, body: tree.Body) -> None:
        self._body = body
        self._expressions: dict[tree.Span, SqlFacts] = {}
        self._found: list[StatementFacts] = []

    def statements(self) -> list[StatementFacts]:
        """Every statement but the outermost block, in the order of the text, with the declarations of each block."""
        self._block(self._body.block, in_handler=False, loops=0)
        return self._found

    def _block(self, block: tree.Block, *, in_handler: bool, loops: int) -> None:
        for declaration in block.declarations:
            if not isinstance(declaration, tree.AliasDeclaration):
                self._add(declaration, in_handler=in_handler, loops=loops)
        self._list(block.body, in_handler=in_handler, loops=loops)
        for handler in block.handlers:
            self._list(handler.body, in_handler=True, loops=loops)

    def _add(self, statement: _Listed, *, in_handler: bool, loops: int) -> None:
        read = tuple(
            read_statement(fragment) if is_statement else self._expression(fragment)
            for fragment, is_statement in _fragments(statement)
        )
        guards = flow.guards_of(self._body, statement)
        around = flow.handlers_around(self._body, statement)
        self._found.append(
            StatementFacts(
                statement,
                statement.span,
                read,
                tuple(Condition(self._expression(guard.condition), guard.holds) for guard in guards),
                tuple(handler for _, handlers in around for handler in handlers),
                in_handler,
                loops,
            )
        )

    def _expression(self, fragment: tree.Fragment) -> SqlFacts:
        """Conditions are read once, though many statements stand under them."""
        if fragment.span not in self._expressions:
            self._expressions[fragment.span] = read_expression(fragment)
        return self._expressions[fragment.span]

    def _list(self, group: tuple[tree.Statement, ...], *, in_handler: bool, loops: int) -> None:
        for statement in group:
            self._add(statement, in_handler=in_handler, loops=loops)
            if isinstance(statement, tree.Block):
                self._block(statement, in_handler=in_handler, loops=loops)
                continue
            for below in tree.substatements(statement):
                self._list(below, in_handler=in_handler, loops=loops + isinstance(statement, tree.AnyLoop))


def _assigned_once(statements: tuple[StatementFacts, ...], arguments: tuple[str, ...]) -> dict[str, Expression | None]:
    """See BodyFacts.assignments. Arguments come with a value, names declared twice are two variables: both are out."""
    found: dict[str, list[Expression | None]] = {name: [None, None] for name in arguments}
    declared: set[str] = set()
    for facts in statements:
        statement = facts.statement
        if isinstance(statement, tree.Declaration):
            if statement.name in declared:
                found.setdefault(statement.name, []).append(None)
                found[statement.name].append(None)
            declared.add(statement.name)
            if statement.default is not None:
                found.setdefault(statement.name, []).append(_expression(facts))
        elif isinstance(statement, tree.Call):
            # CALL p(v) may write v: an OUT argument is no different to look at.
            for token in Tokens(statement.sql.text).items:
                if token.kind in ("word", "quoted"):
                    found.setdefault(identifier(token), []).extend((None, None))
        for target in written_by(statement):
            whole = isinstance(statement, tree.Assign) and is_whole(target)
            found.setdefault(target_parts(target)[0], []).append(_expression(facts) if whole else None)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _expression(facts: StatementFacts) -> Expression | None:
    (read,) = facts.sql
    if read.node is None:
        return None
    text = read.fragment.text
    bare = text.strip(BLANKS)
    start = read.fragment.span.start + len(text) - len(text.lstrip(BLANKS))
    return Expression(read.node, bare, tree.Span(start, start + len(bare)))
