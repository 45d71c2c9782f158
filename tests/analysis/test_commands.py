"""Commands whose effect a ROLLBACK does not undo, or whose lock shuts others out, as they stand or put together."""

from __future__ import annotations

import psycopg
import pytest

from tests.analysis.cascades import prepared
from tests.analysis.test_hazards import found_on, on_sign_up
from trigger_audit.analysis.effects import FILE, REQUEST, SET_SEQUENCE, TABLE_LOCK
from trigger_audit.sandbox.server import Sandbox

MORE = """
create table public.notes (id uuid primary key, note text);
create index notes_index on public.notes (note);
create materialized view public.counts as select count(*) from public.notes;
create sequence public.numbers;
create table public.parted (id int) partition by list (id);
create function public.other() returns trigger language plpgsql as 'begin return new; end';
create trigger other after update on public.notes for each row execute function public.other();
"""

FOUND = {
    "lock notes;": ("LOCK public.notes", TABLE_LOCK),
    "lock table public.notes in share mode;": ("LOCK public.notes", TABLE_LOCK),
    "truncate notes;": ("TRUNCATE public.notes", TABLE_LOCK),
    "alter table notes add x int;": ("ALTER public.notes", TABLE_LOCK),
    "alter table only notes disable trigger other;": ("ALTER public.notes", TABLE_LOCK),
    "alter table notes rename to others;": ("ALTER public.notes", TABLE_LOCK),
    "alter index notes_index rename to another;": ("ALTER public.notes_index", TABLE_LOCK),
    "alter sequence numbers restart;": ("ALTER public.numbers", TABLE_LOCK),
    "drop table if exists notes;": ("DROP public.notes", TABLE_LOCK),
    "drop index notes_index;": ("DROP public.notes_index", TABLE_LOCK),
    "drop trigger other on notes;": ("DROP public.notes", TABLE_LOCK),
    "drop schema public cascade;": ("DROP SCHEMA public", TABLE_LOCK),
    "create index on notes (note);": ("CREATE INDEX ON public.notes", TABLE_LOCK),
    "create trigger b after insert on notes for each row execute function other();": (
        "CREATE TRIGGER ON public.notes",
        TABLE_LOCK,
    ),
    "create policy p on notes;": ("CREATE POLICY ON public.notes", TABLE_LOCK),
    "create table one (id uuid references notes);": ("CREATE TABLE WITH public.notes", TABLE_LOCK),
    "create table one partition of parted default;": ("CREATE TABLE WITH public.parted", TABLE_LOCK),
    "alter table notes add foreign key (id) references auth.users;": ("ALTER auth.users", TABLE_LOCK),
    "refresh materialized view counts;": ("REFRESH public.counts", TABLE_LOCK),
    "cluster notes using notes_pkey;": ("CLUSTER public.notes", TABLE_LOCK),
    "reindex table notes;": ("REINDEX public.notes", TABLE_LOCK),
    "do $x$ begin truncate public.notes; end $x$;": ("TRUNCATE public.notes", TABLE_LOCK),
    "execute 'truncate public.notes';": ("TRUNCATE public.notes", TABLE_LOCK),
    "execute 'select 1; truncate public.notes';": ("TRUNCATE public.notes", TABLE_LOCK),
    "execute format('truncate %I', new.role);": ("TRUNCATE ?", TABLE_LOCK),
    "execute format('lock table %I.notes', new.role);": ("LOCK ?.notes", TABLE_LOCK),
    "execute format('alter table public.%I add x int', new.role);": ("ALTER public.?", TABLE_LOCK),
    "execute 'drop table public.' || new.role;": ("DROP public.?", TABLE_LOCK),
    "execute format('create index on public.%I (a)', new.role);": ("CREATE INDEX ON public.?", TABLE_LOCK),
    "execute format('create table %I (id uuid references auth.users)', new.role);": (
        "CREATE TABLE WITH auth.users",
        TABLE_LOCK,
    ),
    "copy notes to '/tmp/x';": ("COPY", FILE),
    "copy notes from program 'true';": ("COPY", FILE),
    "execute 'copy notes to ''/tmp/' || new.id || '''';": ("COPY", FILE),
    "execute format('copy %I to program %L', new.role, 'true');": ("COPY", FILE),
    "execute 'copy ' || new.role || ' to stdout';": ("COPY", FILE),
    "declare t text := 'copy notes to '; begin t := t || quote_literal(new.email); execute t; end;": ("COPY", FILE),
    "declare t text; begin select 'copy notes to ' || quote_literal(new.email) into t; execute t; end;": (
        "COPY",
        FILE,
    ),
    "declare t text := 'http_get'; begin execute 'select ' || t || '(' || quote_literal(new.email) || ')'; end;": (
        "http_get",
        REQUEST,
    ),
    "execute concat('select http_get(', quote_literal(new.email), ')');": ("http_get", REQUEST),
    "declare r record; begin for r in execute format('select %s(%L)', 'http_get', new.email) loop end loop; end;": (
        "http_get",
        REQUEST,
    ),
    "perform query_to_xml('select http_get(''http://x'')', true, true, '');": ("http_get", REQUEST),
    "perform setval('numbers', 1);": ("setval", SET_SEQUENCE),
    "execute format('select setval(%L, 1)', new.role);": ("setval", SET_SEQUENCE),
}

QUIET = (
    "lock notes in row exclusive mode;",
    "analyze notes;",
    "create temp table t (id int) on commit drop; insert into t values (1); truncate t; create index on t (id);",
    "create temp table if not exists t (id int); alter table t add x int; drop table t;",
    "drop table if exists pg_temp.notes;",
    "drop table if exists nothing_of_this_name;",
    "drop function if exists other();",
    "comment on table notes is 'x'; grant select on notes to anon;",
    "execute format('create schema %I', new.role); execute format('create table %I.mine (id int)', new.role);",
    "execute format('alter table %I.mine enable row level security', new.role);",
    "execute format('alter table %I.%I enable row level security', new.role, new.email);",
    "execute format('lock table %I in access share mode', new.role);",
    "execute format('insert into %I select %L', new.role, 'truncated; copy that');",
    "execute format('update public.notes set note = %L where id = $1', 'copy') using new.id;",
    "execute new.email;",
    "perform currval('numbers');",
)


@pytest.mark.parametrize("body", FOUND)
def test_finds(postgres15: Sandbox, body: str) -> None:
    with prepared(postgres15.conninfo(), on_sign_up(body, MORE), "supabase_admin") as connection:
        found = found_on(connection).hazards
    assert ("public.handler()", 3, *FOUND[body]) in [
        (each.function, each.line, each.call, each.effect) for each in found
    ]


@pytest.mark.parametrize("body", QUIET)
def test_is_quiet(postgres15: Sandbox, body: str) -> None:
    with prepared(postgres15.conninfo(), on_sign_up(body, MORE), "supabase_admin") as connection:
        assert found_on(connection).hazards == ()


def test_other_languages_are_searched_as_text(postgres15: Sandbox) -> None:
    language = "create trusted language odd handler plpgsql_call_handler;"
    function = "create function public.f() returns int language odd as 'plv8.execute(\"select http_get(1)\")';"
    sql = on_sign_up("perform f();", language + function)
    with prepared(postgres15.conninfo(), sql, "supabase_admin") as connection:
        (found,) = found_on(connection).hazards
    assert (found.function, found.line, found.call) == ("public.f()", None, "http_get")


def test_texts_that_are_given_to_a_function(postgres15: Sandbox) -> None:
    more = """
create function public.run(command text) returns void language plpgsql as $$ begin execute command; end $$;
create function public.say(command text) returns void language plpgsql as $$ begin raise notice '%', command; end $$;
create function public.by_argument() returns trigger language plpgsql as $$
begin
  execute tg_argv[0];
  return new;
end $$;
create trigger b after insert on auth.users for each row execute function by_argument('select http_get(1)');
"""
    body = "perform run('select dblink_connect(1)'); perform say('do not http_get(it)');"
    with prepared(postgres15.conninfo(), on_sign_up(body, more), "supabase_admin") as connection:
        found = found_on(connection).hazards
    assert [(each.function, each.line, each.call) for each in found] == [
        ("public.by_argument()", 3, "http_get"),
        ("public.handler()", 3, "dblink_connect"),
    ]


def test_what_truncate_and_setval_do_to_others(postgres15: Sandbox) -> None:
    """TRUNCATE's lock keeps readers out until the end; setval's value outlives the rollback."""
    conninfo = postgres15.conninfo()
    with (
        psycopg.connect(conninfo, autocommit=True, prepare_threshold=None) as one,
        psycopg.connect(conninfo, autocommit=True, prepare_threshold=None) as other,
    ):
        one.execute("create table public.locked (id serial)")
        try:
            one.execute("begin")
            one.execute("truncate public.locked")
            one.execute("select setval('public.locked_id_seq', 41)")
            other.execute("set lock_timeout = 100")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("select * from public.locked")
            one.execute("rollback")
            assert other.execute("select nextval('public.locked_id_seq')").fetchone() == (42,)
        finally:
            one.execute("drop table public.locked")
