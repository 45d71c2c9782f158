"""The user's own statements: which trigger is named for what they meet, as whom they run, and that nothing stays."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql as psycopg_sql
from psycopg.conninfo import make_conninfo

from tests.conftest import FreshDatabase
from trigger_audit.database.connect import connect
from trigger_audit.database.dsn import parse_dsn
from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.opening import TargetInfo
from trigger_audit.pipeline import SmokeOptions, SmokeResult
from trigger_audit.report.concise import smoke_lines
from trigger_audit.report.json import dumps
from trigger_audit.report.smoke_json import smoke_document
from trigger_audit.report.smoke_table import smoke_text
from trigger_audit.report.table import Style
from trigger_audit.sandbox.server import Sandbox
from trigger_audit.smoke.model import By, FlowResult, Mail, Outcome, Payload
from trigger_audit.smoke.script import read_script
from trigger_audit.statements import smoke_statements

INFO = TargetInfo("database", "test", "", "postgres")


def run(
    conninfo: str,
    script: str,
    as_role: str | None = None,
    *,
    allow_side_effects: bool = False,
    allow_locks: bool = True,
    unmask: bool = True,
) -> SmokeResult:
    options = SmokeOptions(allow_side_effects=allow_side_effects, allow_locks=allow_locks, unmask=unmask)
    with psycopg.connect(conninfo, prepare_threshold=None) as connection:
        result = smoke_statements(connection, INFO, read_script("own.sql", script), options, as_role=as_role)
        assert not connection.closed
    assert result.report.rolled_back, result.report.not_verified
    return result


def flow(result: SmokeResult) -> FlowResult:
    (found,) = result.report.flows
    assert (found.flow, found.payload, found.latent) == ("statement", Payload.GIVEN, False)
    assert (found.response, found.mail, found.escalations, found.without_header) == (None, Mail.NONE, (), None)
    return found


def culprits(result: SmokeResult) -> list[tuple[str, str]]:
    return [(culprit.kind, culprit.name) for culprit in flow(result).culprits]


def rows(conninfo: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def trigger(name: str, table: str, body: str, when: str = "AFTER UPDATE", *, more: str = "") -> str:
    """A trigger whose function's body has its first line on line 3."""
    return f"""
CREATE FUNCTION shop.{name}() RETURNS trigger LANGUAGE plpgsql {more} AS $$
BEGIN
{body}
END $$;
CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION shop.{name}();
"""


SHOP = """
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, status text NOT NULL DEFAULT 'new', n int NOT NULL DEFAULT 0);
CREATE TABLE shop.items (order_id int REFERENCES shop.orders DEFERRABLE INITIALLY DEFERRED, n int);
CREATE TABLE shop.stock (n int CHECK (n >= 0));
CREATE TABLE shop.log (what text NOT NULL);
INSERT INTO shop.orders (id) VALUES (1), (2);
INSERT INTO shop.items VALUES (1, 1);
INSERT INTO shop.stock VALUES (5);
"""

# orders -> items -> stock -> log, which fails.
DEEP = (
    SHOP
    + trigger("harmless", "shop.orders", "  NEW.n := NEW.n + 1;\n  RETURN NEW;", "BEFORE INSERT OR UPDATE")
    + trigger("to_items", "shop.orders", "  UPDATE shop.items SET n = n + 1 WHERE order_id = NEW.id;\n  RETURN NEW;")
    + trigger("to_stock", "shop.items", "  UPDATE shop.stock SET n = n - 1;\n  RETURN NEW;")
    + trigger("to_log", "shop.stock", "  INSERT INTO shop.log VALUES (NULL);\n  RETURN NEW;")
)
PAY = "UPDATE shop.orders SET status = 'paid' WHERE id = 1;"

_numbers = iter(range(1_000))


def _plain(server: Sandbox) -> Iterator[str]:
    name = f"plain_{next(_numbers)}"
    database = psycopg_sql.Identifier(name)
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(psycopg_sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(database))
        try:
            yield make_conninfo(server.conninfo(), dbname=name)
        finally:
            connection.execute(psycopg_sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))


@pytest.fixture
def plain(sandbox: Sandbox) -> Iterator[str]:
    """The conninfo of a database in which nothing is of Supabase."""
    yield from _plain(sandbox)


@pytest.fixture
def plain15(postgres15: Sandbox) -> Iterator[str]:
    yield from _plain(postgres15)


def apply(conninfo: str, text: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(text.encode())


@pytest.mark.parametrize("database", ["plain", "plain15"])
def test_a_fault_three_tables_deep(database: str, request: pytest.FixtureRequest) -> None:
    conninfo: str = request.getfixturevalue(database)
    apply(conninfo, DEEP)
    result = run(conninfo, PAY)
    found = flow(result)
    assert found.outcome is Outcome.FAIL
    step = found.failed_step
    assert step is not None
    assert (step.index, step.statement, step.sqlstate) == (1, "UPDATE shop.orders", "23502")
    assert (step.function, step.line) == ("shop.to_log()", 3)
    (culprit,) = found.culprits
    assert (culprit.kind, culprit.name, culprit.group) == ("trigger", "shop.stock.to_log", ())
    assert culprit.necessary
    assert culprit.sufficient
    assert {toggle.method for toggle in result.report.toggles} == {"function-noop"}
    assert result.report.strongest_lock == "RowExclusiveLock"
    assert (result.report.session.role, result.report.session.by) == ("supabase_admin", By.LOGIN)
    assert rows(conninfo, "SELECT status FROM shop.orders ORDER BY id") == [("new",), ("new",)]
    document = smoke_document(result)
    assert document["schema"] == "trigger-audit/smoke/1"
    assert document["rolled_back"] is True
    text = smoke_text(result, Style())
    assert "culprit: trigger shop.stock.to_log" in text
    assert "statement: 1: UPDATE shop.orders" in text
    assert "the app user sees" not in text


def test_of_two_triggers_the_one_at_fault(plain: str) -> None:
    apply(
        plain,
        SHOP
        + trigger("a", "shop.orders", "  INSERT INTO shop.log VALUES ('a');\n  RETURN NEW;")
        + trigger("b", "shop.orders", "  IF NEW.status = 'paid' THEN RAISE 'no'; END IF;\n  RETURN NEW;"),
    )
    assert culprits(run(plain, PAY)) == [("trigger", "shop.orders.b")]
    harmless = run(plain, "UPDATE shop.orders SET status = 'sent'")
    assert (flow(harmless).outcome, flow(harmless).reason, flow(harmless).culprits) == (Outcome.PASS, None, ())


def test_the_statement_that_fails_is_told_by_its_number(plain: str) -> None:
    apply(plain, SHOP + trigger("b", "shop.items", "  RAISE 'no';\n  RETURN NEW;", "BEFORE DELETE"))
    script = (
        "SELECT 1;\nINSERT INTO shop.orders (id) VALUES (3);\nWITH d AS (DELETE FROM shop.items RETURNING 1) SELECT 1"
    )
    step = flow(run(plain, script)).failed_step
    assert step is not None
    assert (step.index, step.statement) == (3, "WITH DELETE shop.items")


def test_what_a_commit_would_check_is_checked(plain: str) -> None:
    apply(plain, SHOP)
    result = run(plain, "DELETE FROM shop.items WHERE false; INSERT INTO shop.items VALUES (99, 1)")
    step = flow(result).failed_step
    assert step is not None
    assert (step.index, step.statement, step.sqlstate) == (2, "COMMIT", "23503")
    assert culprits(result) == [("constraint", "shop.items.items_order_id_fkey")]


def test_a_deferred_trigger(plain: str) -> None:
    text = trigger("late", "shop.orders", "  RAISE 'too late';\n  RETURN NULL;")
    text = text.replace("CREATE TRIGGER", "CREATE CONSTRAINT TRIGGER").replace(
        "FOR EACH", "DEFERRABLE INITIALLY DEFERRED FOR EACH"
    )
    apply(plain, SHOP + text)
    result = run(plain, PAY)
    step = flow(result).failed_step
    assert step is not None
    assert (step.statement, step.sqlstate, step.function) == ("COMMIT", "P0001", "shop.late()")
    assert culprits(result) == [("trigger", "shop.orders.late")]


def test_an_error_of_the_statement_itself_is_nobodys_fault(plain: str) -> None:
    apply(plain, DEEP)
    result = run(plain, "UPDATE shop.orders SET statu = 'paid'")
    found = flow(result)
    assert found.outcome is Outcome.FAIL
    assert found.failed_step is not None
    assert (found.failed_step.sqlstate, found.failed_step.function) == ("42703", None)
    assert found.culprits == ()
    assert found.reason is None
    missing = flow(run(plain, "UPDATE nowhere.orders SET a = 1"))
    assert missing.failed_step is not None
    assert (missing.failed_step.statement, missing.failed_step.sqlstate) == ("UPDATE nowhere.orders", "42P01")
    assert missing.culprits == ()


def test_a_statement_that_finds_no_row_passes_with_a_word(plain: str) -> None:
    apply(plain, DEEP)
    found = flow(run(plain, "UPDATE shop.orders SET n = 1 WHERE id = 77; SELECT 1 WHERE false"))
    assert found.outcome is Outcome.PASS
    assert found.reason == "UPDATE shop.orders (statement 1) touched no row"


SUPPRESSED = SHOP + trigger(
    "quiet", "shop.orders", "  IF TG_OP = 'DELETE' THEN RETURN NULL; END IF;\n  RETURN NULL;",
    "BEFORE INSERT OR UPDATE OR DELETE",
)  # fmt: skip


@pytest.mark.parametrize(
    ("script", "what", "expected", "got"),
    [
        ("INSERT INTO shop.orders (id) VALUES (7), (8)", "INSERT shop.orders", "2 rows", "0 rows"),
        ("INSERT INTO shop.orders (id) SELECT 9", "INSERT shop.orders", "1 row", "0 rows"),
        ("UPDATE shop.orders SET n = 1", "UPDATE shop.orders", "2 rows", "0 rows"),
        ("DELETE FROM shop.orders WHERE id = 2", "DELETE shop.orders", "1 row", "0 rows"),
        (
            "MERGE INTO shop.orders AS o USING shop.stock ON o.id = 1 WHEN MATCHED THEN UPDATE SET n = 1",
            "MERGE shop.orders",
            "1 row",
            "0 rows",
        ),
        (
            "DELETE FROM shop.items; DELETE FROM shop.log; INSERT INTO shop.orders (id) VALUES (7)",
            "statement 3: INSERT shop.orders",
            "1 row",
            "0 rows",
        ),
    ],
)
def test_rows_that_a_trigger_suppresses(plain15: str, script: str, what: str, expected: str, got: str) -> None:
    apply(plain15, SUPPRESSED)
    result = run(plain15, script)
    found = flow(result)
    assert found.outcome is Outcome.ALTERED
    assert [(change.what, change.expected, change.found) for change in found.changes] == [(what, expected, got)]
    assert culprits(result) == [("trigger", "shop.orders.quiet")]
    assert "altered statement\n" in smoke_text(result, Style())


def test_what_a_trigger_did_to_an_earlier_statement_is_no_suppression(plain: str) -> None:
    apply(
        plain,
        SHOP + trigger("archive", "shop.orders", "  DELETE FROM shop.stock;\n  RETURN NEW;"),
    )
    found = flow(run(plain, f"{PAY} UPDATE shop.stock SET n = 1"))
    assert (found.outcome, found.reason) == (Outcome.PASS, "UPDATE shop.stock (statement 2) touched no row")


def test_a_hidden_error_is_shown(plain: str) -> None:
    apply(
        plain,
        SHOP
        + trigger(
            "swallow",
            "shop.orders",
            """  BEGIN
    INSERT INTO shop.log VALUES (NULL);
  EXCEPTION WHEN OTHERS THEN NULL;
  END;
  RETURN NEW;""",
        ),
    )
    (hidden,) = run(plain, PAY).report.hidden_errors
    assert (hidden.trigger, hidden.line, hidden.sqlstate) == ("shop.orders.swallow", 4, "23502")
    assert hidden.flow == "statement"
    assert run(plain, PAY, unmask=False).report.hidden_errors == ()


def test_views_partitions_and_functions_lead_to_triggers(plain: str) -> None:
    refuse = "  RAISE 'no';\n  RETURN NEW;"
    apply(
        plain,
        SHOP
        + "CREATE VIEW shop.open AS SELECT * FROM shop.orders WHERE status = 'new';"
        + "CREATE TABLE shop.parted (id int, day int) PARTITION BY LIST (day);"
        + "CREATE TABLE shop.part PARTITION OF shop.parted FOR VALUES IN (1);"
        + "CREATE FUNCTION shop.pay() RETURNS void LANGUAGE sql AS 'UPDATE shop.orders SET n = 1';"
        + trigger("a", "shop.orders", refuse)
        + trigger("b", "shop.part", refuse, "BEFORE INSERT"),
    )
    assert culprits(run(plain, "UPDATE shop.open SET n = 2")) == [("trigger", "shop.orders.a")]
    assert culprits(run(plain, "INSERT INTO shop.parted VALUES (1, 1)")) == [("trigger", "shop.part.b")]
    script = "DELETE FROM shop.log; SELECT shop.pay()"
    assert culprits(run(plain, script)) == [("trigger", "shop.orders.a")]


def test_hazards_of_triggers_and_of_the_statements_stop_the_run(plain: str) -> None:
    apply(plain, SHOP + trigger("lock", "shop.orders", "  PERFORM pg_advisory_lock(1);\n  RETURN NEW;"))
    with pytest.raises(TriggerAuditError, match=r"a statement reaches .* shop.lock\(\) line 3 calls pg_advisory_lock"):
        run(plain, PAY)
    assert flow(run(plain, PAY, allow_side_effects=True)).outcome is Outcome.PASS
    with pytest.raises(TriggerAuditError, match=r"own.sql line 2 calls pg_advisory_lock"):
        run(plain, "DELETE FROM shop.log;\nSELECT pg_advisory_lock(1)")
    assert flow(run(plain, "DELETE FROM shop.orders WHERE id = 2")).outcome is Outcome.PASS


# Roles

POLICIES = """
CREATE TABLE public.notes (id int PRIMARY KEY, owner uuid, text text);
ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY;
GRANT ALL ON public.notes TO authenticated;
CREATE POLICY "own notes" ON public.notes TO authenticated USING (owner = auth.uid()) WITH CHECK (owner = auth.uid());
"""
NOTE = "INSERT INTO notes VALUES (1, '6e2a5c9e-6a4e-4a0e-9d6c-111111111111', 'x');"
CLAIMS = """SELECT set_config('request.jwt.claims', '{"sub": "6e2a5c9e-6a4e-4a0e-9d6c-111111111111"}', true);"""


@pytest.mark.parametrize("login", ["supabase_admin", "postgres"])
def test_row_security_as_authenticated(fresh_database: FreshDatabase, login: str) -> None:
    fresh_database.apply(POLICIES)
    result = run(fresh_database.conninfo(login), NOTE, "authenticated")
    found = flow(result)
    assert found.failed_step is not None
    assert (found.failed_step.statement, found.failed_step.sqlstate) == ("INSERT public.notes", "42501")
    assert culprits(result) == [("policy", "notes")]
    session = result.report.session
    assert (session.role, session.search_path) == ("authenticated", '"$user", public, extensions')
    assert session.by is (By.SET_ROLE if login == "postgres" else By.SESSION_AUTHORIZATION)
    assert any("request.jwt.claims is not set" in gap for gap in session.gaps)
    assert flow(run(fresh_database.conninfo(login), CLAIMS + NOTE, "authenticated")).outcome is Outcome.PASS
    own = run(fresh_database.conninfo(login), NOTE)
    assert flow(own).outcome is Outcome.PASS
    (gap,) = own.report.session.gaps
    assert f"row security do{'' if login == 'supabase_admin' else 'es'} not hold {login} back" in gap
    unseen = flow(run(fresh_database.conninfo(login), "DELETE FROM notes", "authenticated"))
    assert (unseen.outcome, unseen.reason) == (
        Outcome.PASS,
        "DELETE public.notes (statement 1) touched no row, and row security applies to authenticated there",
    )


def test_the_path_of_the_role(fresh_database: FreshDatabase) -> None:
    """`$user` and the settings of the role in this database; the login's own is what its connection has."""
    fresh_database.apply(
        'CREATE SCHEMA "anon"; CREATE TABLE anon.t (n int); CREATE TABLE public.t (n int);'
        "GRANT USAGE ON SCHEMA anon TO anon, authenticated; GRANT ALL ON anon.t, public.t TO anon, authenticated;"
    )
    fresh_database.apply(
        f"ALTER ROLE authenticated IN DATABASE {fresh_database.name} SET search_path = anon", "supabase_admin"
    )
    script = "INSERT INTO t VALUES (1)"
    for role, table in {"anon": "anon.t", "authenticated": "anon.t", "service_role": "public.t"}.items():
        result = run(fresh_database.conninfo(), script, role)
        assert result.report.locked == (table,), role
    with_path = make_conninfo(fresh_database.conninfo(), options="-c search_path=anon")
    assert run(with_path, script).report.locked == ("anon.t",)
    assert flow(run(with_path, script)).outcome is Outcome.PASS


def test_a_role_that_is_unknown_or_not_to_be_had(fresh_database: FreshDatabase) -> None:
    conninfo = fresh_database.conninfo("postgres")
    fresh_database.apply("CREATE TABLE public.t (n int)")
    for role, told in {
        "nobody": "there is no role nobody",
        "supabase_admin": "postgres may not become role supabase_admin",
        "a\x1b[2J\n": "there is no role",
    }.items():
        with pytest.raises(UsageError, match=told) as caught:
            run(conninfo, "INSERT INTO public.t VALUES (1)", role)
        assert "\n" not in str(caught.value)
        assert "\x1b" not in str(caught.value)


def test_no_trigger_leaves_the_role(fresh_database: FreshDatabase) -> None:
    """A sequence stays at what a trigger that has got away has made of it, whatever is rolled back."""
    fresh_database.apply(
        """
        CREATE TABLE public.t (n int);
        CREATE SEQUENCE public.escaped;
        REVOKE ALL ON SEQUENCE public.escaped FROM PUBLIC, anon, authenticated;
        GRANT ALL ON public.t TO authenticated;
        CREATE FUNCTION public.leave() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          RESET SESSION AUTHORIZATION;
          PERFORM nextval('public.escaped');
          RETURN NEW;
        END $$;
        CREATE TRIGGER leave BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.leave();
        """
    )
    found = flow(run(fresh_database.conninfo(), "INSERT INTO public.t VALUES (1)", "authenticated"))
    assert found.outcome is Outcome.SKIPPED
    assert found.reason is not None
    assert "changes the role" in found.reason
    assert rows(fresh_database.conninfo(), "SELECT is_called FROM public.escaped") == [(False,)]


def test_users_of_auth_can_be_written_too(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(
        """
        INSERT INTO auth.users (id, email) VALUES ('6e2a5c9e-6a4e-4a0e-9d6c-111111111111', 'a@example.com');
        CREATE FUNCTION public.stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stop'; END $$;
        CREATE TRIGGER stop AFTER UPDATE OF email ON auth.users FOR EACH ROW EXECUTE FUNCTION public.stop();
        """,
        "supabase_admin",
    )
    conninfo = fresh_database.conninfo("postgres")
    assert culprits(run(conninfo, "UPDATE auth.users SET email = 'b@example.com'")) == [("trigger", "auth.users.stop")]
    assert flow(run(conninfo, "UPDATE auth.users SET phone = '1'")).outcome is Outcome.PASS


# Safety


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
    name = f"ascii_{next(_numbers)}"
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
