"""The tree of one PL/pgSQL body: every statement and every embedded SQL text with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trigger_audit.plpgsql.source import Comment as Comment
from trigger_audit.plpgsql.source import Fragment as Fragment
from trigger_audit.plpgsql.source import Source as Source
from trigger_audit.plpgsql.source import Span as Span
from trigger_audit.plpgsql.source import SyntaxProblem as SyntaxProblem


@dataclass(frozen=True, slots=True)
class Declaration:
    """A variable of a DECLARE section. `type_text` is as written (`public.t%ROWTYPE`, `text`, `record`)."""

    name: str
    type_text: str
    type_span: Span
    constant: bool
    not_null: bool
    default: Fragment | None
    span: Span


@dataclass(frozen=True, slots=True)
class AliasDeclaration:
    """`name ALIAS FOR target`."""

    name: str
    target: str
    span: Span


@dataclass(frozen=True, slots=True)
class CursorDeclaration:
    """`name CURSOR (arguments) FOR query`; arguments are (name, type text)."""

    name: str
    arguments: tuple[tuple[str, str], ...]
    query: Fragment
    span: Span


AnyDeclaration = Declaration | AliasDeclaration | CursorDeclaration


@dataclass(frozen=True, slots=True)
class Handler:
    """WHEN condition [OR condition] THEN statements. Conditions are lower-case names, or `sqlstate XXXXX`."""

    conditions: tuple[str, ...]
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Block:
    """[<<label>>] [DECLARE ...] BEGIN ... [EXCEPTION ...] END."""

    label: str | None
    declarations: tuple[AnyDeclaration, ...]
    body: tuple[Statement, ...]
    handlers: tuple[Handler, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Branch:
    """One condition with what it guards: of IF and ELSIF, and WHEN of CASE."""

    condition: Fragment
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[Branch, ...]
    otherwise: tuple[Statement, ...] | None
    span: Span


@dataclass(frozen=True, slots=True)
class Case:
    """CASE statement. Without ELSE and without a match PostgreSQL raises 20000."""

    subject: Fragment | None
    branches: tuple[Branch, ...]
    otherwise: tuple[Statement, ...] | None
    span: Span


@dataclass(frozen=True, slots=True)
class Loop:
    label: str | None
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class While:
    label: str | None
    condition: Fragment
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ForInteger:
    """FOR variable IN [REVERSE] lower..upper [BY step]."""

    label: str | None
    variable: str
    reverse: bool
    lower: Fragment
    upper: Fragment
    step: Fragment | None
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ForQuery:
    """FOR targets IN query."""

    label: str | None
    targets: tuple[str, ...]
    query: Fragment
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ForExecute:
    """FOR targets IN EXECUTE command USING parameters."""

    label: str | None
    targets: tuple[str, ...]
    command: Fragment
    parameters: tuple[Fragment, ...]
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ForCursor:
    """FOR target IN bound_cursor [(arguments)]."""

    label: str | None
    target: str
    cursor: str
    arguments: Fragment | None
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ForEach:
    """FOREACH targets [SLICE n] IN ARRAY expression."""

    label: str | None
    targets: tuple[str, ...]
    slice: int
    array: Fragment
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Exit:
    """EXIT or CONTINUE [label] [WHEN condition]."""

    is_exit: bool
    label: str | None
    condition: Fragment | None
    span: Span


@dataclass(frozen=True, slots=True)
class Return:
    """RETURN [expression]."""

    value: Fragment | None
    span: Span


@dataclass(frozen=True, slots=True)
class ReturnNext:
    value: Fragment | None
    span: Span


@dataclass(frozen=True, slots=True)
class ReturnQuery:
    """RETURN QUERY query, or RETURN QUERY EXECUTE command USING parameters."""

    query: Fragment
    dynamic: bool
    parameters: tuple[Fragment, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Raise:
    """RAISE. `level` is lower case (exception where none is written); all fields empty: re-raise."""

    level: str
    condition: str | None
    message: str | None
    parameters: tuple[Fragment, ...]
    options: tuple[tuple[str, Fragment], ...]
    rethrows: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Assert:
    condition: Fragment
    message: Fragment | None
    span: Span


@dataclass(frozen=True, slots=True)
class Assign:
    """target := value. `target` is as written: `v`, `new.email`, `rec.items[1]`."""

    target: str
    target_span: Span
    value: Fragment
    span: Span


@dataclass(frozen=True, slots=True)
class Sql:
    """An SQL statement, INTO taken out. `into` names the targets as written, `into_span` its clause."""

    sql: Fragment
    into: tuple[str, ...]
    into_span: Span | None
    strict: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Perform:
    """PERFORM query; `query` reads SELECT ... ."""

    query: Fragment
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """CALL procedure(...) and DO."""

    sql: Fragment
    span: Span


@dataclass(frozen=True, slots=True)
class Execute:
    """EXECUTE command [INTO [STRICT] targets] [USING parameters]."""

    command: Fragment
    into: tuple[str, ...]
    strict: bool
    parameters: tuple[Fragment, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class GetDiagnostics:
    """GET [STACKED] DIAGNOSTICS; items are (target, kind in lower case)."""

    stacked: bool
    items: tuple[tuple[str, str], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Open:
    """OPEN cursor [(arguments)] or OPEN cursor FOR query, or FOR EXECUTE command USING parameters."""

    cursor: str
    arguments: Fragment | None
    query: Fragment | None
    dynamic: bool
    parameters: tuple[Fragment, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Fetch:
    """FETCH or MOVE."""

    cursor: str
    is_move: bool
    into: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Close:
    cursor: str
    span: Span


@dataclass(frozen=True, slots=True)
class Null:
    span: Span


@dataclass(frozen=True, slots=True)
class Transaction:
    """COMMIT or ROLLBACK."""

    kind: str
    span: Span


AnyLoop = Loop | While | ForInteger | ForQuery | ForExecute | ForCursor | ForEach
Statement = (
    Block
    | If
    | Case
    | AnyLoop
    | Exit
    | Return
    | ReturnNext
    | ReturnQuery
    | Raise
    | Assert
    | Assign
    | Sql
    | Perform
    | Call
    | Execute
    | GetDiagnostics
    | Open
    | Fetch
    | Close
    | Null
    | Transaction
)


@dataclass(frozen=True, slots=True)
class Body:
    """A parsed body. `variable_conflict` is error (PostgreSQL's default), use_variable or use_column."""

    source: Source
    block: Block
    comments: tuple[Comment, ...]
    variable_conflict: str = "error"


def substatements(statement: Statement) -> Iterator[tuple[Statement, ...]]:
    """The statement lists directly inside a statement, in the order of the text, handlers last."""
    match statement:
        case Block():
            yield statement.body
            for handler in statement.handlers:
                yield handler.body
        case If() | Case():
            for branch in statement.branches:
                yield branch.body
            if statement.otherwise is not None:
                yield statement.otherwise
        case Loop() | While() | ForInteger() | ForQuery() | ForExecute() | ForCursor() | ForEach():
            yield statement.body
        case _:
            return


def walk(statement: Statement) -> Iterator[Statement]:
    """A statement and all below it, in the order of the text."""
    yield statement
    for group in substatements(statement):
        for inner in group:
            yield from walk(inner)
