"""From a chosen target to an open connection: a database as it is, or files applied to a sandbox first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from trigger_audit.database.platform import Server
    from trigger_audit.sandbox.migrations import LoadReport, SqlFile
    from trigger_audit.target import Target


@dataclass(frozen=True, slots=True)
class TargetInfo:
    """`kind` is database or sql; `name` is host/database or the paths; `platform` is supabase or postgres."""

    kind: str
    name: str
    server_version: str
    platform: str


@dataclass(frozen=True, slots=True)
class OpenTarget:
    """An open connection with what is known of its server. `loaded` tells how the files fared in the sandbox."""

    connection: psycopg.Connection[Any] = field(repr=False)
    server: Server
    info: TargetInfo
    loaded: LoadReport | None


Progress = Callable[[str], None]


@contextmanager
def open_target(target: Target, *, postgres: Path | None, progress: Progress) -> Iterator[OpenTarget]:
    """Connect to a database, or start a sandbox and apply the files. Raises TriggerAuditError in plain words."""
    from trigger_audit.target import DatabaseTarget

    if isinstance(target, DatabaseTarget):
        from trigger_audit.database.connect import connect
        from trigger_audit.database.platform import describe
        from trigger_audit.database.problems import explained

        progress("connecting")
        with explained(target.dsn), connect(target.dsn) as connection:
            server = describe(connection)
            info = TargetInfo("database", target.dsn.name, server.version, server.platform)
            yield OpenTarget(connection, server, info, None)
        return
    files = sql_files(target.paths)
    with sandbox_with(files, [str(path) for path in target.paths], postgres=postgres, progress=progress) as opened:
        yield opened


@contextmanager
def sandbox_with(
    files: tuple[SqlFile, ...], names: list[str], *, postgres: Path | None, progress: Progress
) -> Iterator[OpenTarget]:
    """A sandbox with files applied, as superuser supabase_admin."""
    from trigger_audit.database.connect import connect
    from trigger_audit.database.dsn import parse_dsn
    from trigger_audit.database.platform import describe
    from trigger_audit.database.problems import explained
    from trigger_audit.sandbox.migrations import apply_files
    from trigger_audit.sandbox.server import open_sandbox

    progress("starting the sandbox")
    with open_sandbox(postgres) as sandbox:
        progress(f"applying {len(files)} file{'' if len(files) == 1 else 's'}")
        loaded = apply_files(sandbox, files)
        dsn = parse_dsn(sandbox.conninfo())
        with explained(dsn), connect(dsn) as connection:
            server = describe(connection)
            info = TargetInfo("sql", " ".join(names), sandbox.server_version, server.platform)
            yield OpenTarget(connection, server, info, loaded)


def sql_files(paths: tuple[Path | str, ...]) -> tuple[SqlFile, ...]:
    """The files of the paths in the order of application; `-` is standard input."""
    from trigger_audit.sandbox.migrations import SqlFile
    from trigger_audit.sandbox.project import project_files, read_sql_file

    files: list[SqlFile] = []
    for path in paths:
        if path == "-":
            files.append(SqlFile("-", sys.stdin.read()))
        elif Path(path).is_dir():
            files.extend(project_files(Path(path)).files)
        else:
            files.append(read_sql_file(Path(path)))
    return tuple(files)
