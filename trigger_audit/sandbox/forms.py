"""What a statement of a migration is, as far as loading it depends on that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from trigger_audit.sandbox.splitter import Token, tokens

# The roles whose settings supautils lets postgres change; nobody changes those of the superuser.
SETTABLE_ROLES = ("anon", "authenticated", "service_role", "authenticator", "postgres")


# With which a statement begins that is not simply run as it is; most statements of a dump are INSERTs.
_TELLING = frozenset(
    "abort alter begin comment commit create drop end prepare reindex release rollback savepoint security start "
    "vacuum".split()
)
_WORD = re.compile(r"[A-Za-z]+", re.ASCII)


def first_word(statement: str) -> str:
    """The keyword that a statement begins with, in small letters; empty where it begins with none."""
    found = _WORD.match(statement)
    return found[0].lower() if found else ""


class Form(StrEnum):
    """How a statement is run."""

    PLAIN = "plain"
    BEGIN = "begin"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    SAVEPOINT = "savepoint"
    # Run as postgres, and with the superuser's rights where that is refused.
    ELEVATED = "elevated"
    # The same, and what is there already counts as applied.
    EXTENSION = "extension"
    WRAPPER = "wrapper"
    COLLATION = "collation"
    CONCURRENTLY = "concurrently"
    SKIPPED = "skipped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reading:
    """A statement's form, its leading words, and the text to send (which may differ in a word, never in length)."""

    form: Form
    words: tuple[str, ...]
    sent: str

    @property
    def extension(self) -> str | None:
        """The extension that CREATE EXTENSION names."""
        return self.name if self.form is Form.EXTENSION and self.words[0] == "create" else None

    @property
    def name(self) -> str:
        """What CREATE EXTENSION or FOREIGN DATA WRAPPER names; empty where there is nothing."""
        rest = self.words[4 if self.form is Form.WRAPPER else 2 :]
        named = rest[3:] if rest[:3] == ("if", "not", "exists") else rest
        return next(iter(named), "")


def read(statement: str) -> Reading:
    """Classifies a statement by its first words. The text is never parsed: it may be no SQL at all."""
    if first_word(statement) not in _TELLING:
        return Reading(Form.PLAIN, (), statement)
    head = tuple(islice(tokens(statement), 24))
    words = tuple(token.word for token in head if token.word)
    form = _form(words)
    sent = statement
    if form is Form.CONCURRENTLY:
        # Not allowed in a transaction; without the word the outcome is the same, and nobody else is waiting.
        sent = _without(
            statement, [token for token in head if token.kind == "word" and token.word == "concurrently"][:1]
        )
    elif form is Form.EXTENSION:
        # The platform ignores the version too, and a stand-in has but one.
        sent = _without(statement, _version_clause(head, "version" if words[0] == "create" else "to"))
    return Reading(form, words, sent)


def _form(words: tuple[str, ...]) -> Form:
    first = words[0] if words else ""
    second = words[1] if len(words) > 1 else ""
    if first in ("begin", "start"):
        return Form.BEGIN
    if first in ("commit", "end"):
        return Form.REFUSED if second == "prepared" else Form.COMMIT
    if first in ("rollback", "abort"):
        return Form.SAVEPOINT if "to" in words[1:4] else Form.ROLLBACK
    if first in ("savepoint", "release"):
        return Form.SAVEPOINT
    if first == "vacuum" or words[:2] in (("alter", "system"), ("security", "label")):
        return Form.SKIPPED
    if words[:2] in (("create", "database"), ("drop", "database"), ("prepare", "transaction")):
        return Form.REFUSED
    if words[:3] == ("comment", "on", "extension"):
        return Form.EXTENSION
    if second == "extension" and first in ("create", "alter", "drop"):
        return Form.EXTENSION
    if words[:4] == ("create", "foreign", "data", "wrapper"):
        return Form.WRAPPER
    if words[:2] == ("create", "collation"):
        return Form.COLLATION
    if _needs_superuser(words):
        return Form.ELEVATED
    if first in ("create", "drop", "reindex", "alter") and "concurrently" in words:
        return Form.CONCURRENTLY
    return Form.PLAIN


def _needs_superuser(words: tuple[str, ...]) -> bool:
    if words[:1] == ("alter",) and words[1:2] in (("role",), ("user",)):
        return words[2:3] != () and words[2] in SETTABLE_ROLES and ("set" in words[3:] or "reset" in words[3:])
    if words[:2] == ("alter", "database"):
        return "set" in words[3:4] or "reset" in words[3:4]
    if words[:3] in (("create", "event", "trigger"), ("drop", "event", "trigger")):
        return True
    if words[:3] == ("alter", "event", "trigger"):
        # One that fires always would also fire, with the superuser's rights, in statements that run with them.
        return words[-1] in ("enable", "disable")
    if words[:3] == ("drop", "foreign", "data"):
        return True
    return words[:2] in (("create", "publication"), ("alter", "publication"))


def _version_clause(head: tuple[Token, ...], keyword: str) -> list[Token]:
    for place, token in enumerate(head[:-1]):
        if token.kind == "word" and token.word == keyword and place > 2:
            return list(head[place : place + 2])
    return []


def _without(statement: str, removed: list[Token]) -> str:
    for token in removed:
        statement = statement[: token.start] + " " * (token.end - token.start) + statement[token.end :]
    return statement
