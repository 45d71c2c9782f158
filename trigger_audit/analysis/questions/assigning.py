"""What PL/pgSQL assigns to: targets that must exist, literals that the target's type must take, shapes of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trigger_audit.analysis.model import Complaint
from trigger_audit.analysis.questions import branches
from trigger_audit.analysis.questions.namespace import Fields, Frame, Lack, Nature, Row, Shape, Variable, lookup
from trigger_audit.analysis.questions.parsing import Parsed, Unreadable
from trigger_audit.analysis.questions.types import oid_of
from trigger_audit.analysis.targets import is_whole, target_parts
from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.lexer import BLANKS
from trigger_audit.plpgsql.tree import Fragment, Span

if TYPE_CHECKING:
    from trigger_audit.analysis.questions.asking import Asker
    from trigger_audit.analysis.questions.rewriting import Rewriter
    from trigger_audit.analysis.questions.state import State

# text, varchar, char, name and unknown take any string.
_TAKES_ANY_STRING = frozenset({25, 1043, 1042, 19, 705})
# boolean; smallint, integer, bigint, real, double precision, numeric
_TAKES_CONSTANT = {"boolval": frozenset({16}), "ival": frozenset({21, 23, 20, 700, 701, 1700})}


class Targets:
    """Assignments of one body, asked about through its asker."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    def find(self, target: str, frames: Sequence[Frame]) -> Variable | None:
        """The variable that a target as written starts with."""
        found = lookup(frames, target_parts(target))
        return None if found is None else found[0]

    def variables(self, targets: Iterable[str], frames: Sequence[Frame]) -> set[Variable]:
        found = (self.find(target, frames) for target in targets)
        return {variable for variable in found if variable is not None}

    def known(self, names: Iterable[tuple[str, ...]], frames: Sequence[Frame]) -> set[Variable]:
        """The variables that references start with."""
        found = (lookup(frames, name) for name in names)
        return {pair[0] for pair in found if pair is not None}

    def alias(self, declaration: tree.AliasDeclaration, frames: Sequence[Frame]) -> Variable | None:
        """`name ALIAS FOR target`, where the target may be `$n`."""
        number = declaration.target.removeprefix("$")
        arguments = self._asker.arguments
        if number != declaration.target and number.isdigit():
            return arguments[int(number) - 1] if 0 < int(number) <= len(arguments) else None
        return self.find(declaration.target, frames)

    def assign(self, statement: tree.Assign, frames: Sequence[Frame], state: State, tests: bool) -> None:
        """`target := value`."""
        parts = target_parts(statement.target)
        found = lookup(frames, parts)
        if found is None and not statement.target.startswith("$"):
            self._unknown(".".join(parts), statement.target_span)
        if found is None or ((is_whole(statement.target) or found[1] == len(parts)) and "[" not in statement.target):
            variable = found[0] if found is not None else Variable(parts[0], Nature.UNKNOWN)
            shape = self.value(variable, statement.value, frames, state)
            if variable.nature is Nature.RECORD:
                state.shapes[variable] = self._assigned(shape)
            (state.tested.add if tests else state.tested.discard)(variable)
            return
        if not self._with_target(Fragment(statement.target, statement.target_span), statement.value, frames, state):
            self._asker.fragment(statement.value, frames, state, is_expression=True)

    def value(self, variable: Variable, value: Fragment, frames: Sequence[Frame], state: State) -> Shape:
        """What a whole variable is given, in DECLARE too. A literal is read by the variable's type."""
        literal = self._literal(value)
        if literal is None:
            return self._asker.fragment(value, frames, state, is_expression=True)
        if variable.nature is Nature.SCALAR and literal.strip() and not self._fits(value, variable.oid):
            parsed = self._asker.parsed(value, is_expression=True)
            assert isinstance(parsed, Parsed)

            def build(rewriter: Rewriter) -> None:
                assert variable.oid is not None
                # coalesce makes the server read the literal as the parameter's type.
                rewriter.text.add(f"SELECT coalesce({rewriter.text.parameter(variable, variable.oid)}, ")
                self._put_literal(rewriter, value, literal)
                rewriter.text.add("\n)")

            self._asker.built(parsed, build, value.span, frames, state)
        return Lack.UNKNOWN

    def into(
        self, targets: Sequence[str], shape: Shape | None, place: Span, frames: Sequence[Frame], state: State
    ) -> None:
        """INTO, FOR and FETCH targets. `shape` is what the query gives, None for what no record takes over."""
        source = self._asker.source.text
        for target in targets:
            parts = target_parts(target)
            at = source.find(target, place.start, place.end)
            span = Span(at, at + len(target)) if at >= 0 else place
            found = lookup(frames, parts)
            if found is None:
                if not target.startswith("$"):
                    self._unknown(".".join(parts), span)
            elif found[1] < len(parts):
                self._asker.fragment(Fragment(target, span), frames, state, is_expression=True)
            elif found[0].nature is Nature.RECORD:
                state.shapes[found[0]] = shape if shape is not None and len(targets) == 1 else Lack.UNKNOWN

    def no_destination(self, statement: Fragment) -> None:
        """A query whose rows go nowhere, which PL/pgSQL refuses when it runs (exec_stmt_execsql)."""
        text = statement.text
        start = statement.span.start + len(text) - len(text.lstrip(BLANKS))
        span = Span(start, start + len(text.strip(BLANKS)))
        hint = "If you want to discard the results of a SELECT, use PERFORM instead."
        self._asker.complain(Complaint("42601", "query has no destination for result data", "", span, hint))

    def matches(
        self,
        subject: Fragment,
        values: Fragment,
        shape: Shape | None,
        frames: Sequence[Frame],
        state: State,
        known: Mapping[str, str],
    ) -> bool | None:
        """CASE subject WHEN values: asks whether they compare; False where the subject is known to be another."""
        parsed = self._asker.parsed(values, is_expression=True)
        if isinstance(parsed, Unreadable):
            self._asker.fragment(values, frames, state, is_expression=True)
            return None
        oid = oid_of(shape)
        if oid is not None:
            hidden = Variable("case", Nature.SCALAR, 25 if oid == 705 else oid)

            def build(rewriter: Rewriter) -> None:
                assert hidden.oid is not None
                rewriter.text.add(f"SELECT {rewriter.text.parameter(hidden, hidden.oid)} IN (")
                rewriter.fragment(values.text, values.span.start, parsed.references)
                rewriter.text.add("\n)")

            self._asker.built(parsed, build, values.span, frames, state)
        compared = self._asker.parsed(subject, is_expression=True)
        text = branches.text_of(compared, known) if isinstance(compared, Parsed) else None
        items = [branches.text_of(_only(item), known) for item in parsed.fields.get("targetList", ())]
        return False if text is not None and items and None not in items and text not in items else None

    def _with_target(self, target: Fragment, value: Fragment, frames: Sequence[Frame], state: State) -> bool:
        """Asks about a field or an element that is assigned to; with a literal, whether the target's type takes it.

        Gives whether the value was asked about as well.
        """
        parsed = self._asker.parsed(target, is_expression=True)
        literal = self._literal(value)
        if isinstance(parsed, Unreadable) or literal is None or not literal.strip():
            self._asker.fragment(target, frames, state, is_expression=True)
            return literal == ""

        def build(rewriter: Rewriter) -> None:
            rewriter.text.add("SELECT coalesce(")
            rewriter.fragment(target.text, target.span.start, parsed.references)
            rewriter.text.add(", ")
            self._put_literal(rewriter, value, literal)
            rewriter.text.add("\n)")

        self._asker.built(parsed, build, Span(target.span.start, value.span.end), frames, state)
        return True

    @staticmethod
    def _put_literal(rewriter: Rewriter, value: Fragment, literal: str) -> None:
        if literal == value.text:
            rewriter.text.copy(literal, value.span.start)
        else:
            rewriter.text.replace(literal, value.span)

    def _literal(self, value: Fragment) -> str | None:
        """The value as a string literal where it is a constant; '' for NULL, None for what is no constant.

        A boolean or an integer has no cast to most types: PL/pgSQL then reads its text as the target's type.
        """
        constant = self._constant(value)
        if "sval" in constant:
            return value.text
        if "boolval" in constant:
            return "'true'" if constant["boolval"].get("boolval") else "'false'"
        if "ival" in constant:
            return f"'{constant['ival'].get('ival', 0)}'"
        return "" if "isnull" in constant else None

    def _constant(self, value: Fragment) -> dict[str, Any]:
        """libpg_query's A_Const where the value is nothing else, else {}."""
        parsed = self._asker.parsed(value, is_expression=True)
        if isinstance(parsed, Unreadable) or set(parsed.fields) - {"targetList", "limitOption", "op"}:
            return {}
        items = parsed.fields.get("targetList", ())
        constant: dict[str, Any] = items[0]["ResTarget"].get("val", {}).get("A_Const", {}) if len(items) == 1 else {}
        return constant

    def _fits(self, value: Fragment, oid: int | None) -> bool:
        """Whether a constant is of a type that the variable takes as it is."""
        constant = self._constant(value)
        if oid in _TAKES_ANY_STRING:
            return True
        return any(oid in oids for kind, oids in _TAKES_CONSTANT.items() if kind in constant)

    def _assigned(self, shape: Shape) -> Shape:
        """The shape of a record that is given an expression's value."""
        if not isinstance(shape, Fields):
            return shape
        oid = oid_of(shape)
        kind = self._asker.surroundings.catalog.types.get(oid) if oid is not None else None
        return Row(oid) if oid is not None and kind is not None and kind.kind == "c" else Lack.UNKNOWN

    def _unknown(self, name: str, span: Span) -> None:
        self._asker.complain(Complaint("42601", f'"{name}" is not a known variable', name, span))


def _only(item: dict[str, Any]) -> Parsed:
    return Parsed("SelectStmt", {"targetList": [item]})
