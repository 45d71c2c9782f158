"""Reads the function and line out of an error's CONTEXT, and finds the function's full name.

PostgreSQL writes the frames innermost first, a PL/pgSQL frame with the signature as regprocedure would (the schema is
left out where the function's own search_path covers it), an SQL-language frame with the bare quoted name and the number
of a statement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Error

_NAME = r'(?:"(?:[^"]|"")*"|[^\s".(),]+)'
_SIGNATURE = rf"(?:(?P<schema>{_NAME})\.)?(?P<name>{_NAME})\((?P<arguments>[^()]*(?:\([^()]*\)[^()]*)*)\)"
_PLPGSQL = re.compile(rf"PL/pgSQL function {_SIGNATURE}(?: line (?P<line>\d+) (?:at|during)|[^\n]*)")
# Where the body cannot be compiled: before any statement runs, so it is no frame that a handler could be in. The line
# is that of the last statement that was read to its end, which may be far above the fault.
_COMPILATION = re.compile(r'compilation of PL/pgSQL function "(?P<name>[^\n]+)" near line \d+')
_SQL = re.compile(r'SQL function "(?P<name>[^\n]+)" (?:statement \d+|during startup|during inlining)')
_ASCII_NAME = r'(?:"(?:[^"]|"")*"|[A-Za-z_][A-Za-z0-9_$]*)'
_OTHER_LANGUAGE = re.compile(
    rf"(?:(?P<schema>{_ASCII_NAME})\.)?(?P<name>{_ASCII_NAME})\((?P<arguments>[^()]*)\)\D{{0,20}}?(?P<line>\d+)"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """`schema` and `arguments` (as written, None for an SQL function) may be missing; names are unquoted."""

    schema: str | None
    name: str
    arguments: str | None
    line: int | None

    def may_be(self, schema: str, name: str) -> bool:
        """Whether the function of that name can be meant: the server leaves a schema out that is on the path."""
        return self.name == name and self.schema in (None, schema)

    @property
    def text(self) -> str:
        qualified = self.name if self.schema is None else f"{self.schema}.{self.name}"
        return qualified if self.arguments is None else f"{qualified}({self.arguments})"


def _unquoted(name: str | None) -> str | None:
    if name is not None and len(name) >= 2 and name[0] == name[-1] == '"':
        return name[1:-1].replace('""', '"')
    return name


def innermost_frame(context: str | None) -> Frame | None:
    """The innermost frame that belongs to a function; None where there is none.

    DO blocks are passed over. A server that speaks another language is read as far as the signature and a number go.
    """
    if not context:
        return None
    patterns = (_PLPGSQL, _SQL, _COMPILATION)
    found = [match for pattern in patterns if (match := pattern.search(context)) is not None]
    match = min(found, key=lambda match: match.start(), default=None) or _OTHER_LANGUAGE.search(context)
    return None if match is None else _frame(match)


def one_line(error: Error) -> str:
    """What the server said, or psycopg itself where it never got there."""
    return " ".join((error.diag.message_primary or str(error)).split())


def frames(context: str | None) -> tuple[Frame, ...]:
    """Every frame that belongs to a function, innermost first."""
    found = [match for pattern in (_PLPGSQL, _SQL) for match in pattern.finditer(context or "")]
    return tuple(_frame(match) for match in sorted(found, key=lambda match: match.start()))


def _frame(match: re.Match[str]) -> Frame:
    parts = match.groupdict()
    name = parts["name"] if match.re in (_SQL, _COMPILATION) else _unquoted(parts["name"])
    line = parts.get("line")
    return Frame(
        schema=_unquoted(parts.get("schema")),
        name=name or "",
        arguments=parts.get("arguments"),
        line=None if line is None else int(line),
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A function of the catalog: `fired` says that a trigger calls it."""

    schema: str
    name: str
    argument_types: tuple[str, ...]
    fired: bool

    @property
    def text(self) -> str:
        return f"{self.schema}.{self.name}({', '.join(self.argument_types)})"


def full_name(frame: Frame, candidates: list[Candidate]) -> str:
    """schema.name(argument types) where the candidates leave no doubt, else what the frame says."""
    fitting = [c for c in candidates if frame.arguments is None or _same_arguments(frame.arguments, c.argument_types)]
    if len(fitting) > 1:
        fitting = [candidate for candidate in fitting if candidate.fired]
    return fitting[0].text if len(fitting) == 1 else frame.text


def _same_arguments(written: str, types: tuple[str, ...]) -> bool:
    """Whether `written`, whose types may lack their schema, means the types."""
    if not types or not written:
        return not types and not written
    joined = ",".join(name.rpartition(".")[2] if "(" not in name else name for name in types)
    return re.sub(r"\w+\.|\s*(?<=,)\s*", "", written) == re.sub(r"\s*(?<=,)\s*", "", joined)


def shortened(context: str | None, lines: int = 20) -> str | None:
    """The first lines: a recursion's CONTEXT runs to megabytes."""
    if context is None:
        return None
    head = context.split("\n", lines)
    if len(head) <= lines:
        return context
    return "\n".join([*head[:lines], f"... ({head[lines].count(chr(10)) + 1} more lines)"])
