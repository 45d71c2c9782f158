"""Asking leaves nothing behind: no lock, no transaction id, no setting, nothing run; and it gets by with little."""

from __future__ import annotations

import time

import psycopg
import pytest

from tests.ask.asked import Case, ask_one, function_named, job_of, made, make, told
from tests.conftest import FreshDatabase
from trigger_audit.analysis.bodies import read_body
from trigger_audit.analysis.questions.model import Job
from trigger_audit.ask.names import ask_names
from trigger_audit.catalog.load import load_catalog
from trigger_audit.sandbox.server import Sandbox

EFFECTS = """\
create sequence public.counted;
create function public.counts(text) returns text language plpgsql immutable as
  'begin perform nextval(''public.counted''); return $1; end'
"""
WRITES = Case(
    "writes",
    "insert into profiles (id, email) values (new.id, counts('x')); update profiles set email = counts(email); "
    "delete from orders where email = counts('x'); perform counts('x') for update; select 1 from nope; "
    "perform 1 from profiles for update; execute 'delete from public.orders'; return new;",
    setup=EFFECTS,
)


def test_nothing_stays(fresh_database: FreshDatabase) -> None:
    with psycopg.connect(fresh_database.conninfo()) as connection:
        make(connection, WRITES)
    with psycopg.connect(fresh_database.conninfo(), prepare_threshold=None) as connection:
        connection.read_only = True
        catalog = load_catalog(connection)
        connection.execute("SET LOCAL search_path = public, extensions")
        job = job_of(catalog)
        state = (
            "SELECT current_setting('search_path'), current_setting('lock_timeout'), pg_current_xact_id_if_assigned()"
        )
        locks = (
            "SELECT c.relname, l.mode FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation "
            "WHERE l.pid = pg_backend_pid() AND c.relnamespace IN ('public'::regnamespace, 'auth'::regnamespace)"
        )
        before = connection.execute(state).fetchone()
        complaints, _ = ask_one(connection, catalog, job)
        assert ("42P01", "nope") in told(job, complaints)
        assert connection.execute(locks).fetchall() == []
        assert connection.execute(state).fetchone() == before
        assert before == ("public, extensions", "0", None)
        assert connection.execute("SELECT is_called FROM public.counted").fetchone() == (False,)
        assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
        # The transaction is as usable as before, and read-only still.
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("DELETE FROM public.orders")


def test_a_lock_of_others_is_not_waited_for(fresh_database: FreshDatabase) -> None:
    with psycopg.connect(fresh_database.conninfo()) as connection:
        make(connection, Case("locked", "insert into profiles (id) values (new.id); perform new.nope; return new;"))
    with (
        psycopg.connect(fresh_database.conninfo()) as other,
        psycopg.connect(fresh_database.conninfo(), prepare_threshold=None) as connection,
    ):
        catalog = load_catalog(connection)
        job = job_of(catalog)
        other.execute("LOCK TABLE public.profiles IN SHARE MODE")
        started = time.monotonic()
        complaints, answers = ask_one(connection, catalog, job)
        assert time.monotonic() - started < 5
        assert told(job, complaints) == (("42703", "new.nope"),)
        assert [reason for _, _, reason in answers.unasked if "55P03" in reason] != []


@pytest.mark.extended
def test_a_lock_of_others_holds_up_no_more_than_once(fresh_database: FreshDatabase) -> None:
    with psycopg.connect(fresh_database.conninfo()) as connection:
        body = "".join(f"insert into profiles (id, visits) values (new.id, {number}); " for number in range(200))
        make(connection, Case("locked", f"{body} return new;"))
    with (
        psycopg.connect(fresh_database.conninfo()) as other,
        psycopg.connect(fresh_database.conninfo(), prepare_threshold=None) as connection,
    ):
        catalog = load_catalog(connection)
        other.execute("LOCK TABLE public.profiles IN SHARE MODE")
        started = time.monotonic()
        ask_one(connection, catalog, job_of(catalog))
        # One chunk waits 100 ms for each of its 50 statements, the other three hardly at all.
        assert time.monotonic() - started < 9


def test_a_schema_that_we_may_not_use_is_no_missing_table(fresh_database: FreshDatabase) -> None:
    with psycopg.connect(fresh_database.conninfo()) as connection:
        make(connection, Case("hidden", "insert into kept values (1); insert into hidden.kept values (1); return new;"))
        connection.execute(
            "create schema hidden; create table hidden.kept (a int); grant select on public.orders to anon"
        )
    with psycopg.connect(fresh_database.conninfo(), prepare_threshold=None) as connection:
        catalog = load_catalog(connection)
        connection.execute("SET LOCAL ROLE anon")
        job = job_of(catalog, path=("public", "hidden"))
        complaints, answers = ask_one(connection, catalog, job)
        assert complaints == ()
        assert [line for _, line, reason in answers.unasked if "42501" in reason] == [2, 2]
        connection.execute("RESET ROLE")
        assert ask_one(connection, catalog, job)[0] == ()


def test_many_bodies_share_few_round_trips(sandbox: Sandbox) -> None:
    case = Case("many", "return new;")
    bodies = "\n".join(
        f"create function public.g{number}() returns trigger language plpgsql as $$\nbegin\n"
        f"  insert into profiles (id, email) values (new.id, 'a{number}');\n"
        f"  perform new.missing{number};\n  return new;\nend $$;\n"
        f"create trigger g{number} before insert on public.profiles for each row execute function public.g{number}();"
        for number in range(150)
    )
    with made(sandbox.conninfo(), case) as (connection, _):
        connection.execute(bodies.encode())
        catalog = load_catalog(connection)
        jobs = [job_of(catalog, f"public.g{number}") for number in range(150)]
        answers = ask_names(connection, catalog, jobs)
        for number, job in enumerate(jobs):
            assert told(job, answers.complaints[job.key]) == (("42703", f"new.missing{number}"),)


def test_one_function_on_two_tables(sandbox: Sandbox) -> None:
    with made(sandbox.conninfo(), Case("two", "perform new.visits, new.order_id; return new;")) as (connection, _):
        connection.execute("create trigger o before insert on public.orders for each row execute function public.f()")
        catalog = load_catalog(connection)
        facts = read_body(function_named(catalog, "public.f"))
        tables = [catalog.tables_by_name["public", name] for name in ("profiles", "orders")]
        jobs = [Job(facts, table, ("public",)) for table in tables]
        answers = ask_names(connection, catalog, jobs)
        said = [told(job, answers.complaints[job.key]) for job in jobs]
        assert said == [(("42703", "new.order_id"),), (("42703", "new.visits"),)]
        assert answers.complaints[jobs[0].key][0].message == 'record "new" has no field "order_id"'


def test_search_paths_are_kept_apart(sandbox: Sandbox) -> None:
    with made(sandbox.conninfo(), Case("paths", "insert into profiles (id) values (new.id); return new;")) as (
        connection,
        catalog,
    ):
        jobs = [job_of(catalog, path=path) for path in (("public",), ("auth",), (), ('a"b', "public"))]
        answers = ask_names(connection, catalog, jobs)
        assert set(answers.complaints) == {jobs[1].key, jobs[2].key}


@pytest.mark.parametrize(
    ("expression", "unasked"),
    [
        ("(" * 5000 + "1" + ")" * 5000, 0),
        ("1" + "+1" * 50_000, 1),
        ("abs(" * 900 + "1" + ")" * 900, 1),
        ("'x'" + "||'x'" * 3000, 1),
    ],
    ids=["parentheses", "chain", "calls", "longer chain than our reader takes"],
)
def test_deep_input_is_no_crash(sandbox: Sandbox, expression: str, unasked: int) -> None:
    case = Case("deep", f"perform {expression}; perform new.nope; return new;")
    with made(sandbox.conninfo(), case) as (connection, catalog):
        job = job_of(catalog)
        complaints, answers = ask_one(connection, catalog, job)
        assert told(job, complaints) == (("42703", "new.nope"),)
        assert len(answers.unasked) == unasked
