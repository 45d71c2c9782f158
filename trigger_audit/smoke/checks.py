"""The post-checks: what Auth takes for granted after each flow and never looks at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from psycopg import sql

from trigger_audit.auth.roles import AUDIENCE, INSTANCE_ID
from trigger_audit.auth.steps import Flow, Kind, Token
from trigger_audit.auth.tables import UNSCANNABLE_WHEN_NULL
from trigger_audit.auth.values import Probe
from trigger_audit.smoke.memory import Memory
from trigger_audit.smoke.model import Change
from trigger_audit.smoke.sending import Read
from trigger_audit.smoke.times import INFINITE

if TYPE_CHECKING:
    from trigger_audit.smoke.catalog import Target
    from trigger_audit.smoke.sending import Sender

BY_ID = sql.SQL("id = %s")

_KEPT = ("email", "phone", "aud", "instance_id", "is_sso_user", "is_anonymous")
"""What every look-up filters by, or what the token's hash is made of."""

_SAME = (
    *_KEPT,
    "role",
    "encrypted_password",
    "confirmation_token",
    "recovery_token",
    "email_change",
    "email_change_token_current",
    "email_change_token_new",
    "email_change_confirm_status",
    "phone_change",
    "phone_change_token",
    "reauthentication_token",
)
_SET_OR_NOT = (
    "email_confirmed_at",
    "phone_confirmed_at",
    "invited_at",
    "confirmation_sent_at",
    "recovery_sent_at",
    "email_change_sent_at",
    "phone_change_sent_at",
    "reauthentication_sent_at",
    "last_sign_in_at",
    "banned_until",
    "deleted_at",
)
_EXPIRY = timedelta(hours=1)
"""How long a token lives on hosted projects and in the CLI (GOTRUE_MAILER_OTP_EXP 3600)."""

_METADATA = ("raw_user_meta_data", "raw_app_meta_data")


def shown(value: object) -> str:
    """A value as people read it: NULL, '' and JSON as they look in SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return "''" if value == "" else str(value)


def _same(expected: object, found: object) -> bool:
    return (expected is None) == (found is None) and (expected == found or str(expected) == str(found))


_GONE = object()


@dataclass(slots=True)
class Edits:
    """What triggers changed in the metadata while the row was made, by column and key; removed keys included."""

    keys: dict[tuple[str, str], object] = field(default_factory=dict)

    def note(self, memory: Memory, row: Mapping[str, object] | None) -> None:
        """Compares what Auth has sent so far with the row."""
        for column in _METADATA:
            sent = memory.rows["users"].get(column)
            found = None if row is None else row.get(column)
            if not isinstance(sent, Mapping) or not isinstance(found, Mapping):
                continue
            for key in sorted(sent.keys() | found.keys()):
                if sent.get(key, _GONE) != found.get(key, _GONE):
                    self.keys[column, key] = found.get(key, _GONE)

    def lost(self, row: Mapping[str, object]) -> Iterator[Change]:
        """The edits that Auth has overwritten since."""
        for (column, key), value in self.keys.items():
            document = row.get(column)
            found = document.get(key, _GONE) if isinstance(document, Mapping) else _GONE
            if found != value:
                expected = "absent (a trigger removed it)"
                if value is not _GONE:
                    expected = f"{shown(value)} (a trigger wrote it)"
                yield Change(f"auth.users.{column}.{key}", expected, f"{_or_absent(found)} (Auth overwrote it later)")


def _or_absent(value: object) -> str:
    return "absent" if value is _GONE else shown(value)


def compare_reload(memory: Memory, row: Mapping[str, object]) -> Iterator[Change]:
    """What a trigger has changed of what identifies the user, or confirmed too early or not at all, when Auth reads the
    row.
    """
    held = memory.rows["users"]
    for column in (*_KEPT, "role", "encrypted_password"):
        if column in row and column in held and not _same(held[column], row[column]):
            yield Change(f"auth.users.{column}", shown(held[column]), shown(row[column]))
    for column in ("email_confirmed_at", "phone_confirmed_at"):
        if column in held and held[column] is None and row.get(column) is not None:
            yield Change(f"auth.users.{column}", "NULL", "set before the address was confirmed")
        if column in row and held.get(column) is not None and row[column] is None:
            yield Change(f"auth.users.{column}", "a time", "NULL")
    for column in ("banned_until", "deleted_at"):
        if column in held and held[column] is None and row.get(column) is not None:
            yield Change(f"auth.users.{column}", "NULL", _set_or_null(row[column]))


def final_changes(sender: Sender, flow: Flow, memory: Memory, target: Target, edits: Edits) -> list[Change]:
    """Compares what is there at the end with what Auth has in memory, and looks the user up as Auth will."""
    user = memory.probes[Probe.USER_ID]
    names = [
        name for name in (*_SAME, *_SET_OR_NOT, *_METADATA, *UNSCANNABLE_WHEN_NULL) if name in target.columns["users"]
    ]
    names = list(dict.fromkeys(names))
    rows = sender.read(Read("users", tuple(names), BY_ID, (user,)))
    if flow.deletes:
        return [Change("auth.users", "the row is deleted", "the row is still there")] if rows else []
    if not rows:
        return [Change("auth.users", "the row is there", "no row has the user's id")]
    row = rows[0]
    changes = [*_differences(row, memory.rows.get("users", {})), *_tokens(sender, flow, row, memory, target)]
    changes += _refresh_token(sender, flow, memory, target)
    changes += _identity(sender, flow, memory, target)
    changes += edits.lost(row)
    if not any(change.what.startswith("auth.users") for change in changes):
        changes += _lookup(sender, row, user)
    return changes


def _differences(row: Mapping[str, object], held: Mapping[str, object]) -> Iterator[Change]:
    for column in row:
        if column not in held:
            continue
        expected, found = held[column], row[column]
        if column in _SAME or (found is None and column in UNSCANNABLE_WHEN_NULL):
            if not _same(expected, found):
                yield Change(f"auth.users.{column}", shown(expected), shown(found))
        elif column in _METADATA and found is not None and not isinstance(found, Mapping):
            yield Change(f"auth.users.{column}", "a JSON object", shown(found))
        elif column in _SET_OR_NOT and found in INFINITE:
            yield Change(f"auth.users.{column}", _set_or_null(expected), shown(found))
        elif column in _SET_OR_NOT and (expected is None) != (found is None):
            yield Change(f"auth.users.{column}", _set_or_null(expected), _set_or_null(found))


def _set_or_null(value: object) -> str:
    return "NULL" if value is None else "a time"


def _tokens(sender: Sender, flow: Flow, row: Mapping[str, object], memory: Memory, target: Target) -> Iterator[Change]:
    """The token must be in both places with the same hash, and not have expired: links use one, codes the other."""
    for token in flow.tokens:
        if memory.rows["users"].get(token.value) in (None, ""):
            continue  # the mail was left out, so there is none
        sent, held = row.get(token.sent_at), memory.rows["users"].get(token.sent_at)
        if (isinstance(sent, str) and sent not in INFINITE) or (
            isinstance(sent, datetime) and isinstance(held, datetime) and sent < held - _EXPIRY
        ):
            yield Change(f"auth.users.{token.sent_at}", "now", shown(sent))
        if "one_time_tokens" in target.columns:
            yield from _one_time_token(sender, token, memory)


def _one_time_token(sender: Sender, token: Token, memory: Memory) -> Iterator[Change]:
    condition = sql.SQL("user_id = %s AND token_type = %s")
    parameters = (memory.probes[Probe.USER_ID], token.value)
    hashes = [row["token_hash"] for row in sender.read(Read("one_time_tokens", ("token_hash",), condition, parameters))]
    expected = memory.probes[Probe(token.value)]
    if hashes != [expected]:
        found = ", ".join(map(str, hashes)) or "no row"
        yield Change("auth.one_time_tokens.token_hash", shown(expected), found)


def _refresh_token(sender: Sender, flow: Flow, memory: Memory, target: Target) -> Iterator[Change]:
    """The one that the client got: without it the session ends with the access token, in an hour."""
    given = any(step.kind is Kind.INSERT and step.table == "refresh_tokens" for step in flow.steps)
    if not given or "refresh_tokens" not in target.columns:
        return
    rows = sender.read(
        Read("refresh_tokens", ("revoked",), sql.SQL("token = %s"), (memory.probes[Probe.REFRESH_TOKEN],))
    )
    if not rows:
        yield Change("auth.refresh_tokens", "the row is there", "no row has the token")
    elif rows[0]["revoked"]:
        yield Change("auth.refresh_tokens.revoked", "false", "true")


def _identity(sender: Sender, flow: Flow, memory: Memory, target: Target) -> Iterator[Change]:
    """That of the provider with which the user has signed up, as Auth finds it when he comes back."""
    given = any(step.kind is Kind.INSERT and step.table == "identities" for step in flow.steps)
    written, user = memory.rows.get("identities", {}), str(memory.probes[Probe.USER_ID])
    if not given or not {"provider", "provider_id"} <= target.columns.get("identities", frozenset()) & written.keys():
        return
    condition = sql.SQL("provider_id = %s AND provider = %s")
    key = (written["provider_id"], written["provider"])
    found = [str(row["user_id"]) for row in sender.read(Read("identities", ("user_id",), condition, key))]
    if found != [user]:
        yield Change("auth.identities, looked up by provider_id", user, ", ".join(found) or "no row")


def _lookup(sender: Sender, row: Mapping[str, object], user: object) -> Iterator[Change]:
    """By address or number, as Auth finds a user who comes back."""
    for column, address in (
        ("email", sql.SQL("lower(email) = lower(%s)")),
        ("phone", sql.SQL("phone = %s")),
    ):
        value = row.get(column)
        if value is None:
            continue
        condition = sql.SQL("instance_id = %s AND {} AND aud = %s AND is_sso_user = false").format(address)
        rows = sender.read(Read("users", ("id",), condition, (INSTANCE_ID, value, AUDIENCE)))
        found = [str(other["id"]) for other in rows]
        if found != [str(user)]:
            yield Change(f"auth.users, looked up by {column}", str(user), ", ".join(found) or "no row")
