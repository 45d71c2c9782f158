"""The stand-in extensions: a body in an extension's script is not checked until it runs, so each one is run."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

import psycopg
import pytest

from trigger_audit.sandbox.bootstrap import PREINSTALLED
from trigger_audit.sandbox.server import Sandbox

_KEYS = ("", "key", "k" * 200)


@pytest.fixture(params=["sandbox", "postgres15"])
def project_connection(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    server: Sandbox = request.getfixturevalue(request.param)
    with psycopg.connect(server.conninfo("postgres"), prepare_threshold=None) as opened:
        yield opened
        opened.rollback()


def _value(connection: psycopg.Connection, query: str, *values: object) -> object:
    row = connection.execute(query.encode(), values or None).fetchone()
    assert row is not None
    return row[0]


def test_the_embedded_server_has_what_a_project_finds(connection: psycopg.Connection) -> None:
    installed = {name for (name,) in connection.execute("SELECT extname FROM pg_extension")}
    assert {name for name, _ in PREINSTALLED} <= installed


@pytest.mark.parametrize("algorithm", ["md5", "sha224", "sha256", "sha384", "sha512"])
def test_digests_are_true(project_connection: psycopg.Connection, algorithm: str) -> None:
    expected = hashlib.new(algorithm, "Grüße".encode()).digest()
    assert _value(project_connection, "SELECT digest(%s::text, %s)", "Grüße", algorithm) == expected
    for key in _KEYS:
        expected = hmac.new(key.encode(), "Grüße".encode(), algorithm).digest()
        assert _value(project_connection, "SELECT hmac(%s::text, %s::text, %s)", "Grüße", key, algorithm) == expected


@pytest.mark.parametrize(
    "condition",
    [
        "(SELECT crypt('secret', stored) = stored AND crypt('other', stored) <> stored "
        "FROM (SELECT crypt('secret', gen_salt('bf', 8)) AS stored) s)",
        "(SELECT crypt('secret', stored) = stored FROM (SELECT crypt('secret', gen_salt('md5')) AS stored) s)",
        "length(crypt('secret', gen_salt('bf'))) = 60",
        "length(gen_random_bytes(1024)) = 1024 AND gen_random_bytes(16) <> gen_random_bytes(16)",
        "length(digest('a', 'sha1')) = 20",
        "extensions.gen_random_uuid() IS NOT NULL",
        "pgp_sym_decrypt(pgp_sym_encrypt('a', 'k'), 'k') = 'a'",
        "pgp_sym_decrypt(pgp_sym_encrypt('a', 'k', 'cipher-algo=aes256'), 'k') = 'a'",
        "pgp_sym_decrypt_bytea(pgp_sym_encrypt_bytea('a', 'k'), 'k') = 'a'",
        "decrypt(encrypt('a', '0123456789abcdef', 'aes'), '0123456789abcdef', 'aes') = 'a'",
        "uuid_generate_v5(uuid_ns_url(), 'a') = uuid_generate_v5(uuid_ns_url(), 'a')",
        "uuid_generate_v3(uuid_ns_dns(), 'a') <> uuid_generate_v3(uuid_ns_oid(), 'a')",
        "uuid_generate_v1() <> uuid_generate_v1mc() AND uuid_nil() <> uuid_ns_x500()",
        "net.http_get('http://localhost', '{\"a\": \"b\"}') < net.http_delete('http://localhost')",
        "net.http_post(url := 'http://localhost', body := '{}'::jsonb, headers := '{}'::jsonb) > 0",
        "storage.foldername('a/b/c.png') = '{a,b}' AND storage.filename('a/b/c.png') = 'c.png'",
        "storage.extension('a/b.tar/c.d.png') = 'png'",
        "realtime.topic() IS NULL",
        "realtime.send('{}', 'event', 'topic', false) IS NOT NULL",
        "graphql_public.graphql(query := '{ a }') ? 'errors'",
    ],
)
def test_function_runs(project_connection: psycopg.Connection, condition: str) -> None:
    assert _value(project_connection, f"SELECT {condition}") is True


def test_requests_are_queued_within_the_transaction(project_connection: psycopg.Connection) -> None:
    _value(project_connection, """SELECT net.http_get('http://localhost/x?y=1', '{"a": "b"}')""")
    assert _value(project_connection, "SELECT url FROM net.http_request_queue") == "http://localhost/x?y=1&a=b"


def test_secrets_are_read_back(project_connection: psycopg.Connection) -> None:
    _value(project_connection, "SELECT vault.update_secret(vault.create_secret('a', 'name'), 'b')")
    query = "SELECT decrypted_secret FROM vault.decrypted_secrets WHERE name = 'name'"
    assert _value(project_connection, query) == "b"


def test_a_webhook_queues_its_request(project_connection: psycopg.Connection) -> None:
    project_connection.execute("CREATE TABLE public.hooked (a int)")
    project_connection.execute(
        "CREATE TRIGGER hook AFTER INSERT ON public.hooked FOR EACH ROW EXECUTE FUNCTION "
        "supabase_functions.http_request('http://localhost', 'POST', '{}', '{}', '500')"
    )
    project_connection.execute("INSERT INTO public.hooked VALUES (1)")
    query = "SELECT convert_from(body, 'UTF8')::jsonb -> 'record' ->> 'a' FROM net.http_request_queue"
    assert _value(project_connection, query) == "1"
