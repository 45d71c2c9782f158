"""Walks one body in the order in which it runs and asks about every statement and expression of it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from trigger_audit.analysis.handlers import catches
from trigger_audit.analysis.handling import escapes
from trigger_audit.analysis.questions import branches
from trigger_audit.analysis.questions.asking import Asker, Notebook, is_query
from trigger_audit.analysis.questions.assigning import Targets
from trigger_audit.analysis.questions.made import made_names
from trigger_audit.analysis.questions.model import Job, Question, Reply, Report, Surroundings
from trigger_audit.analysis.questions.namespace import Fields, Frame, Lack, Nature, Shape, Variable
from trigger_audit.analysis.questions.parsing import Parsed, Unreadable
from trigger_audit.analysis.questions.state import State
from trigger_audit.analysis.questions.types import declared, oid_of, variable_of
from trigger_audit.analysis.questions.wording import MISSING_OBJECT
from trigger_audit.analysis.targets import target_parts
from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.tree import Fragment, Span

Waves = Generator[tuple[Question, ...], None, Report]

# plpgsql_compile's types of the special variables.
_SPECIAL = {
    "tg_name": 19, "tg_relname": 19, "tg_table_name": 19, "tg_table_schema": 19, "tg_op": 25, "tg_when": 25,
    "tg_level": 25, "tg_relid": 26, "tg_nargs": 23, "tg_argv": 1009,
}  # fmt: skip
_BOOLEAN, _TEXT, _INTEGER = 16, 25, 23


def examine(job: Job, surroundings: Surroundings, replies: Mapping[Question, Reply]) -> Waves:
    """Yields questions wave by wave, goes on when `replies` hold the answers, and returns what they add up to.

    A wave holds everything that can be asked; the next ones what depends on the columns and types just learnt.
    `replies` may be shared by many examinations, and hold answers already.
    """
    walk = _Walk(job, surroundings, replies)
    while True:
        walk.run()
        wanted = tuple(walk.asker.notes.wanted)
        if not wanted:
            break
        yield wanted
    notes = walk.asker.notes
    complaints = sorted(notes.complaints.values(), key=lambda found: (found.span.start, found.span.end, found.sqlstate))
    return Report(tuple(complaints), tuple(sorted(notes.unasked)))


class _Walk:
    def __init__(self, job: Job, surroundings: Surroundings, replies: Mapping[Question, Reply]) -> None:
        assert job.facts.body is not None
        self._job = job
        self._body = job.facts.body
        function = job.facts.function
        inputs = [declared(name, oid, surroundings) for name, oid in function.arguments]
        outer = Frame(function.proname, {variable.name: variable for variable in inputs if variable.name})
        for name, oid in job.outputs:
            if name:
                outer.variables[name] = declared(name, oid, surroundings)
        if function.language == "plpgsql":
            outer.variables["found"] = Variable("found", Nature.SCALAR, _BOOLEAN)
        self._found = outer.variables.get("found")
        if function.returns_trigger:
            row = surroundings.row_types.get(job.table.oid) if job.table is not None else None
            for name in ("new", "old"):
                nature = Nature.RECORD if row is None else Nature.COMPOSITE
                outer.variables[name] = Variable(name, nature, row)
            for name, oid in _SPECIAL.items():
                outer.variables[name] = Variable(name, Nature.SCALAR, oid)
        self._outer = outer
        self._table_names = branches.constants(job.table if function.returns_trigger else None)
        self._is_plpgsql = function.language == "plpgsql"
        self.asker = Asker(job, surroundings, replies, made_names(self._body), inputs)
        self._targets = Targets(self.asker)

    def run(self) -> None:
        """One pass. What is not answered yet is left for the next one."""
        self.asker.notes = Notebook()
        try:
            self._block(self._body.block, (self._outer,), State(self._job.search_path))
        except RecursionError:
            self.asker.unasked(self._body.block.span.start, "nested too deeply to be asked about")

    # Each of these gives whether control comes out at the end. `frames` come innermost first.

    def _list(self, statements: Sequence[tree.Statement], frames: tuple[Frame, ...], state: State) -> bool:
        return all(self._statement(statement, frames, state) for statement in statements)

    def _block(self, block: tree.Block, frames: tuple[Frame, ...], state: State) -> bool:
        frame = Frame(block.label)
        inner = (frame, *frames)
        for declaration in block.declarations:
            self._declare(declaration, frame, inner, state)
        before = state.copy()
        expects_missing = any(
            catches(tuple(name for name in handler.conditions if name != "others"), sqlstate)
            and not escapes(handler.body, sqlstate)
            for handler in block.handlers
            for sqlstate in MISSING_OBJECT
        )
        state.guarded = state.guarded or expects_missing
        ends = [state] if self._list(block.body, inner, state) else []
        if expects_missing:
            state.guarded = before.guarded
        changed = {key for key, shape in state.shapes.items() if before.shapes.get(key) != shape}
        for handler in block.handlers:
            caught = before.copy()
            for variable in changed:
                pending = state.shapes[variable] is Lack.PENDING
                caught.shapes[variable] = Lack.PENDING if pending else Lack.UNKNOWN
            errors = Frame(None, {name: Variable(name, Nature.SCALAR, _TEXT) for name in ("sqlstate", "sqlerrm")})
            if self._list(handler.body, (errors, *inner), caught):
                ends.append(caught)
        state.meet([end.copy() for end in ends])
        return bool(ends)

    def _declare(self, declaration: tree.AnyDeclaration, frame: Frame, frames: tuple[Frame, ...], state: State) -> None:
        match declaration:
            case tree.AliasDeclaration():
                variable = self._targets.alias(declaration, frames)
                if variable is not None:
                    frame.variables[declaration.name] = variable
            case tree.CursorDeclaration():
                arguments = Frame(declaration.name)
                for name, type_text in declaration.arguments:
                    at = self._body.source.text.find(type_text, declaration.span.start, declaration.span.end)
                    span = Span(max(at, declaration.span.start), max(at, declaration.span.start) + len(type_text))
                    arguments.variables[name] = variable_of(self.asker, name, type_text, span, frames)
                shape = self.asker.fragment(declaration.query, (arguments, *frames), state, is_expression=False)
                # refcursor; what it fetches is kept as its shape.
                cursor = Variable(declaration.name, Nature.SCALAR, 1790)
                state.shapes[cursor] = shape
                frame.variables[declaration.name] = cursor
            case tree.Declaration():
                variable = variable_of(
                    self.asker, declaration.name, declaration.type_text, declaration.type_span, frames
                )
                if declaration.default is not None:
                    self._targets.value(variable, declaration.default, frames, state)
                frame.variables[declaration.name] = variable

    def _statement(self, statement: tree.Statement, frames: tuple[Frame, ...], state: State) -> bool:
        match statement:
            case tree.Block():
                return self._block(statement, frames, state)
            case tree.If():
                return self._if(statement, frames, state)
            case tree.Case():
                return self._case(statement, frames, state)
            case _ if isinstance(statement, tree.AnyLoop):
                self._loop(statement, frames, state)
            case tree.Exit(condition=None):
                return False
            case tree.Return():
                if statement.value is not None and statement.value.text.strip().lower() not in ("new", "old", "null"):
                    self._expression(statement.value, frames, state)
                return False
            case tree.Raise():
                for fragment in (*statement.parameters, *(value for _, value in statement.options)):
                    self._expression(fragment, frames, state)
                return statement.level != "exception"
            case _:
                self._simple(statement, frames, state)
        return True

    def _simple(self, statement: tree.Statement, frames: tuple[Frame, ...], state: State) -> None:
        match statement:
            case tree.Exit(condition=Fragment() as condition):
                self._expression(condition, frames, state)
            case tree.ReturnNext(value=Fragment() as value):
                self._expression(value, frames, state)
            case tree.ReturnQuery(dynamic=True):
                self._dynamic(statement.query, statement.parameters, frames, state)
            case tree.ReturnQuery():
                self._query(statement.query, frames, state)
            case tree.Assert():
                self._expression(statement.condition, frames, state)
                if statement.message is not None:
                    self._expression(statement.message, frames, state)
            case tree.Assign():
                self._targets.assign(statement, frames, state, self._tests(statement.value, frames, state))
                self._follow(statement.value, state, is_expression=True)
            case tree.Sql():
                self._sql(statement, frames, state)
            case tree.Perform() | tree.Call():
                fragment = statement.query if isinstance(statement, tree.Perform) else statement.sql
                self._query(fragment, frames, state)
            case tree.Execute():
                shape = self._dynamic(statement.command, statement.parameters, frames, state)
                self._targets.into(statement.into, shape, statement.span, frames, state)
            case tree.GetDiagnostics():
                self._targets.into([target for target, _ in statement.items], None, statement.span, frames, state)
            case tree.Open():
                self._open(statement, frames, state)
            case tree.Fetch():
                cursor = self._targets.find(statement.cursor, frames)
                shape = state.shapes.get(cursor, Lack.UNKNOWN) if cursor is not None else Lack.UNKNOWN
                self._targets.into(statement.into, shape, statement.span, frames, state)

    def _sql(self, statement: tree.Sql, frames: tuple[Frame, ...], state: State) -> None:
        shape = self._query(statement.sql, frames, state)
        parsed = self.asker.parsed(statement.sql, is_expression=False)
        if isinstance(parsed, Unreadable):
            return
        if self._is_plpgsql and not statement.into and is_query(parsed):
            self._targets.no_destination(statement.sql)
        self._targets.into(statement.into, shape, statement.into_span or statement.span, frames, state)
        if parsed.tests_existence:
            state.tested.update(self._targets.variables(statement.into, frames))

    def _open(self, statement: tree.Open, frames: tuple[Frame, ...], state: State) -> None:
        if statement.arguments is not None and not any(sign in statement.arguments.text for sign in (":=", "=>")):
            self._expression(statement.arguments, frames, state)
        if statement.query is None:
            return
        shape: Shape
        if statement.dynamic:
            shape = self._dynamic(statement.query, statement.parameters, frames, state)
        else:
            shape = self._query(statement.query, frames, state)
        cursor = self._targets.find(statement.cursor, frames)
        if cursor is not None:
            state.shapes[cursor] = shape

    def _if(self, statement: tree.If, frames: tuple[Frame, ...], state: State) -> bool:
        ends: list[State] = []
        tested = False
        stays_inside = False
        goes_on: bool | None = None
        for branch in statement.branches:
            if goes_on is True:
                break
            self._expression(branch.condition, frames, state)
            tested = tested or self._tests(branch.condition, frames, state)
            goes_on = self._decided(branch.condition)
            if goes_on is False:
                continue
            inner = state.copy()
            inner.guarded = state.guarded or tested
            if self._list(branch.body, frames, inner):
                ends.append(inner)
            else:
                stays_inside = True
        if goes_on is not True:
            inner = state.copy()
            inner.guarded = state.guarded or tested
            if self._list(statement.otherwise or (), frames, inner):
                ends.append(inner)
            else:
                stays_inside = True
        guarded = state.guarded or (tested and stays_inside)
        state.meet(ends)
        state.guarded = guarded
        return bool(ends)

    def _case(self, statement: tree.Case, frames: tuple[Frame, ...], state: State) -> bool:
        ends: list[State] = []
        subject = statement.subject
        shape = self._expression(subject, frames, state) if subject is not None else None
        tested = subject is not None and self._tests(subject, frames, state)
        for branch in statement.branches:
            if subject is None:
                self._expression(branch.condition, frames, state)
                tested = tested or self._tests(branch.condition, frames, state)
                possible = self._decided(branch.condition)
            else:
                possible = self._targets.matches(subject, branch.condition, shape, frames, state, self._table_names)
            if possible is False:
                continue
            inner = state.copy()
            inner.guarded = state.guarded or tested
            if self._list(branch.body, frames, inner):
                ends.append(inner)
        if statement.otherwise is not None:
            inner = state.copy()
            inner.guarded = state.guarded or tested
            if self._list(statement.otherwise, frames, inner):
                ends.append(inner)
        guarded = state.guarded
        state.meet(ends)
        state.guarded = guarded
        return bool(ends)

    def _loop(self, statement: tree.Statement, frames: tuple[Frame, ...], state: State) -> None:
        frame = Frame(getattr(statement, "label", None))
        match statement:
            case tree.While():
                self._expression(statement.condition, frames, state)
            case tree.ForInteger():
                for bound in (statement.lower, statement.upper, statement.step):
                    if bound is not None:
                        self._expression(bound, frames, state)
                name = target_parts(statement.variable)[0]
                frame.variables[name] = Variable(name, Nature.SCALAR, _INTEGER)
            case tree.ForQuery():
                shape = self._query(statement.query, frames, state)
                self._targets.into(statement.targets, shape, statement.query.span, frames, state)
            case tree.ForExecute():
                shape = self._dynamic(statement.command, statement.parameters, frames, state)
                self._targets.into(statement.targets, shape, statement.command.span, frames, state)
            case tree.ForCursor():
                cursor = self._targets.find(statement.cursor, frames)
                record = Variable(target_parts(statement.target)[0], Nature.RECORD)
                state.shapes[record] = state.shapes.get(cursor, Lack.UNKNOWN) if cursor else Lack.UNKNOWN
                frame.variables[record.name] = record
            case tree.ForEach():
                self._expression(statement.array, frames, state)
                self._targets.into(statement.targets, None, statement.array.span, frames, state)
        inner = state.copy()
        (body,) = tree.substatements(statement)
        self._list(body, (frame, *frames), inner)
        guarded = state.guarded
        state.meet([state.copy(), inner])
        state.guarded = guarded

    def _query(self, fragment: Fragment, frames: tuple[Frame, ...], state: State) -> Shape:
        shape = self.asker.fragment(fragment, frames, state, is_expression=False)
        parsed = self.asker.parsed(fragment, is_expression=False)
        if self._found is not None and isinstance(parsed, Parsed):
            (state.tested.add if parsed.tests_existence else state.tested.discard)(self._found)
        self._follow(fragment, state, is_expression=False)
        return shape

    def _expression(self, fragment: Fragment, frames: tuple[Frame, ...], state: State) -> Shape:
        shape = self.asker.fragment(fragment, frames, state, is_expression=True)
        self._follow(fragment, state, is_expression=True)
        return shape

    def _dynamic(
        self, command: Fragment, parameters: Sequence[Fragment], frames: tuple[Frame, ...], state: State
    ) -> Shape:
        self._expression(command, frames, state)
        shapes = [self._expression(parameter, frames, state) for parameter in parameters]
        if Lack.PENDING in shapes:
            return Lack.PENDING
        oids = [oid_of(shape) for shape in shapes]
        if any(oid is None for oid in oids):
            return Lack.UNKNOWN
        return self.asker.dynamic(command, [oid for oid in oids if oid is not None], state)

    def _follow(self, fragment: Fragment, state: State, *, is_expression: bool) -> None:
        """What runs behind a statement that sets search_path runs under the new one."""
        parsed = self.asker.parsed(fragment, is_expression=is_expression)
        if isinstance(parsed, Parsed) and parsed.sets_path:
            state.path = parsed.path

    def _tests(self, fragment: Fragment, frames: tuple[Frame, ...], state: State) -> bool:
        """Whether an expression asks the catalog, or about the outcome of such a question."""
        parsed = self.asker.parsed(fragment, is_expression=True)
        if isinstance(parsed, Unreadable):
            return False
        names = [reference.names for reference in parsed.references if reference.names]
        return parsed.tests_existence or bool(self._targets.known(names, frames) & state.tested)

    def _decided(self, condition: Fragment) -> bool | None:
        parsed = self.asker.parsed(condition, is_expression=True)
        return None if isinstance(parsed, Unreadable) else branches.holds(parsed, self._table_names)


__all__ = ["Fields", "examine"]
