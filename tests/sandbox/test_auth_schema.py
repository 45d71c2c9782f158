"""The sandbox' auth schema is the one that Auth's own migrations leave (data/ holds a dump of its catalog)."""

from __future__ import annotations

import csv
from pathlib import Path

import psycopg
import pytest

from trigger_audit.sandbox.server import Sandbox

_DATA = Path(__file__).parent / "data"
_QUERIES = {
    "auth_columns.csv": """
        SELECT 'auth', c.relname, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname,
               format_type(a.atttypid, a.atttypmod), a.attnotnull,
               CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
               CASE WHEN a.attgenerated = 's' THEN 'generated_stored: ' || pg_get_expr(d.adbin, d.adrelid) END
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'auth'::regnamespace AND c.relkind = 'r'""",
    # 18 keeps NOT NULL as a constraint too; the column says it already.
    "auth_constraints.csv": """
        SELECT conrelid::regclass::text, conname,
               CASE contype WHEN 'p' THEN 'primary_key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign_key'
                            WHEN 'c' THEN 'check' END,
               pg_get_constraintdef(oid), condeferrable, condeferred, convalidated
        FROM pg_constraint
        WHERE connamespace = 'auth'::regnamespace AND contype <> 'n'""",
    "auth_indexes.csv": """
        SELECT i.indrelid::regclass::text, c.relname, pg_get_indexdef(c.oid), i.indisunique
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relnamespace = 'auth'::regnamespace""",
    "auth_enums.csv": """
        SELECT 'auth', t.typname, e.enumsortorder::integer, e.enumlabel
        FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
        WHERE t.typnamespace = 'auth'::regnamespace""",
    "auth_functions.csv": """
        SELECT p.proname, pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid), l.lanname,
               p.prosecdef, array_to_string(p.proconfig, ','), p.provolatile, p.proowner::regrole::text
        FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        WHERE p.pronamespace = 'auth'::regnamespace""",
}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    return "" if value is None else str(value)


@pytest.mark.parametrize("server", ["sandbox", "postgres15"])
@pytest.mark.parametrize("name", _QUERIES)
def test_catalog_is_the_dumped_one(name: str, server: str, request: pytest.FixtureRequest) -> None:
    running: Sandbox = request.getfixturevalue(server)
    with (_DATA / name).open(newline="", encoding="utf-8") as file:
        expected = sorted(list(csv.reader(file))[1:])
    with psycopg.connect(running.conninfo(), prepare_threshold=None) as connection:
        # Names of the auth schema are unqualified in the dump, types and targets are not.
        connection.execute("SET search_path = pg_catalog")
        rows = connection.execute(_QUERIES[name].encode()).fetchall()
    found = sorted(
        [_text(value).removeprefix("auth.") if place == 0 else _text(value) for place, value in enumerate(row)]
        for row in rows
    )
    assert found == expected
    assert len(found) > 3


def test_owned_by_auth_and_under_row_security_that_the_owner_passes(sandbox: Sandbox) -> None:
    with psycopg.connect(sandbox.conninfo("supabase_auth_admin"), prepare_threshold=None) as connection:
        tables = connection.execute(
            "SELECT relrowsecurity, relforcerowsecurity, relowner::regrole::text "
            "FROM pg_class WHERE oid = 'users'::regclass"
        ).fetchone()
        assert tables == (True, False, "supabase_auth_admin")
        connection.execute("INSERT INTO users (id, email) VALUES (gen_random_uuid(), 'a@example.com')")
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (1,)
        connection.rollback()


def test_postgres_may_write_but_not_own(sandbox: Sandbox) -> None:
    with psycopg.connect(sandbox.conninfo("postgres"), prepare_threshold=None) as connection:
        granted = connection.execute(
            "SELECT has_table_privilege('auth.users', 'INSERT, TRIGGER'), has_schema_privilege('auth', 'CREATE'), "
            "has_table_privilege('auth.schema_migrations', 'INSERT'), pg_has_role('supabase_auth_admin', 'MEMBER')"
        ).fetchone()
        assert granted == (True, False, False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("ALTER TABLE auth.users DISABLE TRIGGER ALL")


def test_auth_functions_read_the_request(sandbox: Sandbox) -> None:
    with psycopg.connect(sandbox.conninfo("postgres"), prepare_threshold=None) as connection:
        query = "SELECT auth.uid(), auth.role(), auth.email(), auth.jwt()"
        assert connection.execute(query).fetchone() == (None, None, None, None)
        claims = '{"sub": "00000000-0000-0000-0000-00000000000a", "role": "anon", "email": "a@example.com"}'
        connection.execute("SELECT set_config('request.jwt.claims', %s, true)", (claims,))
        row = connection.execute(query).fetchone()
        assert row is not None
        assert (str(row[0])[-1], row[1], row[2], row[3]["role"]) == ("a", "anon", "a@example.com", "anon")
