"""Which variable a name in a body means, by PL/pgSQL's rules, and what shape a record has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum


class Nature(Enum):
    """How a name before a dot is understood. UNKNOWN: the type could not be found out, anything goes."""

    SCALAR = "scalar"
    COMPOSITE = "composite"
    RECORD = "record"
    UNKNOWN = "unknown"
    PENDING = "pending"


@dataclass(eq=False, slots=True)
class Variable:
    """A variable of one declaration. `oid` is its type's, None for a record and where it is not known."""

    name: str
    nature: Nature
    oid: int | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """A record's columns, (name, type oid)."""

    columns: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A record that holds a value of a composite type."""

    oid: int


class Lack(Enum):
    """A shape that is not there: never to be known, or not answered yet."""

    UNKNOWN = "unknown"
    PENDING = "pending"


Shape = Fields | Row | Lack


@dataclass(slots=True)
class Frame:
    """One level of names: a block, a loop, or the function's own (arguments, NEW, TG_OP ...)."""

    label: str | None
    variables: dict[str, Variable] = field(default_factory=dict)


def lookup(frames: Iterable[Frame], names: tuple[str, ...]) -> tuple[Variable, int] | None:
    """The variable that a dotted name starts with, and how many of the names it takes (2 with a block's label).

    `frames` come innermost first. As plpgsql_ns_lookup: a scalar never has a name behind it, so `v.x` passes it by.
    """
    first = names[0]
    for frame in frames:
        found = frame.variables.get(first)
        if found is not None and (len(names) == 1 or found.nature is not Nature.SCALAR):
            return found, 1
        if len(names) > 1 and frame.label == first:
            found = frame.variables.get(names[1])
            if found is not None and (len(names) == 2 or found.nature is not Nature.SCALAR):
                return found, 2
    return None


def join(shapes: Iterable[Shape]) -> Shape:
    """What is known of a record where branches meet."""
    distinct = set(shapes)
    if Lack.PENDING in distinct:
        return Lack.PENDING
    return distinct.pop() if len(distinct) == 1 else Lack.UNKNOWN
