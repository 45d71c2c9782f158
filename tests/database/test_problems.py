"""Failures in plain words with a remedy, and never the password."""

from __future__ import annotations

import contextlib
import socket
import threading
import traceback
from collections.abc import Iterator

import psycopg
import pytest

from trigger_audit.database.connect import connect, read_only
from trigger_audit.database.dsn import Dsn, parse_dsn
from trigger_audit.database.problems import explain, explained
from trigger_audit.database.redact import spellings
from trigger_audit.errors import TriggerAuditError

from .servers import LENIENT_PASSWORD, PASSWORD, PasswordServer


def _fails(url: str) -> TriggerAuditError:
    """The error of a connection that must not come about, checked for the password in all that could be printed."""
    dsn = parse_dsn(url)
    with pytest.raises(TriggerAuditError) as caught:
        connect(dsn)
    error = caught.value
    # Without this test's own frame, which holds the URL.
    assert error.__traceback__ is not None
    frames = traceback.walk_tb(error.__traceback__.tb_next)
    shown = "".join(traceback.StackSummary.extract(frames, capture_locals=True).format())
    assert "connect.py" in shown
    assert "dsn = " in shown
    assert error.__context__ is None
    assert error.__cause__ is None
    assert "\n" not in error.message
    for secret in dsn.secret_texts():
        assert secret not in shown
        assert secret not in f"{error.message} {error.remedy} {error!r}"
    return error


def _said(error: TriggerAuditError, message: str, remedy: str) -> None:
    assert message in error.message
    assert remedy in (error.remedy or "")


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_closed_port() -> None:
    port = _closed_port()
    error = _fails(f"postgresql://u:{LENIENT_PASSWORD}@127.0.0.1:{port}/db")
    _said(error, f"nothing answers at 127.0.0.1:{port}", "is the server running there")


def test_unknown_host() -> None:
    _said(_fails("postgresql://u:secret@nowhere.invalid/db"), "nowhere.invalid leads to no address", "check the host")


def test_a_host_that_is_no_name() -> None:
    _said(_fails(f"postgresql://u:secret@{'a' * 70}.invalid/db"), "leads to no address", "check the host")


def test_wrong_password(password_server: PasswordServer) -> None:
    error = _fails(password_server.url("insider", "wrong p@ssword"))
    _said(error, "refuses the password of user insider", "check the password")
    assert "percent-encoded" not in (error.remedy or "")


def test_password_written_with_special_characters(password_server: PasswordServer) -> None:
    error = _fails(f"postgresql://insider:100%&x@127.0.0.1:{password_server.port}/postgres")
    _said(error, "refuses the password", "percent-encoded")


def test_password_in_brackets(password_server: PasswordServer) -> None:
    _said(_fails(password_server.url("bracketed", "[secret]")), "refuses the password", "leave the brackets out")


def test_no_password(password_server: PasswordServer) -> None:
    error = _fails(f"postgresql://insider@127.0.0.1:{password_server.port}/postgres")
    _said(error, "wants a password for user insider", "PGPASSWORD")


def test_unknown_database(password_server: PasswordServer) -> None:
    _said(_fails(password_server.url("insider", database="missing")), "no database missing", "named postgres")


def test_unknown_role(password_server: PasswordServer) -> None:
    # No role, so not in the group that pg_hba.conf names.
    _said(_fails(password_server.url("nobody_here")), "does not let user nobody_here in", "administrator")


def test_role_without_login(password_server: PasswordServer) -> None:
    _said(_fails(password_server.url("nologin")), "user nologin cannot log in", "postgres")


def test_no_pg_hba_entry(password_server: PasswordServer) -> None:
    _said(_fails(password_server.url("outsider")), "does not let user outsider in", "administrator")
    _said(_fails(password_server.url("outsider", query="?sslmode=disable")), "does not let", "sslmode=require")


def test_ssl_required_of_a_server_without(password_server: PasswordServer) -> None:
    _said(_fails(password_server.url("insider", query="?sslmode=require")), "has no TLS", "sslmode=prefer")


def test_unknown_sslmode(password_server: PasswordServer) -> None:
    _said(_fails(password_server.url("insider", query="?sslmode=always")), "unknown sslmode", "verify-full")


def test_missing_root_certificate(password_server: PasswordServer) -> None:
    error = _fails(password_server.url("insider", query="?sslmode=verify-full&sslrootcert=/nonexistent/ca.crt"))
    assert "certificate" in error.message or "no TLS" in error.message


def test_too_many_connections(password_server: PasswordServer) -> None:
    _said(_fails(password_server.url("crowd")), "no free connection", "close other clients")


def test_bad_connect_timeout(password_server: PasswordServer) -> None:
    assert "connect_timeout" in _fails(password_server.url("insider", query="?connect_timeout=soon")).message


def test_unknown_service() -> None:
    assert "nowhere_service" in _fails("service=nowhere_service").message


def test_no_socket() -> None:
    _said(_fails("host=/nonexistent dbname=x password=hushhush"), "no server listens on the local socket", "127.0.0.1")


@pytest.fixture
def stranger() -> Iterator[int]:
    """The port of something that speaks HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            # Ends when the listening socket is closed.
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    with client:
                        client.recv(1024)
                        client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])


def test_what_answers_is_no_postgresql(stranger: int) -> None:
    _said(_fails(f"postgresql://u:secret@127.0.0.1:{stranger}/db"), "is not PostgreSQL", "host and port")


def test_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        error = _fails(f"postgresql://u:secret@127.0.0.1:{port}/db?connect_timeout=1")
    _said(error, "does not answer in time", "check the host")


def test_permission_denied(insider: Dsn) -> None:
    with (
        connect(insider) as connection,
        pytest.raises(TriggerAuditError) as caught,
        explained(insider),
        read_only(connection),
    ):
        connection.execute("SELECT * FROM public.kept")
    _said(caught.value, "permission denied for table kept", "connect as a role")


def test_no_right_to_connect(password_server: PasswordServer) -> None:
    with password_server.open() as connection:
        connection.execute("REVOKE CONNECT ON DATABASE latin FROM PUBLIC")
        try:
            error = _fails(password_server.url("insider").replace("/postgres", "/latin"))
        finally:
            connection.execute("GRANT CONNECT ON DATABASE latin TO PUBLIC")
    _said(error, 'the role may not do this: permission denied for database "latin"', "connect as a role")


def test_write_on_a_standby(standby_server: PasswordServer) -> None:
    dsn = parse_dsn(standby_server.url())
    with connect(dsn) as connection, pytest.raises(TriggerAuditError) as caught, explained(dsn):
        connection.execute("CREATE TABLE public.never (id integer)")
    _said(caught.value, "only reads", "primary")


def test_a_password_in_the_servers_own_text(insider: Dsn) -> None:
    # What an echoing trigger, a foreign server's option or an ALTER ROLE in a message does.
    texts = [PASSWORD, *spellings([PASSWORD]), "postgresql://me:topsecret@elsewhere/db", "password=topsecret"]
    with connect(insider) as connection:
        for text in texts:
            with pytest.raises(psycopg.Error) as caught, read_only(connection):
                connection.execute("SELECT pg_catalog.set_config('no_such_setting_' || %s, '1', true)", [text])
            said = explain(caught.value, insider)
            assert "topsecret" not in said.message
            assert text not in said.message
            assert "***" in said.message


def test_explained_hides_the_original() -> None:
    dsn = parse_dsn("postgresql://u:hushhush@127.0.0.1/db")
    with pytest.raises(TriggerAuditError) as caught, explained(dsn):
        raise psycopg.OperationalError("something about hushhush\nin two lines")
    assert caught.value.message == "the database refused: something about *** in two lines"
    assert caught.value.__suppress_context__
    assert "hushhush" not in "".join(traceback.format_exception(caught.value))


DIRECT = "postgresql://postgres:hushhush@db.abcdefghijklmnopqrst.supabase.co:5432/postgres"
POOLER = "postgresql://postgres.abcdefghijklmnopqrst:hushhush@aws-0-eu-west-1.pooler.supabase.com:5432/postgres"


# Texts of the platform that no server here produces, as libpq hands them over.
@pytest.mark.parametrize(
    ("url", "text", "message", "remedy"),
    [
        (DIRECT, "failed to resolve host 'db.x.supabase.co': [Errno -5] No address associated with hostname",
         "leads to no address", "session pooler"),
        (DIRECT, 'could not translate host name "db.x.supabase.co" to address: Name or service not known',
         "leads to no address", "session pooler"),
        (DIRECT, 'connection to server at "2a05:d014::1", port 5432 failed: Network is unreachable',
         "does not reach db.abcdefghijklmnopqrst.supabase.co:5432", "session pooler"),
        (DIRECT, 'connection to server at "2a05:d014::1", port 5432 failed: No route to host',
         "does not reach", "session pooler"),
        (DIRECT, "connection timeout expired", "does not answer in time", "session pooler"),
        (POOLER, "connection to server failed: FATAL:  Tenant or user not found",
         "does not know user postgres.abc", "host's region and number"),
        (POOLER.replace("postgres.abcdefghijklmnopqrst", "postgres"), "FATAL:  Tenant or user not found",
         "does not know user postgres", "postgres.REF instead of postgres"),
        (POOLER, "FATAL:  (ENOTFOUND) tenant/user postgres.abc not found", "does not know user", "dashboard"),
        (POOLER, "FATAL:  MaxClientsInSessionMode: max clients reached", "no free connection", "6543"),
        (POOLER, "FATAL:  SSL connection is required", "wants an encrypted connection", "sslmode=require"),
        (POOLER, "FATAL:  unsupported startup parameter: options", "refuses a startup parameter", "PGOPTIONS"),
        ("postgresql://postgres:postgres@127.0.0.1:54322/postgres",
         'connection to server at "127.0.0.1", port 54322 failed: Connection refused', "127.0.0.1:54322",
         "supabase start"),
        (DIRECT, "SSL error: certificate verify failed", "certificate", "sslrootcert"),
        (DIRECT, "FATAL:  the database system is starting up", "starts or shuts down", "try again"),
    ],
)  # fmt: skip
def test_texts_of_the_platform(url: str, text: str, message: str, remedy: str) -> None:
    _said(explain(psycopg.OperationalError(f"connection failed: {text}"), parse_dsn(url)), message, remedy)
