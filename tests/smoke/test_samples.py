"""Values that casts, columns and CHECKs take; the CHECKs are asked of PostgreSQL too."""

from __future__ import annotations

import psycopg
import pytest

from trigger_audit.analysis.metadata import MetadataKey, Reference
from trigger_audit.analysis.wanted import Check, Kind, Wanted
from trigger_audit.smoke.accepts import accepts, holds
from trigger_audit.smoke.samples import Rows, Sample, nested, sample

CHECKS = (
    "x in ('a', 'b')", "x = 'a'", "x <> 'a'", "char_length(x) between 2 and 4", "length(trim(x)) > 0", "x ~ '^[a-z]+$'",
    "x ~* '^A' or x = '7'", "not (x = 'a')", "lower(x) = 'ab'", "x = any (array['a', 'abcd'])", "upper(x) = 'AB'",
    "x is not null and length(x) <= 3", "x !~ '^a'",
)  # fmt: skip
VALUES = ("a", "b", "ab", "AB", "abcd", "abcde", "", " ", "7", "it's", "\u202e")


def test_checks_are_read_as_postgresql_reads_them(connection: psycopg.Connection) -> None:
    undecided = 0
    for condition in CHECKS:
        connection.execute("drop table if exists pg_temp.t")
        connection.execute(f"create temp table t (x text, constraint c check ({condition}))".encode())
        row = connection.execute(
            "select pg_get_constraintdef(oid) from pg_constraint where conname = 'c' and conrelid = 't'::regclass"
        ).fetchone()
        assert row is not None
        for value in VALUES:
            decided = holds(Check(row[0], "x"), value)
            if decided is None:
                undecided += 1
                continue
            with connection.transaction(force_rollback=True):
                try:
                    connection.execute("insert into t values (%s)", (value,))
                    taken = True
                except psycopg.errors.CheckViolation:
                    taken = False
            assert decided is taken, (condition, value)
    assert undecided <= len(CHECKS) * len(VALUES) / 10
    assert holds(Check("CHECK ((x = 'a'::text))", "x"), "b") is False
    assert holds(Check("CHECK (is_fine(x))", "x"), "b") is None
    assert holds(Check("no check at all", "x"), "b") is None


@pytest.mark.parametrize(
    ("wanted", "value", "taken"),
    [
        (Wanted(Kind.INTEGER), 1, True),
        (Wanted(Kind.INTEGER), "1.5", False),
        (Wanted(Kind.INTEGER), True, False),
        (Wanted(Kind.BOOLEAN), True, True),
        (Wanted(Kind.BOOLEAN), "maybe", False),
        (Wanted(Kind.ENUM, labels=("a",)), "a", True),
        (Wanted(Kind.ENUM, labels=("a",)), "A", False),
        (Wanted(Kind.TEXT, length=3), "abc", True),
        (Wanted(Kind.TEXT, length=3), "abcd", False),
        (Wanted(Kind.UUID), "x", False),
        (Wanted(Kind.LIST), ["a"], True),
        (Wanted(Kind.LIST), "a", False),
        (Wanted(Kind.JSON), {}, True),
        (Wanted(Kind.OTHER), "anything", True),
    ],
)
def test_what_a_type_takes(wanted: Wanted, value: object, taken: bool) -> None:
    assert accepts(wanted, value) is taken


def key(
    name: str,
    *wanted: Wanted,
    choices: tuple[str, ...] = (),
    references: tuple[Reference, ...] = (),
    looked_up: tuple[str, ...] = (),
) -> MetadataKey:
    return MetadataKey((name,), wanted, choices, (), references, looked_up)


def values(found: Sample) -> tuple[object, object]:
    return found.usual, found.privileged


def test_an_honest_value_and_a_privileged_one() -> None:
    role = Wanted(Kind.ENUM, labels=("owner", "member", "admin"))
    assert values(sample(key("role", role), None, {})) == ("member", "owner")
    assert values(sample(key("role", Wanted(Kind.TEXT)), None, {})) == ("example", "admin")
    assert values(sample(key("role", Wanted(Kind.TEXT), choices=("member",)), None, {})) == ("member", "admin")
    # Code that knows owners alone may refuse anything else.
    assert values(sample(key("role", choices=("owner",)), None, {})) == (None, "owner")
    assert values(sample(key("is_admin", Wanted(Kind.BOOLEAN)), None, {})) == (False, True)
    assert values(sample(key("credits", Wanted(Kind.INTEGER)), None, {})) == (1, 999)
    quota = Wanted(Kind.INTEGER, checks=(Check("CHECK ((quota <= 5))", "quota"),))
    assert values(sample(key("quota", quota), None, {}))[0] == 5
    only = Wanted(Kind.ENUM, labels=("reader", "author"))
    assert values(sample(key("role", only), None, {})) == ("reader", None)


def test_what_grants_nothing() -> None:
    assert values(sample(key("terms", Wanted(Kind.BOOLEAN), choices=("false",)), None, {})) == (True, None)
    assert values(sample(key("phone", Wanted(Kind.TEXT)), "+15550100", {})) == ("+15550100", None)
    assert values(sample(key("phone", Wanted(Kind.TEXT, length=3)), "+15550100", {})) == ("exa", None)
    both = sample(key("n", Wanted(Kind.UUID), Wanted(Kind.DATE)), None, {})
    assert values(both) == (None, None)
    assert both.note == "the metadata key n: no value is known that it would take: it is not sent"


def test_rows_that_foreign_keys_want() -> None:
    there = Reference("public", "orgs", "id")
    rows: Rows = {there: ("7", "8")}
    number = Wanted(Kind.INTEGER)
    assert values(sample(key("org_id", number, references=(there,)), None, rows)) == (7, 8)
    assert values(sample(key("city", number, references=(there,)), None, rows)) == (7, None)
    assert values(sample(key("org_id", number, references=(there,)), None, {there: ("7",)})) == (7, None)
    assert "which has none" in str(sample(key("org_id", number, references=(there,)), None, {}).note)
    assert "must name a row of t" in str(sample(key("code", looked_up=("t",)), None, {}).note)


def test_paths_become_objects_and_the_base_stays() -> None:
    base = {"a": "x", "b": {"c": 1}}
    assert nested([(("a", "b"), 1), (("b", "d"), 2), (("e",), 3)], base) == {
        "a": {"b": 1},
        "b": {"c": 1, "d": 2},
        "e": 3,
    }
    assert base == {"a": "x", "b": {"c": 1}}
