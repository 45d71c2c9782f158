"""Conditions in three-valued logic: what is said of them holds on a server, whatever the rows."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trigger_audit.analysis.conditions import condition_node, evaluate
from trigger_audit.analysis.state import Row, State, Term, constant, firing_rows
from trigger_audit.auth import firings
from trigger_audit.catalog.model import Column, Table, Trigger
from trigger_audit.sandbox.server import Sandbox


def _column(name: str, number: int) -> Column:
    return Column(name, number, 25, "text", -1, None, name == "id", None, "", "")


def _table(*names: str) -> Table:
    columns = tuple(_column(name, number) for number, name in enumerate(names, 1))
    return Table(1, "auth", "users", "r", "supabase_auth_admin", columns, (), (), (), False, False, -1, None)


def _trigger(level: str = "ROW") -> Trigger:
    return Trigger(
        1, "on_user", 1, 1, "AFTER", ("INSERT", "UPDATE"), level, (), None, "origin", False, False, False, None, None,
        (), 1,
    )  # fmt: skip


def _state(flow: str, event: str, column: str = "", touched: frozenset[str] = frozenset()) -> State:
    """What a trigger on auth.users sees at the flow's first statement of the event that sets the column."""
    firing = next(
        found
        for found in firings()
        if (found.flow, found.table, found.event) == (flow, "auth.users", event)
        and (not column or column in found.columns)
    )
    assert firing.new is not None
    table = _table(*firing.new)
    new, old = firing_rows(firing, table)
    return State(event, table, _trigger(), 1, new, old, touched)


SIGN_UP = _state("signup-email", "INSERT")
ANONYMOUS = _state("anonymous", "INSERT")
ROLE = _state("signup-email", "UPDATE", "role")
METADATA = _state("signup-email", "UPDATE", "raw_user_meta_data")
CONFIRMED = _state("verify-signup", "UPDATE", "email_confirmed_at")


def outcomes(text: str, state: State) -> str:
    """The outcomes as letters: t, f, n."""
    node = condition_node(text)
    assert node is not None
    found = evaluate(node, state)
    return "".join(letter for letter, value in (("t", True), ("f", False), ("n", None)) if value in found)


@pytest.mark.parametrize(
    ("text", "state", "expected"),
    [
        ("NEW.email IS DISTINCT FROM OLD.email", ROLE, "f"),
        ("old.email <> new.email", ROLE, "f"),
        ("lower(NEW.email) IS DISTINCT FROM lower(OLD.email)", ROLE, "f"),
        ("(new.raw_user_meta_data ->> 'role') IS DISTINCT FROM (old.raw_user_meta_data ->> 'role')", ROLE, "f"),
        ("((old.email)::text IS DISTINCT FROM (new.email)::text)", ROLE, "f"),
        ("NEW.role IS DISTINCT FROM OLD.role", ROLE, "t"),
        ("NEW.* IS DISTINCT FROM OLD.*", ROLE, "t"),
        ("NEW IS DISTINCT FROM OLD", ROLE, "t"),
        ("ROW(NEW.email, NEW.phone) IS DISTINCT FROM ROW(OLD.email, OLD.phone)", ROLE, "f"),
        ("NEW.updated_at IS DISTINCT FROM OLD.updated_at", ROLE, "t"),
        ("NEW.raw_user_meta_data IS DISTINCT FROM OLD.raw_user_meta_data", METADATA, "tf"),
        ("NEW.email_change_confirm_status > 0", SIGN_UP, "f"),
        ("old.email_confirmed_at IS NULL AND new.email_confirmed_at IS NOT NULL", CONFIRMED, "t"),
        ("old.email_confirmed_at IS NULL AND new.email_confirmed_at IS NOT NULL", ROLE, "f"),
        ("NEW.email IS NULL", SIGN_UP, "f"),
        ("NEW.email IS NULL", ANONYMOUS, "t"),
        ("NEW.email = 'a@example.com'", SIGN_UP, "tf"),
        ("NEW.email = 'a@example.com'", ANONYMOUS, "n"),
        ("NOT NEW.is_anonymous", SIGN_UP, "t"),
        ("NEW.is_anonymous IS TRUE", ANONYMOUS, "t"),
        ("coalesce(NEW.phone, '') = ''", SIGN_UP, "t"),
        ("nullif(NEW.role, '') IS NULL", SIGN_UP, "t"),
        ("NEW.role IN ('authenticated', 'x')", SIGN_UP, "f"),
        ("(new.role)::text = ANY ((ARRAY['a'::character varying])::text[])", SIGN_UP, "f"),
        ("new.role <> ALL (ARRAY['a', 'b'])", SIGN_UP, "t"),
        ("OLD IS NULL", SIGN_UP, "t"),
        ("OLD.email IS NULL", SIGN_UP, "t"),
        ("TG_OP = 'INSERT'", SIGN_UP, "t"),
        ("TG_OP = 'insert'", SIGN_UP, "f"),
        ("TG_OP IN ('UPDATE', 'DELETE')", SIGN_UP, "f"),
        ("TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME = 'auth.users'", SIGN_UP, "t"),
        ("TG_NAME = 'on_user' AND TG_WHEN = 'AFTER' AND TG_LEVEL = 'ROW'", SIGN_UP, "t"),
        ("pg_trigger_depth() > 1", SIGN_UP, "f"),
        ("pg_catalog.pg_trigger_depth() BETWEEN 1 AND 3", SIGN_UP, "t"),
        ("CASE WHEN TG_OP = 'INSERT' THEN true ELSE NEW.email <> OLD.email END", SIGN_UP, "t"),
        ("CASE TG_OP WHEN 'UPDATE' THEN true END", SIGN_UP, "n"),
        ("FOUND", SIGN_UP, "tfn"),
        ("EXISTS (SELECT 1 FROM public.t)", SIGN_UP, "tf"),
        ("random() = random()", SIGN_UP, "tfn"),
    ],
)
def test_conditions_on_rows_of_auth(text: str, state: State, expected: str) -> None:
    assert outcomes(text, state) == expected


def test_what_a_before_trigger_may_assign_is_not_known() -> None:
    state = _state("signup-email", "UPDATE", "role", frozenset({"email"}))
    assert outcomes("NEW.email IS DISTINCT FROM OLD.email", state) == "tf"
    assert outcomes("NEW.phone IS DISTINCT FROM OLD.phone", state) == "f"


def test_a_helper_sees_no_row_and_no_operation() -> None:
    helper = State("", None, None, 1, None, None)
    assert outcomes("new.email IS NULL", helper) == "tf"
    assert outcomes("tg_op = 'INSERT'", helper) == "tfn"


def test_a_trigger_for_each_statement_has_no_rows() -> None:
    state = State("UPDATE", ROLE.table, _trigger("STATEMENT"), 1, None, None)
    assert outcomes("NEW IS DISTINCT FROM OLD", state) == "f"
    assert outcomes("NEW.email IS NULL", state) == "t"


_TEXTS = st.sampled_from(["x", "y", "1", "2", "01", "true"])
_ATOMS = st.sampled_from([f"{record}.{name}" for record in ("new", "old") for name in "abcd"])
_VALUES = st.one_of(
    _ATOMS,
    _ATOMS.map(lambda atom: f"lower({atom})"),
    _ATOMS.map(lambda atom: f"coalesce({atom}, 'x')"),
    _ATOMS.map(lambda atom: f"nullif({atom}, 'y')"),
    st.tuples(_ATOMS, _ATOMS).map(lambda pair: f"({pair[0]} || {pair[1]})"),
    _TEXTS.map(lambda text: f"'{text}'"),
    st.just("NULL::text"),
)
_OPERATORS = st.sampled_from(["=", "<>", "<", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"])
_SUFFIXES = st.sampled_from(["IS NULL", "IS NOT NULL", "IN ('x', 'y')", "NOT IN ('1', NULL)"])
_TESTS = st.one_of(
    st.tuples(_VALUES, _OPERATORS, _VALUES).map(" ".join),
    st.tuples(_VALUES, _SUFFIXES).map(" ".join),
    st.tuples(_VALUES, _VALUES).map(lambda pair: f"{pair[0]} BETWEEN '1' AND {pair[1]}"),
    st.sampled_from(
        [
            "new IS DISTINCT FROM old",
            "new.* IS DISTINCT FROM old.*",
            "(new.a, new.b) = (old.a, old.b)",
            "new = old",
            "new IS NULL",
            "old IS NOT NULL",
            "new.b <> ALL (ARRAY['x', 'y'])",
        ]
    ),
)
_CONDITIONS = st.recursive(
    _TESTS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda one: f"(NOT ({one}))"),
        inner.map(lambda one: f"(({one}) IS NOT TRUE)"),
        st.tuples(inner, inner, inner).map(lambda parts: "CASE WHEN {} THEN {} ELSE {} END".format(*parts)),
    ),
    max_leaves=5,
)
_ANY = st.one_of(st.none(), _TEXTS)


@pytest.fixture(scope="module")
def server(sandbox: Sandbox) -> Iterator[psycopg.Connection]:
    with psycopg.connect(sandbox.conninfo(), autocommit=True, prepare_threshold=None) as opened:
        yield opened


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(condition=_CONDITIONS, a=_ANY, c=st.tuples(_ANY, _ANY), d=_ANY)
def test_a_server_never_says_what_is_ruled_out(
    server: psycopg.Connection,
    condition: str,
    a: str | None,
    c: tuple[str | None, str | None],
    d: str | None,
) -> None:
    # a stays as it is, b goes from x to y, c is anything before and after, d becomes NULL
    table = _table("a", "b", "c", "d")
    old = Row("old", {"b": constant("x")})
    new = old.changed({"b": constant("y"), "c": Term(True, None, "new.c"), "d": Term(True, frozenset(), "NULL")}, "new")
    node = condition_node(condition)
    assert node is not None
    possible = evaluate(node, State("UPDATE", table, _trigger(), 1, new, old))
    query = (
        f"SELECT {condition} FROM (VALUES (%s::text, 'y'::text, %s::text, NULL::text)) AS new (a, b, c, d),"
        " (VALUES (%s::text, 'x'::text, %s::text, %s::text)) AS old (a, b, c, d)"
    )
    row = server.execute(query.encode(), (a, c[1], a, c[0], d)).fetchone()
    assert row is not None
    assert row[0] in possible
