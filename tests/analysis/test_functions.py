"""What the analysis believes of PostgreSQL's functions and NULL, asked of the server."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.analysis.sites import value
from trigger_audit.analysis.expressions import expression_node
from trigger_audit.analysis.functions import NEVER_NULL_NAMES, NEVER_NULL_NODES, STRICT_NAMES, STRICT_NODES

# NULL because an argument is, or all are; the analysis must see it.
NULL_FROM_NULL = [
    "lower(null)", "upper(null)", "initcap(null)", "trim(null)", "btrim('x', null)", "ltrim(null)",
    "trim(both 'x' from null)", "substring(null from 1 for 2)", "substring('abc', null)", "split_part(null, '@', 1)",
    "split_part('a', null, 1)", "md5(null)", "replace('a', null, 'b')", "regexp_replace(null, 'a', 'b')",
    "regexp_replace('a', 'a', null)", "left(null, 2)", "left('a', null)", "right(null, 2)", "length(null::text)",
    "char_length(null)", "position('@' in null)", "strpos(null, '@')", "reverse(null)", "lpad(null, 3)",
    "rpad(null, 3, 'x')", "repeat(null, 2)", "translate(null, 'a', 'b')", "to_char(null::timestamptz, 'YYYY')",
    "date_trunc('day', null::timestamptz)", "extract(year from null::date)", "abs(null::int)", "round(null::numeric)",
    "floor(null::numeric)", "ceil(null::numeric)", "'a' || null", "null::jsonb || '{}'", "1 + null", "1 - null",
    "2 * null", "2 / null::int", "2 % null::int", "- null::int", "null::timestamptz at time zone 'utc'",
    "null collate \"C\"", "1 = null", "1 <> null", "1 > null", "1 >= null", "1 < null", "1 <= null", "'a' like null",
    "'a' ilike null", "'a' ~ null", "'a' ~* null", "'a' !~ null", "'a' similar to null", "not null::boolean",
    "null::jsonb @> '{}'", "null::jsonb ? 'a'", "null in (1, 2)", "null between 1 and 2", "null::jsonb ->> 'a'",
    "null::jsonb #>> '{a}'", "(null::jsonb)['a']", "null::text::int", "concat_ws(null, 'a', 'b')",
    "format(null, 'a')", "nullif('a', 'a')", "nullif(null, 'a')", "greatest(null, null)", "coalesce(null, null)",
    "null and null", "null or null",
]  # fmt: skip

# NULL for other reasons, which stand behind the reasons that the analysis names.
NULL_BY_RULE = [
    "'{}'::jsonb ->> 'a'", "'{}'::jsonb #>> '{a,b}'", "('{}'::jsonb)['a']", "jsonb_extract_path_text('{}', 'a')",
    "'{\"a\": null}'::jsonb ->> 'a'", "(select 1 where false)", "(select max(x) from (select 1 as x where false) s)",
    "current_setting('request.jwt.claims', true)", "case when false then 1 end",
    "case when null then 1 end", "case null when null then 1 end",
]  # fmt: skip

NEVER_NULL = [
    "concat('a', null)", "concat(null)", "concat_ws(',', null)", "format('%s', null)", "greatest(null, 1)",
    "least(1, null)", "coalesce(null, 'a')", "null is null", "null is distinct from 1",
    "null is not distinct from null", "null is true", "exists (select 1 where false)",
    "(select count(*) from (select 1 where false) s)", "array[null]", "array(select 1 where false)",
    "row(null) is not distinct from row(null)", "now()", "current_timestamp", "current_date", "current_time",
    "current_user",
    "gen_random_uuid()", "random()", "jsonb_build_object('a', null)", "nullif('a', null)", "nullif('a', 'b')",
    "case when null then 1 else 2 end", "false and null", "true or null", "interval '1 day'", "quote_nullable(null)",
]  # fmt: skip


def ask(connection: psycopg.Connection[Any], text: str) -> object:
    row = connection.execute(f"SELECT ({text})".encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("text", NULL_FROM_NULL)
def test_null_from_null(text: str, connection: psycopg.Connection[Any]) -> None:
    assert ask(connection, text) is None
    assert value(text).always_null


@pytest.mark.parametrize("text", NULL_BY_RULE)
def test_null_by_rule(text: str, connection: psycopg.Connection[Any]) -> None:
    assert ask(connection, text) is None


@pytest.mark.parametrize("text", NEVER_NULL)
def test_never_null(text: str, connection: psycopg.Connection[Any]) -> None:
    assert ask(connection, text) is not None
    found = value(text)
    assert (found.null_in, found.always_null) == (frozenset(), False)


def test_every_node_is_asked_for() -> None:
    asked = {type(node) for text in NULL_FROM_NULL for node in expression_node(text).walk()}
    assert set(STRICT_NODES) - asked == set()
    asked = {type(node) for text in NEVER_NULL for node in expression_node(text).walk()}
    assert set(NEVER_NULL_NODES) - asked == set()


def test_names_are_the_servers_own(connection: psycopg.Connection[Any]) -> None:
    """Strict in all their forms, and none of them a form of nothing."""
    query = """
        SELECT p.proname, pg_catalog.bool_and(p.proisstrict)
        FROM pg_catalog.pg_proc AS p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY (%s)
        GROUP BY p.proname
    """
    strict = dict(connection.execute(query, [sorted(STRICT_NAMES)]).fetchall())
    assert {name for name in STRICT_NAMES if not strict.get(name)} == set()
    known = dict(connection.execute(query, [sorted(NEVER_NULL_NAMES)]).fetchall())
    # row() is syntax, not a function
    assert set(NEVER_NULL_NAMES) - set(known) == {"row"}
