"""Foreign keys that keep users from being deleted: those named are those that PostgreSQL refuses for."""

from __future__ import annotations

import psycopg
import pytest

from tests.analysis.cascades import cascade_of, prepared
from trigger_audit.sandbox.server import Sandbox

ONE_USER = "insert into auth.users (id) values ('00000000-0000-0000-0000-000000000001');"
ID = "'00000000-0000-0000-0000-000000000001'"

BLOCKING = {
    "no action": (
        f"create table public.t (u uuid references auth.users); insert into public.t values ({ID});",
        ("public.t", "t_u_fkey", ("auth.users",)),
        "23503",
    ),
    "restrict": (
        f"create table public.t (u uuid references auth.users on delete restrict); insert into public.t values ({ID});",
        ("public.t", "t_u_fkey", ("auth.users",)),
        "23503",
    ),
    "set null on not null": (
        "create table public.t (u uuid not null references auth.users on delete set null);"
        f"insert into public.t values ({ID});",
        ("public.t", "t_u_fkey", ("auth.users",)),
        "23502",
    ),
    "set default without one": (
        "create table public.t (u uuid not null references auth.users on delete set default);"
        f"insert into public.t values ({ID});",
        ("public.t", "t_u_fkey", ("auth.users",)),
        "23502",
    ),
    "further down": (
        "create table public.profiles (id uuid primary key references auth.users on delete cascade);"
        "create table public.posts (id int primary key, author uuid references public.profiles);"
        f"insert into public.profiles values ({ID}); insert into public.posts values (1, {ID});",
        ("public.posts", "posts_author_fkey", ("auth.users", "public.profiles")),
        "23503",
    ),
    "on one of Auth's other tables": (
        "create table public.t (s uuid references auth.sessions);"
        f"insert into auth.sessions (id, user_id) values ({ID}, {ID}); insert into public.t values ({ID});",
        ("public.t", "t_s_fkey", ("auth.users", "auth.sessions")),
        "23503",
    ),
    "partitioned, told once": (
        "create table public.t (n int, u uuid references auth.users) partition by list (n);"
        "create table public.t_one partition of public.t for values in (1);"
        f"insert into public.t values (1, {ID});",
        ("public.t", "t_u_fkey", ("auth.users",)),
        "23503",
    ),
}
HARMLESS = {
    "cascade": f"create table public.t (u uuid references auth.users on delete cascade);"
    f"insert into public.t values ({ID});",
    "set null": f"create table public.t (u uuid references auth.users on delete set null);"
    f"insert into public.t values ({ID});",
    "set default": f"create table public.t (u uuid references auth.users on delete set default);"
    f"insert into public.t values ({ID});",
    "below a set null": f"""
create table public.teams (id int primary key, owner uuid references auth.users on delete set null);
create table public.members (team int references public.teams);
insert into public.teams values (1, {ID}); insert into public.members values (1);
""",
    "a table that refers to itself": f"""
create table public.t (u uuid primary key references auth.users on delete cascade,
  parent uuid references public.t on delete cascade);
insert into public.t values ({ID}, {ID});
""",
}
DELETION = f"delete from auth.users where id = {ID}"


@pytest.mark.parametrize("case", BLOCKING)
def test_names_what_blocks(postgres15: Sandbox, case: str) -> None:
    sql, (table, constraint, way), sqlstate = BLOCKING[case]
    with prepared(postgres15.conninfo(), ONE_USER + sql, "supabase_admin") as connection:
        cascade, _ = cascade_of(connection)
        found = [(each.table.name, each.constraint.name, each.way) for each in cascade.deletions]
        assert found == [(table, constraint, way)]
        assert cascade.deletions[0].root_table.name == "auth.users"
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(DELETION.encode())
        assert refused.value.sqlstate == sqlstate


@pytest.mark.parametrize("case", HARMLESS)
def test_is_quiet_about_what_does_not_block(postgres15: Sandbox, case: str) -> None:
    with prepared(postgres15.conninfo(), ONE_USER + HARMLESS[case], "supabase_admin") as connection:
        cascade, _ = cascade_of(connection)
        assert cascade.deletions == ()
        connection.execute(DELETION.encode())


def test_a_new_project_has_none(sandbox: Sandbox) -> None:
    with prepared(sandbox.conninfo(), "select 1") as connection:
        cascade, _ = cascade_of(connection)
    assert cascade.deletions == ()


def test_a_deferred_key_says_so(postgres15: Sandbox) -> None:
    sql = "create table public.t (u uuid references auth.users deferrable initially deferred);"
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
    (found,) = cascade.deletions
    assert (found.constraint.deferrable, found.constraint.initially_deferred) == (True, True)


def test_any_table_may_be_asked_for(postgres15: Sandbox) -> None:
    sql = "create table public.a (id int primary key); create table public.b (a int references public.a);"
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection, ["public.a"])
    assert [(each.root_table.name, each.table.name) for each in cascade.deletions] == [("public.a", "public.b")]
