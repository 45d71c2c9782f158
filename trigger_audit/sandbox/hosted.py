"""What hosted Supabase says to statements about the platform's own schemas, which a sandbox is milder to."""

from __future__ import annotations

from itertools import islice

from trigger_audit.sandbox.forms import first_word
from trigger_audit.sandbox.splitter import tokens

# While loading, postgres is a member of these schemas' owners.
_SERVICE_SCHEMAS = frozenset({"auth", "storage", "realtime"})
_OWN_SCHEMAS = _SERVICE_SCHEMAS | frozenset(
    "_realtime graphql graphql_public net pgbouncer pgsodium supabase_functions vault".split()
)
_SHARED_SCHEMAS = frozenset({"cron", "extensions", "pgmq", "supabase_migrations"})
_VERBS = frozenset({"alter", "comment", "create", "drop"})
_KINDS = frozenset(
    "aggregate column domain function index materialized procedure routine rule sequence statistics table type "
    "view".split()
)
_MODIFIERS = frozenset("or replace unique global local temporary temp unlogged recursive".split())
_CONDITIONS = frozenset("if not exists only concurrently view".split())
# SQLSTATEs of what is there already: a schema, relation, function, another object, a column, a second primary key.
DUPLICATES = frozenset({"42P06", "42P07", "42723", "42710", "42701", "42P16"})


def refused_when_hosted(statement: str) -> str | None:
    """The object of a service that hosted Supabase does not let postgres change so, or None.

    While loading, postgres may do more to the services' tables than on the platform; what it does is told.
    """
    found = _object(statement)
    return f"{found[0]}.{found[1]}" if found is not None and found[0] in _SERVICE_SCHEMAS else None


def of_platform(statement: str) -> str | None:
    """The object in a schema that is the platform's own, or the schema itself, which the statement is about.

    A dump of a whole database makes them all. None for what is a project's, or may be.
    """
    words = tuple(token.word for token in islice(tokens(statement), 8))
    if words[:3] == ("create", "publication", "supabase_realtime"):
        return words[2]
    if words[:2] == ("create", "schema"):
        named = words[5:6] if words[2:5] == ("if", "not", "exists") else words[2:3]
        return named[0] if _OWN_SCHEMAS.union(_SHARED_SCHEMAS).issuperset(named) and named else None
    found = _object(statement)
    return f"{found[0]}.{found[1]}" if found is not None and found[0] in _OWN_SCHEMAS else None


def _object(statement: str) -> tuple[str, str] | None:
    """Schema and name of the table, function or the like that a statement makes, changes, drops or comments on.

    That of the table for what is made on one; none for triggers and policies, which the platform lets through.
    """
    if first_word(statement) not in _VERBS:
        return None
    head = tuple(islice(tokens(statement), 32))
    words = tuple(token.word for token in head)
    after = 2 if words[:2] == ("comment", "on") else 1
    while words[after : after + 1] and words[after] in _MODIFIERS:
        after += 1
    kind = words[after] if words[after:] else ""
    if kind not in _KINDS:
        return None
    after += 1
    if kind in ("index", "rule") and words[0] == "create":
        word = "on" if kind == "index" else "to"
        after = words.index(word) + 1 if word in words else len(words)
    while words[after : after + 1] and words[after] in _CONDITIONS:
        after += 1
    name = head[after : after + 3]
    if len(name) < 3 or name[1].text != ".":
        return None
    return name[0].word, name[2].word
