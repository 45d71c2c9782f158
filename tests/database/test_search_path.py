"""The owner of a database may choose its search path; a superuser's queries must not run what he puts there."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.smoke.conftest import Database
from trigger_audit.database.connect import connect
from trigger_audit.database.dsn import parse_dsn
from trigger_audit.database.platform import describe
from trigger_audit.opening import TargetInfo
from trigger_audit.pipeline import SmokeOptions, scan, smoke
from trigger_audit.rules.registry import all_rules

TYPES = ("text", "name", "oid", "bigint", "integer", '"char"', "boolean")
OPERATOR = """
CREATE FUNCTION evil.ran({type}, {type}) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'ran as %', current_user; END $$;
CREATE OPERATOR evil.= (FUNCTION = evil.ran, LEFTARG = {type}, RIGHTARG = {type});
CREATE OPERATOR evil.<> (FUNCTION = evil.ran, LEFTARG = {type}, RIGHTARG = {type});
"""


@pytest.fixture
def stranger(fresh_database: Database) -> Iterator[str]:
    """The conninfo of a superuser without a path of its own, on a database whose path has evil operators first."""
    with psycopg.connect(fresh_database.conninfo("supabase_admin"), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA evil")
        for name in TYPES:
            connection.execute(OPERATOR.format(type=name).encode())
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = evil, pg_catalog").format(database))
        connection.execute("CREATE ROLE stranger SUPERUSER LOGIN")
        yield fresh_database.conninfo("stranger")
        connection.execute("DROP ROLE stranger")


def test_the_operators_would_run(stranger: str) -> None:
    with psycopg.connect(stranger) as connection, pytest.raises(psycopg.errors.RaiseException, match="ran as stranger"):
        connection.execute("SELECT 'a'::text = 'b'::text")


def test_no_command_runs_them(stranger: str) -> None:
    info = TargetInfo("database", "test", "", "supabase")
    with connect(parse_dsn(stranger)) as connection:
        assert describe(connection).is_superuser
        assert scan(connection, info, all_rules()).findings == ()
        report = smoke(connection, info, SmokeOptions(flows=("signup-email", "delete-user"), unmask=True)).report
    assert report.summary["pass"] == len(report.flows)
    assert report.rolled_back
