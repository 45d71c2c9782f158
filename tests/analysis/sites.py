"""Sites made by hand: one statement of a trigger function on auth.users, set off by Auth's statements of one event."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from trigger_audit.analysis.model import BodyFacts, Condition, Expression, Site, StatementFacts, Visit
from trigger_audit.analysis.statements import read_expression
from trigger_audit.analysis.values import Value, value_of
from trigger_audit.auth import firings
from trigger_audit.catalog.model import Catalog, Function, Table, Trigger, Type
from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.tree import Fragment, Span

ROLE_TYPE = Type(90, "public", "user_role", "e", False, None, ("user", "editor"), None)
CATALOG = Catalog("18.0", 180000, "postgres", "postgres", "supabase", {}, {}, {90: ROLE_TYPE}, {}, {}, (), {})
USERS = Table(1, "auth", "users", "r", "supabase_auth_admin", (), (), (), (), False, False, -1, None)
OTHER = Table(2, "public", "profiles", "r", "postgres", (), (), (), (), False, False, -1, None)


def function_of(source: str, language: str = "plpgsql", arguments: tuple[tuple[str, int], ...] = ()) -> Function:
    """A trigger function with this body."""
    return Function(
        7, "public", "handle_new_user", "", "f", language, source, False, arguments, 0, 2279, False, True, "postgres",
        True, (), "v", False,
    )  # fmt: skip


def site_of(facts: BodyFacts, statement: StatementFacts, *, event: str = "INSERT", table: Table = USERS) -> Site:
    """The statement as a trigger on the table runs it. Only auth.users' are set off by Auth itself."""
    trigger = Trigger(
        5,
        "on_event",
        table.oid,
        7,
        "AFTER",
        (event,),
        "ROW",
        (),
        None,
        "origin",
        False,
        False,
        False,
        None,
        None,
        (),
        1,
    )
    found = tuple(firing for firing in firings() if firing.table == table.name and firing.event == event)
    via = (f"{table.name}.on_event",)
    visit = Visit(
        facts.function,
        trigger,
        table,
        event,
        trigger,
        table,
        event,
        via,
        0,
        "postgres",
        ("public",),
        found,
        frozenset(),
        (),
    )
    return Site(visit, facts, statement, found, True)


def value(
    text: str, conditions: Sequence[tuple[str, bool]] = (), *, event: str = "INSERT", table: Table = USERS
) -> Value:
    """What is known of an expression under (condition, holds)."""
    read = read_expression(Fragment(text, Span(0, len(text))))
    assert read.node is not None, read.problem
    known = tuple(
        Condition(read_expression(Fragment(condition, Span(9000, 9000 + len(condition)))), holds)
        for condition, holds in conditions
    )
    statement = StatementFacts(
        tree.Return(read.fragment, Span(0, len(text))), Span(0, len(text)), (), known, (), False, 0
    )
    facts = BodyFacts(function_of(""), None, None, (statement,), MappingProxyType({}))
    return value_of(
        Expression(read.node, text, read.fragment.span), site_of(facts, statement, event=event, table=table), CATALOG
    )
