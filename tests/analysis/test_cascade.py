"""The cascade: what fires, as whom, under which search_path, and with which of Auth's statements."""

from __future__ import annotations

import psycopg
import pytest

from tests.analysis.cascades import cascade_of, prepared
from trigger_audit.analysis.model import Cascade, Site, Visit
from trigger_audit.sandbox.server import Sandbox

SIGN_UPS = {
    "signup-email", "signup-autoconfirm", "signup-otp", "signup-phone", "anonymous", "oauth-first", "invite",
    "admin-create",
}  # fmt: skip


def function(name: str, body: str, options: str = "", result: str = "trigger", arguments: str = "") -> str:
    return f"""
create function public.{name}({arguments}) returns {result} language plpgsql {options} as $$
begin
  {body}
end $$;
"""


def attached(name: str, when: str, to: str, condition: str = "", function_name: str = "") -> str:
    called = function_name or name
    return f"create trigger {name} {when} on {to} for each row {condition} execute function public.{called}();\n"


def visits(cascade: Cascade, last: str) -> list[Visit]:
    return [visit for visit in cascade.visits if visit.via[-1] == last]


def site(cascade: Cascade, text: str) -> Site:
    (found,) = [
        site
        for site in cascade.sites
        if site.facts.body is not None and site.facts.body.source.slice(site.statement.span).startswith(text)
    ]
    return found


def texts(cascade: Cascade) -> set[str]:
    """The source of every statement that may run."""
    return {site.facts.body.source.slice(site.statement.span) for site in cascade.sites if site.facts.body is not None}


def flows(subject: Visit | Site) -> set[str]:
    return {firing.flow for firing in subject.firings}


PROFILES = """
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  email text, status text default 'new', seen int default 0
);
"""
HANDLER = function(
    "handle_new_user",
    "insert into public.profiles (id, email) values (new.id, new.email); return new;",
    "security definer set search_path = ''",
) + attached("on_auth_user_created", "after insert", "auth.users", function_name="handle_new_user")


def test_runs_as_the_definer_under_its_own_path(postgres15: Sandbox) -> None:
    with prepared(postgres15.conninfo(), PROFILES + HANDLER) as connection:
        cascade, _ = cascade_of(connection)
    (visit,) = cascade.visits
    assert (visit.role, visit.search_path, visit.depth) == ("postgres", (), 0)
    assert visit.via == ("auth.users.on_auth_user_created",)
    assert flows(visit) == SIGN_UPS
    assert visit.certain == frozenset(range(len(visit.firings)))
    assert site(cascade, "insert").certain


def test_an_invoker_inherits_role_and_path(postgres15: Sandbox) -> None:
    sql = function("invoked", "perform public.helper(); return new;") + function(
        "helper", "return 1;", result="int", options="set search_path = public, extensions"
    )
    sql += function("pinned", "perform helper_two(); return new;", "security definer set search_path = public")
    sql += "create function public.helper_two() returns int language sql as $$ select 1 $$;"
    sql += attached("invoked", "after insert", "auth.users") + attached("pinned", "after insert", "auth.users")
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
    assert [(visit.via[-1], visit.role, visit.search_path) for visit in cascade.visits] == [
        ("auth.users.invoked", "supabase_auth_admin", ("auth",)),
        ("public.helper()", "supabase_auth_admin", ("public", "extensions")),
        ("auth.users.pinned", "postgres", ("public",)),
        ("public.helper_two()", "postgres", ("public",)),
    ]


def test_elsewhere_the_owner_or_the_given_role_writes(postgres15: Sandbox) -> None:
    sql = PROFILES + function("seen", "return new;") + attached("seen", "after update", "public.profiles")
    with prepared(postgres15.conninfo(), sql) as connection:
        owner, _ = cascade_of(connection, ["public.profiles"])
        other, _ = cascade_of(connection, ["public.profiles"], as_role="authenticated")
    assert [visit.role for visit in owner.visits] == ["postgres"]
    assert [visit.role for visit in other.visits] == ["authenticated"]
    assert owner.visits[0].firings == ()
    assert all(site.certain for site in owner.sites)


def test_follows_writes_into_other_tables_triggers(postgres15: Sandbox) -> None:
    sql = PROFILES + HANDLER
    sql += function("stamp", "new.email := lower(new.email); return new;")
    sql += attached("stamp", "before insert or update", "public.profiles")
    sql += function("of_status", "return new;") + attached("of_status", "after update of status", "public.profiles")
    sql += function("off", "return new;") + attached("off", "after insert", "public.profiles")
    sql += "alter table public.profiles disable trigger off;"
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
    assert [visit.via for visit in cascade.visits] == [
        ("auth.users.on_auth_user_created",),
        ("auth.users.on_auth_user_created", "public.profiles.stamp"),
    ]
    nested = cascade.visits[1]
    assert (nested.role, nested.event, nested.depth, flows(nested)) == ("postgres", "INSERT", 1, SIGN_UPS)
    assert len(nested.certain) == len(nested.firings)


def test_narrows_to_the_flows_in_which_conditions_may_hold(postgres15: Sandbox) -> None:
    body = """
  if tg_op = 'UPDATE' then perform 'an update'; end if;
  if new.email is null then perform 'no address'; else perform 'an address'; end if;
  if new.raw_user_meta_data ->> 'plan' = 'pro' then perform 'perhaps'; end if;
  return new;
"""
    sql = function("narrowed", body) + attached("narrowed", "after insert", "auth.users")
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
    assert "perform 'an update';" not in texts(cascade)
    absent, present, perhaps = (site(cascade, f"perform '{text}") for text in ("no address", "an address", "perhaps"))
    assert flows(absent) == {"anonymous", "signup-phone"}
    assert not absent.certain  # both are latent
    assert flows(present) == SIGN_UPS - {"anonymous", "signup-phone"}
    assert present.certain
    assert flows(perhaps) == SIGN_UPS
    assert not perhaps.certain


def test_nested_conditions_see_what_was_written(postgres15: Sandbox) -> None:
    body = """
  if new.email is null then perform 'no address'; end if;
  if new.status = 'vip' then perform 'never'; end if;
  return new;
"""
    inserted = "(id, email, status) values (new.id, new.email, 'new')"
    sql = PROFILES + HANDLER.replace("(id, email) values (new.id, new.email)", inserted)
    sql += function("looked_at", body) + attached("looked_at", "before insert", "public.profiles")
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
    assert flows(site(cascade, "perform 'no address'")) == {"anonymous", "signup-phone"}
    assert "perform 'never';" not in texts(cascade)


def test_column_lists_and_when_choose_among_auths_updates(postgres15: Sandbox) -> None:
    sql = function("confirmed", "return new;") + attached(
        "confirmed",
        "after update",
        "auth.users",
        "when (old.email_confirmed_at is null and new.email_confirmed_at is not null)",
    )
    sql += function("of_token", "return new;")
    sql += attached("of_token", "after update of confirmation_token", "auth.users")
    sql += function("of_flag", "return new;") + attached("of_flag", "after update of is_super_admin", "auth.users")
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
    (confirmed,) = visits(cascade, "auth.users.confirmed")
    (token,) = visits(cascade, "auth.users.of_token")
    (flag,) = visits(cascade, "auth.users.of_flag")
    assert "verify-signup" in flows(confirmed)
    assert "login" not in flows(confirmed)
    assert all("email_confirmed_at" in firing.columns for firing in confirmed.firings)
    assert all("confirmation_token" in firing.columns for firing in token.firings)
    # Auth never writes it, but somebody may.
    assert flag.firings == ()
    assert not any(found.certain for found in cascade.sites if found.visit is flag)


def test_handlers_go_with_what_they_surround(postgres15: Sandbox) -> None:
    sql = PROFILES + function("stamp", "return new;") + attached("stamp", "before insert", "public.profiles")
    sql += function("late", "return new;")
    sql += (
        "create constraint trigger late after insert on public.profiles deferrable initially deferred"
        " for each row execute function public.late();"
    )
    sql += function(
        "handler",
        "begin\n insert into public.profiles (id) values (new.id);\n"
        " exception when unique_violation or not_null_violation then null;\n end; return new;",
        "security definer",
    ) + attached("handler", "after insert", "auth.users")
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
    (stamped,) = visits(cascade, "public.profiles.stamp")
    (late,) = visits(cascade, "public.profiles.late")
    (caught,) = stamped.caught
    assert (caught.function, caught.line) == ("public.handler()", 5)
    assert caught.conditions == ("unique_violation", "not_null_violation")
    # It fires at commit: no handler is left, and no definer either.
    assert (late.caught, late.role, late.search_path) == ((), "supabase_auth_admin", ("auth",))


UPSERT = PROFILES + "create table public.fired (n serial, t text);" + function(
    "fired",
    "insert into public.fired (t) values (tg_when || ' ' || tg_op); return new;",
    "security definer",
) + attached("b", "before insert or update", "public.profiles", function_name="fired") + attached(
    "a", "after insert or update", "public.profiles", function_name="fired"
)  # fmt: skip


def test_an_upsert_fires_the_triggers_of_both(postgres15: Sandbox) -> None:
    upsert = "insert into public.profiles (id) values ({}) on conflict (id) do update set seen = 1;"
    sql = (
        UPSERT
        + function("handler", f"{upsert.format('new.id')} return new;", "security definer")
        + attached("handler", "after insert", "auth.users")
    )
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
        connection.execute("set local session_replication_role = replica")
        connection.execute("insert into auth.users (id) values (gen_random_uuid())")
        connection.execute("insert into public.profiles (id) select id from auth.users")
        connection.execute("set local session_replication_role = origin")
        connection.execute(upsert.format("(select id from public.profiles)").encode())
        rows = connection.execute("select t from public.fired order by n").fetchall()
    assert [row[0] for row in rows] == ["BEFORE INSERT", "BEFORE UPDATE", "AFTER UPDATE"]
    found = {
        (visit.trigger.timing, visit.event): visit for visit in cascade.visits if visit.depth == 1 and visit.trigger
    }
    assert set(found) == {("BEFORE", "INSERT"), ("AFTER", "INSERT"), ("BEFORE", "UPDATE"), ("AFTER", "UPDATE")}
    assert [key for key, visit in found.items() if visit.certain] == [("BEFORE", "INSERT")]


ACTIONS = """
create role keeper;
grant create, usage on schema public to keeper;
create table public.child (
  id uuid references auth.users on delete cascade, other uuid references auth.users on delete set null, note text
);
create table public.told (n serial, t text);
grant all on public.told, public.told_n_seq to public;
create function public.tell() returns trigger language plpgsql as $$
begin
  insert into public.told (t) values (tg_name || ' ' || tg_op || ' ' || current_user || ' ' || pg_trigger_depth());
  return coalesce(new, old);
end $$;
create trigger first before update or delete on public.child for each row execute function public.tell();
create trigger last after update or delete on public.child for each row execute function public.tell();
create trigger of_other after update of other on public.child for each row execute function public.tell();
create trigger of_note after update of note on public.child for each row execute function public.tell();
create trigger outside after delete on public.child for each row when (pg_trigger_depth() = 0)
  execute function public.tell();
create trigger inside after delete on public.child for each row when (pg_trigger_depth() = 1)
  execute function public.tell();
alter table public.child owner to keeper;
insert into auth.users (id) select gen_random_uuid() from generate_series(1, 2);
insert into public.child (id, other) select min(id::text)::uuid, max(id::text)::uuid from auth.users;
"""


@pytest.mark.parametrize(("version", "after_role"), [(15, "supabase_auth_admin"), (18, "keeper")])
def test_foreign_keys_actions_fire_the_childs_triggers(
    version: int, after_role: str, request: pytest.FixtureRequest
) -> None:
    server: Sandbox = request.getfixturevalue("postgres15" if version == 15 else "sandbox")
    with prepared(server.conninfo(), ACTIONS, "supabase_admin") as connection:
        cascade, catalog = cascade_of(connection)
        told = set()
        connection.execute("grant usage on schema public to supabase_auth_admin")
        for which in ("max", "min"):
            connection.execute("set local role supabase_auth_admin")
            deletion = f"delete from auth.users where id = (select {which}(id::text)::uuid from auth.users)"
            connection.execute(deletion.encode())
            connection.execute("reset role")
        for (text,) in connection.execute("select t from public.told").fetchall():
            told.add(tuple(text.split()[:3]))
    assert catalog.server_version_num // 10000 == version
    said = {
        (visit.trigger.name, visit.event, visit.role)
        for visit in cascade.visits
        if visit.trigger is not None and visit.root_table.name == "auth.users" and visit.root_event == "DELETE"
    }
    assert said == told
    assert ("first", "DELETE", "keeper") in said
    assert ("last", "DELETE", after_role) in said
    (visit,) = visits(cascade, "public.child.inside")
    assert flows(visit) == {"delete-user"}
    assert not visit.certain
    assert (visit.root.name, visit.root_table.name) == ("inside", "auth.users")


def test_helpers_are_found_wherever_they_are_called(postgres15: Sandbox) -> None:
    names = ("declared", "tested", "executed", "defaulted", "procedural", "two")
    sql = "".join(
        f"create function public.{name}(a int default 0, b int default 0) returns int language sql as $$ select 1 $$;"
        for name in names
        if name not in ("procedural", "two")
    )
    sql += "create procedure public.procedural() language plpgsql as $$ begin perform public.two(1, 2); end $$;"
    sql += "create function public.two(a int) returns int language sql as $$ select 1 $$;"
    sql += "create function public.two(a int, b int) returns int language sql as $$ select 2 $$;"
    sql += "create table public.t (id int, n int default public.defaulted());"
    sql += """
create function public.caller() returns trigger language plpgsql set search_path = public as $$
declare v int := declared();
begin
  if tested(1) > 0 then execute 'select public.executed()'; end if;
  insert into t (id) values (1);
  call procedural();
  return new;
end $$;
create trigger caller after insert on auth.users for each row execute function public.caller();
"""
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
    assert [visit.via[-1] for visit in cascade.visits[1:]] == [
        "public.declared(integer, integer)",
        "public.tested(integer, integer)",
        "public.executed(integer, integer)",
        "public.defaulted(integer, integer)",
        "public.procedural()",
        "public.two(integer, integer)",
    ]
    assert cascade.visits[-1].via == ("auth.users.caller", "public.procedural()", "public.two(integer, integer)")


def test_functions_that_call_each_other_end(postgres15: Sandbox) -> None:
    sql = "set local check_function_bodies = off;"
    sql += function("ping", "return public.pong();", result="int") + function(
        "pong", "return public.ping();", result="int"
    )
    sql += function("starter", "perform public.ping(); return new;") + attached("starter", "after insert", "auth.users")
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
    assert [visit.via[-1] for visit in cascade.visits] == ["auth.users.starter", "public.ping()", "public.pong()"]


def test_auths_own_triggers_are_roots_and_nothing_else(postgres15: Sandbox) -> None:
    sql = function("one", "update auth.users set phone = null where id = new.id; return new;", "security definer")
    sql += function("two", "return new;")
    sql += attached("one", "after insert", "auth.users") + attached("two", "after update", "auth.users")
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
    assert [visit.via for visit in cascade.visits] == [("auth.users.one",), ("auth.users.two",)]


def test_firing_order_is_postgresqls(postgres15: Sandbox) -> None:
    sql = function("any_name", "return new;")
    for name in ("b", "a", "c"):
        sql += attached(name, "after insert", "auth.users", function_name="any_name")
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
        again, _ = cascade_of(connection)
    assert [visit.via[-1] for visit in cascade.visits] == ["auth.users.a", "auth.users.b", "auth.users.c"]
    assert [visit.via for visit in cascade.visits] == [visit.via for visit in again.visits]


def test_an_update_of_list_looks_at_the_statement_only(postgres15: Sandbox) -> None:
    """A column that a BEFORE trigger changes does not count, one that is set to its own value does."""
    sql = """
create table public.t (id int, a int, b int);
create table public.told (t text);
create function public.change_b() returns trigger language plpgsql as $$ begin new.b := 9; return new; end $$;
create function public.tell() returns trigger language plpgsql as $$
begin insert into public.told values (tg_name); return new; end $$;
create trigger change_b before update on public.t for each row execute function public.change_b();
create trigger of_a after update of a on public.t for each row execute function public.tell();
create trigger of_b after update of b on public.t for each row execute function public.tell();
insert into public.t values (1, 1, 1);
create function public.writer() returns trigger language plpgsql as $$
begin update public.t set a = a; return new; end $$;
create trigger writer after insert on auth.users for each row execute function public.writer();
"""
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
        connection.execute("update public.t set a = a")
        told = [row[0] for row in connection.execute("select t from public.told").fetchall()]
    assert told == ["of_a"]
    assert [visit.via[-1] for visit in cascade.visits[1:]] == ["public.t.change_b", "public.t.of_a"]


def test_a_body_that_cannot_be_read_is_visited_without_sites(postgres15: Sandbox) -> None:
    sql = "create function public.internal() returns trigger language internal as 'suppress_redundant_updates_trigger';"
    sql += attached("internal", "before update", "auth.users")
    with prepared(postgres15.conninfo(), sql, "supabase_admin") as connection:
        cascade, _ = cascade_of(connection)
    assert [visit.via[-1] for visit in cascade.visits] == ["auth.users.internal"]
    assert cascade.sites == ()


def test_connection_is_left_usable(connection: psycopg.Connection) -> None:
    cascade, _ = cascade_of(connection)
    assert cascade.visits == ()
    assert connection.execute("select 1").fetchone() == (1,)
