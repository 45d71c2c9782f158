"""From a chosen target to an open connection: a database as it is, or files applied to a sandbox first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.findings.model import FilePlace, NotAnalysed

if TYPE_CHECKING:
    import psycopg

    from trigger_audit.catalog.audited import NoUsersTable
    from trigger_audit.check.source_map import SourceMap
    from trigger_audit.database.platform import Server
    from trigger_audit.sandbox.docker import DockerImage
    from trigger_audit.sandbox.hosted import HostedRefusal
    from trigger_audit.sandbox.migrations import FailedStatement, LoadReport
    from trigger_audit.sandbox.project import SqlFile
    from trigger_audit.target import Target
    from trigger_audit.unmade import Unmade


class NothingApplied(TriggerAuditError):
    """Not one statement of the files could be applied."""


@dataclass(frozen=True, slots=True)
class TargetInfo:
    """`kind` is database or sql; `name` is host/database or the paths; `platform` is supabase or postgres."""

    kind: str
    name: str
    server_version: str
    platform: str


@dataclass(frozen=True, slots=True)
class OpenTarget:
    """An open connection with what is known of its server.

    `loaded` tells how the files fared in the sandbox, `skipped` which files were left out, with the reason, and
    `uncached` why the prepared sandbox is not kept for the next time.
    """

    connection: psycopg.Connection[Any] = field(repr=False)
    server: Server
    info: TargetInfo
    loaded: LoadReport | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    uncached: str | None = None

    @property
    def in_sandbox(self) -> bool:
        """Whether it is thrown away afterwards."""
        return self.loaded is not None

    @property
    def nobody_waits(self) -> bool:
        """Whether a lock on its tables holds up nobody who matters: a sandbox, or a database of this machine.

        Not through a socket: that is how an administrator on the very server of an app logs in.
        """
        from trigger_audit.database.platform import is_loopback

        host = self.connection.info.host
        return self.in_sandbox or (not host.startswith(("/", "@")) and is_loopback(host))

    @property
    def source_map(self) -> SourceMap | None:
        """Where the files define what is in the sandbox; None for a database."""
        from trigger_audit.check.source_map import SourceMap

        return None if self.loaded is None else SourceMap(self.loaded.definitions)

    @property
    def not_applied(self) -> tuple[NotAnalysed, ...]:
        """The statements that the sandbox refused, in their order: what they would have made was not looked at.

        Then those that hosted Supabase would refuse: what is there without them was not looked at either.
        """
        if self.loaded is None:
            return ()
        refused = tuple(_as_open(each) for each in self.loaded.hosted)
        return (*(as_not_analysed(each) for each in self.loaded.failed), *refused)

    @property
    def unmade(self) -> tuple[Unmade, ...]:
        """What those would have made: what is missing for want of it is no finding."""
        from trigger_audit.unmade import unmade

        failed = self.loaded.failed if self.loaded else ()
        found = (unmade(each.file, each.line, each.statement) for each in failed)
        return tuple(each for each in found if each is not None)


@dataclass(frozen=True, slots=True)
class SqlInput:
    """The files to apply, in order, and those left out with the reason."""

    files: tuple[SqlFile, ...]
    skipped: tuple[tuple[str, str], ...] = ()


Progress = Callable[[str], None]


@contextmanager
def open_target(target: Target, *, postgres: Path | DockerImage | None, progress: Progress) -> Iterator[OpenTarget]:
    """Connect to a database, or start a sandbox and apply the files. Raises TriggerAuditError in plain words.

    `postgres` is the sandbox' server: a folder of binaries, an image, or by default the embedded one.
    """
    from trigger_audit.target import DatabaseTarget

    if isinstance(target, DatabaseTarget):
        if postgres is not None:
            option = "--postgres" if isinstance(postgres, Path) else "--docker"
            raise UsageError(
                f"{option} chooses the sandbox's server, and a database has its own",
                f"leave {option} out, or give .sql files or a project folder",
            )
        from trigger_audit.database.connect import connect
        from trigger_audit.database.platform import describe
        from trigger_audit.database.problems import explained

        progress("connecting")
        with explained(target.dsn), connect(target.dsn) as connection:
            server = describe(connection)
            info = TargetInfo("database", target.dsn.name, server.version, server.platform)
            yield OpenTarget(connection, server, info)
        return
    sql = sql_input(target.paths)
    with sandbox_with(sql, [str(path) for path in target.paths], postgres=postgres, progress=progress) as opened:
        yield opened


@contextmanager
def sandbox_with(
    sql: SqlInput, names: list[str], *, postgres: Path | DockerImage | None, progress: Progress
) -> Iterator[OpenTarget]:
    """A sandbox with files applied, by a login that is no superuser's (`sandbox.auditor`).

    Raises NothingApplied where no statement of them can be applied: an audit of nothing would be clean, and mean
    nothing.
    """
    from trigger_audit.catalog.audited import NoUsersTable
    from trigger_audit.database.connect import connect
    from trigger_audit.database.dsn import parse_dsn
    from trigger_audit.database.platform import describe
    from trigger_audit.database.problems import explained
    from trigger_audit.sandbox.auditor import auditor_conninfo
    from trigger_audit.sandbox.migrations import apply_files
    from trigger_audit.sandbox.running import running_sandbox

    progress("starting the sandbox")
    with running_sandbox(postgres, progress) as sandbox:
        progress(f"applying {len(sql.files)} file{'' if len(sql.files) == 1 else 's'}")
        loaded = apply_files(sandbox, sql.files)
        loaded = replace(loaded, notes=(*sandbox.notes, *loaded.notes))
        if not loaded.applied:
            _refuse(loaded, "standard input" if names == ["-"] else " ".join(names))
        dsn = parse_dsn(auditor_conninfo(sandbox))
        with explained(dsn), connect(dsn) as connection:
            server = describe(connection)
            info = TargetInfo("sql", " ".join(names), sandbox.server_version, server.platform)
            try:
                yield OpenTarget(connection, server, info, loaded, sql.skipped, sandbox.uncached)
            except NoUsersTable as error:
                raise _explained(error, loaded) from error


def as_not_analysed(failed: FailedStatement) -> NotAnalysed:
    """A statement that was not applied, at its place in its file."""
    place = FilePlace(failed.file, failed.line, failed.column, failed.line, failed.column)
    return NotAnalysed(failed.file, failed.line, f"not applied: {_with_state(failed)}", place)


def _as_open(refused: HostedRefusal) -> NotAnalysed:
    place = FilePlace(refused.file, refused.line, refused.column, refused.line, refused.column)
    return NotAnalysed(refused.file, refused.line, refused.words, place)


def _explained(error: NoUsersTable, loaded: LoadReport) -> TriggerAuditError:
    """With the statement that took auth.users away, where it is one of those that hosted Supabase would refuse."""
    for each in loaded.hosted:
        if each.takes and "auth.users" in each.objects:
            return TriggerAuditError(
                f"{error.message}: the statement at {each.file}:{each.line} drops or renames it, which hosted Supabase "
                "refuses",
                "take it out",
            )
    return error


def _refuse(loaded: LoadReport, named: str) -> NoReturn:
    if not loaded.failed:
        raise NothingApplied(f"there is no SQL statement to apply in {named}", "is it the right file?")
    first = loaded.failed[0]
    said = f"{first.file}:{first.line}: {_with_state(first)}"
    if len(loaded.failed) == 1:
        raise NothingApplied(f"the one statement of {named} could not be applied: {said}", "is it SQL?")
    raise NothingApplied(
        f"none of the {len(loaded.failed)} statements of {named} could be applied, first {said}", "is it SQL?"
    )


def sql_input(paths: tuple[Path | str, ...]) -> SqlInput:
    """The files of the paths in the order of application; `-` is standard input. Raises TriggerAuditError."""
    from trigger_audit.sandbox.project import project_files, read_sql_file, read_standard_input

    files: list[SqlFile] = []
    skipped: list[tuple[str, str]] = []
    for path in paths:
        if path == "-":
            files.append(read_standard_input())
        elif Path(path).is_dir():
            project = project_files(Path(path))
            files += project.files
            skipped += project.skipped
        else:
            files.append(read_sql_file(Path(path)))
    return SqlInput(tuple(files), tuple(skipped))


def _with_state(failed: FailedStatement) -> str:
    return failed.message + (f" ({failed.sqlstate})" if failed.sqlstate else "")
