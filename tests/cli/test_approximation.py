"""A login that may not take Auth's role: what it cannot see of that role's rights is told from the catalog."""

from __future__ import annotations

import json

import psycopg
import pytest

from tests.cli.running import run
from tests.conftest import FreshDatabase

INVOKER = """
create table public.profiles (id uuid primary key, name text);
create function public.handle_new_user() returns trigger
language plpgsql set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;
create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""
GRANTED = INVOKER + "grant usage on schema public to public; grant all on public.profiles to supabase_auth_admin;"
SECURED = GRANTED + "alter table public.profiles enable row level security;"
FLOW = ("--flow", "signup-email", "--format", "concise")
NO_GRANT = (
    "note: public.handle_new_user() line 3: supabase_auth_admin lacks INSERT on table public.profiles: "
    "the real sign-up fails there"
)
ROW_SECURITY = (
    "note: public.handle_new_user() line 3 inserts into public.profiles, which row security refuses to "
    "supabase_auth_admin: the real sign-up fails there"
)


@pytest.mark.parametrize(("sql", "told"), [(INVOKER, NO_GRANT), (SECURED, ROW_SECURITY)])
def test_what_auths_role_is_refused_is_a_note_and_counts_under_strict(
    fresh_database: FreshDatabase, sql: str, told: str
) -> None:
    fresh_database.apply(sql)
    found = run("smoke", fresh_database.conninfo("postgres"), *FLOW)
    assert (found.code, found.out.splitlines()[0]) == (0, "signup-email:bare: pass"), found.err
    assert told in found.out.splitlines()
    assert "note: current_user and session_user differ from supabase_auth_admin" in found.out.splitlines()
    assert run("smoke", fresh_database.conninfo("postgres"), *FLOW, "--strict").code == 1
    # The same database by a login that can be Auth: there the sign-up does fail, and nothing is left to tell.
    as_auth = run("smoke", fresh_database.conninfo(), *FLOW)
    assert (as_auth.code, as_auth.out.splitlines()[0][:24]) == (1, "signup-email:bare: fail "), as_auth.out
    assert told not in as_auth.out


POLICIES = {
    "create policy p on public.profiles for insert with check (true);": False,
    "create policy p on public.profiles to supabase_auth_admin using (true);": False,
    "create policy p on public.profiles for insert to authenticated with check (true);": True,
    "create policy p on public.profiles for select using (true);": True,
    "create policy p on public.profiles as restrictive with check (true);": True,
    "alter table public.profiles disable row level security;": False,
}


@pytest.mark.extended
@pytest.mark.parametrize("policy", POLICIES)
def test_policies_that_could_let_it_pass(fresh_database: FreshDatabase, policy: str) -> None:
    fresh_database.apply(SECURED + policy)
    approximated = run("smoke", fresh_database.conninfo("postgres"), *FLOW, "--strict")
    as_auth = run("smoke", fresh_database.conninfo(), *FLOW)
    assert (ROW_SECURITY in approximated.out) is POLICIES[policy] is (as_auth.code == 1), as_auth.out
    assert approximated.code == int(POLICIES[policy])


def test_rows_that_row_security_hides_are_not_found_and_handlers_go_on(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(
        SECURED.replace(
            "insert into public.profiles (id) values (new.id);",
            "update public.profiles set name = 'x' where id = new.id;\n"
            "  begin\n  insert into public.profiles (id) values (new.id);\n"
            "  exception when others then raise warning 'no profile';\n  end;",
        )
    )
    told = json.loads(run("smoke", fresh_database.conninfo("postgres"), *FLOW[:-1], "json").out)["session"]["gaps"]
    assert told[-2:] == [
        "public.handle_new_user() line 3 updates public.profiles, whose rows row security hides from "
        "supabase_auth_admin: the real sign-up finds none there",
        "public.handle_new_user() line 5 inserts into public.profiles, which row security refuses to "
        "supabase_auth_admin: the real sign-up goes on in the handler on line 6",
    ]


def test_a_function_with_its_owners_rights_is_no_gap(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(SECURED.replace("language plpgsql", "language plpgsql security definer"))
    found = run("smoke", fresh_database.conninfo("postgres"), *FLOW, "--strict")
    assert (found.code, "the real" in found.out) == (0, False), found.out


def test_only_the_flows_that_run_are_judged(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(SECURED)
    found = run("smoke", fresh_database.conninfo("postgres"), "--flow", "delete-user", "--strict")
    assert (found.code, "the real" in found.out) == (0, False), found.out


def test_a_failure_without_a_line_has_none_in_concise() -> None:
    sql = """
create table public.profiles (id uuid primary key, name text not null);
create function public.make_profile(uid uuid, name text) returns void
language sql security definer set search_path = '' as $$ insert into public.profiles values (uid, name) $$;
create function public.handle_new_user() returns trigger language plpgsql security definer as $$
begin
  perform public.make_profile(new.id, null);
  return new;
end $$;
create trigger t after insert on auth.users for each row execute function public.handle_new_user();
"""
    found = run("smoke", "-", *FLOW, stdin=sql)
    assert found.out.startswith("signup-email:bare: fail 23502 at public.make_profile(uuid, text) null value"), (
        found.out
    )


def test_what_stays_is_told_only_where_something_runs(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(GRANTED + "create table public.log (id serial primary key);")
    dsn = fresh_database.conninfo("postgres")
    assert "note: dead rows" in run("smoke", dsn, *FLOW).err
    unknown = run("smoke", dsn, "--flow", "signup")
    assert (unknown.code, "note: dead rows" in unknown.err) == (2, False)
    with psycopg.connect(fresh_database.conninfo(), autocommit=True) as connection:
        statement = f'alter database "{fresh_database.name}" set default_transaction_read_only = on'
        connection.execute(statement.encode())
    refused = run("smoke", dsn, *FLOW)
    assert (refused.code, "note: dead rows" in refused.err) == (2, False)
    assert "transactions only read here" in refused.error


def test_a_text_that_nobody_saw_is_told_where_something_could_stay(fresh_database: FreshDatabase) -> None:
    sql = r"""
    create function public.f() returns trigger language plpgsql security definer as $$
    declare
      what text := convert_from('\x73656c6563742031', 'UTF8');
    begin
      execute what;
      return new;
    end;
    $$;
    create trigger t after insert on auth.users for each row execute function public.f();
    """
    fresh_database.apply(sql)
    told = "public.f() line 5 runs a text that only it knows: whether a rollback undoes all of it is not known"
    gaps = json.loads(run("smoke", fresh_database.conninfo("postgres"), *FLOW, "--format", "json").out)["session"]
    assert told in gaps["gaps"]
