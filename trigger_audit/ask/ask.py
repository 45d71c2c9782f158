"""Everything that analysis wants to know from the server, asked in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trigger_audit.analysis.model import Answers
from trigger_audit.analysis.privileges import requirements
from trigger_audit.analysis.questions.model import Job, Key, key_of
from trigger_audit.ask.names import ask_names
from trigger_audit.ask.privileges import ask_privileges

if TYPE_CHECKING:
    from psycopg import Connection

    from trigger_audit.analysis.model import BodyFacts, Cascade, Requirement
    from trigger_audit.catalog.model import Catalog


def ask(connection: Connection[Any], catalog: Catalog, bodies: Mapping[int, BodyFacts], cascade: Cascade) -> Answers:
    """The answers about every function that the cascade runs and every statement in it.

    Runs inside the caller's open READ ONLY transaction and leaves it usable.

    Raises:
        psycopg.Error: the connection was lost.
    """
    jobs: dict[Key, Job] = {}
    for visit in cascade.visits:
        facts = bodies.get(visit.function.oid)
        if facts is not None and facts.body is not None:
            jobs.setdefault(key_of(visit), Job(facts, visit.table, visit.search_path))
    names = ask_names(connection, catalog, list(jobs.values()))
    return Answers(names.complaints, ask_rights(connection, catalog, cascade), names.unasked)


def ask_rights(connection: Connection[Any], catalog: Catalog, cascade: Cascade) -> frozenset[Requirement]:
    """The privileges that statements of the cascade need and that their roles lack.

    Raises:
        psycopg.Error: the server refused the query.
    """
    needed: dict[Requirement, None] = {}
    for site in cascade.sites:
        needed.update(dict.fromkeys(requirements(site, catalog)))
    return ask_privileges(connection, needed)
