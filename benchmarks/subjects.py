"""Databases to measure on: many triggers, each with a function and a table of its own."""

from __future__ import annotations

import psycopg


def triggers_sql(first: int, last: int) -> str:
    """SQL for the triggers numbered from first to last (exclusive) on auth.users, all sound."""
    return "".join(
        f"""
create table public.t{number} (
  id uuid primary key references auth.users on delete cascade, name text not null default '', at timestamptz
);
create function public.f{number}() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  wanted text := coalesce(new.raw_user_meta_data ->> 'name', '');
begin
  if wanted = '' then
    wanted := 'user {number}';
  end if;
  insert into public.t{number} (id, name, at) values (new.id, wanted, now())
  on conflict (id) do update set name = excluded.name;
  update public.t{number} set name = lower(name) where id = new.id and name <> lower(name);
  return new;
end;
$$;
create trigger g{number} after insert on auth.users for each row execute function public.f{number}();
"""
        for number in range(first, last)
    )


LOAD = """
create function public.on_login() returns trigger language plpgsql as
  $$ begin if tg_op = 'UPDATE' then raise exception 'no'; end if; return new; end $$;
create trigger on_login after update of last_sign_in_at on auth.users for each row execute function public.on_login();
create trigger on_login_too after insert on auth.users for each row execute function public.on_login();
"""
"""A trigger that breaks log-ins, sharing its function with one that fires at each sign-up: a lock tells them apart."""


def load_sql() -> str:
    """A pgbench script: a sign-up as Auth's statements go, committed."""
    return """
\\set number random(1, 1000000000000)
begin;
insert into users
    (instance_id, id, aud, role, email, encrypted_password, raw_app_meta_data, raw_user_meta_data, created_at)
  values ('00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated', 'authenticated',
          'load-' || :number || '@example.org', 'x', '{}', '{}', now())
  returning id \\gset
insert into identities (provider_id, user_id, identity_data, provider) values (':id', ':id', '{}', 'email');
update users set confirmation_token = md5(':id'), confirmation_sent_at = now(), updated_at = now() where id = ':id';
end;
"""


def make_triggers(conninfo: str, count: int) -> None:
    """Create them as postgres, a few hundred a transaction."""
    with psycopg.connect(conninfo, prepare_threshold=None, autocommit=True) as connection:
        for first in range(0, count, 200):
            connection.execute(triggers_sql(first, min(first + 200, count)).encode())


def check_with_plpgsql_check(conninfo: str) -> int:
    """What `supabase db lint` would ask of plpgsql_check, trigger functions included: the number of rows it gives."""
    query = """
        select count(*)
        from pg_catalog.pg_trigger as t
        join pg_catalog.pg_proc as p on p.oid = t.tgfoid
        cross join lateral extensions.plpgsql_check_function_tb(p.oid, t.tgrelid, fatal_errors => false) as found
        where not t.tgisinternal
    """
    with psycopg.connect(conninfo, prepare_threshold=None) as connection:
        connection.execute("set local search_path = auth")
        row = connection.execute(query.encode()).fetchone()
        connection.rollback()
    return int(row[0]) if row else 0


def is_checked(conninfo: str, number: int) -> bool:
    """Whether the peer sees a fault in this very function: its table loses a column for the time of the question."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(f"alter table public.t{number} rename column name to nome".encode())
        found = check_with_plpgsql_check(conninfo)
        connection.execute(f"alter table public.t{number} rename column nome to name".encode())
    return found > 0
