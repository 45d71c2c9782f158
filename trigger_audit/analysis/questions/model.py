"""What is asked, what comes back, and what it adds up to. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trigger_audit.analysis.model import BodyFacts, Complaint, Visit
    from trigger_audit.catalog.model import Catalog, Table

Key = tuple[int, int, tuple[str, ...]]
"""(function oid, table oid or 0, search_path): how `Answers.complaints` is keyed."""


@dataclass(frozen=True, slots=True)
class Job:
    """A body to be asked about: as a trigger on `table` runs it (None for a function that no trigger runs).

    `outputs` are OUT arguments and the columns of RETURNS TABLE, (name, type oid).
    """

    facts: BodyFacts
    table: Table | None
    search_path: tuple[str, ...]
    outputs: tuple[tuple[str, int], ...] = ()

    @property
    def key(self) -> Key:
        return self.facts.function.oid, self.table.oid if self.table else 0, self.search_path


def key_of(visit: Visit) -> Key:
    """Where the answers about a visit's function stand."""
    return visit.function.oid, visit.table.oid if visit.table else 0, visit.search_path


@dataclass(frozen=True, slots=True)
class Question:
    """A statement to be parsed by the server under a search path, with the type oids of its parameters."""

    search_path: tuple[str, ...]
    text: str
    types: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """The result columns (name, type oid; a domain comes as its base type), or the server's error.

    `position` counts characters of the question's text from 0.
    """

    columns: tuple[tuple[str, int], ...] = ()
    sqlstate: str | None = None
    message: str = ""
    hint: str | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was learnt of one job. `unasked` are (line, reason)."""

    complaints: tuple[Complaint, ...]
    unasked: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all jobs share: the catalog, whether the server is a standby, and row types by table oid.

    `transition_tables`: the names that triggers give them, by (table oid, function oid).
    """

    catalog: Catalog
    standby: bool
    row_types: Mapping[int, int] = field(init=False, repr=False, compare=False)
    transition_tables: Mapping[tuple[int, int], list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rows = {kind.relation: kind.oid for kind in self.catalog.types.values() if kind.relation is not None}
        object.__setattr__(self, "row_types", rows)
        names: dict[tuple[int, int], list[str]] = {}
        for triggers in self.catalog.triggers_by_table.values():
            for trigger in triggers:
                for name in (trigger.old_table, trigger.new_table):
                    if name is not None:
                        names.setdefault((trigger.table, trigger.function), []).append(name)
        object.__setattr__(self, "transition_tables", names)
