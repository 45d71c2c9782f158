"""What Auth writes into a column, symbolically: smoke makes a real value of it, `state` derives what a trigger sees."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Probe(StrEnum):
    """The names of the values that belong to one run: a user's address, identifiers and tokens.

    READ_EMAIL is the address in the row that Auth has read back, where a trigger may have put another one.
    """

    EMAIL = "email"
    READ_EMAIL = "read_email"
    NEW_EMAIL = "new_email"
    PHONE = "phone"
    METADATA = "metadata"
    PASSWORD_HASH = "password_hash"
    NEW_PASSWORD_HASH = "new_password_hash"
    PROVIDER_SUBJECT = "provider_subject"
    USER_ID = "user_id"
    IDENTITY_ID = "identity_id"
    SESSION_ID = "session_id"
    REFRESH_TOKEN = "refresh_token"
    REFRESH_TOKEN_ID = "refresh_token_id"
    CONFIRMATION_TOKEN = "confirmation_token"
    RECOVERY_TOKEN = "recovery_token"
    EMAIL_CHANGE_TOKEN_CURRENT = "email_change_token_current"
    EMAIL_CHANGE_TOKEN_NEW = "email_change_token_new"
    ROW_ID = "row_id"
    PROVIDER = "provider"
    PROVIDERS = "providers"
    USER_AGENT = "user_agent"
    IP = "ip"


class Form(StrEnum):
    """The shape of a value that Auth makes up: a random uuid, a hex SHA-224 token, 12 letters and digits."""

    UUID = "uuid"
    TOKEN = "token"
    REFRESH = "refresh"


class Base(StrEnum):
    """What a JSON document starts from.

    MEMORY is the same column as Auth holds it in memory, METADATA what the client sent, IDENTITY the identity_data of
    the user's identity in memory.
    """

    NOTHING = "nothing"
    MEMORY = "memory"
    METADATA = "metadata"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class Constant:
    """The same in every run; None is NULL."""

    value: str | int | bool | None


@dataclass(frozen=True, slots=True)
class Given:
    """A value of this run that exists already."""

    probe: Probe


@dataclass(frozen=True, slots=True)
class Fresh:
    """A value that Auth makes for this statement and remembers under the name."""

    probe: Probe
    form: Form


@dataclass(frozen=True, slots=True)
class Clock:
    """Auth's own clock, truncated to microseconds; not now()."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What Auth holds of this column in memory, written again."""


@dataclass(frozen=True, slots=True)
class Obscured:
    """A hash of the user's id and what Auth holds of this column: never NULL, never empty (soft deletion)."""


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object: `base` with `keys` set over it."""

    base: Base
    keys: tuple[tuple[str, str | bool | tuple[str, ...] | Given], ...] = ()


Value = Constant | Given | Fresh | Clock | Kept | Obscured | Document

NULL = Constant(None)
EMPTY = Constant("")
CLOCK = Clock()
