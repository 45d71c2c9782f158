"""What analysis knows of function bodies and of the cascade that runs them. Pure data: no connection, no opinion.

Spans are characters of the function's body (`plpgsql.tree.Span`). sqlglot nodes are of its PostgreSQL dialect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

    from trigger_audit.auth.model import Firing
    from trigger_audit.catalog.model import Catalog, Constraint, Function, Table, Trigger
    from trigger_audit.plpgsql import tree
    from trigger_audit.plpgsql.tree import Span


@dataclass(frozen=True, slots=True)
class Expression:
    """An SQL expression with its place. `text` is as written.

    `node` is a `Var` of the text where sqlglot cannot read the expression (WHERE CURRENT OF cursor).
    """

    node: exp.Expression
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation named in a statement, common table expressions and the statement's own aliases left out.

    Names are as PostgreSQL reads them: folded to lower case unless quoted. `span` covers the name, schema included.
    """

    schema: str | None
    name: str
    alias: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call by function syntax; special syntax (coalesce, nullif, CASE, casts, operators) is no call.

    `span` covers the name, schema included.
    """

    schema: str | None
    name: str
    arguments: int
    span: Span


@dataclass(frozen=True, slots=True)
class Assignment:
    """One column of an INSERT or SET list with what it gets.

    `value` is None for DEFAULT, and where the value cannot be told apart (`SELECT *`, a sub-select for several
    columns, a set operation, only a field or element of the column set); `is_default`
    tells the two apart. `column_span` is the column's name in the list (the table's name where the INSERT has no column
    list).
    """

    column: str
    value: Expression | None
    is_default: bool
    column_span: Span


@dataclass(frozen=True, slots=True)
class Conflict:
    """ON CONFLICT. `columns` are the target's plain columns (None: an expression), () without a target."""

    columns: tuple[str | None, ...]
    constraint: str | None
    predicate: str | None
    does_nothing: bool
    assignments: tuple[Assignment, ...]
    where: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Write:
    """An INSERT, UPDATE, DELETE, MERGE or TRUNCATE, also one inside a WITH.

    `columns` is the INSERT's column list as written, None without one (then the table's columns in order apply).
    `rows` holds one tuple of assignments for each VALUES row, or a single one for INSERT ... SELECT and UPDATE;
    it is empty for DELETE, TRUNCATE, MERGE and DEFAULT VALUES. An INSERT without column list gives its columns as '#1',
    '#2' ... in the table's order, and no rows at all where a `*` or a set operation hides how many values there are.
    """

    kind: str
    target: Relation
    columns: tuple[str, ...] | None
    rows: tuple[tuple[Assignment, ...], ...]
    where: Expression | None
    conflict: Conflict | None
    returning: bool
    in_with: bool
    span: Span


@dataclass(frozen=True, slots=True)
class SqlFacts:
    """One SQL fragment of a body, read.

    `problem` says why where a part could not be read: sqlglot refused it (`node` is None), or PostgreSQL's grammar did
    (then there are no writes, reads and calls either). Commands other than SELECT, INSERT, UPDATE, DELETE and MERGE
    have no node and no problem.

    `kept` is an expression's node. A statement's (`is_query`: one that sqlglot is to read) is read when asked for:
    the nodes of all statements would be most of what a large database's bodies take in memory, and reading them between
    other work takes twice the time (0.3 ms a function more). `refused` is the problem, as far as it is known before.
    """

    fragment: tree.Fragment
    is_expression: bool
    kept: exp.Expression | None
    is_query: bool
    refused: str | None
    writes: tuple[Write, ...]
    reads: tuple[Relation, ...]
    calls: tuple[FunctionCall, ...]

    @property
    def node(self) -> exp.Expression | None:
        """sqlglot's node; do not change it, it is shared."""
        if self.kept is not None or not self.has_node:
            return self.kept
        from trigger_audit.analysis.expressions import statement_node

        return statement_node(self.fragment.text)

    @property
    def has_node(self) -> bool:
        return self.kept is not None or (self.is_query and self.problem is None)

    @property
    def problem(self) -> str | None:
        if self.refused is not None or not self.is_query:
            return self.refused
        from trigger_audit.analysis.expressions import Unreadable, statement_node

        try:
            statement_node(self.fragment.text)
        except Unreadable as problem:
            return str(problem)
        return None


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that decides whether a statement runs; `holds` is what it must be. The node is None where unread."""

    expression: SqlFacts
    holds: bool


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """One statement of a body with its SQL, in the order of the text.

    `conditions` dominate it (branches taken, early exits passed), outermost first. `handlers` are the exception
    handlers around it, innermost block first: what they catch, and the handler's own place.
    `in_handler`: it stands inside a handler's body. `loop_depth` counts the loops around it.
    """

    statement: tree.Statement | tree.Declaration | tree.CursorDeclaration
    span: Span
    sql: tuple[SqlFacts, ...]
    conditions: tuple[Condition, ...]
    handlers: tuple[tree.Handler, ...]
    in_handler: bool
    loop_depth: int

    @property
    def writes(self) -> tuple[Write, ...]:
        return tuple(write for facts in self.sql for write in facts.writes)


@dataclass(frozen=True, slots=True)
class BodyFacts:
    """A function's body, read once. `body` is None where it could not be parsed or is no PL/pgSQL or SQL.

    `assignments` maps a variable that is assigned exactly once in the whole body (a DECLARE default counts) to the
    expression it gets; None where the once is a loop or the INTO of a query.
    """

    function: Function
    body: tree.Body | None
    problem: tree.SyntaxProblem | None
    statements: tuple[StatementFacts, ...]
    assignments: Mapping[str, Expression | None]


@dataclass(frozen=True, slots=True)
class Caught:
    """A handler around the call or write that led here: the function that holds it and the handler's line there.

    `block` is the same for the handlers of one block, `must_return` as in `handlers.must_return`; `handler` is the
    tree's, and no part of the identity.
    """

    function: str
    line: int
    conditions: tuple[str, ...]
    block: int
    must_return: bool
    handler: tree.Handler = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Visit:
    """One function running because an event on an audited table set it off.

    `trigger` is the one whose function this is (None for a helper that a body calls), `event` what fired it and `table`
    where. `root` and `root_event` start the cascade; `via` names every step, this one included, as in `findings.Path`.
    `role` runs its statements; `search_path` is in force, without the implicit pg_catalog.
    `firings` are the statements of Auth that may set it off, empty where the root table is none of Auth's.
    `certain` are the positions in `firings` of those that set it off for sure: no condition on the way depends on data.
    """

    function: Function
    trigger: Trigger | None
    table: Table | None
    event: str | None
    root: Trigger
    root_table: Table
    root_event: str
    via: tuple[str, ...]
    depth: int
    role: str
    search_path: tuple[str, ...]
    firings: tuple[Firing, ...]
    certain: frozenset[int]
    caught: tuple[Caught, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """One statement in one visit: what rules judge.

    `firings` are those of the visit in which its conditions may hold; `certain` tells whether a statement of a default
    flow runs it for sure. A site whose conditions can never hold is not made.
    """

    visit: Visit
    facts: BodyFacts
    statement: StatementFacts
    firings: tuple[Firing, ...]
    certain: bool


@dataclass(frozen=True, slots=True)
class Recursion:
    """A write that sets off, again, a trigger which is already running: the sites from the first run to the write.

    `cycle` are trigger names (schema.table.trigger), first and last the same; `tables` the tables on the way.
    `guarded` tells that the cascade stops by itself (pg_trigger_depth, a test that the change makes false) or may do
    so: `undecided` where that depends on data. Not guarded means that nothing but a missing row can stop it.
    """

    site: Site
    write: Write
    trigger: Trigger
    cycle: tuple[str, ...]
    tables: tuple[str, ...]
    guarded: bool
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class Deletion:
    """A foreign key in the closure of what deleting a row of an audited table deletes.

    `constraint` on `table`; `way` are the tables from the deleted one to the referenced one.
    """

    table: Table
    constraint: Constraint
    root_table: Table
    way: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hazard:
    """An effect that ROLLBACK does not undo: `call` in `function` at `line` (None for a function without lines)."""

    function: str
    line: int | None
    call: str
    effect: str


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the server said of a name or type when it parsed a statement of a body: exact, with the place.

    `name` is the thing complained of as the server quotes it (`profiles`, `gen_salt(unknown)`), or ''.
    """

    sqlstate: str
    message: str
    name: str
    span: Span
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """A privilege that a statement needs. `kind` is table, column, schema, sequence or function.

    `oid` identifies the object (for column: the table). `column` is a column's name; for a sequence, which is found by
    name (`oid` is 0), that name as SQL; '' for the other kinds.
    """

    role: str
    kind: str
    oid: int
    privilege: str
    column: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the server answered.

    `complaints` by (function oid, table oid or 0, search_path): see `ask.names`. `denied` holds the privileges that
    are missing. `unasked` lists (function oid, line, reason) of what could not be asked.
    """

    complaints: Mapping[tuple[int, int, tuple[str, ...]], tuple[Complaint, ...]]
    denied: frozenset[Requirement]
    unasked: tuple[tuple[int, int | None, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Cascade:
    """All that events on the audited tables set off. `unfollowed` are writes that close cycles too many to follow."""

    visits: tuple[Visit, ...]
    sites: tuple[Site, ...]
    recursions: tuple[Recursion, ...]
    deletions: tuple[Deletion, ...]
    unfollowed: tuple[Site, ...] = ()

    @property
    def reached(self) -> frozenset[int]:
        """The functions that run, by oid."""
        return frozenset(visit.function.oid for visit in self.visits)


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything a rule may look at."""

    catalog: Catalog
    tables: tuple[Table, ...]
    bodies: Mapping[int, BodyFacts]
    cascade: Cascade
    answers: Answers
