"""A sandbox in a container of an image, for those who want supabase/postgres itself with its extensions and settings.

The image starts as it always does. Its schema of Auth is older than what Auth's own migrations make of it, so the
database is made anew, in the state of every other sandbox, with the image's real extensions.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trigger_audit.database.redact import redact
from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.resources import read_sql
from trigger_audit.sandbox import container
from trigger_audit.sandbox.running import DATABASE, SUPERUSER

if TYPE_CHECKING:
    import psycopg

    from trigger_audit.sandbox.container import Started

_REPOSITORY = "supabase/postgres"
_VERSION = re.compile(r"\d[\w.-]*", re.ASCII)
_IMAGE = re.compile(r"[a-z0-9][\w.:/@-]*", re.ASCII)
# Those who log in besides the superuser: who applies a project's files, and who audits them.
_LOGINS = ("postgres", "supabase_auth_admin")
_START_SECONDS = 120.0
_TRIES = 40
_PAUSE_SECONDS = 0.25
# What libpq says of a server that will not change its mind.
_FINAL = re.compile(r"password authentication failed|does not exist|no pg_hba\.conf entry|is not permitted to log in")
# (library, setting, value) that keep an extension's worker from doing what a project's files ask for: they are applied
# for good, and no rollback keeps a request or a job from being sent or run. Each takes effect by a reload or when the
# worker starts again, which it does after the database that it was in is gone.
_AT_REST = (
    ("pg_cron", "cron.launch_active_jobs", "off"),
    ("pg_net", "pg_net.database_name", "template1"),
)


@dataclass(frozen=True, slots=True)
class DockerImage:
    """The image to run a sandbox in, by a name that the engine knows."""

    name: str


def parse_image(text: str) -> DockerImage:
    """An image's name, or a version of supabase/postgres alone ("17.6.1.044"). UsageError where it is neither."""
    name = text.strip()
    if _VERSION.fullmatch(name):
        return DockerImage(f"{_REPOSITORY}:{name}")
    if not _IMAGE.fullmatch(name):
        raise UsageError(
            f"--docker: {text!r} names no image" if name else "--docker: the name of the image is empty",
            f"an image such as {_REPOSITORY}:17.6.1.044, or its version alone; "
            "supabase/.temp/postgres-version holds the one of a linked project",
        )
    return DockerImage(name)


@dataclass(frozen=True, slots=True)
class ImageSandbox:
    """A project in a running container. `server_version` as the server says it ("17.6"); `notes` on what it lacks."""

    host: str
    port: int
    password: str = field(repr=False)
    server_version: str = ""
    notes: tuple[str, ...] = ()
    uncached: str | None = None

    def conninfo(self, role: str = SUPERUSER, database: str = DATABASE) -> str:
        """A libpq conninfo for a login as this role, with the password in it: never to be printed."""
        return _conninfo(self.host, self.port, self.password, role, database, options="")


@contextlib.contextmanager
def open_image(image: DockerImage, progress: Callable[[str], None]) -> Iterator[ImageSandbox]:
    """Starts a container of the image and makes a project in it; afterwards the container is gone.

    Raises UsageError where testcontainers is not installed, TriggerAuditError where that fails.
    """
    with container.started_container(image.name, SUPERUSER, progress) as started:
        progress("waiting for the server of the image")
        await_server(image, started)
        progress("making a project in it")
        yield prepared(image, started)


def await_server(image: DockerImage, started: Started, seconds: float = _START_SECONDS) -> None:
    """Returns when the server takes a login. Raises TriggerAuditError where it never will.

    While the image prepares its data, its server listens on no port, and the engine closes what connects.
    """
    import psycopg

    conninfo = _conninfo(started.host, started.port, started.password, SUPERUSER, "template1", options="")
    deadline = time.monotonic() + seconds
    said = "no answer"
    while time.monotonic() < deadline:
        try:
            psycopg.connect(conninfo, connect_timeout=3).close()
        except psycopg.OperationalError as error:
            said = _one_line(error, started.password)
            if _FINAL.search(said):
                break
        else:
            return
        end = started.ended()
        if end is not None:
            raise TriggerAuditError(
                f"the container of {image.name} has ended before its server was ready: {end}", "is it PostgreSQL's?"
            )
        time.sleep(_PAUSE_SECONDS)
    raise TriggerAuditError(f"the server of {image.name} takes no login as {SUPERUSER}: {said}", "is it PostgreSQL's?")


def prepared(image: DockerImage, started: Started) -> ImageSandbox:
    """Makes a project of the server: the roles that it lacks, and the database anew. Raises TriggerAuditError."""
    import psycopg

    try:
        return _prepared(started)
    except psycopg.Error as error:
        said = _one_line(error, started.password)
    raise TriggerAuditError(f"no sandbox can be made in {image.name}: {said}")


def _prepared(started: Started) -> ImageSandbox:
    from trigger_audit.sandbox.bootstrap import bootstrap

    notes: list[str] = []

    def refused(extension: str, error: psycopg.Error) -> None:
        notes.append(f"the image's own extension {extension} cannot be created: {_one_line(error, started.password)}")

    with _connected(started, "template1") as connection:
        notes += _put_to_rest(connection)
        _make_database(connection)
    with _connected(started, DATABASE) as connection:
        notes += _make_roles(connection)
        bootstrap(connection, roles=False, refused=refused)
        connection.execute(read_sql("sandbox/real_extensions.sql").encode())
        _set_passwords(connection, started.password)
        version = connection.info.parameter_status("server_version") or ""
    return ImageSandbox(started.host, started.port, started.password, version.split(" ")[0], tuple(notes))


@contextlib.contextmanager
def _connected(started: Started, database: str) -> Iterator[psycopg.Connection]:
    """As the superuser in autocommit; with PostgreSQL's own search_path, and not the one that the role has set."""
    import psycopg

    conninfo = _conninfo(
        started.host, started.port, started.password, SUPERUSER, database, options="-c search_path=public"
    )
    with psycopg.connect(conninfo, autocommit=True, prepare_threshold=None) as connection:
        yield connection


def _put_to_rest(connection: psycopg.Connection) -> Iterator[str]:
    """Holds back what extensions do in the background; a note where that is not possible."""
    from psycopg import sql

    loaded = str(connection.execute("SELECT pg_catalog.current_setting('shared_preload_libraries')").fetchall())
    known = {name for (name,) in connection.execute("SELECT name FROM pg_catalog.pg_settings")}
    for library, setting, value in _AT_REST:
        if setting in known:
            name = sql.SQL(".").join(map(sql.Identifier, setting.split(".")))
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(name, sql.Literal(value)))
        elif library in loaded:
            yield f"the image's {library} has no setting {setting}: what it does in the background is not held back"
    connection.execute("SELECT pg_catalog.pg_reload_conf()")


def _make_database(connection: psycopg.Connection) -> None:
    """Drops the database and makes it from template0. An extension's worker may come back to it in between."""
    import psycopg
    from psycopg import sql

    name = sql.Identifier(DATABASE)
    for left in reversed(range(_TRIES)):
        try:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
        except (psycopg.errors.ObjectInUse, psycopg.errors.DuplicateDatabase):
            if not left:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _make_roles(connection: psycopg.Connection) -> Iterator[str]:
    """Makes the roles that the image lacks, with everybody's memberships and settings; a note on what is refused."""
    import psycopg

    from trigger_audit.sandbox.splitter import Kind, split

    for piece in split(read_sql("supabase/10_roles.sql")):
        if piece.kind is not Kind.STATEMENT or not piece.statement:
            continue
        try:
            connection.execute(piece.statement.encode())
        except psycopg.errors.DuplicateObject:
            continue
        except psycopg.Error as error:
            yield f"not done to the image's roles: {' '.join(piece.statement.split())[:80]} ({_one_line(error, '')})"


def _set_passwords(connection: psycopg.Connection, password: str) -> None:
    """The one password for all who log in; the server is told its verifier only, as its log may hold statements."""
    from psycopg import sql

    for role in _LOGINS:
        verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier))
        )


def _conninfo(host: str, port: int, password: str, role: str, database: str, *, options: str) -> str:
    from psycopg.conninfo import make_conninfo

    # Named, though they are the defaults, so that what the shell has set for another server does not count.
    return make_conninfo(
        host=host,
        hostaddr="",
        port=port,
        user=role,
        password=password,
        dbname=database,
        options=options,
        sslmode="prefer",
        application_name="trigger-audit",
    )


def _one_line(error: psycopg.Error, password: str) -> str:
    said = error.diag.message_primary or " ".join(str(error).split())
    return redact(said, [password]) + (f" ({error.sqlstate})" if error.sqlstate else "")
