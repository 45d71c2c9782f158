"""Asks the server what it makes of the names and types in function bodies, by having it parse every statement."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trigger_audit.analysis.questions.examination import Waves, examine
from trigger_audit.analysis.questions.model import Job, Key, Question, Reply, Report, Surroundings
from trigger_audit.ask.pipeline import describe
from trigger_audit.resources import read_sql

if TYPE_CHECKING:
    from psycopg import Connection

    from trigger_audit.analysis.model import Complaint
    from trigger_audit.catalog.model import Catalog

_BATCH = 200
"""Bodies under examination at one time: their parse trees take the memory."""

_LOCK_TIMEOUT = "100ms"


@dataclass(frozen=True, slots=True)
class NameAnswers:
    """Complaints by `Job.key`, and (function oid, line, reason) of what was not asked: line None for a whole body."""

    complaints: Mapping[Key, tuple[Complaint, ...]]
    unasked: tuple[tuple[int, int | None, str], ...]


def ask_names(connection: Connection[Any], catalog: Catalog, jobs: Collection[Job]) -> NameAnswers:
    """What the server complains of in each job's body.

    Runs inside the caller's open transaction, which should be READ ONLY, and leaves it usable, with settings, locks
    and search_path as before. Statements are parsed, never executed; no transaction id is assigned. Parsing may run
    code of the database's (see `pipeline`): where it would have a superuser's rights, nothing is asked. Each wave of
    questions of many bodies under one search path goes out at once. Each failing statement stands in the server's log.

    Raises:
        psycopg.Error: the connection was lost.
    """
    ready = [job for job in jobs if job.facts.body is not None and not job.facts.function.atomic]
    if not ready:
        return NameAnswers({}, ())
    reason = _risk(connection)
    if reason is not None:
        return NameAnswers({}, tuple((oid, None, reason) for oid in sorted({job.facts.function.oid for job in ready})))
    with connection.transaction(force_rollback=True):
        standby, unusable = _prepare(connection, ready)
        outputs = _outputs(connection, {job.facts.function.oid for job in ready})
        surroundings = Surroundings(catalog, standby)
        replies: dict[Question, Reply] = {}
        reports: dict[Key, Report] = {}
        single = list({job.key: job for job in ready}.values())
        for start in range(0, len(single), _BATCH):
            batch = [
                replace(job, outputs=outputs.get(job.facts.function.oid, ())) for job in single[start : start + _BATCH]
            ]
            running = _advance([(job.key, examine(job, surroundings, replies)) for job in batch], reports)
            while running:
                _ask(connection, [wanted for _, _, wanted in running], replies, unusable)
                running = _advance([(key, waves) for key, waves, _ in running], reports)
    complaints = {key: report.complaints for key, report in reports.items() if report.complaints}
    unasked = {(key[0], line, reason) for key, report in reports.items() for line, reason in report.unasked}
    return NameAnswers(complaints, tuple(sorted(unasked)))


def _risk(connection: Connection[Any]) -> str | None:
    """Why a superuser must not have statements parsed in this database; None for other logins, and where it may."""
    from psycopg.rows import tuple_row

    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(read_sql("ask/parse_time.sql")).fetchone()
    if row is None:
        return None
    place, schema, name = row
    return (
        f"names and types were not asked about: the login is a superuser, and reading a literal would run "
        f"{schema}.{name} with its rights ({place}); log in as postgres, or another role that is no superuser"
    )


_Running = tuple[Key, Waves, tuple[Question, ...]]


def _advance(waiting: Iterable[tuple[Key, Waves]], reports: dict[Key, Report]) -> list[_Running]:
    """Lets each examination go on; gives those that ask for more, and files the reports of the others."""
    running: list[_Running] = []
    for key, waves in waiting:
        try:
            running.append((key, waves, next(waves)))
        except StopIteration as end:
            reports[key] = end.value
    return running


def _prepare(connection: Connection[Any], jobs: Sequence[Job]) -> tuple[bool, frozenset[str]]:
    """(whether the server is a standby, the schemas on search paths that the current role may not use)."""
    from psycopg.rows import tuple_row

    schemas = sorted({schema for job in jobs for schema in job.search_path})
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(read_sql("ask/session.sql"), {"lock_timeout": _LOCK_TIMEOUT, "schemas": schemas})
        row = cursor.fetchone()
    assert row is not None
    return bool(row[0]), frozenset(row[2])


def _outputs(connection: Connection[Any], functions: set[int]) -> dict[int, tuple[tuple[str, int], ...]]:
    from psycopg.rows import tuple_row

    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(read_sql("ask/outputs.sql"), {"functions": sorted(functions)})
        return {oid: tuple(zip(names, types, strict=True)) for oid, names, types in cursor}


def _ask(
    connection: Connection[Any],
    waves: Iterable[Sequence[Question]],
    replies: dict[Question, Reply],
    unusable: frozenset[str],
) -> None:
    """Puts the questions that are new, one pipeline for each search path."""
    by_path: dict[tuple[str, ...], dict[Question, None]] = {}
    for wanted in waves:
        for question in wanted:
            if question not in replies:
                by_path.setdefault(question.search_path, {})[question] = None
    for path, questions in by_path.items():
        connection.execute(read_sql("ask/search_path.sql"), {"search_path": _setting(path)})
        answers = describe(connection, list(questions))
        hidden = [schema for schema in path if schema in unusable]
        for question, reply in zip(questions, answers, strict=True):
            replies[question] = _not_seen(reply, hidden) if hidden and reply.sqlstate in _NOT_FOUND else reply


_NOT_FOUND = frozenset({"42P01", "42883", "42704"})


def _not_seen(reply: Reply, hidden: Sequence[str]) -> Reply:
    """PostgreSQL passes over schemas that the current role may not use: what is missing may well be there."""
    return replace(reply, sqlstate="42501", message=f"no permission for schema {', '.join(hidden)}")


def _setting(path: Sequence[str]) -> str:
    return ", ".join('"' + schema.replace('"', '""') + '"' for schema in path)
