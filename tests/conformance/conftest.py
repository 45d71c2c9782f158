"""The real Auth, started where TRIGGER_AUDIT_AUTH_BIN names its binary.

Without it these tests are skipped: the flows then stand on reading Auth's source alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.conformance.acting import Stage
from tests.conformance.outside import Outside, open_outside
from tests.conformance.record import Mark, start_recording
from tests.conformance.service import Auth, run_auth
from tests.conftest import FreshDatabase
from trigger_audit.sandbox.server import Sandbox, open_sandbox

VARIABLE = "TRIGGER_AUDIT_AUTH_BIN"


@pytest.fixture(scope="session")
def auth_binary() -> Path:
    """The program of Supabase Auth."""
    given = os.environ.get(VARIABLE)
    if not given:
        pytest.skip(f"{VARIABLE} NAMES NO BINARY OF SUPABASE AUTH: the flows are not compared with the real one")
    if not os.access(given, os.X_OK):
        pytest.fail(f"{VARIABLE}: there is no program {given}")
    return Path(given).resolve()


@pytest.fixture(scope="session")
def auth_sandbox(auth_binary: Path) -> Iterator[Sandbox]:
    """A sandbox of its own, for Auth commits and the server's log is read."""
    with open_sandbox() as running:
        start_recording(running)
        yield running


@pytest.fixture(scope="session")
def outside(auth_sandbox: Sandbox) -> Iterator[Outside]:
    mark = Mark(auth_sandbox)
    with mark.connection, open_outside(mark) as services:
        yield services


@pytest.fixture(scope="session")
def start_auth(
    auth_binary: Path, auth_sandbox: Sandbox, outside: Outside, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Auth]]:
    """Starts an Auth with these settings, once for each."""
    folder = tmp_path_factory.mktemp("auth")
    running: dict[tuple[tuple[str, str], ...], Auth] = {}
    with ExitStack() as processes:

        def start(**settings: str) -> Auth:
            key = tuple(sorted(settings.items()))
            if key not in running:
                running[key] = processes.enter_context(run_auth(auth_binary, auth_sandbox, outside, folder, settings))
            return running[key]

        yield start


@pytest.fixture(scope="session")
def auth(start_auth: Callable[..., Auth]) -> Auth:
    """Auth with confirmation on."""
    return start_auth()


@pytest.fixture(scope="session")
def confirming_auth(start_auth: Callable[..., Auth]) -> Auth:
    """Auth that confirms every address by itself."""
    return start_auth(GOTRUE_MAILER_AUTOCONFIRM="true")


@pytest.fixture(scope="session")
def stage(auth: Auth, confirming_auth: Auth, outside: Outside, auth_sandbox: Sandbox) -> Stage:
    """Both, and all that they talk to."""
    return Stage(auth, confirming_auth, outside, auth_sandbox)


@pytest.fixture
def project(auth_binary: Path, fresh_database: FreshDatabase, outside: Outside, tmp_path: Path) -> Iterator[Stage]:
    """Both on a new project, for what is not taken back."""
    confirming = {"GOTRUE_MAILER_AUTOCONFIRM": "true"}
    with psycopg.connect(fresh_database.conninfo(), autocommit=True, prepare_threshold=None) as connection:
        # A recursion ends sooner.
        connection.execute(f"ALTER DATABASE {fresh_database.name} SET max_stack_depth = '200kB'".encode())
    with (
        run_auth(auth_binary, fresh_database, outside, tmp_path, {}) as auth,
        run_auth(auth_binary, fresh_database, outside, tmp_path, confirming) as confirming_auth,
    ):
        yield Stage(auth, confirming_auth, outside, fresh_database)
