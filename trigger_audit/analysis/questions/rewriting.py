"""Writes a fragment's text anew with typed parameters for PL/pgSQL's variables, and finds places back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trigger_audit.analysis.questions.namespace import Fields, Frame, Lack, Nature, Row, Shape, Variable, lookup
from trigger_audit.analysis.questions.parsing import Reference
from trigger_audit.plpgsql.tree import Span

RECORD_OID = 2249
"""pg_type's `record`: as a parameter it has no fields, but may be handed to functions and compared."""

# Pseudo-types that no parameter can have (anyelement and its kin, internal, void ...) are PostgreSQL's own, all of them
# of category P.
PSEUDO_OIDS = frozenset({
    2276, 2277, 2278, 2279, 2280, 2281, 2283, 2776, 3500, 3831, 3838, 4537, 4538, 5077, 5078, 5079, 5080,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of the new text. `span` is its place in the body; `copied`: character by character.

    `field`: it stands for `record.field`, given as (record, field).
    """

    at: int
    length: int
    span: Span | None
    copied: bool
    field: tuple[str, str] | None = None


@dataclass(slots=True)
class Text:
    """A text under construction."""

    pieces: list[Piece] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    types: list[int] = field(default_factory=list)
    _length: int = 0
    _numbers: dict[tuple[int, str], int] = field(default_factory=dict)

    def add(self, text: str) -> None:
        """Words of ours, with no place in the body."""
        self._put(text, None, False, None)

    def copy(self, text: str, start: int) -> None:
        """Text of the body, from a character of it on."""
        if text:
            self._put(text, Span(start, start + len(text)), True, None)

    def replace(self, text: str, span: Span, names: tuple[str, str] | None = None) -> None:
        """Text that stands for a stretch of the body."""
        self._put(text, span, False, names)

    def parameter(self, variable: Variable, oid: int, column: str = "") -> str:
        """`$n` for a variable, or for one column of a record."""
        key = (id(variable), column)
        if key not in self._numbers:
            self.types.append(oid)
            self._numbers[key] = len(self.types)
        return f"${self._numbers[key]}"

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def piece_at(self, position: int) -> Piece | None:
        """The piece that holds a character of the text."""
        for piece in self.pieces:
            if piece.at <= position < piece.at + piece.length:
                return piece
        return None

    def _put(self, text: str, span: Span | None, copied: bool, names: tuple[str, str] | None) -> None:
        self.pieces.append(Piece(self._length, len(text), span, copied, names))
        self.parts.append(text)
        self._length += len(text)


@dataclass(frozen=True, slots=True)
class Missing:
    """A field that a record of known shape lacks."""

    record: str
    name: str
    span: Span


@dataclass(slots=True)
class Notes:
    """What came up while rewriting.

    `records`: a record's shape was asked for, which may be another one the next time.
    `partial`: something of unknown type became NULL. `pending`: a shape or type is not answered yet.
    `used`: references that became parameters, for the name-clash probes.
    """

    records: bool = False
    partial: bool = False
    pending: bool = False
    missing: list[Missing] = field(default_factory=list)
    used: list[Reference] = field(default_factory=list)


class Rewriter:
    """Puts parameters in place of variables, as one place of a body sees them.

    `arguments` are what `$1`, `$2` ... mean. `alone` holds references to be left as they are.
    """

    def __init__(
        self,
        frames: Sequence[Frame],
        shapes: Mapping[Variable, Shape],
        arguments: Sequence[Variable],
        aliases: frozenset[str] = frozenset(),
        alone: frozenset[Reference] = frozenset(),
    ) -> None:
        self._frames = frames
        self._shapes = shapes
        self._arguments = arguments
        self._aliases = aliases
        self._alone = alone
        self.text = Text()
        self.notes = Notes()

    def fragment(self, text: str, start: int, references: Sequence[Reference], offset: int = 0) -> None:
        """Adds a fragment's text whose first character stands at `start` of the body.

        `offset` is where the text begins in the one that the references were counted in.
        """
        at = 0
        for reference in references:
            begin, end = reference.start - offset, reference.end - offset
            if begin < at or end > len(text):
                continue
            span = Span(start + begin, start + end)
            replaced = self._replacement(reference, span)
            if replaced is None:
                continue
            self.notes.used.append(reference)
            self.text.copy(text[at:begin], start + at)
            self.text.replace(replaced[0], span, replaced[1])
            at = end
        self.text.copy(text[at:], start + at)

    def _replacement(self, reference: Reference, span: Span) -> tuple[str, tuple[str, str] | None] | None:
        """The text for a reference (None: it is no variable) and the (record, field) that it stands for."""
        if reference.is_output or reference in self._alone:
            return None
        if reference.parameter:
            if reference.parameter > len(self._arguments):
                return None
            variable = self._arguments[reference.parameter - 1]
            return self._whole(variable, reference), None
        names = reference.names
        # `a.*` is looked up as if a name stood for the star.
        found = lookup(self._frames, (*names, "*") if reference.star else names)
        if found is None:
            return None
        variable, used = found
        rest = names[used:]
        if not rest:
            return self._whole(variable, reference), None
        if len(rest) > 1:
            return None
        return self._field(variable, rest[0], names[0], span)

    def _shape(self, variable: Variable) -> Shape:
        match variable.nature:
            case Nature.COMPOSITE:
                return Row(variable.oid) if variable.oid is not None else Lack.UNKNOWN
            case Nature.PENDING:
                return Lack.PENDING
            case Nature.RECORD:
                self.notes.records = True
                return self._shapes.get(variable, Lack.UNKNOWN)
            case _:
                return Lack.UNKNOWN

    def _whole(self, variable: Variable, reference: Reference) -> str:
        if variable.nature is Nature.SCALAR and variable.oid is not None:
            return self.text.parameter(variable, variable.oid)
        shape = self._shape(variable)
        stars = reference.star and reference.expands
        match shape:
            case Row():
                number = self.text.parameter(variable, shape.oid)
                return f"{number}.*" if stars else number
            case Lack() if variable.nature is not Nature.RECORD:
                self._lack(shape)
                return "NULL"
        # Whatever its columns are: PL/pgSQL, too, hands a record over as one of no known type, so that `record.*` in a
        # list is refused (42809).
        number = self.text.parameter(variable, RECORD_OID)
        return f"{number}.*" if stars else number

    def _field(
        self, variable: Variable, name: str, record: str, span: Span
    ) -> tuple[str, tuple[str, str] | None] | None:
        shape = self._shape(variable)
        is_alias = record in self._aliases
        match shape:
            case Row():
                return f"{self.text.parameter(variable, shape.oid)}.{_quoted(name)}", (variable.name, name)
            case Fields():
                oid = next((oid for column, oid in shape.columns if column == name), None)
                if oid is None:
                    if not is_alias:
                        self.notes.missing.append(Missing(variable.name, name, span))
                        return "NULL", None
                    return None
                return self.text.parameter(variable, self._sendable(oid), name), (variable.name, name)
            case Lack():
                if is_alias:
                    return None
                self._lack(shape)
                return "NULL", None

    def _sendable(self, oid: int) -> int:
        # A result column of type unknown (705) has become text by the time a record holds it.
        return 25 if oid == 705 else oid

    def _lack(self, shape: Lack) -> None:
        if shape is Lack.PENDING:
            self.notes.pending = True
        else:
            self.notes.partial = True


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
