"""What of a users row Auth cannot take into its memory, as it says so itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trigger_audit.auth.tables import UNSCANNABLE_WHEN_NULL, USERS_INSERT
from trigger_audit.smoke.times import INFINITE

_COLUMNS = tuple(sorted((*USERS_INSERT, "confirmed_at")))
"""As Auth selects and reads them; it stops at the first that it cannot take."""

_NULL_TO = {"email_change_confirm_status": "int", "is_anonymous": "bool", "is_sso_user": "bool"}
_TIMES = ("created_at", "updated_at")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """`told` is for people, `words` are the error's text in Auth."""

    told: str
    words: str


def find_unreadable(row: Mapping[str, object]) -> Unreadable | None:
    """The first column of the row that Auth fails at, None where it can take them all."""
    for index, column in enumerate(_COLUMNS):
        found = _refused(column, row[column]) if column in row else None
        if found is not None:
            told, reason = found
            return Unreadable(
                f"auth.users.{column} {told}", f'sql: Scan error on column index {index}, name "{column}": {reason}'
            )
    return None


def _refused(column: str, value: object) -> tuple[str, str] | None:
    if value is None and column in UNSCANNABLE_WHEN_NULL:
        reason = f"converting NULL to {_NULL_TO.get(column, 'string')} is unsupported"
        if column in _TIMES:
            reason = "unsupported Scan, storing driver.Value type <nil> into type *time.Time"
        return f"is NULL, and Auth cannot read that ({reason})", reason
    if value in INFINITE and column.endswith(("_at", "_until")):
        reason = "unsupported Scan, storing driver.Value type string into type *time.Time"
        return f"is {value}, and Auth cannot read that", reason
    if column in ("raw_user_meta_data", "raw_app_meta_data") and value is not None and not isinstance(value, dict):
        kind = "array" if isinstance(value, list) else _JSON_KINDS[type(value)]
        return (
            "is not a JSON object, and Auth cannot read that",
            f"json: cannot unmarshal {kind} into Go value of type models.JSONMap",
        )
    return None


_JSON_KINDS = {str: "string", bool: "bool", int: "number", float: "number"}
"""How Go calls what JSON holds."""
