"""Whether functions are still those that they were before any code of the target ran.

CREATE OR REPLACE goes by name: where a trigger has renamed the function, it would make a new one of ours instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from trigger_audit.resources import read_sql

if TYPE_CHECKING:
    from trigger_audit.smoke.session import Session


class Identity(NamedTuple):
    """A function's owner, and CREATE OR REPLACE FUNCTION as pg_get_functiondef writes it."""

    owner: str
    definition: str


def identities(session: Session, functions: Iterable[int]) -> dict[int, Identity]:
    """By oid, of those that are there. With nothing but pg_temp on the path, so that they can be compared."""
    parameters = {"functions": sorted(set(functions))}
    rows = session.connection.execute(read_sql("smoke/identities.sql"), parameters).fetchall()
    return {function: Identity(owner, definition) for function, owner, definition in rows}


def altered(session: Session, functions: Iterable[int], known: Mapping[int, Identity]) -> list[int]:
    """Those of the functions that are no longer as known, or gone."""
    chosen = sorted(set(functions))
    present = identities(session, chosen) if chosen else {}
    return [function for function in chosen if present.get(function) != known.get(function)]
