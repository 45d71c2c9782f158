"""Applies a project's SQL files to a sandbox, in the way the Supabase CLI does, and tells what could not be applied.

Each file is one transaction. Where it fails it is rolled back and done again statement by statement, so that what can
be applied is there to be judged.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from trigger_audit.errors import TriggerAuditError
from trigger_audit.resources import read_sql
from trigger_audit.sandbox.auditor import admit
from trigger_audit.sandbox.definitions import Definition, Watch, watched_definitions
from trigger_audit.sandbox.elevation import elevated_session, switch_off_event_triggers
from trigger_audit.sandbox.execution import Executor, Step, grouped
from trigger_audit.sandbox.forms import Form, read
from trigger_audit.sandbox.hosted import DUPLICATES, SERVICE_SCHEMAS, HostedRefusal, of_platform, refusal_when_hosted
from trigger_audit.sandbox.splitter import Kind, split

if TYPE_CHECKING:
    import psycopg

    from trigger_audit.sandbox.project import SqlFile
    from trigger_audit.sandbox.running import RunningSandbox

_LOADING_ROLE = "postgres"
_STATEMENT_TIMEOUT = "60s"
_SHOWN = 200
_MIGRATION = re.compile(r"(\d+)[-_](.*)\.sql", re.ASCII | re.DOTALL | re.IGNORECASE)
# SQLSTATEs of statements that cannot run in the transaction of others.
_ALONE = {
    "55P04": "uses an enum value added just before",
    "25001": "cannot run in a transaction",
    "2D000": "ends transactions of its own",
}


@dataclass(frozen=True, slots=True)
class FailedStatement:
    """A statement that the server refused.

    `line` and `column` are 1-based, where the server points or else where the statement begins; `statement` is its
    whole text; `sqlstate` is None where it was not sent at all.
    """

    file: str
    line: int
    statement: str
    sqlstate: str | None
    message: str
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of the files: statements applied, those that failed, and remarks of one line each.

    `definitions` tells which statement last defined what is there now, `hosted` which ones were applied although hosted
    Supabase would refuse them.
    """

    applied: int
    failed: tuple[FailedStatement, ...]
    notes: tuple[str, ...]
    definitions: tuple[Definition, ...] = ()
    hosted: tuple[HostedRefusal, ...] = ()


def apply_files(sandbox: RunningSandbox, files: Sequence[SqlFile]) -> LoadReport:
    """Applies the files in the given order as role postgres (see `load_files`), then admits the auditing role.

    Once for a sandbox: with that role's memberships postgres cannot be made a member of Auth's role again.
    """
    return load_files(sandbox.conninfo(), files, admit)


def load_files(
    conninfo: str,
    files: Iterable[SqlFile],
    finish: Callable[[psycopg.Connection], Iterable[str]] = lambda admin: (),
) -> LoadReport:
    """Applies files to the database that a superuser's conninfo names.

    Its event triggers are off afterwards. Raises TriggerAuditError where the server is lost, or one of the platform's
    roles; a statement that fails is part of the report. `finish` is run with the superuser's connection at the end, and
    returns remarks: no superuser logs in once the files have set parameters of the database.
    """
    import psycopg
    from psycopg.conninfo import make_conninfo

    # Settings go into the login's options, because RESET ALL returns to them.
    login = make_conninfo(conninfo, user=_LOADING_ROLE, options=f"-c statement_timeout={_STATEMENT_TIMEOUT}")
    applied = 0
    failed: list[FailedStatement] = []
    notes: dict[str, None] = {}
    hosted: list[HostedRefusal] = []
    try:
        with psycopg.connect(conninfo, autocommit=True, prepare_threshold=None) as admin:
            with (
                elevated_session(admin) as elevation,
                watched_definitions(admin) as watch,
                psycopg.connect(login, autocommit=True, prepare_threshold=None) as connection,
            ):
                executor = Executor(connection, elevation)
                own = _service_objects(admin)
                for file in files:
                    loader = _FileLoader(connection, executor, watch, own, file)
                    loader.load()
                    _record(connection, file)
                    applied += loader.applied
                    failed += loader.failed
                    notes |= loader.notes
                    hosted += loader.hosted
                definitions = watch.definitions()
            switch_off_event_triggers(admin)
            notes |= dict.fromkeys(finish(admin))
    except psycopg.OperationalError as error:
        raise TriggerAuditError(
            f"the sandbox was lost while files were applied: {str(error).splitlines()[0]}"
        ) from error
    except psycopg.Error as error:
        # A role of the platform's may have got another name, which before 16 postgres can give it.
        said = str(error).splitlines()[0]
        raise TriggerAuditError(f"the files have left the sandbox in no state to be audited: {said}") from error
    return LoadReport(applied, tuple(failed), tuple(notes), definitions, tuple(hosted))


def _record(connection: psycopg.Connection, file: SqlFile) -> None:
    """Writes a migration into the history, as the CLI does, for later ones may ask; a project may keep it from that."""
    import psycopg

    if found := _MIGRATION.fullmatch(PurePath(file.path).name):
        with contextlib.suppress(psycopg.Error):
            connection.execute(read_sql("sandbox/record.sql"), {"version": found[1], "name": found[2]})


def _service_objects(admin: psycopg.Connection) -> frozenset[str]:
    found = admin.execute(read_sql("sandbox/service_objects.sql"), {"schemas": list(SERVICE_SCHEMAS)})
    return frozenset(name for (name,) in found)


class _FileLoader:
    """Applies one file."""

    def __init__(
        self, connection: psycopg.Connection, executor: Executor, watch: Watch, own: frozenset[str], file: SqlFile
    ) -> None:
        self._connection = connection
        self._executor = executor
        self._watch = watch
        self._own = own
        self._file = file
        self.applied = 0
        self.failed: list[FailedStatement] = []
        self.notes: dict[str, None] = {}
        self.hosted: list[HostedRefusal] = []
        self._refused: set[tuple[int, int]] = set()

    def load(self) -> None:
        """Applies the file; its own COMMIT and ROLLBACK end a transaction as they stand."""
        self._connection.execute("RESET ALL")
        transaction: list[Step] = []
        for step in self._steps():
            form = step.reading.form
            if form in (Form.COMMIT, Form.ROLLBACK):
                self._transaction(transaction, keep=form is Form.COMMIT)
                transaction = []
                self.applied += 1
            elif form is Form.BEGIN:
                self.applied += 1
            elif form is Form.SKIPPED:
                self._note(step.line, f"not run in a sandbox: {step.statement.split()[0].upper()}")
            elif form is Form.REFUSED:
                self.failed.append(self._failure(step, None, "cannot be run in a sandbox"))
            else:
                transaction.append(step)
        self._transaction(transaction, keep=True)

    def _steps(self) -> list[Step]:
        steps: list[Step] = []
        for piece in split(self._file.text):
            if piece.kind is Kind.PSQL_COMMAND:
                self._note(piece.line, f"psql's own command left out: {piece.statement.split()[0][:_SHOWN]}")
            elif piece.kind is Kind.COPY_DATA and steps:
                last = steps[-1]
                steps[-1] = replace(last, data=_copy_rows(piece.text[piece.lead :]))
            elif piece.kind is Kind.STATEMENT and piece.statement:
                column = piece.start - self._file.text.rfind("\n", 0, piece.start)
                end = piece.start + len(piece.statement)
                mark = self._watch.mark(self._file, piece.line, column, piece.start, end)
                steps.append(Step(piece.line, column, piece.statement, read(piece.statement), mark))
        return steps

    def _transaction(self, steps: list[Step], *, keep: bool) -> None:
        if not steps:
            return
        before = len(self.failed)
        self._refused.clear()
        if not self._whole(steps, keep=keep) and not self._one_by_one(steps, keep=keep):
            # What fails at COMMIT takes everything along; then each statement has to stand on its own.
            del self.failed[before:]
            self._refused.clear()
            self._each_alone(steps)
        self.applied += len(steps) - (len(self.failed) - before)
        for step in steps:
            if (step.line, step.column) not in self._refused:
                found = refusal_when_hosted(self._file.path, step.line, step.column, step.statement, self._own)
                self.hosted += [found] if found is not None else []

    def _whole(self, steps: list[Step], *, keep: bool) -> bool:
        import psycopg

        while True:
            self._begin()
            try:
                for group in grouped(steps):
                    self._executor.run(group, self._note)
                self._end(keep)
            except psycopg.Error as error:
                self._rollback()
                if not self._executor.supply(error, group[0].line, self._note):
                    return False
            else:
                return True

    def _one_by_one(self, steps: list[Step], *, keep: bool) -> bool:
        import psycopg

        self._begin()
        for group in grouped(steps):
            if len(group) > 1 and self._attempt(group) is None:
                continue
            for step in group:
                if step.reading.form is Form.SAVEPOINT:
                    # Not inside a savepoint of ours: the file's own would go with it.
                    self._run_savepoint(step)
                    continue
                error = self._attempt([step])
                if error is not None and not (keep and self._after_commit(step, error)):
                    self._refuse(step, error)
        try:
            self._end(keep)
        except psycopg.Error:
            self._rollback()
            return False
        return True

    def _attempt(self, group: Sequence[Step]) -> psycopg.Error | None:
        """Runs the statements in a savepoint, or else a transaction, of their own; why one is refused, or None."""
        import psycopg

        while True:
            try:
                with self._connection.transaction():
                    self._executor.run(group, self._note)
            except psycopg.Error as error:
                self._require_connection()
                if not self._executor.supply(error, group[0].line, self._note):
                    return error
            else:
                return None

    def _run_savepoint(self, step: Step) -> None:
        import psycopg

        try:
            self._connection.execute(step.query)
        except psycopg.Error as error:
            # The transaction is lost with it; what the file does from here on begins a new one.
            self._rollback()
            self._begin()
            self._refuse(step, error)

    def _after_commit(self, step: Step, error: psycopg.Error) -> bool:
        """Whether the statement passes on its own, between what stands before it and what comes after."""
        import psycopg

        why = _ALONE.get(error.sqlstate or "")
        if why is None:
            return False
        self._end(keep=True)
        try:
            self._connection.execute(step.query)
        except psycopg.Error:
            return False
        finally:
            self._require_connection()
            self._begin()
        self._note(step.line, f"{why}: what stands before it was committed first")
        return True

    def _each_alone(self, steps: list[Step]) -> None:
        for step in steps:
            if error := self._attempt([step]):
                self._refuse(step, error)

    def _begin(self) -> None:
        self._connection.execute("BEGIN")

    def _end(self, keep: bool) -> None:
        self._connection.execute("COMMIT" if keep else "ROLLBACK")

    def _rollback(self) -> None:
        self._require_connection()
        self._connection.execute("ROLLBACK")

    def _require_connection(self) -> None:
        if self._connection.closed:
            raise TriggerAuditError(f"the sandbox' server ended the connection while {self._file.path} was applied")

    def _refuse(self, step: Step, error: psycopg.Error) -> None:
        self._refused.add((step.line, step.column))
        if error.sqlstate in DUPLICATES and (own := of_platform(step.statement)):
            self._note(step.line, f"{own} is the platform's own, and there already")
        else:
            self.failed.append(self._refusal(step, error))

    def _refusal(self, step: Step, error: psycopg.Error) -> FailedStatement:
        message = error.diag.message_primary or str(error)
        place = error.diag.statement_position
        if place is None or not place.isdigit():
            return self._failure(step, error.sqlstate, message)
        before = step.marked[len(step.mark) : int(place) - 1]
        lines = before.count("\n")
        column = len(before) - before.rfind("\n") if lines else step.column + len(before)
        return FailedStatement(self._file.path, step.line + lines, step.statement, error.sqlstate, message, column)

    def _failure(self, step: Step, sqlstate: str | None, message: str) -> FailedStatement:
        return FailedStatement(self._file.path, step.line, step.statement, sqlstate, message, step.column)

    def _note(self, line: int, text: str) -> None:
        self.notes[f"{self._file.path}:{line}: {text}"] = None


def _copy_rows(data: str) -> str:
    """The rows of a COPY block, without the line that closes it."""
    rows = data.replace("\r\n", "\n")
    return rows[: -len(rows.splitlines(keepends=True)[-1])] if rows.rstrip("\n").endswith("\\.") else rows
