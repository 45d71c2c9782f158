"""Whether functions are still those that they were before any code of the target ran.

CREATE OR REPLACE goes by name: where a trigger has renamed the function, it would make a new one of ours instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from trigger_audit.resources import read_sql
from trigger_audit.smoke.attempts import ChangeRefused

if TYPE_CHECKING:
    from trigger_audit.catalog.model import Catalog
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


@dataclass(slots=True)
class Originals:
    """The functions of a run that may get other bodies, as they were before any code of the target had run."""

    catalog: Catalog
    _known: dict[int, Identity] = field(default_factory=dict)

    def add(self, session: Session, functions: Iterable[int]) -> None:
        self._known.update(identities(session, functions))

    def require_unaltered(self, session: Session, functions: Iterable[int]) -> None:
        """ChangeRefused where one is not."""
        changed = altered(session, functions, self._known)
        if changed:
            names = ", ".join(self.catalog.functions[oid].name for oid in changed)
            raise ChangeRefused(f"triggers have changed what the name stands for, or what is there: {names}")

    def restore(self, session: Session, function: int, owner: str | None) -> None:
        """Puts back what another body has replaced, as that role (None: the outer one). psycopg.Error."""
        # What the body names need not be found under the present path.
        session.connection.execute("SET LOCAL check_function_bodies = off")
        with session.owners.acting_as(owner) as sender:
            sender.run(self._known[function].definition)
