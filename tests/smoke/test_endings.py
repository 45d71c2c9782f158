"""What stands in functions of what ends with a transaction."""

from __future__ import annotations

import pytest

from trigger_audit.smoke.endings import Endings, read_endings


@pytest.mark.parametrize(
    ("source", "table", "drops", "empties"),
    [
        ("create temp table a on commit drop as select 1;", "a", True, False),
        ("CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.A (n int) ON  COMMIT\n DROP;", "a", True, False),
        ('create local temp table "A b" (n int) on commit drop;', "A b", True, False),
        ("create temp table a (n int) on commit delete rows;", "a", False, True),
        ("create temp table a (n int) on commit preserve rows;", "a", False, False),
        ("create temp table a (n int); create temp table b (n int) on commit drop;", "a", False, False),
        ("create temp table a (n int); create temp table a (n int) on commit drop;", "a", False, False),
        ("execute 'create temp table ' || name || ' on commit drop';", "a", True, False),
        ("execute format('create temp table %I (n int)', name);", "a", False, False),
        (
            "execute 'create temp table ' || name || ' on commit drop'; create temp table a (n int);",
            "a",
            False,
            False,
        ),
        ("return new;", "a", False, False),
    ],
)
def test_tables(source: str, table: str, drops: bool, empties: bool) -> None:
    found = read_endings([source])
    assert (found.drops(table), found.empties(table)) == (drops, empties)


def test_parameters() -> None:
    found = read_endings(
        [
            """begin
              set local app.one = 'x';
              SET LOCAL TIME ZONE 'UTC';
              perform pg_catalog.set_config('App.Two', (select max(a, b) from t), true);
              perform set_config('app.three', 'x', is_local => true);
              perform set_config('app.four', 'x', false);
              perform set_config('app.five', 'x', is_it);
            end""",
            "begin set work_mem = '1MB'; if x then set session app.one to 'y'; end if;\n"
            "  update people set timezone = 'UTC';\nend",
        ]
    )
    assert found.local == {"app.one", "app.two", "app.three", "timezone"}
    assert found.lasting == {"app.four", "app.five", "app.one", "work_mem"}
    assert found.custom == ["app.three", "app.two"]
    assert (found.resets("TimeZone"), found.resets("work_mem"), found.resets("unheard.of")) == (True, False, True)


def test_nothing() -> None:
    assert read_endings([]) == Endings()
