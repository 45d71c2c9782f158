"""Harm that raises nothing, shown on a server: what the bad example does to the rows, and the good one does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.conftest import FreshDatabase
from tests.rules.judging import run_flows
from trigger_audit.rules.registry import find_rule

_INSERT = """
INSERT INTO users (instance_id, id, aud, role, email, raw_user_meta_data, raw_app_meta_data, created_at, updated_at)
VALUES ('00000000-0000-0000-0000-000000000000', %s, 'authenticated', 'authenticated', %s, %s, '{}', now(), now())
"""


class Auth:
    """A connection that does as Auth does, and looks at the result as the superuser."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.notices: list[str] = []
        connection.add_notice_handler(
            lambda notice: self.notices.append(f"{notice.severity_nonlocalized}: {notice.message_primary}")
        )

    def sign_up(self, email: str, metadata: dict[str, object] | None = None) -> UUID:
        user = uuid4()
        with self._connection.transaction():
            self._connection.execute("SET LOCAL SESSION AUTHORIZATION supabase_auth_admin")
            self._connection.execute("SET LOCAL search_path = auth")
            self._connection.execute(_INSERT, (user, email, json.dumps(metadata or {})))
        return user

    def look(self, query: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, parameters).fetchall()


@contextmanager
def project(database: FreshDatabase, sql: str) -> Iterator[Auth]:
    database.apply(sql)
    with psycopg.connect(database.conninfo(), prepare_threshold=None, autocommit=True) as connection:
        yield Auth(connection)


@pytest.mark.parametrize(("example", "kept"), [("bad", False), ("good", True)])
def test_a_write_without_where_changes_the_rows_of_others(
    example: str, kept: bool, fresh_database: FreshDatabase
) -> None:
    rule = find_rule("TA401")
    with project(fresh_database, rule.bad if example == "bad" else rule.good) as auth:
        first = auth.sign_up("first@example.com")
        before = auth.look("SELECT ctid::text, is_newest FROM public.profiles WHERE id = %s", first)
        second = auth.sign_up("second@example.com")
        after = auth.look("SELECT ctid::text, is_newest FROM public.profiles WHERE id = %s", first)
        assert before[0][1] is True
        assert (after == before) is kept
        assert after[0][1] is kept
        assert auth.look("SELECT is_newest FROM public.profiles WHERE id = %s", second) == [(True,)]


@pytest.mark.parametrize(("example", "role"), [("bad", "admin"), ("good", "member")])
def test_whoever_sends_a_role_gets_it(example: str, role: str, fresh_database: FreshDatabase) -> None:
    rule = find_rule("TA503")
    with project(fresh_database, rule.bad if example == "bad" else rule.good) as auth:
        user = auth.sign_up("anyone@example.com", {"role": "admin"})
        assert auth.look("SELECT role FROM public.profiles WHERE id = %s", user) == [(role,)]


@pytest.mark.parametrize(("example", "warned"), [("bad", False), ("good", True)])
def test_a_swallowed_failure_leaves_a_user_without_a_row(
    example: str, warned: bool, fresh_database: FreshDatabase
) -> None:
    """Every flow passes, nothing is logged, and the profile is not there; the good example says so in the log."""
    rule = find_rule("TA302")
    with project(fresh_database, rule.bad if example == "bad" else rule.good) as auth:
        assert {flow.outcome for flow in run_flows(fresh_database, ["signup-email", "login"])} == {"pass"}
        user = auth.sign_up("someone@example.com")
        assert auth.look("SELECT count(*) FROM auth.users WHERE id = %s", user) == [(1,)]
        assert auth.look("SELECT count(*) FROM public.profiles WHERE id = %s", user) == [(0,)]
        assert [notice.startswith("WARNING: no profile for") for notice in auth.notices] == [True] * warned
        auth.look("INSERT INTO public.plans VALUES (1, true) RETURNING id")
        second = auth.sign_up("second@example.com")
        assert auth.look("SELECT plan_id FROM public.profiles WHERE id = %s", second) == [(1,)]


@pytest.mark.parametrize(("example", "fires"), [("off", False), ("replica", False), ("on", True)])
def test_a_disabled_trigger_does_not_fire(example: str, fires: bool, fresh_database: FreshDatabase) -> None:
    """The rule's example with a function that leaves a trace."""
    rule = find_rule("TA701")
    sql = (rule.good if example == "on" else rule.bad).replace("  return null;", _TRACE)
    assert _TRACE in sql
    if example == "replica":
        sql = sql.replace("disable trigger", "enable replica trigger")
    with project(fresh_database, "create table public.trace (note text);\n" + sql) as auth:
        user = auth.sign_up("someone@example.com")
        assert auth.look("SELECT count(*) FROM public.orders WHERE user_id = %s", user) == [(1,)]
        assert auth.look("SELECT note FROM public.trace") == [("made by the trigger",)] * fires


_TRACE = "  insert into public.trace (note) values ('made by the trigger');\n  return null;"


@pytest.mark.parametrize(("example", "changes"), [("bad", True), ("good", False)])
def test_without_a_path_the_same_name_is_another_table(
    example: str, changes: bool, fresh_database: FreshDatabase
) -> None:
    """Auth's path makes `users` mean auth.users, the SQL editor's makes it mean the project's own table."""
    rule = find_rule("TA501")
    sql = rule.bad if example == "bad" else rule.good
    assert "count(*) into known" in sql
    sql = sql.replace("select count(*) into known from", "insert into public.seen select min(tableoid::text) from")
    with project(fresh_database, _TWO_USERS_TABLES + sql) as auth:
        auth.sign_up("by-auth@example.com")
        as_auth = auth.look(_SEEN)
        auth.look("DELETE FROM public.seen RETURNING relation")
        with psycopg.connect(fresh_database.conninfo("postgres"), prepare_threshold=None) as editor:
            editor.execute('SET search_path = "$user", public, extensions')
            editor.execute(_INSERT.replace("INTO users", "INTO auth.users"), (uuid4(), "by-hand@example.com", "{}"))
        as_editor = auth.look(_SEEN)
    assert as_auth == [("auth.users",)]
    assert (as_editor != as_auth) is changes
    if changes:
        assert as_editor == [("public.users",)]


_TWO_USERS_TABLES = """
create table public.seen (relation text);
create table public.users (id uuid primary key);
insert into public.users values (gen_random_uuid());
"""

_SEEN = """
SELECT n.nspname || '.' || c.relname
FROM public.seen AS s JOIN pg_class AS c ON c.oid::text = s.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace
"""
