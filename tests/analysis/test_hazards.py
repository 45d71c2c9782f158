"""What ROLLBACK does not undo, found wherever the cascade does it."""

from __future__ import annotations

import psycopg
import pytest

from tests.analysis.cascades import cascade_of, prepared
from trigger_audit.analysis import effects
from trigger_audit.analysis.bodies import read_body
from trigger_audit.analysis.hazards import Effects
from trigger_audit.analysis.hazards import effects as effects_of
from trigger_audit.analysis.model import Hazard
from trigger_audit.auth import firings
from trigger_audit.catalog.stored import load_stored
from trigger_audit.sandbox.server import Sandbox


def found_on(connection: psycopg.Connection) -> Effects:
    cascade, catalog = cascade_of(connection)
    return effects_of(cascade, catalog, load_stored(connection, catalog), read_body, firings())


def hazards(connection: psycopg.Connection) -> tuple[Hazard, ...]:
    return found_on(connection).hazards


def on_sign_up(body: str, more: str = "") -> str:
    """A trigger whose function has this body, each line as it stands, from line 3 on."""
    return f"""
{more}
create function public.handler() returns trigger
language plpgsql security definer set search_path = public, extensions as $$
begin
{body}
return new;
end $$;
create trigger handler after insert on auth.users for each row execute function public.handler();
"""


SERVER = """
create foreign data wrapper elsewhere;
create server elsewhere foreign data wrapper elsewhere;
create foreign table public.far (id int) server elsewhere;
"""

FOUND = {
    "perform extensions.http_post('http://x', '', '');": ("extensions.http_post", effects.REQUEST),
    "perform content from http_get('http://x');": ("http_get", effects.REQUEST),
    "perform * from http(row('GET', 'http://x', null, null, null));": ("http", effects.REQUEST),
    "perform dblink_exec('dbname=x', 'delete from t');": ("dblink_exec", effects.REMOTE),
    "perform * from extensions.dblink('dbname=x', 'select 1') as t(a int);": ("extensions.dblink", effects.REMOTE),
    "insert into far values (1);": ("INSERT public.far", effects.FOREIGN),
    "perform pg_advisory_lock(1);": ("pg_advisory_lock", effects.LOCK),
    "if pg_catalog.pg_try_advisory_lock(1) then null; end if;": ("pg_catalog.pg_try_advisory_lock", effects.LOCK),
    "perform pg_terminate_backend(1);": ("pg_terminate_backend", effects.BACKEND),
    "perform lo_export(1, '/tmp/x');": ("lo_export", effects.FILE),
    "copy public.t to program 'cat';": ("COPY", effects.FILE),
    "execute 'select http_get(''http://x'')';": ("http_get", effects.REQUEST),
    "execute 'select extensions.http_get(' || quote_literal(new.email) || ')';": (
        "extensions.http_get",
        effects.REQUEST,
    ),
}
QUIET = (
    "perform net.http_post('http://x', '{}'::jsonb);",
    "perform pg_notify('x', 'y');",
    "notify x;",
    "perform pg_advisory_xact_lock(1);",
    "perform mine.pg_advisory_lock(1);",
    "insert into near values (1);",
    "execute format('insert into %I values (1)', new.role);",
    "execute 'select net.http_post(' || quote_literal(new.email) || ')';",
    "raise notice 'http_get()';",
    "-- perform http_get('x');",
    "if tg_op = 'UPDATE' then perform pg_advisory_lock(1); end if;",
)


@pytest.mark.parametrize("body", FOUND)
def test_finds(postgres15: Sandbox, body: str) -> None:
    call, effect = FOUND[body]
    with prepared(postgres15.conninfo(), on_sign_up(body, SERVER), "supabase_admin") as connection:
        (found,) = hazards(connection)
    assert (found.function, found.line, found.call, found.effect) == ("public.handler()", 3, call, effect)


@pytest.mark.parametrize("body", QUIET)
def test_is_quiet(postgres15: Sandbox, body: str) -> None:
    sql = on_sign_up(body, "create table public.near (id int);")
    with prepared(postgres15.conninfo(), sql, "supabase_admin") as connection:
        assert hazards(connection) == ()


def test_looks_into_helpers_and_other_tables_triggers(postgres15: Sandbox) -> None:
    more = """
create table public.t (id int);
create function public.deep() returns int language sql as $$ select 1 from pg_advisory_lock(1) $$;
create function public.on_t() returns trigger language plpgsql as $$ begin
  perform deep();
  perform pg_cancel_backend(1);
  return new; end $$;
create trigger on_t before insert on public.t for each row execute function public.on_t();
"""
    with prepared(postgres15.conninfo(), on_sign_up("insert into t values (1);", more)) as connection:
        found = hazards(connection)
    assert [(each.function, each.line) for each in found] == [("public.deep()", 1), ("public.on_t()", 3)]


def test_a_function_of_the_users_own_speaks_for_itself(postgres15: Sandbox) -> None:
    own = """
create function public.http_get(a text) returns int language plpgsql as $$
begin
  perform dblink_connect('x');
  return 1;
end $$;
"""
    with prepared(postgres15.conninfo(), on_sign_up("perform http_get('x');", own)) as connection:
        (found,) = hazards(connection)
    assert (found.function, found.line, found.call) == ("public.http_get(text)", 3, "dblink_connect")


def test_a_rollback_undoes_neither_lock_nor_sequence(postgres15: Sandbox) -> None:
    with psycopg.connect(postgres15.conninfo(), autocommit=True, prepare_threshold=None) as connection:
        connection.execute("create sequence public.rolled_back")
        try:
            connection.execute("begin")
            connection.execute("select pg_advisory_lock(42), nextval('public.rolled_back')")
            connection.execute("rollback")
            held = connection.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone()
            number = connection.execute("select nextval('public.rolled_back')").fetchone()
        finally:
            connection.execute("select pg_advisory_unlock_all()")
            connection.execute("drop sequence public.rolled_back")
    assert held == (1,)
    assert number == (2,)
