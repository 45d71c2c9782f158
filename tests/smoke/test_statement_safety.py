"""Whatever the user's own statements are, nothing of them stays, and what is told is plain."""

from __future__ import annotations

import time

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.conftest import FreshDatabase
from tests.smoke.own import DEEP, INFO, PAY, SHOP, apply, culprits, flow, rows, run, trigger
from trigger_audit.database.connect import connect
from trigger_audit.database.dsn import parse_dsn
from trigger_audit.errors import TriggerAuditError
from trigger_audit.pipeline import SmokeOptions
from trigger_audit.report.concise import smoke_lines
from trigger_audit.report.json import dumps
from trigger_audit.report.smoke_json import smoke_document
from trigger_audit.report.smoke_table import smoke_text
from trigger_audit.report.table import Style
from trigger_audit.sandbox.server import Sandbox
from trigger_audit.smoke.model import Outcome
from trigger_audit.smoke.script import read_script
from trigger_audit.statements import smoke_statements


def test_our_own_limits_give_no_verdict(plain: str) -> None:
    apply(plain, DEEP)
    with psycopg.connect(plain) as other:
        other.execute("LOCK TABLE shop.orders IN SHARE MODE")
        found = flow(run(plain, PAY))
    assert (found.outcome, found.failed_step, found.culprits) == (Outcome.SKIPPED, None, ())
    assert found.reason is not None
    assert "lock_timeout" in found.reason


def test_strings_end_where_the_file_says(plain: str) -> None:
    """With standard_conforming_strings off, the second statement would end in the middle of its string."""
    apply(
        plain,
        SHOP
        + trigger(
            "strings",
            "shop.orders",
            "  PERFORM set_config('standard_conforming_strings', 'off', false);\n  RETURN NEW;",
        ),
    )
    script = PAY + r"INSERT INTO shop.log VALUES ('\'), ('; COMMIT; DROP TABLE shop.log; --')"
    found = flow(run(plain, script))
    assert (found.outcome, found.reason) == (Outcome.PASS, None)
    assert rows(plain, "SELECT count(*) FROM shop.log") == [(0,)]
    assert rows(plain, "SELECT status FROM shop.orders WHERE id = 1") == [("new",)]


def test_percent_signs_and_braces_are_the_statements_own(fresh_database: FreshDatabase) -> None:
    fresh_database.apply("CREATE TABLE public.t (n text); GRANT ALL ON public.t TO authenticated;")
    script = "INSERT INTO public.t VALUES ('%s {} %(x)s %'); DELETE FROM public.t WHERE n LIKE '%{}%' AND n ~ '\\{'"
    for role in (None, "authenticated"):
        found = flow(run(fresh_database.conninfo(), script, role))
        assert (found.outcome, found.reason) == (Outcome.PASS, None)


def test_hostile_names_are_shown_plain(plain: str) -> None:
    name = '"tr\x1b[2J"""'
    table = '"s\x1b[31m"."t\u202e\n; DROP TABLE x; --"'
    apply(
        plain,
        f"""
        CREATE SCHEMA "s\x1b[31m";
        CREATE TABLE {table} ("c'$$\\" int);
        CREATE FUNCTION "s\x1b[31m"."f\x1b[2J'"() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE '%', E'\\x1b[2J'; END $$;
        CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION "s\x1b[31m"."f\x1b[2J'"();
        """,
    )
    result = run(plain, f'INSERT INTO {table} ("c\'$$\\") VALUES (1)')
    assert culprits(result) == [("trigger", 's\x1b[31m.t\u202e\n; DROP TABLE x; --.tr\x1b[2J"')]
    for text in (smoke_text(result, Style()), smoke_lines(result)):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "\x1b" not in dumps(smoke_document(result))


@pytest.mark.extended
def test_a_file_of_a_megabyte(plain: str) -> None:
    """Its rows are not looked at one by one, but its triggers are."""
    apply(
        plain,
        SHOP
        + trigger("last", "shop.log", "  IF NEW.what = '99' THEN RAISE 'no'; END IF;\n  RETURN NEW;", "BEFORE INSERT"),
    )
    values = ", ".join(f"('{number % 100}')" for number in range(130_000))
    script = f"INSERT INTO shop.log VALUES {values};\nUPDATE shop.orders SET n = 1"
    assert len(script) > 1_000_000
    started = time.monotonic()
    result = run(plain, script)
    assert culprits(result) == [("trigger", "shop.log.last")]
    assert "statement 1 (INSERT shop.log) is not read: what functions in it do is not looked at" in (
        result.report.session.gaps
    )
    step = flow(result).failed_step
    assert step is not None
    assert len(step.context or "") < 1_000
    assert time.monotonic() - started < 30


def test_a_long_statement_into_a_foreign_table_is_a_hazard_all_the_same(plain: str) -> None:
    apply(
        plain,
        """
        CREATE FOREIGN DATA WRAPPER nothing;
        CREATE SERVER far FOREIGN DATA WRAPPER nothing;
        CREATE FOREIGN TABLE public.far (n text) SERVER far;
        CREATE VIEW public.near AS SELECT * FROM public.far;
        """,
    )
    for table in ("far", "near"):
        for value in ("x", "x" * 200_000):
            with pytest.raises(TriggerAuditError, match=r"calls INSERT public\.far"):
                run(plain, f"INSERT INTO public.{table} VALUES ('{value}')")


def test_a_call_in_a_statement_that_is_too_long_to_be_read_is_refused(plain: str) -> None:
    apply(plain, SHOP + "CREATE SEQUENCE shop.q;")
    script = f"INSERT INTO shop.log VALUES ('{'x' * 200_000}'), (pg_catalog.setval('shop.q', 4711)::text)"
    with pytest.raises(TriggerAuditError, match=r"calls functions in INSERT shop\.log"):
        run(plain, script)
    with psycopg.connect(plain) as connection:
        assert connection.execute("SELECT last_value FROM shop.q").fetchone() == (1,)


def test_a_view_with_triggers_of_its_own_and_what_foreign_keys_do(plain: str) -> None:
    apply(
        plain,
        SHOP
        + "CREATE TABLE shop.parts (order_id int REFERENCES shop.orders ON DELETE CASCADE);"
        + "INSERT INTO shop.parts VALUES (2); CREATE VIEW shop.v AS SELECT * FROM shop.stock;"
        + trigger("gone", "shop.parts", "  RAISE 'no';\n  RETURN OLD;", "BEFORE DELETE")
        + trigger("instead", "shop.v", "  RAISE 'no';\n  RETURN NEW;", "INSTEAD OF INSERT")
        + "CREATE FUNCTION shop.all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;"
        + "CREATE TRIGGER whole AFTER UPDATE ON shop.stock EXECUTE FUNCTION shop.all();",
    )
    assert culprits(run(plain, "DELETE FROM shop.orders WHERE id = 2")) == [("trigger", "shop.parts.gone")]
    assert culprits(run(plain, "INSERT INTO shop.v VALUES (1)")) == [("trigger", "shop.v.instead")]
    assert culprits(run(plain, "UPDATE shop.stock SET n = 1")) == [("trigger", "shop.stock.whole")]
    assert culprits(run(plain, "UPDATE shop.v SET n = 1")) == [("trigger", "shop.stock.whole")]
    assert culprits(run(plain, "UPDATE shop.stock SET n = -1")) == [("constraint", "shop.stock.stock_n_check")]


def test_rolled_back_is_what_postgresql_says(plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose transaction was committed says so."""
    apply(plain, SHOP)
    monkeypatch.setattr(psycopg.Connection, "rollback", psycopg.Connection.commit)
    options = SmokeOptions()
    with psycopg.connect(plain, prepare_threshold=None) as connection:
        result = smoke_statements(connection, INFO, read_script("own.sql", PAY), options)
    assert not result.report.rolled_back
    assert "it was committed" in (result.report.not_verified or "")


@pytest.mark.parametrize("as_role", [None, "someone"])
def test_a_database_of_bytes(sandbox: Sandbox, as_role: str | None) -> None:
    """SQL_ASCII holds what the file holds, byte by byte, and names in it are found so."""
    name = "ascii" if as_role is None else f"ascii_{as_role}"
    conninfo = make_conninfo(sandbox.conninfo(), dbname=name)
    apply(
        sandbox.conninfo(),
        f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0",
    )
    try:
        apply(
            conninfo,
            """
            CREATE ROLE someone;
            CREATE TABLE public."ürde" (n text CHECK (n <> 'größe'));
            GRANT ALL ON public."ürde" TO someone;
            """,
        )
        with connect(parse_dsn(conninfo)) as connection:
            script = read_script("own.sql", "INSERT INTO public.\"ürde\" VALUES ('größe')")
            result = smoke_statements(connection, INFO, script, SmokeOptions(), as_role=as_role)
        step = flow(result).failed_step
        assert step is not None
        assert step.sqlstate == "23514"
        assert result.report.locked == (b"public.\xc3\xbcrde".decode("latin-1"),)
        assert result.report.rolled_back
    finally:
        apply(sandbox.conninfo(), f"DROP DATABASE {name} WITH (FORCE)")
        apply(sandbox.conninfo(), "DROP ROLE someone")
