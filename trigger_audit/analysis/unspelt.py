"""What a text uses without spelling it: functions of operators, casts and fields, and what types bring with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.analysis.effects import effect_of

if TYPE_CHECKING:
    from trigger_audit.catalog.model import Catalog
    from trigger_audit.catalog.stored import Behind

_WORD = re.compile(r"\w+")
# Words that are operators without showing a symbol (LIKE, IN, ORDER BY ...).
_SPELT = frozenset(("=", "<>", "<", ">", "<=", ">=", "~~", "!~~", "~~*", "!~~*"))


class Unspelt:
    """By names and symbols alone, whatever the types are. `aggregates` are functions by name."""

    def __init__(self, catalog: Catalog, behind: Behind) -> None:
        self._catalog = catalog
        self._behind = behind
        self.aggregates = {
            function.proname: function for function in catalog.functions.values() if function.kind == "a"
        }
        self._by_word = _by_word(catalog, behind)
        self._fields = _fields(catalog)
        # Extensions bring hundreds of operators and casts, all of them harmless.
        self._operators = tuple(found for found in behind.operators if self._matters(found[1]))
        self._casts = tuple(found for found in behind.casts if self._matters(found[1]))

    def _matters(self, function: int) -> bool:
        return (
            function in self._catalog.functions or effect_of(*self._behind.names.get(function, (None, ""))) is not None
        )

    def always(self) -> Iterator[tuple[str, int]]:
        """(What it is, function) whose use may show in no text: casts, operators of keywords; event triggers, because
        smoke itself defines and alters."""
        yield from ((f"cast to {name}", oid) for name, oid in self._casts)
        yield from ((f"operator {symbol}", oid) for symbol, oid in self._operators if symbol in _SPELT)
        yield from ((f"event trigger {name}", oid) for name, oid in self._behind.events)

    def types_in(self, text: str) -> Iterator[int]:
        """The types that do something when a value is made of them."""
        if self._by_word:
            for word in _words(text) & self._by_word.keys():
                yield from self._by_word[word]

    def functions_in(self, text: str) -> Iterator[tuple[str, int]]:
        """(What it is, function) of the fields and operators."""
        if self._fields:
            for word in _words(text) & self._fields.keys():
                yield from ((word, oid) for oid in self._fields[word])
        yield from ((f"operator {symbol}", oid) for symbol, oid in self._operators if symbol in text)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _fields(catalog: Catalog) -> dict[str, tuple[int, ...]]:
    """Functions of one row, by name: PostgreSQL calls them for `profile.full_name` where that is no column."""
    found: dict[str, list[int]] = {}
    for function in catalog.functions.values():
        types = [catalog.types.get(oid) for _, oid in function.arguments[:1]]
        if function.takes(1) and any(known is not None and known.relation is not None for known in types):
            found.setdefault(function.proname.lower(), []).append(function.oid)
    return {name: tuple(oids) for name, oids in found.items()}


def _by_word(catalog: Catalog, behind: Behind) -> dict[str, tuple[int, ...]]:
    """The types that do something when a value is made of them, by the words that may stand for them in a body.

    Beside the type's own name these are the names of tables with such a column (`profiles%ROWTYPE`).
    """
    active = {
        oid
        for oid, known in catalog.types.items()
        if (known.kind == "d" and oid in behind.by_owner) or (known.kind == "r" and oid in behind.supports)
    }
    found: dict[str, list[int]] = {}
    for oid in active:
        found.setdefault(catalog.types[oid].name.lower(), []).append(oid)
    for table in catalog.tables.values() if active else ():
        for column in table.columns:
            if column.type_oid in active:
                found.setdefault(table.relation.lower(), []).append(column.type_oid)
    return {word: tuple(oids) for word, oids in found.items()}
