"""What findings say, where the words depend on the case."""

from __future__ import annotations

import pytest

from tests.conftest import FreshDatabase
from tests.rules.judging import judged_case
from trigger_audit.findings.model import Finding

TABLE = """
    create table public.profiles (
      id uuid primary key, user_id uuid, email text, full_name text not null default '', ended_at timestamptz
    );
    create unique index one_running on public.profiles (user_id) where ended_at is null;
    create unique index one_address on public.profiles (email, id);
"""


def found(
    database: FreshDatabase, rule: str, body: str, event: str = "insert", level: str = "row", declare: str = ""
) -> Finding:
    """The rule's one finding about a trigger with this body."""
    database.apply(
        f"{TABLE} create function public.f() returns trigger language plpgsql security definer set search_path = '' "
        f"as $$ declare {declare} begin {body} return null; end $$; "
        f"create trigger t after {event} on auth.users for each {level} execute function public.f();"
    )
    [finding] = [finding for finding in judged_case(database)[1] if finding.rule == rule]
    return finding


@pytest.mark.parametrize(
    ("event", "level", "fix"),
    [
        ("insert", "row", "name the rows, for instance: where id = new.id"),
        ("update", "row", "name the rows, for instance: where id = new.id"),
        ("delete", "row", "name the rows, for instance: where id = old.id"),
        ("insert", "statement", "name the rows in WHERE"),
    ],
)
def test_the_row_to_name(fresh_database: FreshDatabase, event: str, level: str, fix: str) -> None:
    assert found(fresh_database, "TA401", "delete from public.profiles;", event, level).fix == fix


def test_a_partial_index_is_shown_with_its_predicate(fresh_database: FreshDatabase) -> None:
    body = "insert into public.profiles (id, user_id) values (new.id, new.id) on conflict (user_id) do nothing;"
    finding = found(fresh_database, "TA109", body)
    assert finding.message == (
        "the unique index of public.profiles on (user_id) is partial, and ON CONFLICT does not repeat its WHERE"
    )
    assert finding.fix == (
        "write on conflict (user_id) where (ended_at IS NULL), or alter table public.profiles add unique (user_id); "
        "unique today: (email, id); (user_id) where (ended_at IS NULL); (id)"
    )
    # The fix works.
    fresh_database.apply("create or replace function public.f() returns trigger language plpgsql security definer "
        "set search_path = '' as $$ begin " + body.replace("(user_id) do", "(user_id) where (ended_at IS NULL) do")
        + " return null; end $$")  # fmt: skip
    assert not [left for left in judged_case(fresh_database)[1] if left.rule == "TA109"]


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        ("case when new.phone is null then null else new.phone end", "a CASE with NULL as a result"),
        ("case when new.phone is null then new.phone else 'x' end", "NEW.phone"),
        ("v", "v, which is set to NULL,"),
        ("upper(null)", "the value"),
        ("coalesce(null, null)", "the value"),
    ],
)
def test_what_can_be_null(fresh_database: FreshDatabase, value: str, subject: str) -> None:
    body = f"insert into public.profiles (id, full_name) values (new.id, {value});"
    message = found(fresh_database, "TA107", body, declare="v text := null;").message
    assert message == f"{subject} can be NULL, and public.profiles.full_name is NOT NULL"


@pytest.mark.parametrize(
    ("rule", "body", "fix"),
    [
        (
            "TA103",
            "update auth.sessions set ip_address = null where user_id = new.id;",
            "did you mean ip? Otherwise take it out of the function: the table is Auth's own, and gets no columns of "
            "the project",
        ),
        (
            "TA103",
            "update auth.users set xyzzy = 1 where id = new.id;",
            "take it out of the function: the table is Auth's own, and gets no columns of the project",
        ),
        (
            "TA103",
            "update public.profiles set xyzzy = 1 where id = new.id;",
            "add the column xyzzy, or take it out of the function",
        ),
        (
            "TA103",
            "perform xyzzy from public.profiles;",
            "add the column xyzzy, or take it out of the function",
        ),
        (
            "TA109",
            "insert into auth.identities (id, user_id, provider, provider_id, identity_data) "
            "values (new.id, new.id, 'x', 'y', '{}') on conflict (user_id, provider) do nothing;",
            "name columns that have a unique index: the table is Auth's own, and gets none of the project; "
            "unique today: (id); (provider_id, provider)",
        ),
        (
            "TA106",
            "insert into auth.identities (id, user_id, provider, provider_id) values (new.id, new.id, 'x', 'y');",
            "write a value: the table is Auth's own",
        ),
        (
            "TA107",
            "insert into auth.identities (id, user_id, provider, provider_id, identity_data) "
            "values (new.id, new.id, 'x', new.phone, '{}');",
            "coalesce(new.phone, <fallback>)",
        ),
    ],
)
def test_nobody_is_told_to_alter_auths_tables(fresh_database: FreshDatabase, rule: str, body: str, fix: str) -> None:
    assert found(fresh_database, rule, body).fix == fix


def test_a_disabled_trigger_of_auths_table_is_made_anew(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(
        "create function public.f() returns trigger language plpgsql as $$ begin return null; end $$; "
        "create trigger t after insert on auth.users for each row execute function public.f();"
    )
    fresh_database.apply("alter table auth.users disable trigger t", role="supabase_admin")
    [finding] = [finding for finding in judged_case(fresh_database)[1] if finding.rule == "TA701"]
    assert finding.fix == (
        "drop the trigger, or create it anew: a new one is enabled, and only its owner may alter Auth's table"
    )
