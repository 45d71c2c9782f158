"""What the payloads send to a project whose triggers read keys of their own, and what a user gets by asking."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from tests.conftest import FreshDatabase
from tests.smoke.conftest import connect, users
from trigger_audit.auth import FLOWS
from trigger_audit.auth.values import Probe
from trigger_audit.database.connect import read_only
from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.pipeline import examine, sign_ups_of
from trigger_audit.smoke.model import Escalation, FlowResult, Outcome, Payload, SmokeReport
from trigger_audit.smoke.payloads import Probes, SignUps, metadata_for, payloads_of
from trigger_audit.smoke.runner import run_smoke

Run = Callable[..., SmokeReport]

TRIGGER = """
create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

TYPED = (
    """
create type public.mood as enum ('calm', 'merry');
create domain public.country as varchar(2) check (value ~ '^[A-Z]{2}$');
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  age int check (age >= 18), born date, token uuid, mood public.mood, terms boolean not null,
  tags text[] not null, code varchar(3), country public.country, size text check (size in ('s', 'm', 'l')),
  handle text check (char_length(handle) between 9 and 12), address jsonb, street text, seen timestamptz, score numeric
);
create function public.kind_of(kind text) returns text language plpgsql immutable as $$
begin
  if kind not in ('person', 'firm') then raise exception 'bad kind %', kind; end if;
  return kind;
end $$;
create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  meta jsonb := new.raw_user_meta_data;
  v_mood public.mood;
begin
  if meta = '{}' or not meta ? 'terms' then
    insert into public.profiles (id, terms, tags) values (new.id, false, '{}');
    return new;
  end if;
  v_mood := meta ->> 'mood';
  perform public.kind_of(meta ->> 'kind');
  if not (meta ->> 'terms')::boolean then raise exception 'terms not accepted'; end if;
  insert into public.profiles values (new.id, (meta ->> 'age')::int, cast(meta ->> 'born' as date),
    (meta ->> 'token')::uuid, v_mood, true, array(select jsonb_array_elements_text(meta -> 'tags')),
    meta ->> 'code', meta ->> 'country', meta ->> 'size', meta ->> 'handle', meta -> 'address',
    meta #>> '{address,street}', (meta ->> 'seen')::timestamptz, (meta ->> 'score')::numeric);
  if not exists (select from public.profiles p where p.id = new.id and p.age >= 18 and p.born is not null
      and p.token is not null and p.mood is not null and p.tags <> '{}' and p.code <> '' and p.country <> ''
      and p.size <> '' and p.handle <> '' and p.street <> '' and p.seen is not null and p.score is not null) then
    raise exception 'a key is missing in %', meta;
  end if;
  return new;
end $$;
"""
    + TRIGGER
)

TENANTS = (
    """
create table public.organizations (id bigint generated always as identity primary key, name text);
create table public.members (
  user_id uuid primary key references auth.users on delete cascade,
  org_id bigint references public.organizations
);
create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.members (user_id, org_id) values (new.id, (new.raw_user_meta_data ->> 'org_id')::bigint);
  if new.raw_user_meta_data ->> 'invite' is not null then
    if not exists (select from public.organizations o where o.name = new.raw_user_meta_data ->> 'invite') then
      raise exception 'no such invite';
    end if;
  end if;
  return new;
end $$;
"""
    + TRIGGER
)

PROFILES = """
create type public.app_role as enum ('reader', 'editor', 'site_admin');
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  role public.app_role not null default 'reader',
  is_admin boolean not null default false
);
create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  {body}
  return new;
end $$;
""" + TRIGGER.replace("{", "{{")

BAD = PROFILES.replace(
    "{body}",
    """insert into public.profiles (id, role, is_admin) values (new.id,
    coalesce(new.raw_user_meta_data ->> 'role', 'reader')::public.app_role,
    coalesce((new.raw_user_meta_data ->> 'is_admin')::boolean, false));""",
)
WHITELIST = PROFILES.replace(
    "{body}",
    """insert into public.profiles (id, role) values (new.id,
    (case when new.raw_user_meta_data ->> 'role' in ('reader', 'editor')
          then new.raw_user_meta_data ->> 'role' else 'reader' end)::public.app_role);""",
)
EVERYBODY = PROFILES.replace(
    "{body}",
    """perform new.raw_user_meta_data ->> 'role';
  insert into public.profiles (id, role, is_admin) values (new.id, 'site_admin', true);""",
)


@pytest.fixture
def signing_up(fresh_database: FreshDatabase) -> Run:
    """Applies SQL and runs the sign-up flow with the keys that its cascade reads."""

    def run(
        sql: str = "",
        *,
        flows: Sequence[str] | None = ("signup-email",),
        given: Mapping[str, object] | None = None,
        email: str | None = None,
        payloads: Sequence[Payload] = (),
        role: str = "supabase_admin",
    ) -> SmokeReport:
        if sql:
            fresh_database.apply(sql)
        with connect(fresh_database, role) as connection:
            with read_only(connection):
                audit = examine(connection, tables=(), all_tables=False, as_role=None, names=False)
            report = run_smoke(
                connection,
                flows=flows,
                hazards=(),
                allow_side_effects=False,
                target={},
                sign_ups=sign_ups_of(audit, given=given, email=email, payloads=payloads),
            )
        assert report.rolled_back
        return report

    return run


def by_payload(report: SmokeReport) -> dict[Payload, FlowResult]:
    return {flow.payload: flow for flow in report.flows}


def test_full_sends_every_key_with_a_value_of_its_type(signing_up: Run, fresh_database: FreshDatabase) -> None:
    """The function raises where a key is missing, and PostgreSQL where one has not the type."""
    found = by_payload(signing_up(TYPED))
    assert {flow.failed_step for flow in found.values()} == {None}
    assert {flow.outcome for flow in found.values()} == {Outcome.PASS}
    assert found.keys() == {Payload.BARE, Payload.FULL, Payload.DUPLICATE, Payload.ADMIN}
    assert users(fresh_database) == 0


def test_a_foreign_key_gets_a_row_that_is_there(signing_up: Run) -> None:
    sql = TENANTS + "insert into public.organizations (name) values ('one'), ('two');"
    report = signing_up(sql)
    found = by_payload(report)
    assert found[Payload.FULL].outcome is Outcome.PASS
    # Another tenant for the asking.
    assert found[Payload.ADMIN].outcome is Outcome.ALTERED
    assert found[Payload.ADMIN].escalations == (Escalation("public.members", "org_id", "2"),)
    assert "the metadata key invite must name a row of public.organizations: it is not sent" in report.session.gaps


def test_a_foreign_key_to_an_empty_table_leaves_the_key_out_and_says_so(signing_up: Run) -> None:
    report = signing_up(TENANTS)
    assert {flow.outcome for flow in report.flows} == {Outcome.PASS}
    assert (
        "the metadata key org_id must name a row of public.organizations, which has none: it is not sent"
        in report.session.gaps
    )


NICKS = (
    """
create table public.profiles (id uuid primary key references auth.users on delete cascade, nick text {constraint});
create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles values (new.id, new.raw_user_meta_data ->> 'nick');
  return new;
end $$;
"""
    + TRIGGER
)


@pytest.mark.parametrize(
    ("constraint", "sqlstate"),
    [
        ("unique", "23505"),
        ("not null unique", "23505"),
        ("check (nick ~ '^[a-z]{3,8}$')", None),
    ],
)
def test_a_second_user_sends_what_the_function_reads(signing_up: Run, constraint: str, sqlstate: str | None) -> None:
    """With the keys that this project takes, and with the very values of the first user."""
    found = by_payload(signing_up(NICKS.replace("{constraint}", constraint)))
    assert found[Payload.FULL].outcome is Outcome.PASS
    failed = found[Payload.DUPLICATE].failed_step
    assert (None if failed is None else failed.sqlstate) == sqlstate
    assert (found[Payload.DUPLICATE].outcome is Outcome.PASS) == (sqlstate is None)
    assert found[Payload.DUPLICATE].reason is None


@pytest.mark.parametrize("role", ["supabase_admin", "postgres"])
def test_a_privilege_that_the_client_asked_for_and_got_is_an_escalation(signing_up: Run, role: str) -> None:
    found = by_payload(signing_up(BAD, role=role))
    assert found[Payload.ADMIN].escalations == (
        Escalation("public.profiles", "is_admin", "true"),
        Escalation("public.profiles", "role", "site_admin"),
    )
    assert found[Payload.ADMIN].outcome is Outcome.ALTERED
    assert found[Payload.ADMIN].changes == ()
    for payload in (Payload.BARE, Payload.FULL, Payload.DUPLICATE):
        assert (found[payload].outcome, found[payload].escalations) == (Outcome.PASS, ())


@pytest.mark.parametrize("sql", [WHITELIST, EVERYBODY], ids=["whitelist", "everybody"])
def test_what_comes_without_asking_is_no_escalation(signing_up: Run, sql: str) -> None:
    found = by_payload(signing_up(sql))
    assert {flow.outcome for flow in found.values()} == {Outcome.PASS}
    assert {flow.escalations for flow in found.values()} == {()}


def test_a_role_in_auths_own_columns_is_looked_at(signing_up: Run) -> None:
    sql = """
create function public.copy_role() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  new.raw_app_meta_data := new.raw_app_meta_data || jsonb_build_object('role', new.raw_user_meta_data ->> 'role');
  return new;
end $$;
create trigger copy_role before insert on auth.users for each row execute function public.copy_role();
"""
    admin = by_payload(signing_up(sql, payloads=[Payload.ADMIN]))[Payload.ADMIN]
    assert Escalation("auth.users", "raw_app_meta_data.role", "admin") in admin.escalations


def test_the_look_is_not_led_astray_by_what_a_trigger_left_in_the_session(
    signing_up: Run, fresh_database: FreshDatabase
) -> None:
    """Its search_path has a `=` that is never true and a type text; PostgreSQL's own are meant."""
    fresh_database.apply(
        """
create schema trap;
grant usage on schema trap to public;
create function trap.never(uuid, uuid) returns boolean language sql immutable as 'select false';
create operator trap.= (leftarg = uuid, rightarg = uuid, function = trap.never);
create domain trap.text as pg_catalog.text check (value = 'trap');
create function trap.spring() returns trigger language plpgsql as $$
begin
  perform set_config('search_path', 'trap, pg_catalog, auth', true);
  return null;
end $$;
create trigger spring after insert on auth.one_time_tokens for each row execute function trap.spring();
""",
        role="supabase_admin",
    )
    admin = by_payload(signing_up(BAD, payloads=[Payload.ADMIN]))[Payload.ADMIN]
    assert Escalation("public.profiles", "role", "site_admin") in admin.escalations


def test_given_metadata_runs_besides_and_is_what_the_function_sees(signing_up: Run) -> None:
    hostile = "x'); drop table auth.users; -- \u202e\x1b[31m"
    sql = (
        """
create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if new.raw_user_meta_data ? 'nick' then raise exception 'nick is %', new.raw_user_meta_data ->> 'nick'; end if;
  return new;
end $$;
"""
        + TRIGGER
    )
    report = signing_up(sql, given={"nick": hostile}, flows=["signup-email", "invite", "login"])
    assert [(flow.flow, flow.payload.value) for flow in report.flows if flow.payload is Payload.GIVEN] == [
        ("signup-email", "given"),
        ("invite", "given"),
    ]
    failed = by_payload(report)[Payload.GIVEN].failed_step
    assert failed is not None
    assert failed.message == f"nick is {hostile}"
    json.dumps(failed.message)


def test_given_metadata_with_a_privilege_is_an_escalation_where_it_is_got(signing_up: Run) -> None:
    given = {"role": "site_admin", "full_name": "Ada"}
    only = signing_up(BAD, given=given, payloads=[Payload.GIVEN])
    (flow,) = only.flows
    assert (flow.payload, flow.outcome) == (Payload.GIVEN, Outcome.ALTERED)
    assert flow.escalations == (Escalation("public.profiles", "role", "site_admin"),)
    (honest,) = signing_up(given={"role": "editor"}, payloads=[Payload.GIVEN]).flows
    assert (honest.outcome, honest.escalations) == (Outcome.PASS, ())


def test_the_given_address_signs_up(signing_up: Run) -> None:
    sql = (
        """
create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if new.email not like '%@company.example' then raise exception 'not one of us'; end if;
  return new;
end $$;
"""
        + TRIGGER
    )
    report = signing_up(sql, email="ada@company.example", payloads=[Payload.BARE, Payload.FULL], flows=None)
    sign_ups = {flow.name for flow in FLOWS if flow.signs_up and "phone" not in flow.name and flow.name != "anonymous"}
    outcomes = {flow.outcome for flow in report.flows if flow.flow in sign_ups or flow.flow == "email-change"}
    assert outcomes == {Outcome.PASS}


@pytest.mark.parametrize("address", ["x@acme.com", f"{'a' * 64}@{'b' * 180}.example", f"a@{'b' * 253}"])
def test_nobody_gets_another_domain_or_an_address_past_the_limits(address: str) -> None:
    probes = Probes(address=address)
    first = probes.user(Payload.BARE)
    twin = probes.user(Payload.DUPLICATE, first)
    others = [str(first[Probe.NEW_EMAIL]), str(twin[Probe.EMAIL]), str(twin[Probe.NEW_EMAIL])]
    assert first[Probe.EMAIL] == address
    assert len({address, *others}) == 4
    for other in others:
        local, _, domain = other.partition("@")
        assert domain == address.partition("@")[2]
        assert local[0] == address[0]
        assert "+" in local
        assert len(local) <= max(64, 8)
        assert len(other) <= max(255, len(address) + 7)


def test_a_gate_on_the_domain_takes_the_second_user_of_the_given_address(signing_up: Run) -> None:
    sql = (
        """
create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if new.email not like 'x%@acme.com' then raise exception 'not one of us'; end if;
  if length(new.email) > 20 then raise exception 'too long'; end if;
  return new;
end $$;
"""
        + TRIGGER
    )
    report = signing_up(sql, email="x@acme.com", payloads=[Payload.DUPLICATE], flows=["signup-email"])
    assert [flow.outcome for flow in report.flows] == [Outcome.PASS]


def test_the_address_of_a_user_is_refused_before_anything_runs(signing_up: Run, fresh_database: FreshDatabase) -> None:
    fresh_database.apply(
        "insert into auth.users (id, instance_id, email, aud) values "
        "(gen_random_uuid(), '00000000-0000-0000-0000-000000000000', 'Ada@example.com', 'authenticated')",
        role="supabase_auth_admin",
    )
    with pytest.raises(TriggerAuditError, match="is the address of a user of this project already"):
        signing_up(email="ada@example.com")
    assert users(fresh_database) == 1


def test_payloads_that_no_flow_sends_are_a_usage_error(signing_up: Run) -> None:
    with pytest.raises(UsageError, match="none runs with payload admin"):
        signing_up(flows=["login"], payloads=[Payload.ADMIN])
    assert [flow.payload for flow in signing_up(flows=["invite", "login"], payloads=[Payload.ADMIN]).flows] == [
        Payload.ADMIN
    ]


def test_the_usual_matrix_stays() -> None:
    usual = {flow.name: payloads_of(flow) for flow in FLOWS}
    assert usual["signup-email"] == (Payload.BARE, Payload.FULL, Payload.DUPLICATE, Payload.ADMIN)
    assert usual["oauth-first"] == (Payload.BARE, Payload.FULL, Payload.GOOGLE)
    assert usual["invite"] == (Payload.BARE, Payload.FULL)
    assert usual["login"] == (Payload.BARE,)
    with_given = payloads_of(FLOWS[0], SignUps(given={}))
    assert with_given[-1] is Payload.GIVEN


def test_a_large_table_is_not_searched_without_an_index(fresh_database: FreshDatabase, signing_up: Run) -> None:
    gap = "public.profiles is large and has no index on id: what the user got there was not looked at"
    fresh_database.apply(BAD)
    fresh_database.apply(
        "update pg_class set reltuples = 100001 where oid = 'public.profiles'::regclass", role="supabase_admin"
    )
    report = signing_up(payloads=[Payload.FULL, Payload.ADMIN])
    assert by_payload(report)[Payload.ADMIN].escalations  # by the primary key's index
    assert gap not in report.session.gaps
    report = signing_up(
        "alter table public.profiles drop constraint profiles_pkey;", payloads=[Payload.FULL, Payload.ADMIN]
    )
    assert by_payload(report)[Payload.ADMIN].escalations == ()
    assert gap in report.session.gaps


def test_static_keys_give_way_to_what_is_known_of_them() -> None:
    documents = metadata_for(replace(SignUps(), given={"a": 1}), {}).documents
    assert documents[Payload.GIVEN] == {"a": 1}
    assert documents[Payload.ADMIN]["role"] == "admin"
    assert "role" not in documents[Payload.FULL]
