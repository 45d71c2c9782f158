"""Hazards that stand in no body of the cascade: PostgreSQL evaluates them by itself."""

from __future__ import annotations

import pytest

from tests.analysis.cascades import prepared
from tests.analysis.test_hazards import found_on, on_sign_up
from trigger_audit.analysis.effects import FILE, LOCK
from trigger_audit.analysis.model import Hazard
from trigger_audit.sandbox.server import Sandbox

HIDDEN = """
create function public.hidden() returns int language plpgsql as $$
begin
  perform pg_advisory_lock(1);
  return 1;
end $$;
create function public.hidden(anyelement) returns boolean language sql immutable as
  'select public.hidden() = 1';
create function public.hidden(int, int) returns int language sql immutable as 'select public.hidden()';
create table public.profiles (id uuid primary key, note text, number int);
"""
# Nearly every owner of functions passes by policies: this one does not.
HELPER = """
create function public.helper() returns int language plpgsql security definer set search_path = public as $$
begin
  insert into public.profiles (id) values (null);
  return number from public.profiles;
end $$;
alter function public.helper() owner to authenticated;
alter table public.profiles enable row level security;
"""
WRITE = "insert into public.profiles (id) values (new.id);"
DIRECT = "pg_try_advisory_lock"
IN_BODY = ("public.hidden()", 3, "pg_advisory_lock")

# What is made beside HIDDEN, the statement of the trigger on auth.users, and the hazard's function, line and call.
FOUND = {
    "default": (
        "alter table profiles alter note set default pg_try_advisory_lock(1)::text;",
        WRITE,
        ("public.profiles column note default", None, DIRECT),
    ),
    "default of a user's function": ("alter table profiles alter number set default hidden();", WRITE, IN_BODY),
    "default by SET": (
        "alter table profiles alter number set default hidden();",
        "update profiles set number = default;",
        IN_BODY,
    ),
    "default without a column list": (
        "alter table profiles alter number set default hidden();",
        "insert into profiles values (new.id);",
        IN_BODY,
    ),
    "check": (
        "alter table profiles add constraint c check (pg_try_advisory_lock(id::text::bigint));",
        WRITE,
        ("public.profiles constraint c", None, DIRECT),
    ),
    "check of a user's function": ("alter table profiles add check (hidden(number));", WRITE, IN_BODY),
    "generated column": (
        "alter table profiles add g boolean generated always as (hidden(number)) stored;",
        WRITE,
        IN_BODY,
    ),
    "domain": (
        "create domain d as int check (hidden(value)); alter table profiles add d d;",
        WRITE,
        IN_BODY,
    ),
    "domain default": (
        "create domain d as int default pg_try_advisory_lock(1)::int; alter table profiles add d d;",
        WRITE,
        ("domain public.d default", None, DIRECT),
    ),
    "domain of a variable": (
        "create domain d as bigint check (pg_try_advisory_lock(value));",
        "declare v d := 1; begin null; end;",
        ("domain public.d constraint d_check", None, DIRECT),
    ),
    "domain of a cast": ("create domain d as int check (hidden(value));", "perform 1::d;", IN_BODY),
    "domain in an array in a row": (
        "create domain d as int check (hidden(value)); create type pair as (a int, b d[]);"
        "alter table profiles add pair pair;",
        WRITE,
        IN_BODY,
    ),
    "domain of a row variable": (
        "create domain d as int check (hidden(value)); create table other (d d);",
        "declare v other%rowtype; begin v.d := 1; end;",
        IN_BODY,
    ),
    "operator in a body": (
        "create operator ### (function = hidden, leftarg = int, rightarg = int);",
        "perform 1 ### 2;",
        IN_BODY,
    ),
    "operator of a built-in function in a body": (
        "create operator ### (function = pg_try_advisory_lock, rightarg = bigint);",
        "perform ### 2;",
        ("operator ###", None, DIRECT),
    ),
    "operator in a default": (
        "create operator ### (function = hidden, leftarg = int, rightarg = int);"
        "alter table profiles alter number set default 1 ### 2;",
        WRITE,
        IN_BODY,
    ),
    "operator of a keyword": (
        "create type t as (a int); create function same(t, t) returns boolean language sql as 'select hidden() = 1';"
        "create operator ~~ (function = same, leftarg = t, rightarg = t);",
        "perform row(1)::t like row(2)::t;",
        IN_BODY,
    ),
    "implicit cast": (
        "create type t as (a int); create function made(t) returns int language sql as 'select hidden()';"
        "create cast (t as int) with function made(t) as assignment;"
        "create table other (number int); create view ts as select row(1)::t as t;",
        "insert into other select t from ts;",
        IN_BODY,
    ),
    "explicit cast": (
        "create type t as (a int); create function made(t) returns int language sql as 'select hidden()';"
        "create cast (t as int) with function made(t);",
        "perform row(1)::t::int;",
        IN_BODY,
    ),
    "index expression": ("create index on profiles (hidden(number));", WRITE, IN_BODY),
    "index predicate": ("create index on profiles (id) where hidden(number);", WRITE, IN_BODY),
    "rule": (
        "create table log (a int); create rule r as on insert to profiles do also insert into log values (hidden());",
        WRITE,
        IN_BODY,
    ),
    "rule with a built-in function": (
        "create rule r as on insert to profiles do also select pg_try_advisory_lock(1);",
        WRITE,
        ("public.profiles rule r", None, DIRECT),
    ),
    "table that a rule writes": (
        "create table log (a int check (hidden(a)));"
        "create rule r as on insert to profiles do also insert into log values (1);",
        WRITE,
        IN_BODY,
    ),
    "policy of a table that is written": (
        f"{HELPER} create policy p on profiles for insert with check (hidden(number));",
        "perform helper();",
        IN_BODY,
    ),
    "policy of a table that is read": (
        f"{HELPER} create policy p on profiles for select to authenticated using (pg_try_advisory_lock(1));",
        "perform helper();",
        ("public.profiles policy p", None, DIRECT),
    ),
    "policy that reads": (
        f"{HELPER} create view v as select hidden() as number;"
        "create policy p on profiles using (number in (select number from v));",
        "perform helper();",
        IN_BODY,
    ),
    "WHEN": (
        "create function nothing() returns trigger language plpgsql as 'begin return new; end';"
        "create trigger w before insert on profiles for each row when (hidden(new.number)) execute function nothing();",
        WRITE,
        IN_BODY,
    ),
    "aggregate": (
        "create aggregate total(int) (sfunc = hidden, stype = int, initcond = '0');",
        "perform total(a) from generate_series(1, 2) as a;",
        IN_BODY,
    ),
    "aggregate of built-in functions": (
        "create function pg_temp_less(boolean, bigint) returns boolean language sql as 'select $1';"
        "create aggregate locks(bigint) (sfunc = pg_temp_less, stype = boolean, finalfunc = hidden);",
        "perform locks(1);",
        IN_BODY,
    ),
    "argument default": (
        "create function f(a boolean default pg_try_advisory_lock(1)) returns int language sql as 'select 1';",
        "perform f();",
        ("public.f(boolean) argument default", None, DIRECT),
    ),
    "partition": (
        "create table parted (id uuid) partition by list (id);"
        "create table part partition of parted (check (hidden(id))) default;",
        "insert into parted values (new.id);",
        IN_BODY,
    ),
    "partition key": (
        "create table parted (id int) partition by range (hidden(id, id));",
        "insert into parted values (1);",
        IN_BODY,
    ),
    "action of a foreign key": (
        "create table child (id uuid default pg_try_advisory_lock(1)::text::uuid references profiles"
        " on delete set default);",
        "delete from profiles;",
        ("public.child column id default", None, DIRECT),
    ),
    "helper behind a default": (
        "create function deep() returns int language plpgsql as $$ begin\n\n insert into other values (1); return 1;"
        " end $$; create table other (a int, b boolean default pg_try_advisory_lock(1));"
        "alter table profiles alter number set default deep();",
        WRITE,
        ("public.other column b default", None, DIRECT),
    ),
    "text that is executed": (
        "alter table profiles alter number set default hidden();",
        "execute 'insert into public.profiles (id) values ($1)' using new.id;",
        IN_BODY,
    ),
    "event trigger": (
        "create function on_ddl() returns event_trigger language plpgsql as $$ begin perform public.hidden(); end $$;"
        "create event trigger e on ddl_command_end execute function on_ddl();",
        "null;",
        IN_BODY,
    ),
    "variadic function": (
        "create function many(variadic int[]) returns int language sql as 'select public.hidden()';",
        "perform many(1, 2, 3);",
        IN_BODY,
    ),
    "procedure with OUT": (
        "create procedure p(a int, out b int) language plpgsql as 'begin b := public.hidden(); end';",
        "declare b int; begin call p(1, b); end;",
        IN_BODY,
    ),
    "function of a later schema": (
        "create function f(int) returns int language sql as 'select 1';"
        "create function extensions.f(text) returns int language sql as 'select public.hidden()';",
        "perform f('x'::text);",
        IN_BODY,
    ),
    "function as a field": (
        "create function full_name(profiles) returns int language sql as 'select public.hidden()';",
        "perform p.full_name from profiles p;",
        IN_BODY,
    ),
    "internal function under another name": (
        "create function mine(bigint) returns void language internal as 'pg_advisory_lock_int8';",
        "perform mine(1);",
        ("public.mine(bigint)", None, "pg_advisory_lock"),
    ),
}


def hazards_of(server: Sandbox, more: str, body: str) -> tuple[Hazard, ...]:
    sql = on_sign_up(body, f"set local search_path = public, extensions; {HIDDEN} {more}")
    with prepared(server.conninfo(), sql, "supabase_admin") as connection:
        return found_on(connection).hazards


@pytest.mark.parametrize("what", FOUND)
@pytest.mark.parametrize("major", [15, 18])
def test_finds(sandbox: Sandbox, postgres15: Sandbox, what: str, major: int) -> None:
    more, body, expected = FOUND[what]
    found = hazards_of(postgres15 if major == 15 else sandbox, more, body)
    assert [(each.function, each.line, each.call, each.effect) for each in found] == [(*expected, LOCK)]


QUIET = {
    "built-in functions everywhere": (
        "alter table profiles alter note set default now()::text, add check (length(note) < 9), add check (id is not"
        " null), add u uuid default gen_random_uuid(), add v uuid default extensions.uuid_generate_v4();"
        "create unique index on profiles (lower(note)) where note <> '';",
        WRITE,
    ),
    "default of a column that is given": ("alter table profiles alter id set default hidden()::text::uuid;", WRITE),
    "default in an UPDATE": (
        "alter table profiles alter number set default hidden();",
        "update profiles set note = '' where id = new.id;",
    ),
    "check of a table that is read": (
        "alter table profiles add check (hidden(number));",
        "perform note from profiles;",
    ),
    "policy that the owner passes by": (
        "alter table profiles enable row level security; create policy p on profiles using (hidden(number));",
        WRITE,
    ),
    "policy of another role": (f"{HELPER} create policy p on profiles to anon using (hidden(1));", "perform helper();"),
    "policy of auth": (f"{HELPER} create policy p on profiles using (auth.uid() = id);", "perform helper();"),
    "policy that is off": (
        f"{HELPER} create policy p on profiles using (hidden(1)); alter table profiles disable row level security;",
        "perform helper();",
    ),
    "WHEN of another event": (
        "create function nothing() returns trigger language plpgsql as 'begin return new; end';"
        "create trigger w before update on profiles for each row when (hidden(new.number)) execute function nothing();",
        WRITE,
    ),
    "rule of another event": ("create rule r as on delete to profiles do also select hidden();", WRITE),
    "view that nobody reads": ("create view v as select hidden();", WRITE),
    "materialised view that is read": (
        "create materialized view m as select 1 as number; create or replace function hidden() returns int"
        " language sql as 'select 1';",
        "perform number from m;",
    ),
    "domain that nobody uses": ("create domain d as int check (hidden(value));", WRITE),
    "operator that nobody uses": (
        "create operator ### (function = hidden, leftarg = int, rightarg = int);",
        WRITE,
    ),
    "names that look like references": (
        "create view v as select 1 as \":funcid 2880\", ':funcid 2880 pg_advisory_lock(1)' as b;",
        "perform b from v;",
    ),
    "numbers": ("alter table profiles add s bigserial, add i int generated always as identity;", WRITE),
}


@pytest.mark.parametrize("what", QUIET)
def test_is_quiet(postgres15: Sandbox, what: str) -> None:
    more, body = QUIET[what]
    assert hazards_of(postgres15, more, body) == ()


def test_a_check_of_auths_own_table_needs_no_trigger(postgres15: Sandbox) -> None:
    sql = f"{HIDDEN} alter table auth.sessions add constraint mine check (public.hidden(aal::text));"
    with prepared(postgres15.conninfo(), sql, "supabase_admin") as connection:
        (found,) = found_on(connection).hazards
    assert (found.function, found.line) == ("public.hidden()", 3)


def test_a_foreign_table_that_runs_a_program(postgres15: Sandbox) -> None:
    more = """
create extension file_fdw; create server files foreign data wrapper file_fdw;
create foreign table public.listed (line text) server files options (program 'ls /');
create foreign table public.filed (line text) server files options (filename '/etc/hostname');
"""
    body = "if exists (select from filed) then null; end if; perform line from listed;"
    with prepared(postgres15.conninfo(), on_sign_up(body, more), "supabase_admin") as connection:
        found = found_on(connection).hazards
    assert [(each.function, each.call, each.effect) for each in found] == [
        ("public.handler()", "SELECT public.listed", FILE)
    ]


def test_sequences_are_named(postgres15: Sandbox) -> None:
    more = """
create table public.numbered (a int generated by default as identity, b bigserial, c int default 1, d serial);
create sequence public.numbers; create sequence public."Odd one";
"""
    body = """
insert into public.numbered (b) values (1);
perform nextval('numbers');
perform nextval('public."Odd one"'::regclass);
perform nextval(new.role);
"""
    with prepared(postgres15.conninfo(), on_sign_up(body, more), "supabase_admin") as connection:
        found = found_on(connection)
    assert found.hazards == ()
    assert found.sequences == (
        "a sequence in public.handler() line 7",
        "auth.refresh_tokens_id_seq",
        "public.Odd one",
        "public.numbered_a_seq",
        "public.numbered_d_seq",
        "public.numbers",
    )
