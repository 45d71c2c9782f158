"""What a started sandbox offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from trigger_audit.sandbox.server import Sandbox


@pytest.fixture(params=["sandbox", "postgres15"])
def server(request: pytest.FixtureRequest) -> Sandbox:
    found: Sandbox = request.getfixturevalue(request.param)
    return found


def _value(server: Sandbox, query: str, role: str = "supabase_admin") -> Any:
    with psycopg.connect(server.conninfo(role), prepare_threshold=None) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def test_says_which_server_judges(server: Sandbox) -> None:
    assert _value(server, "SHOW server_version").split()[0] == server.server_version
    assert _value(server, "SHOW data_directory") == str(server.data_directory)


def test_postgres_is_what_it_is_on_the_platform(server: Sandbox) -> None:
    assert _value(server, "SELECT NOT rolsuper AND rolbypassrls FROM pg_roles WHERE rolname = 'postgres'")
    assert not _value(server, "SELECT pg_has_role('postgres', 'supabase_auth_admin', 'MEMBER')")
    assert _value(server, "SHOW search_path", "postgres") == '"$user", public, extensions'
    assert _value(server, "SHOW search_path", "supabase_auth_admin") == "auth"


def test_is_reached_by_socket_alone(server: Sandbox) -> None:
    assert _value(server, "SHOW listen_addresses") == ""


def test_settings_of_the_shell_do_not_count(server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=nowhere")
    monkeypatch.setenv("PGDATABASE", "elsewhere")
    query = "SELECT current_database()::text || ' ' || current_setting('search_path')"
    assert _value(server, query, "supabase_auth_admin") == "postgres auth"


@pytest.mark.parametrize("name", ["uuid_generate_v4()", "extensions.uuid_generate_v4()"])
def test_uuid_functions_resolve_with_and_without_their_schema(server: Sandbox, name: str) -> None:
    assert _value(server, f"SELECT {name}", "postgres").version == 4


def test_extensions_are_real_members(server: Sandbox) -> None:
    members = _value(
        server,
        "SELECT count(*) FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.deptype = 'e' "
        "JOIN pg_proc p ON p.oid = d.objid WHERE e.extname = 'uuid-ossp'",
    )
    assert members == 10


def test_database_settings_follow_a_fresh_database(project: Callable[[str], str]) -> None:
    conninfo = project("CREATE TABLE public.here (id uuid DEFAULT uuid_generate_v4())")
    with psycopg.connect(conninfo, user="postgres") as connection:
        row = connection.execute("SELECT current_setting('app.settings.jwt_exp'), 'here'::regclass::text").fetchone()
        assert row == ("3600", "here")
