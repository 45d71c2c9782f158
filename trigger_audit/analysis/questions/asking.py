"""One fragment at one place of a body: from its text to a question, and from the reply to complaints and a shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trigger_audit.analysis.questions import branches
from trigger_audit.analysis.questions.model import Job, Question, Reply, Surroundings
from trigger_audit.analysis.questions.namespace import Fields, Frame, Lack, Shape, Variable
from trigger_audit.analysis.questions.parsing import ASKED, WRITES, Parsed, Reference, Unreadable, parse
from trigger_audit.analysis.questions.rewriting import Rewriter, Text
from trigger_audit.analysis.questions.wording import (
    BELIEVED,
    BELIEVED_OF_PARTS,
    MISSING_OBJECT,
    complaint,
    missing_field,
)
from trigger_audit.catalog.naming import quoted
from trigger_audit.plpgsql.lexer import tokenise
from trigger_audit.plpgsql.tree import Fragment, Span

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Complaint
    from trigger_audit.analysis.questions.state import State

Builder = Callable[[Rewriter], None]
_IN_PART = "a variable's type or a record's columns are not known: checked in part"
_NAMES_TABLES = frozenset({"TruncateStmt", "LockStmt", "RefreshMatViewStmt"})


@dataclass(slots=True)
class Notebook:
    """What one pass over a body finds."""

    wanted: dict[Question, None] = field(default_factory=dict)
    complaints: dict[tuple[str, Span, str], Complaint] = field(default_factory=dict)
    unasked: dict[tuple[int, str], None] = field(default_factory=dict)


class Asker:
    """Asks about fragments: what `replies` do not hold yet is wanted, and found there in a later pass."""

    def __init__(
        self,
        job: Job,
        surroundings: Surroundings,
        replies: Mapping[Question, Reply],
        made: frozenset[str],
        arguments: Sequence[Variable],
    ) -> None:
        assert job.facts.body is not None
        self.job = job
        self.source = job.facts.body.source
        self.surroundings = surroundings
        self._replies = replies
        self.notes = Notebook()
        self._made = made
        self.arguments = tuple(arguments)
        self._parsed: dict[tuple[str, int, bool], Parsed | Unreadable] = {}
        self._conflict = "use_column" if job.facts.function.language == "sql" else job.facts.body.variable_conflict
        self._transition = self._transition_tables()
        self._rewritten: dict[tuple[int, Span, frozenset[Reference]], Rewriter] = {}

    def reply(self, question: Question) -> Reply | None:
        """The server's answer, or None: then it is asked in the next wave."""
        found = self._replies.get(question)
        if found is None:
            self.notes.wanted[question] = None
        return found

    def parsed(self, fragment: Fragment, *, is_expression: bool) -> Parsed | Unreadable:
        key = (fragment.text, fragment.span.start, is_expression)
        if key not in self._parsed:
            try:
                self._parsed[key] = parse(fragment.text, is_expression=is_expression)
            except Unreadable as problem:
                self._parsed[key] = problem
        return self._parsed[key]

    def unasked(self, at: int, reason: str) -> None:
        self.notes.unasked[self.source.place(at)[0], reason] = None

    def complain(self, found: Complaint) -> None:
        self.notes.complaints.setdefault((found.sqlstate, found.span, found.message), found)

    def fragment(self, fragment: Fragment, frames: Sequence[Frame], state: State, *, is_expression: bool) -> Shape:
        """Asks about one fragment; gives the shape of its result."""
        parsed = self.parsed(fragment, is_expression=is_expression)
        if isinstance(parsed, Unreadable):
            return self._unreadable(parsed, fragment, state, is_expression=is_expression)
        if not is_expression and parsed.kind not in ASKED:
            self._utility(parsed, fragment, state)
            return Lack.UNKNOWN
        if self.surroundings.standby and parsed.takes_write_lock:
            self._without_lock(parsed, fragment, state)
            return Lack.UNKNOWN
        prefix, at = self._prefix(parsed, is_expression=is_expression)

        def build(rewriter: Rewriter) -> None:
            text, start = fragment.text, fragment.span.start
            if prefix and at:
                rewriter.fragment(text[:at], start, parsed.references)
                rewriter.text.add(f" {prefix}, ")
                rewriter.fragment(text[at:], start + at, parsed.references, at)
            else:
                rewriter.text.add(f"WITH {prefix} " if prefix else "")
                rewriter.text.add("SELECT " if is_expression else "")
                rewriter.fragment(text, start, parsed.references)

        return self.built(parsed, build, fragment.span, frames, state)

    def built(self, parsed: Parsed, build: Builder, place: Span, frames: Sequence[Frame], state: State) -> Shape:
        """Asks about a text that `build` puts together from fragments of `parsed`."""
        if state.path is None:
            self.unasked(place.start, "search_path is set to something that only the run tells")
            return Lack.UNKNOWN
        for relation in parsed.own_relations:
            if relation.name in self._made:
                self.unasked(place.start, f"{relation.name} is made by the function itself")
                return Lack.UNKNOWN
        rewriter = self._rewriter(parsed, build, place, frames, state)
        if rewriter.notes.pending:
            return Lack.PENDING
        for missing in rewriter.notes.missing:
            if not state.guarded:
                self.complain(missing_field(missing))
        # The server stops at the first error: behind a field that is not there, too, only names can be believed.
        partial = rewriter.notes.partial or bool(rewriter.notes.missing)
        reply = self.reply(Question(state.path, rewriter.text.text, tuple(rewriter.text.types)))
        if reply is None:
            return Lack.PENDING
        clashing = self._clashing(parsed, rewriter, state) if self._conflict != "use_variable" else ()
        if reply.sqlstate is not None and self._conflict == "use_column" and clashing:
            alone = self._rewriter(parsed, build, place, frames, state, frozenset(clashing))
            second = self.reply(Question(state.path, alone.text.text, tuple(alone.text.types)))
            if second is None:
                return Lack.PENDING
            if second.sqlstate is None:
                return Fields(second.columns)
        if reply.sqlstate is not None:
            self.judge(reply, rewriter.text, place, state, partial=partial)
            return Lack.UNKNOWN
        if self._conflict == "error":
            self._probe(parsed, build, clashing, place, frames, state)
        if rewriter.notes.partial:
            self.unasked(place.start, _IN_PART)
        if partial:
            return Lack.UNKNOWN
        return Fields(reply.columns)

    def judge(self, reply: Reply, text: Text, place: Span, state: State, *, partial: bool = False) -> None:
        """Notes an error as a complaint, or why it is none."""
        assert reply.sqlstate is not None
        if partial and reply.sqlstate not in BELIEVED_OF_PARTS:
            if not any(place.start <= span.start < place.end for _, span, _ in self.notes.complaints):
                self.unasked(place.start, _IN_PART)
        elif state.guarded and reply.sqlstate in MISSING_OBJECT:
            self.unasked(place.start, f"runs only where a test has found it, as the function expects: {reply.message}")
        elif reply.sqlstate in BELIEVED:
            found = complaint(reply, text, self.source.text, place)
            if found is not None:
                self.complain(found)
            else:
                self.unasked(place.start, f"could not be asked: {reply.message}")
        elif reply.sqlstate != "55000":
            self.unasked(place.start, f"the server would not say ({reply.sqlstate}: {reply.message})")

    def dynamic(self, command: Fragment, types: Sequence[int], state: State) -> Shape:
        """Asks about the text that EXECUTE runs, where it is always the same."""
        expression = self.parsed(command, is_expression=True)
        if isinstance(expression, Unreadable):
            return Lack.UNKNOWN
        text = branches.text_of(expression, branches.constants(self.job.table))
        if text is None:
            return Lack.UNKNOWN
        try:
            parsed = parse(text, is_expression=False)
        except Unreadable as problem:
            if not problem.refused:
                return Lack.UNKNOWN
            parsed = Parsed("SelectStmt", {})
        if parsed.kind not in ASKED or (self.surroundings.standby and parsed.takes_write_lock):
            return Lack.UNKNOWN
        written = Text()
        start = _literal_start(command, text)
        if start is not None:
            written.copy(text, start)
        else:
            # Nowhere in the body as it stands: all of it is the command's place.
            written.add(text)
        if state.path is None or any(relation.name in self._made for relation in parsed.own_relations):
            return Lack.UNKNOWN
        reply = self.reply(Question(state.path, text, tuple(types)))
        if reply is None:
            return Lack.PENDING
        if reply.sqlstate is not None:
            self.judge(reply, written, command.span, state)
            return Lack.UNKNOWN
        return Fields(reply.columns)

    def _rewriter(
        self,
        parsed: Parsed,
        build: Builder,
        place: Span,
        frames: Sequence[Frame],
        state: State,
        alone: frozenset[Reference] = frozenset(),
    ) -> Rewriter:
        """The text with parameters. It is kept for the next pass unless that may bring other types."""
        key = (id(parsed), place, alone)
        known = self._rewritten.get(key)
        if known is not None:
            return known
        aliases = frozenset(parsed.aliases | {relation.name for relation in parsed.relations})
        rewriter = Rewriter(frames, state.shapes, self.arguments, aliases, alone)
        build(rewriter)
        if not rewriter.notes.records and not rewriter.notes.pending:
            self._rewritten[key] = rewriter
        return rewriter

    def _unreadable(self, problem: Unreadable, fragment: Fragment, state: State, *, is_expression: bool) -> Shape:
        if not problem.refused or state.path is None:
            self.unasked(fragment.span.start, str(problem))
            return Lack.UNKNOWN
        # The server's grammar is the one that counts, and comes before any name is looked up.
        text = Text()
        text.add("SELECT " if is_expression else "")
        text.copy(fragment.text, fragment.span.start)
        reply = self.reply(Question(state.path, text.text, ()))
        if reply is None:
            return Lack.PENDING
        if reply.sqlstate == "42601":
            self.judge(reply, text, fragment.span, state)
        else:
            self.unasked(fragment.span.start, str(problem))
        return Lack.UNKNOWN

    def _utility(self, parsed: Parsed, fragment: Fragment, state: State) -> None:
        """The server takes names in utility statements as they are: relations are looked up on their own."""
        if parsed.kind in _NAMES_TABLES:
            self._relations(parsed, fragment, state)

    def _without_lock(self, parsed: Parsed, fragment: Fragment, state: State) -> None:
        """A standby parses no statement that takes a lock for writing: relations and target columns are looked up."""
        self.unasked(
            fragment.span.start, "a standby parses no writes: only relations and target columns were looked up"
        )
        self._relations(parsed, fragment, state)
        for target, columns in parsed.targets:
            if columns and not (target.schema is None and target.name in parsed.common_tables):
                text = Text()
                text.add("SELECT ")
                for number, column in enumerate(columns):
                    text.add(", " if number else "")
                    text.copy(fragment.text[column.start : column.end], fragment.span.start + column.start)
                text.add(" FROM ")
                text.copy(fragment.text[target.start : target.end], fragment.span.start + target.start)
                self._look_up(text, fragment.span, state)

    def _relations(self, parsed: Parsed, fragment: Fragment, state: State) -> None:
        for relation in parsed.own_relations:
            if relation.name not in self._made:
                text = Text()
                text.add("SELECT FROM ")
                text.copy(fragment.text[relation.start : relation.end], fragment.span.start + relation.start)
                self._look_up(text, fragment.span, state)

    def _look_up(self, text: Text, place: Span, state: State) -> None:
        if state.path is not None:
            reply = self.reply(Question(state.path, text.text, ()))
            if reply is not None and reply.sqlstate is not None:
                self.judge(reply, text, place, state)

    def _transition_tables(self) -> dict[str, str]:
        """Transition tables by name, with a common table expression that stands for them."""
        job = self.job
        if job.table is None or not job.facts.function.returns_trigger:
            return {}
        source = quoted(job.table.schema, job.table.relation)
        names = self.surroundings.transition_tables.get((job.table.oid, job.facts.function.oid), ())
        return {name: f"{quoted(name)} AS (SELECT * FROM {source})" for name in names}

    def _prefix(self, parsed: Parsed, *, is_expression: bool) -> tuple[str, int]:
        """The common table expressions to be put in, and where: 0 for a WITH of ours in front."""
        if not self._transition:
            return "", 0
        used = {relation.name for relation in parsed.own_relations if relation.schema is None}
        tables = ", ".join(text for name, text in self._transition.items() if name in used)
        return tables, 0 if is_expression or parsed.with_end is None else parsed.with_end

    def _clashing(self, parsed: Parsed, rewriter: Rewriter, state: State) -> list[Reference]:
        """References taken for variables that may be columns of the statement's tables too."""
        if not rewriter.notes.used:
            return []
        columns = self._columns(parsed, state, targets=False)
        with_target = columns | self._columns(parsed, state, targets=True)
        found = []
        for reference in rewriter.notes.used:
            if reference.parameter or reference.star:
                continue
            if len(reference.names) == 1:
                if reference.names[0] in (with_target if reference.sees_target else columns):
                    found.append(reference)
            elif reference.names[0] in parsed.aliases or any(
                relation.name == reference.names[0] for relation in parsed.relations
            ):
                found.append(reference)
        return found

    def _columns(self, parsed: Parsed, state: State, *, targets: bool) -> set[str]:
        """The names that columns in sight may have; `targets`: those of INSERT's tables, else of all others."""
        found: set[str] = set() if targets else set(parsed.results)
        for relation in parsed.own_relations:
            if (relation.start in parsed.inserted) is targets:
                table = self.surroundings.catalog.table(relation.schema, relation.name, state.path or ())
                if table is not None:
                    found.update(table.by_name)
        return found

    def _probe(
        self,
        parsed: Parsed,
        build: Builder,
        clashing: Sequence[Reference],
        place: Span,
        frames: Sequence[Frame],
        state: State,
    ) -> None:
        """42702: a name that the server takes for a column when it is left alone is a variable as well."""
        assert state.path is not None
        offset = place.start
        for reference in clashing:
            alone = self._rewriter(parsed, build, place, frames, state, frozenset({reference}))
            reply = self.reply(Question(state.path, alone.text.text, tuple(alone.text.types)))
            if reply is not None and reply.sqlstate is None:
                span = Span(offset + reference.start, offset + reference.end)
                self._ambiguous(".".join(reference.names), span)
        for column in parsed.conflict_columns:
            # The target of ON CONFLICT is looked up like any expression.
            seen = any(column.name in frame.variables for frame in frames)
            if seen:
                self._ambiguous(column.name, Span(offset + column.start, offset + column.end))

    def _ambiguous(self, name: str, span: Span) -> None:
        from trigger_audit.analysis.model import Complaint

        message = f'column reference "{name}" is ambiguous'
        hint = "It could refer to either a PL/pgSQL variable or a table column."
        self.complain(Complaint("42702", message, name, span, hint))


def _literal_start(command: Fragment, text: str) -> int | None:
    """Where the body holds a constant command character by character."""
    tokens = [token for token in tokenise(command.text)[0] if token.kind != "end"]
    if len(tokens) != 1 or tokens[0].kind != "string":
        return None
    token = tokens[0]
    at = token.text.find(text)
    return None if at < 0 else command.span.start + token.start + at


def is_query(parsed: Parsed) -> bool:
    """Whether a statement gives rows, which PL/pgSQL wants a destination for."""
    if parsed.kind == "SelectStmt":
        return True
    return parsed.kind in WRITES and bool(parsed.fields.get("returningList"))
