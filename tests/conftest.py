"""Servers for the tests: one sandbox a process, and cheap fresh databases in it.

TRIGGER_AUDIT_TEST_DSN (a superuser's conninfo) makes `fresh_database` use that server instead. Its superuser must not
be called postgres, for that role has no superuser's rights in a Supabase project (initdb --username=supabase_admin),
and it must let the other roles in without a password.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from trigger_audit.resources import read_sql
from trigger_audit.sandbox.bootstrap import DATABASE_FILE, bootstrap
from trigger_audit.sandbox.server import Sandbox, open_sandbox

# How long one example takes says something of the machine's other work, nothing of the code.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

_TEMPLATE = "project_template"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class FreshDatabase:
    """A database of its own in the state of a new Supabase project."""

    name: str
    server: str

    def conninfo(self, role: str = "supabase_admin") -> str:
        """A libpq conninfo for a login as this role."""
        return make_conninfo(self.server, user=role, dbname=self.name)

    def apply(self, sql_text: str, role: str = "postgres") -> None:
        """Runs the SQL in one transaction as this role; psycopg.Error where the server refuses it."""
        with psycopg.connect(self.conninfo(role), prepare_threshold=None) as connection:
            connection.execute(sql_text.encode())


_ALL = "TRIGGER_AUDIT_TEST_ALL"


def pytest_report_header() -> str:
    if os.environ.get(_ALL):
        return "extended tests: run"
    return f"extended tests: LEFT OUT, {_ALL}=1 (make test-all) runs them: more servers and variants of what is run"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests marked `extended`, so that the suite stays under five minutes on two cores."""
    if os.environ.get(_ALL):
        return
    extended = [item for item in items if item.get_closest_marker("extended") is not None]
    if extended:
        config.hook.pytest_deselected(items=extended)
        items[:] = [item for item in items if item.get_closest_marker("extended") is None]


@pytest.fixture(scope="session", autouse=True)
def _compiled_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The commands that tests run share their compiled modules, also where the environment forbids to write any: to
    compile everything again takes longer than most of the commands. The repository gets none of it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(shared / "compiled")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The embedded server, shared by the tests of this process. Leave its database as it was."""
    with open_sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def postgres15_binaries() -> Path:
    """The folder with PostgreSQL 15's binaries."""
    for folder in (Path("/usr/lib/postgresql/15/bin"), *_folders_on_path()):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    pytest.skip("PostgreSQL 15 IS NOT INSTALLED: the tests on the version that Supabase runs are left out")


def _folders_on_path() -> Iterator[Path]:
    for program in ("postgres", "pg_config"):
        found = shutil.which(program)
        if found and "/15/" in str(Path(found).resolve()):
            yield Path(found).resolve().parent


@pytest.fixture(scope="session")
def postgres15(postgres15_binaries: Path) -> Iterator[Sandbox]:
    """A sandbox on PostgreSQL 15, shared by the tests of this process."""
    with open_sandbox(postgres15_binaries) as running:
        yield running


@pytest.fixture
def connection(sandbox: Sandbox) -> Iterator[psycopg.Connection]:
    """A connection as supabase_admin to the sandbox' own database, in a transaction that is rolled back."""
    with psycopg.connect(sandbox.conninfo(), prepare_threshold=None) as opened:
        yield opened
        opened.rollback()


@pytest.fixture(scope="session")
def _project_server(request: pytest.FixtureRequest) -> str:
    """The conninfo of the server that fresh databases are made in, with the template database in place."""
    given = os.environ.get("TRIGGER_AUDIT_TEST_DSN")
    if given:
        _prepare_given_server(given)
        return given
    running: Sandbox = request.getfixturevalue("sandbox")
    server = running.conninfo()
    _copy_database(server, source="postgres", name=_TEMPLATE)
    return server


@pytest.fixture(scope="session")
def _project_server15(postgres15: Sandbox) -> str:
    server = postgres15.conninfo()
    _copy_database(server, source="postgres", name=_TEMPLATE)
    return server


@pytest.fixture
def fresh_database(_project_server: str) -> Iterator[FreshDatabase]:
    """A new project's database, dropped afterwards. Roles are shared by all databases: make none that stays."""
    yield from _fresh(_project_server)


@pytest.fixture
def fresh_database15(_project_server15: str) -> Iterator[FreshDatabase]:
    """The same on PostgreSQL 15."""
    yield from _fresh(_project_server15)


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the server's account can write."""
    made = Path(tempfile.mkdtemp(prefix="trigger-audit-test-"))
    made.chmod(0o777)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def project(fresh_database: FreshDatabase) -> Callable[[str], str]:
    """Applies SQL as postgres to a new project's database and gives the superuser's conninfo for it."""

    def apply(sql_text: str) -> str:
        fresh_database.apply(sql_text)
        return fresh_database.conninfo()

    return apply


def _fresh(server: str) -> Iterator[FreshDatabase]:
    name = f"project_{os.getpid()}_{next(_numbers)}"
    _copy_database(server, source=_TEMPLATE, name=name)
    try:
        database = FreshDatabase(name, server)
        database.apply(read_sql(DATABASE_FILE), role="supabase_admin")
        yield database
    finally:
        _run_alone(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _copy_database(server: str, *, source: str, name: str) -> None:
    from_template = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source))
    with _alone(server) as connection:
        # Copying files is ten times quicker than logging every page; the choice came with 15.
        if connection.info.server_version >= 150000:
            from_template += sql.SQL(" STRATEGY file_copy")
        connection.execute(from_template)


def _alone(server: str) -> psycopg.Connection:
    # template1, because a database that is copied must have no session.
    return psycopg.connect(server, dbname="template1", autocommit=True, prepare_threshold=None)


def _run_alone(server: str, statement: sql.Composed) -> None:
    with _alone(server) as connection:
        connection.execute(statement)


def _prepare_given_server(server: str) -> None:
    with _alone(server) as connection:
        if connection.info.parameter_status("is_superuser") != "on" or connection.info.user == "postgres":
            raise pytest.UsageError(
                "TRIGGER_AUDIT_TEST_DSN must log in as a superuser that is not called postgres: "
                "initdb --username=supabase_admin"
            )
        has_roles = connection.execute(
            "SELECT FROM pg_catalog.pg_roles WHERE rolname = 'supabase_auth_admin'"
        ).fetchone()
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_TEMPLATE)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
    with psycopg.connect(server, dbname=_TEMPLATE, autocommit=True, prepare_threshold=None) as connection:
        bootstrap(connection, roles=has_roles is None)
