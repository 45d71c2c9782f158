"""What functions say of what ends with their transaction: PostgreSQL itself keeps that in no catalog.

Whether a temporary table is dropped at COMMIT, and whether a parameter was set for the transaction or the session, a
server process knows alone. So it is read in the sources of the functions, as far as it stands there word by word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_audit.resources import read_sql

if TYPE_CHECKING:
    from psycopg import Connection

_NAME = r'"(?:[^"]|"")+"|[a-z_][\w$]*'
_TABLE = re.compile(
    rf"\bcreate\s+(?:local\s+|global\s+)?temp(?:orary)?\s+table\s+(?:if\s+not\s+exists\s+)?(?:pg_temp\s*\.\s*)?({_NAME})?"
    r"([^;]*)",
    re.IGNORECASE,
)
_ON_COMMIT = re.compile(r"\bon\s+commit\s+(drop|delete\s+rows)\b", re.IGNORECASE)
_PARAMETER = rf"((?:{_NAME})(?:\s*\.\s*(?:{_NAME}))*)"
_SET_LOCAL = re.compile(rf"\bset\s+local\s+(time\s+zone\b|{_PARAMETER})", re.IGNORECASE)
_SET = re.compile(
    rf"(?:^|;|\bbegin|\bthen|\belse|\bloop)\s*set\s+(?:session\s+)?(?!local\b)(time\s+zone\b|{_PARAMETER}\s*(?:=|to\b))",
    re.IGNORECASE,
)
_SET_CONFIG = re.compile(r"\bset_config\s*\(\s*'([^']+)'\s*,", re.IGNORECASE)
_TRUE = re.compile(r"(?:is_local\s*(?:=>|:=)\s*)?'?(?:true|t|on|yes|1)'?(?:\s*::\s*bool(?:ean)?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Endings:
    """`dropped` and `emptied` are names of temporary tables, None among them stands for any that is put together at
    run time; `kept` those that are made without such an end. `local` and `lasting` are parameters set for the
    transaction and for the session, in lower case. `any`: some function says something of all this.
    """

    dropped: frozenset[str | None] = frozenset()
    emptied: frozenset[str | None] = frozenset()
    kept: frozenset[str | None] = frozenset()
    local: frozenset[str] = frozenset()
    lasting: frozenset[str] = frozenset()
    any: bool = False

    def drops(self, table: str) -> bool:
        return self._ends(table, self.dropped, self.emptied)

    def empties(self, table: str) -> bool:
        return self._ends(table, self.emptied, self.dropped)

    def _ends(self, table: str, so: frozenset[str | None], otherwise: frozenset[str | None]) -> bool:
        """Whether that alone is said of the table, or of all that have no name in the sources."""
        named = table if any(table in names for names in (so, otherwise, self.kept)) else None
        return named in so and named not in otherwise and named not in self.kept

    def resets(self, parameter: str) -> bool:
        """Whether nothing says that it was set for longer than the transaction."""
        return parameter.lower() not in self.lasting

    @property
    def custom(self) -> list[str]:
        """The parameters that only functions know, which PostgreSQL lists nowhere."""
        return sorted(name for name in self.local - self.lasting if "." in name)


def look_at_endings(connection: Connection) -> Endings:
    return read_endings(str(row[0]) for row in connection.execute(read_sql("smoke/endings.sql")))


def read_endings(sources: Iterable[str]) -> Endings:
    tables: dict[str, set[str | None]] = {"drop": set(), "delete": set(), "": set()}
    local: set[str] = set()
    lasting: set[str] = set()
    found = False
    for source in sources:
        found = True
        for name, rest in _TABLE.findall(source):
            end = _ON_COMMIT.search(rest)
            tables["" if end is None else end[1].split()[0].lower()].add(_plain(name) if name else None)
        local |= {_parameter(match[1]) for match in _SET_LOCAL.finditer(source)}
        lasting |= {_parameter(match[2] or match[1]) for match in _SET.finditer(source)}
        for name, is_local in _set_configs(source):
            (local if is_local else lasting).add(name)
    return Endings(
        frozenset(tables["drop"]),
        frozenset(tables["delete"]),
        frozenset(tables[""]),
        frozenset(local),
        frozenset(lasting),
        any=found,
    )


def _plain(name: str) -> str:
    """An identifier as the catalog has it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def _parameter(text: str) -> str:
    if text.lower().startswith("time") and text[4:].strip().lower() == "zone":
        return "timezone"
    return ".".join(part.strip().strip('"') for part in text.split(".")).lower()


def _set_configs(source: str) -> Iterator[tuple[str, bool]]:
    """The calls of set_config with the name as a constant: the name, and whether the last argument says `true`."""
    for match in _SET_CONFIG.finditer(source):
        depth, last = 1, match.end()
        for at in range(match.end(), len(source)):
            character = source[at]
            depth += (character in "([") - (character in ")]")
            if depth == 0:
                yield match[1].lower(), _TRUE.fullmatch(source[last:at].strip()) is not None
                break
            if character == "," and depth == 1:
                last = at + 1
