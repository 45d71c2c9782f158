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


CREATED = {
    "pg_cron": (
        "cron.schedule('a', '0 0 * * *', 'select 1') = cron.schedule('a', '1 0 * * *', 'select 2')",
        "(SELECT schedule = '1 0 * * *' AND username = 'postgres' FROM cron.job)",
        "cron.schedule('* * * * *', 'select 1') > 0 AND (SELECT count(*) = 1 FROM cron.alter_job(1, active := false))",
        "cron.unschedule('a') AND cron.unschedule((SELECT max(jobid) FROM cron.job))",
        "NOT has_table_privilege('cron.job', 'INSERT')",
    ),
    "pgmq": (
        "(SELECT count(*) = 1 FROM pgmq.create('Jobs'))",
        "(SELECT count(*) = 1 FROM pgmq.send('jobs', '{\"a\": 1}'))",
        "(SELECT count(*) = 2 FROM pgmq.send_batch('jobs', ARRAY['{}', '{}']::jsonb[]))",
        "(SELECT message ->> 'a' = '1' AND read_ct = 1 FROM pgmq.read('jobs', 30, 1))",
        "(SELECT count(*) = 1 FROM pgmq.pop('jobs')) AND pgmq.archive('jobs', 1) AND pgmq.delete('jobs', 3::bigint)",
        "(pgmq.metrics('jobs')).queue_length = 0 AND (SELECT count(*) = 1 FROM pgmq.a_jobs)",
        "(SELECT queue_name = 'Jobs' FROM pgmq.list_queues()) AND pgmq.drop_queue('Jobs')",
    ),
    "http": (
        "(http_get('http://localhost')).status = 200",
        "(http_post('http://localhost', '{}', 'text/plain')).content = '{}'",
        "(http(('GET', 'http://localhost', ARRAY[http_header('a', 'b')], NULL, NULL)::http_request)).status = 200",
        "cardinality(http_headers('a', 'b', 'c', 'd')) = 2 AND http_set_curlopt('a', 'b')",
    ),
    "pgjwt": (
        "(SELECT payload ->> 'a' = '1' AND valid FROM verify(sign('{\"a\": 1}', 'secret'), 'secret'))",
        "url_decode(url_encode('\\xfbff10')) = '\\xfbff10'",
    ),
    "pgsodium": (
        "(SELECT key_type = 'aead-det' FROM pgsodium.create_key(name := 'a'))",
        "length(pgsodium.randombytes_buf(40)) = 40",
    ),
    "pg_jsonschema": ("jsonb_matches_schema('{}', '{}') AND jsonschema_is_valid('{}')",),
    "pg_hashids": ("id_decode(id_encode(12)) = '{12}' AND id_decode_once(id_encode(ARRAY[7, 8]), 'salt') = 7",),
    "pgtap": (
        "plan(2) = '1..2' AND \"is\"(1, 1, 'x') = 'ok' AND throws_ok('selec', '42601', 'no', 'x') = 'ok'",
        "has_table('public', 'x', 'y') = 'ok' AND (SELECT count(*) = 0 FROM finish())",
    ),
    "postgis": (
        "st_dwithin(st_setsrid(st_makepoint(1, 2), 4326)::geography, st_point(1, 2)::geography, 10) IS NOT NULL",
        "st_astext(st_geomfromtext('POINT(1 2)', 4326)) = 'POINT(1 2)'",
        "(st_asgeojson('POINT(1 2)'::geometry)::jsonb) IS NOT NULL",
        "(SELECT st_union(g) IS NOT NULL FROM (VALUES ('POINT(1 2)'::geometry)) AS v (g))",
    ),
    "timescaledb": ("time_bucket('1 hour', '2026-01-01 00:30:00+00'::timestamptz) = '2026-01-01 00:00:00+00'",),
    "dblink": (
        "dblink_exec('host=x', 'select 1') = 'OK' AND (SELECT count(*) = 0 FROM dblink('x', 'y') AS t (a int))",
    ),
    "index_advisor": ("(SELECT index_statements = '{}' FROM index_advisor('select 1'))",),
    "hypopg": ("(SELECT count(*) = 0 FROM hypopg_create_index('create index on t (a)'))",),
    "pg_tle": ("pgtle.install_extension('a', '1', 'b', 'select 1')",),
    "supabase-dbdev": ("dbdev.install('a')",),
    "pg_partman": ("create_parent('public.t', 'at', '1 day') AND (SELECT count(*) = 1 FROM run_maintenance())",),
    "wrappers": ("(SELECT count(*) = 1 FROM stripe_fdw_validator('{}', 0))",),
}
"""Of extensions that a project does not find installed, with conditions that hold one after the other."""
_HERE_ALREADY = {name for name, _ in PREINSTALLED}


@pytest.mark.parametrize("name", CREATED)
def test_functions_of_a_created_one_run(project_connection: psycopg.Connection, name: str) -> None:
    project_connection.execute("CREATE SCHEMA partman; SET search_path = public, extensions, partman")
    if name not in _HERE_ALREADY:
        project_connection.execute(f'CREATE EXTENSION "{name}"'.encode())
    for condition in CREATED[name]:
        assert _value(project_connection, f"SELECT {condition}") is True, condition


def test_a_table_of_places_can_be_indexed(project_connection: psycopg.Connection) -> None:
    """More than one page of an index, on the planner's way and not."""
    project_connection.execute(
        "CREATE EXTENSION postgis SCHEMA extensions;"
        "CREATE TABLE public.places (at geography(point, 4326), area geometry(Polygon, 4326));"
        "CREATE INDEX ON public.places USING gist (at); CREATE INDEX ON public.places USING gist (area);"
        "INSERT INTO public.places SELECT st_point(n, n), st_makeenvelope(n, n, n, n, 4326)"
        " FROM generate_series(1, 1000) AS n; CREATE INDEX ON public.places USING gist (at, area);"
        "SET LOCAL enable_seqscan = off"
    )
    query = "SELECT count(*) FROM public.places WHERE at && st_point(1, 1)::geography"
    assert _value(project_connection, query) == 0
    assert _value(project_connection, "SELECT count(DISTINCT at) FROM public.places") == 1000


def test_the_real_one_of_what_acts_outside_is_never_used(project_connection: psycopg.Connection) -> None:
    project_connection.execute("CREATE EXTENSION dblink SCHEMA extensions; CREATE EXTENSION postgres_fdw")
    query = (
        "SELECT count(*) FROM pg_depend AS d JOIN pg_proc AS p ON p.oid = d.objid AND d.classid = 'pg_proc'::regclass "
        "JOIN pg_extension AS e ON e.oid = d.refobjid AND d.deptype = 'e' JOIN pg_language AS l ON l.oid = p.prolang "
        "WHERE e.extname IN ('dblink', 'postgres_fdw', 'pg_net') AND l.lanname = 'c'"
    )
    assert _value(project_connection, query) == 0


def test_real_ones_stay(postgres15: Sandbox) -> None:
    """A server that has pgcrypto keeps it."""
    with psycopg.connect(postgres15.conninfo("postgres"), prepare_threshold=None) as connection:
        assert _value(connection, "SELECT encode(digest('abc', 'sha1'), 'hex')") == hashlib.sha1(b"abc").hexdigest()
