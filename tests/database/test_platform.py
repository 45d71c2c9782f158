"""What kind of server answers."""

from __future__ import annotations

import pytest

from trigger_audit.database.connect import connect, read_only
from trigger_audit.database.dsn import parse_dsn
from trigger_audit.database.platform import check_version, describe, hosting_of, is_loopback, pooler_of
from trigger_audit.errors import TriggerAuditError
from trigger_audit.sandbox.server import Sandbox

from .servers import PasswordServer


def test_a_plain_server(password_server: PasswordServer) -> None:
    with connect(parse_dsn(password_server.url("insider"))) as connection:
        server = describe(connection)
        assert connection.info.transaction_status.name == "IDLE"
        with read_only(connection):
            again = describe(connection)
            assert connection.info.transaction_status.name == "INTRANS"
    assert (server.platform, server.hosting, server.pooler) == ("postgres", "none", "none")
    assert (server.standby, server.read_only, server.has_auth_users, server.is_superuser) == (False,) * 4
    assert (server.database, server.user) == ("postgres", "insider")
    assert server.version_num // 10_000 == int(server.version.split(".")[0])
    assert server.notes == ()
    assert again == server


def test_a_role_that_reads_only(password_server: PasswordServer) -> None:
    with connect(parse_dsn(password_server.url("reader"))) as connection:
        server = describe(connection)
    assert (server.standby, server.read_only) == (False, True)


def test_a_standby(standby_server: PasswordServer) -> None:
    with connect(parse_dsn(standby_server.url())) as connection:
        server = describe(connection)
        with read_only(connection):
            assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
    assert (server.standby, server.read_only, server.is_superuser) == (True, True, True)


def test_a_database_without_utf8(password_server: PasswordServer) -> None:
    for name in ("ascii", "latin"):
        with connect(parse_dsn(password_server.url("insider", database=name))) as connection:
            server = describe(connection)
        assert server.database == name
        assert any("SQL_ASCII" in note for note in server.notes) == (name == "ascii")


def test_the_sandbox_is_a_supabase_database(sandbox: Sandbox) -> None:
    for role in ("supabase_admin", "postgres"):
        with connect(parse_dsn(sandbox.conninfo(role))) as connection:
            server = describe(connection)
        assert (server.platform, server.hosting, server.pooler) == ("supabase", "local", "none")
        assert server.has_auth_users
        assert server.user == role
        assert server.is_superuser == (role == "supabase_admin")
        assert server.version == sandbox.server_version


@pytest.mark.parametrize(
    ("said", "number", "message"),
    [
        ("PostgreSQL 13.14 on x86_64-pc-linux-gnu", 130014, "PostgreSQL 13.14; trigger-audit needs 14"),
        ("PostgreSQL 9.6.24 on x86_64-pc-linux-gnu", 90624, "PostgreSQL 9.6; trigger-audit needs 14"),
        ("CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu)", 130000, "not PostgreSQL but CockroachDB"),
        ("PostgreSQL 15.2-YB-2.25.1.0-b0 on x86_64", 150002, "not PostgreSQL but YugabyteDB"),
        ("PostgreSQL 8.0.2 on i686-pc-linux-gnu, Redshift 1.0.123", 80002, "not PostgreSQL but Amazon Redshift"),
        ("Something\nelse 1.0", 150000, "calls itself 'Something else 1.0'"),
    ],
)
def test_servers_that_are_refused(said: str, number: int, message: str) -> None:
    with pytest.raises(TriggerAuditError) as caught:
        check_version(said, number)
    assert message in caught.value.message


def test_servers_that_are_taken() -> None:
    assert check_version("PostgreSQL 14.0 on x86_64", 140000) == ()
    assert check_version("PostgreSQL 18.6 on x86_64", 180006) == ()
    assert "newer" in check_version("PostgreSQL 19beta1 on x86_64", 190000)[0]


@pytest.mark.parametrize(
    ("host", "port", "login", "session_user", "pooler"),
    [
        ("aws-0-eu-west-1.pooler.supabase.com", 6543, "postgres.abc", "postgres", "transaction"),
        ("aws-0-eu-west-1.pooler.supabase.com", 5432, "postgres.abc", "postgres", "session"),
        ("db.abc.supabase.co", 6543, "postgres", "postgres", "transaction"),
        ("db.abc.supabase.co", 5432, "postgres", "postgres", "none"),
        ("supabase.example.org", 5432, "postgres.tenant", "postgres", "session"),
        ("db.example.org", 5432, "first.last", "first.last", "none"),
        ("/tmp", 5432, "postgres", "postgres", "none"),
    ],
)
def test_poolers(host: str, port: int, login: str, session_user: str, pooler: str) -> None:
    assert pooler_of(host, port, login=login, session_user=session_user) == pooler


def test_hosting() -> None:
    assert hosting_of("db.abc.supabase.co", None) == "hosted"
    assert hosting_of("10.0.0.1", "supabase_privileged_role") == "hosted"
    assert hosting_of("127.0.0.1", "postgres") == "local"
    assert hosting_of("db.example.org", "postgres") == "self-hosted"


def test_loopback() -> None:
    assert all(is_loopback(host) for host in ("localhost", "127.0.0.1", "127.1.2.3", "::1", "/tmp", "", None))
    assert not any(is_loopback(host) for host in ("10.0.0.1", "localhost.example.org", "::2", "db"))
