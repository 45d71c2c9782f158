"""What hosted Supabase says to statements about the platform's own schemas, which a sandbox is milder to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from trigger_audit.sandbox.forms import first_word
from trigger_audit.sandbox.splitter import Token, tokens

# While loading, postgres is a member of these schemas' owners.
SERVICE_SCHEMAS = frozenset({"auth", "storage", "realtime"})
_OWN_SCHEMAS = SERVICE_SCHEMAS | frozenset(
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
# Their owners write the histories of their own migrations; postgres has no right on them.
_HISTORIES = frozenset({("auth", "schema_migrations"), ("storage", "migrations"), ("realtime", "schema_migrations")})
_WRITING = frozenset({"copy", "delete", "insert", "merge", "truncate", "update"})
_SERVICE_ROLES = frozenset({"supabase_auth_admin", "supabase_storage_admin", "supabase_realtime_admin"})
# How far the role is looked for in REVOKE and OWNER TO.
_MOST = 256


@dataclass(frozen=True, slots=True)
class HostedRefusal:
    """A statement that was applied here and that hosted Supabase would refuse, with the reason in words.

    `line` and `column` are 1-based, where it begins; `objects` are what it may not change, as `schema.name`; `takes`
    says that they are not there any more under their names.
    """

    file: str
    line: int
    column: int
    words: str
    objects: tuple[str, ...] = ()
    takes: bool = False


def refusal_when_hosted(
    file: str, line: int, column: int, statement: str, own: Collection[str]
) -> HostedRefusal | None:
    """What hosted Supabase says to a statement at this place; None where it lets postgres do it.

    `own` are the services' own objects, as `schema.name`: what is not among them is not there on the platform, where IF
    EXISTS then passes.

    While loading, postgres may do more to the services' tables than on the platform, for it has their owners' rights.
    What follows from PostgreSQL's rules of ownership is known by the statement alone, one in a DO block is not seen.
    """
    if names := refused_when_hosted(statement):
        words = tuple(token.word for token in islice(tokens(statement), _MOST))
        if words[0] in ("alter", "drop") and ("if", "exists") in pairwise(words[:8]):
            names = tuple(name for name in names if name in own and words[1] != "rule")
            if not names:
                return None
        moved = words[0] == "alter" and {("rename", "to"), ("set", "schema")}.intersection(pairwise(words))
        takes = words[1] == "table" and (words[0] == "drop" or bool(moved))
        said = f"hosted Supabase refuses it: postgres may not change {', '.join(names)} like this (it was applied here)"
        return HostedRefusal(file, line, column, said, names, takes)
    if role := _becomes(statement):
        said = f"hosted Supabase refuses it: postgres is no member of {role} (it was applied here)"
        return HostedRefusal(file, line, column, said)
    if found := _taken_from_service(statement):
        role, name = found
        said = f"it changes nothing on hosted Supabase: postgres may not revoke rights on {name} from {role}"
        return HostedRefusal(file, line, column, said, (name,))
    return None


def refused_when_hosted(statement: str) -> tuple[str, ...]:
    """The objects of a service that hosted Supabase does not let postgres change so."""
    first = first_word(statement)
    if first in _WRITING:
        # Most statements of a dump write rows.
        found = _written(statement) if "migrations" in statement[:_MOST].lower() else []
        return tuple(f"{schema}.{name}" for schema, name in found if (schema, name) in _HISTORIES)
    objects = _dropped(statement) if first == "drop" else [_object(statement)]
    return tuple(f"{found[0]}.{found[1]}" for found in objects if found is not None and found[0] in SERVICE_SCHEMAS)


def _dropped(statement: str) -> list[tuple[str, str] | None]:
    """All that a DROP names, of which `_object` is the first."""
    head = tuple(islice(tokens(statement), _MOST))
    found = [_object(statement)]
    if any(token.word in _KINDS for token in head[1:3]) and "on" not in (token.word for token in head):
        found += [_qualified(head[at + 1 :]) for at in _commas(head)]
    return found


def _commas(head: Sequence[Token]) -> list[int]:
    """Where the commas outside of parentheses are."""
    depth = 0
    found = []
    for place, token in enumerate(head):
        depth += (token.text == "(") - (token.text == ")")
        if token.text == "," and depth == 0:
            found.append(place)
    return found


def _written(statement: str) -> list[tuple[str, str]]:
    """The tables that a statement writes rows to, or empties."""
    head = tuple(islice(tokens(statement), _MOST))
    words = [token.word for token in head]
    if words[0] == "copy" and "from" not in words:
        return []
    after = 1
    while words[after : after + 1] and words[after] in ("into", "from", "only", "table"):
        after += 1
    starts = [after, *(at + 1 for at in _commas(head))] if words[0] == "truncate" else [after]
    return [found for start in starts if (found := _qualified(head[start:])) is not None]


def _becomes(statement: str) -> str | None:
    """The service's role that SET ROLE or OWNER TO names: both take a member of it."""
    first = first_word(statement)
    if first not in ("set", "alter"):
        return None
    words = tuple(token.word or token.text.strip("'") for token in islice(tokens(statement), _MOST))
    if first == "set":
        named = words[2:] if words[1:2] in (("local",), ("session",)) else words[1:]
        role = named[1] if len(named) > 1 and named[0] == "role" else ""
    else:
        role = words[-1] if words[-3:-1] == ("owner", "to") else ""
    return role if role in _SERVICE_ROLES else None


def _taken_from_service(statement: str) -> tuple[str, str] | None:
    """The service's role and its table or function that REVOKE is about.

    Who is no owner revokes but what he has granted himself, and PostgreSQL says so with a warning at most.
    """
    if first_word(statement) != "revoke":
        return None
    head = tuple(islice(tokens(statement), _MOST))
    words = [token.word for token in head]
    if "on" not in words or "from" not in words[words.index("on") :]:
        return None
    after = words.index("on") + 1
    roles = words[words.index("from", after) + 1 :]
    while words[after] in ("table", "function", "procedure", "routine", "sequence"):
        after += 1
    found = _qualified(head[after:])
    role = next((role for role in roles if role in _SERVICE_ROLES), None)
    return None if found is None or found[0] not in SERVICE_SCHEMAS or role is None else (role, ".".join(found))


def _qualified(head: Sequence[Token]) -> tuple[str, str] | None:
    """The name with a schema that the tokens begin with."""
    if len(head) < 3 or head[1].text != ".":
        return None
    return head[0].word, head[2].word


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
    if kind == "rule" or (kind == "index" and words[0] == "create"):
        word = "to" if kind == "rule" and words[0] == "create" else "on"
        after = words.index(word) + 1 if word in words else len(words)
    while words[after : after + 1] and words[after] in _CONDITIONS:
        after += 1
    return _qualified(head[after:])
