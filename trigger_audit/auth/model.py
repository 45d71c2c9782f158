"""What a flow of Supabase Auth is: ordered statements with the places where mail leaves and Auth commits.

Everything here is data; `steps` fills it, smoke executes it, analysis reads `initial_state` derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Nullability(StrEnum):
    """Whether a column is NULL when a trigger sees it."""

    NEVER = "never"
    ALWAYS = "always"
    SOMETIMES = "sometimes"


class Origin(StrEnum):
    """Where a column's value comes from."""

    USER_METADATA = "user-metadata"
    APP_METADATA = "app-metadata"
    EMAIL = "email"
    PHONE = "phone"
    ID = "id"
    CONSTANT = "constant"
    GENERATED = "generated"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class ColumnState:
    """What is known of one column of the row that a trigger gets.

    `value` is the SQL text of the value where it is the same in every run (`''`, `0`, `false`, `'authenticated'`), else
    None. `keys` are those that Auth itself has put into a JSON object, whatever the client sent; `members` gives those
    of them whose value is the same in every run, as text. `filled`: a text that is never empty.
    """

    nullability: Nullability
    origin: Origin
    value: str | None = None
    keys: frozenset[str] = frozenset()
    members: frozenset[tuple[str, str]] = frozenset()
    filled: bool = False


RowState = Mapping[str, ColumnState]


@dataclass(frozen=True, slots=True)
class Firing:
    """One statement of a flow as triggers see it: the event on a table, and for UPDATE the columns that are set.

    `old` and `new` are the row's states before and after (None where the event has no such row).
    `changed` are columns of an UPDATE whose new value always differs from the old one: clocks, fresh tokens, a new
    address.
    `kept` are columns of an UPDATE's SET list, and generated ones, whose value never changes.
    `message` is what the app user reads when the statement fails; `after_mail` whether the mail has left by then.
    """

    flow: str
    latent: bool
    step: int
    table: str
    event: str
    columns: frozenset[str]
    old: RowState | None
    new: RowState | None
    message: str
    after_mail: bool
    changed: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
