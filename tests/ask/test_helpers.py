"""Functions that no trigger runs: arguments, OUT and TABLE columns, LANGUAGE sql."""

from __future__ import annotations

import pytest

from tests.ask.asked import Case, ask_one, job_of, made, told
from trigger_audit.sandbox.server import Sandbox

HELPERS = {
    "arguments": (
        "create function public.h(a int, public.plan, b text default 'x') returns int language plpgsql as "
        "$$ begin perform a + 1, h.a, $1 + 1, $2 = 'pro', lower(b); perform a || b, $2 = 'gold'; return $1 + b; end $$",
        (("22P02", "'gold'"), ("42883", "+")),
    ),
    "OUT and INOUT": (
        "create function public.h(inout a int, out p public.plan, out r record) language plpgsql as "
        "$$ begin p := 'pro'; p := 'gold'; a := a + 1; select 1 as x into r; perform r.x, r.nope; end $$",
        (("22P02", "'gold'"), ("42703", "r.nope")),
    ),
    "RETURNS TABLE": (
        "create function public.h(uid uuid) returns table (id uuid, email text) language plpgsql as $$ begin "
        "return query select p.id, p.email from profiles p where p.id = uid; "
        "return query select id from profiles; end $$",
        (("42702", "id"),),
    ),
    "anything": (
        "create function public.h(a anyelement, b anyarray) returns anyelement language plpgsql as "
        "$$ begin perform a, b[1]; perform 1 from nope where b = array[a]; return a; end $$",
        (("42P01", "nope"),),
    ),
    "NEW is no variable": (
        "create function public.h() returns int language plpgsql as $$ begin perform new.id; return 1; end $$",
        (("42P01", "new.id"),),
    ),
    "sql": (
        "create function public.h(uid uuid, email text) returns text language sql as $$ "
        "update profiles set email = email where id = uid and id = $1; "
        "select h.email || p.nope from profiles p where p.id = h.uid; $$",
        (("42703", "p.nope"),),
    ),
    "sql: the column comes first": (
        "create function public.h(visits text) returns bigint language sql as $$ "
        "select count(*) from profiles where visits > 1 and h.visits = 'x' $$",
        (),
    ),
    "row argument": (
        "create function public.h(p public.profiles) returns text language plpgsql as "
        "$$ begin p.email := lower(p.email); perform p.nope; return (p).full_name; end $$",
        (("42703", "p.nope"),),
    ),
}


@pytest.mark.parametrize("name", HELPERS)
def test_helper(sandbox: Sandbox, name: str) -> None:
    sql, expected = HELPERS[name]
    with made(sandbox.conninfo(), Case("none", "return new;", setup=sql)) as (connection, catalog):
        job = job_of(catalog, "public.h")
        complaints, _ = ask_one(connection, catalog, job)
        assert told(job, complaints) == expected


def test_begin_atomic_is_bound_already(sandbox: Sandbox) -> None:
    sql = "create function public.h(a int) returns int language sql begin atomic select a + 1; end"
    with made(sandbox.conninfo(), Case("none", "return new;", setup=sql)) as (connection, catalog):
        complaints, answers = ask_one(connection, catalog, job_of(catalog, "public.h", ()))
        assert (complaints, answers.unasked) == ((), ())
