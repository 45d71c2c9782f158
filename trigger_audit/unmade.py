"""What statements that could not be applied would have made: whatever is missing for want of it is nobody's fault."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trigger_audit.findings.model import Finding
    from trigger_audit.sandbox.splitter import Token

MISSING = frozenset({"42P01", "42883", "42703", "42704", "3F000"})
"""SQLSTATEs of a relation, function, column, type or schema that is not there."""

_WORD = re.compile(r"[^\W\d][\w$]*")
_OF_RELATION = re.compile(r'of relation "([^"]+)"')
_MODIFIERS = frozenset(
    "or replace global local temporary temp unlogged materialized recursive foreign trusted procedural default".split()
)
# What makes nothing that a statement could name.
_NAMELESS = frozenset(
    "policy index unique trigger constraint rule publication subscription statistics event role user group database "
    "tablespace transform access operator cast language".split()
)
_WITH_COLUMNS = frozenset({"table", "view", "type"})
# Where an extension's objects go without WITH SCHEMA, and where Supabase's users put them.
_SHARED = frozenset({"public", "extensions"})
# Extensions that make a schema of their own, which their names do not tell.
_OWN_SCHEMAS = {"pg_cron": "cron", "pg_net": "net", "supabase_vault": "vault", "pg_graphql": "graphql"}


@dataclass(frozen=True, slots=True)
class Unmade:
    """One statement that was not applied. All names are in lower case and without a schema.

    `names` are relations, functions, types and schemas that it would have made, `columns` words among which there are
    its columns. `schemas` are those of which it would have filled everything. An `extension` brings functions and
    types of unknown names; `shared` are the schemas, with other things in them too, that it would have put these into.
    `loosely`: the names are but words that stand in it.
    """

    file: str
    line: int
    names: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()
    schemas: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    extension: bool = False
    loosely: bool = False

    @property
    def excuse(self) -> str:
        return f"{self.file}:{self.line} was not applied, and may have made it"


def unmade(file: str, line: int, statement: str) -> Unmade | None:
    """What the statement would have made; None where it makes nothing that a function could miss."""
    from trigger_audit.sandbox.splitter import tokens

    found = list(tokens(statement))
    words = [token.word for token in found]
    first = words[0] if words else ""
    if first == "create":
        start = 1
        while words[start : start + 1] and words[start] in _MODIFIERS:
            start += 1
        return _created(file, line, found, words, start)
    if first == "do":
        text = _words_of(found, strings=True)
        return Unmade(file, line, text, text, loosely=True)
    if first in ("select", "call"):
        # Functions that make things take the names as texts: pgmq.create('queue').
        return Unmade(file, line, _words(token.text for token in found if token.kind == "string"), loosely=True)
    if first == "alter":
        renamed = [word for word, before in zip(words[1:], words, strict=False) if before == "to"]
        moved = [_head(found, words, 2)[0]] if ("set", "schema") in pairwise(words) else []
        columns = _words_of(found, strings=False) if words[1:2] in (["table"], ["type"]) else frozenset[str]()
        return Unmade(file, line, _lower([*renamed, *moved]), columns)
    if words[:3] == ["import", "foreign", "schema"] and "into" in words:
        return Unmade(file, line, schemas=_lower(words[words.index("into") + 1 :][:1]))
    return None


def _created(file: str, line: int, found: list[Token], words: list[str], start: int) -> Unmade | None:
    kind = words[start] if words[start:] else ""
    if kind in _NAMELESS or not kind:
        return None
    columns = _words_of(found, strings=False) if kind in _WITH_COLUMNS else frozenset[str]()
    name, after = _head(found, words, start + 1)
    if kind != "extension":
        return Unmade(file, line, _lower([name]), columns)
    rest = words[after:]
    into = rest[rest.index("schema") + 1 :][:1] if "schema" in rest else []
    own = _lower([name, _OWN_SCHEMAS.get(name, name), *into]) - _SHARED
    shared = _lower(into) & _SHARED if into else _SHARED
    return Unmade(file, line, _lower([name]), schemas=own, shared=shared, extension=True)


def _head(found: list[Token], words: list[str], at: int) -> tuple[str, int]:
    """The last part of the dotted name from there on, and where it ends."""
    while words[at : at + 1] and words[at] in ("if", "not", "exists", "only", "table", "view"):
        at += 1
    while found[at + 1 : at + 2] and found[at + 1].text == ".":
        at += 2
    return (words[at] if words[at:] else ""), at + 1


def _words_of(found: Iterable[Token], *, strings: bool) -> frozenset[str]:
    return _words(token.text for token in found if strings or token.kind != "string")


def _words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word.lower() for text in texts for word in _WORD.findall(text))


def _lower(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names if name)


@dataclass(frozen=True, slots=True)
class NotMade:
    """All that was not applied. `known` are the names of functions, tables, views and types that are there, in whatever
    schema.
    """

    statements: tuple[Unmade, ...] = ()
    known: frozenset[str] = frozenset()

    @property
    def of_unknown_names(self) -> bool:
        """Whether there is something among it of which nobody knows here what it makes: `known` counts then."""
        return any(each.extension or each.loosely for each in self.statements)

    def maker(self, sqlstate: str | None, message: str, name: str) -> Unmade | None:
        """The first statement that may have made what is missing; None where none may, or nothing is missing.

        `name` is what the server complains of, perhaps with a schema and with argument types.
        """
        if sqlstate not in MISSING or message.startswith("operator "):
            return None
        *schemas, last = name.partition("(")[0].replace('"', "").lower().split(".")
        return next((each for each in self.statements if self._may(each, sqlstate, message, schemas, last)), None)

    def excuse(self, sqlstate: str | None, message: str) -> str | None:
        """Why a failure with this message (in English) says nothing of the target; None where it does say something."""
        from trigger_audit.analysis.questions.wording import complained_of

        maker = self.maker(sqlstate, message, complained_of(message, sqlstate))
        return None if maker is None else maker.excuse

    def _may(self, each: Unmade, sqlstate: str, message: str, schemas: list[str], last: str) -> bool:
        if sqlstate == "42703":
            relation = _OF_RELATION.search(message)
            there = relation is None or relation[1].lower() in each.columns
            return last in each.columns and there
        if last in each.names:
            # It is there, and was looked for under another search path: the classic fault, whatever a block holds.
            return schemas != [] or not each.loosely or last not in self.known
        if not each.schemas.isdisjoint(schemas):
            return True
        if sqlstate == "3F000":
            return last in each.schemas
        new = each.extension and sqlstate in ("42883", "42704") and last not in self.known
        return new and (not schemas or not each.shared.isdisjoint(schemas))

    def of_finding(self, finding: Finding) -> Unmade | None:
        """The statement that may have made what the finding misses; None where it is not about a name."""
        if finding.sqlstate is None or not finding.cause.startswith(f"{finding.sqlstate} "):
            return None
        return self.maker(finding.sqlstate, finding.message, finding.cause.partition(" ")[2])
