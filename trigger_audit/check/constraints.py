"""Where a statement that makes or alters a table says a constraint: the column or the clause, not the whole table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.sandbox.splitter import Token, tokens

if TYPE_CHECKING:
    from trigger_audit.sandbox.definitions import Definition

# By pg_constraint.contype, the word that only such a constraint has.
_WORDS = {"f": "references", "p": "primary", "u": "unique", "c": "check", "x": "exclude"}
_OF_TABLE = ("foreign", "primary", "unique", "exclude")


def part_of(definition: Definition) -> tuple[int, int] | None:
    """From and to which character of the statement; None where it is not said once and plainly.

    A constraint is known by its name, or where the server gave it one by its kind and columns.
    """
    parts = list(_parts(list(tokens(definition.statement))))
    name = definition.name.rpartition(".")[2]
    named = [part for part in parts if _names(part, name)]
    word = _WORDS.get(definition.constraint)
    fitting = named or [part for part in parts if word in _words(part) and _columns(part) == definition.columns]
    return (fitting[0][0].start, fitting[0][-1].end) if len(fitting) == 1 else None


def _parts(found: list[Token]) -> Iterator[list[Token]]:
    """What commas part: the list in the parentheses of CREATE TABLE, the actions of ALTER TABLE."""
    words = [token.word for token in found]
    if words[:1] == ["create"] and "table" in words[1:4]:
        opening = next((place for place, token in enumerate(found) if token.text == "("), len(found))
        found = found[opening + 1 :]
    elif words[:2] == ["alter", "table"]:
        found = found[next((place for place, word in enumerate(words) if word == "add"), len(found)) :]
    else:
        return
    part: list[Token] = []
    depth = 0
    for token in found:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth < 0:
            break
        if depth == 0 and token.text == ",":
            yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


def _words(part: list[Token]) -> list[str]:
    return [token.word if token.kind == "word" else "" for token in part]


def _names(part: list[Token], name: str) -> bool:
    """Whether CONSTRAINT name is in it."""
    words = _words(part)
    return any(word == "constraint" and after.word == name for word, after in zip(words, part[1:], strict=False))


def _columns(part: list[Token]) -> tuple[str, ...]:
    """Those of a table's constraint, else the column that it is said of."""
    words = _words(part)
    start = 0
    if words[:1] == ["add"]:
        start = 2 if words[1:2] == ["column"] else 1
        start += 3 if words[start : start + 3] == ["if", "not", "exists"] else 0
    if words[start : start + 1] and words[start] in _OF_TABLE:
        inside = part[words.index("", start) + 1 :] if "" in words[start:] else []
        closing = next((place for place, token in enumerate(inside) if token.text == ")"), len(inside))
        return tuple(token.word for token in inside[:closing] if token.word)
    return tuple(token.word for token in part[start : start + 1])
