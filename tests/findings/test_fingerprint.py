"""Fingerprints survive what does not change the fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trigger_audit.findings.fingerprint import fingerprint, normalised
from trigger_audit.findings.model import Finding, Path, Place, Proof, Severity

PLACE = Place(
    function="public.f()",
    line=4,
    column=3,
    end_line=4,
    end_column=30,
    statement="insert into t (a) values ('X y')",
    source_line="  insert into t (a) values ('X y');",
)
FINDING = Finding(
    rule="TA106",
    name="not-null-omitted",
    severity=Severity.ERROR,
    object="public.f()",
    paths=(Path("auth.users", "t1", ("INSERT",), ("auth.users.t1",), ("signup-email",)),),
    place=PLACE,
    message="m",
    why="w",
    fix="f",
    proof=Proof.CATALOG,
    sqlstate="23502",
    hidden_by=None,
    cause="public.t.b",
)


def test_moved_lines_other_words_and_other_ways_keep_it() -> None:
    moved = replace(
        FINDING,
        place=replace(PLACE, line=40, column=9, end_line=41, end_column=2),
        message="other words",
        why="other",
        severity=Severity.WARNING,
        paths=(),
    )
    assert fingerprint(moved) == fingerprint(FINDING)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t(a)\n  VALUES ( 'X y' )",
        "insert into t (a) -- why\nvalues ('X y')",
        "insert /* long\n story */ into t (a) values ('X y')",
    ],
)
def test_reformatting_keeps_it(statement: str) -> None:
    assert fingerprint(replace(FINDING, place=replace(PLACE, statement=statement))) == fingerprint(FINDING)


@pytest.mark.parametrize(
    "other",
    [
        replace(FINDING, rule="TA107"),
        replace(FINDING, cause="public.t.c"),
        replace(FINDING, object="public.g()"),
        replace(FINDING, place=replace(PLACE, statement="insert into t (a) values ('x y')")),
    ],
)
def test_another_fault_has_another_one(other: Finding) -> None:
    assert fingerprint(other) != fingerprint(FINDING)


@pytest.mark.parametrize(
    ("statement", "same"),
    [
        ("select '-- A'", "select '-- A'"),
        ("select /* it's */ A -- don't\n, b", "select a , b"),
        ("select /* a /* b */ c */ 1", "select 1"),
        ('update "public"."users" set "Name" = 1', 'update public . users set "Name" = 1'),
        ("select new.data ->> 'X'", "SELECT NEW.data->>'X'"),
        ("execute $q$select 'x'$q$", "execute 'select ''x'''"),
        ("execute $$select 1$$", "execute $sql$select 1$sql$"),
        ("select E'x'", "select 'x'"),
        ("execute $q$\n      select 1\n        from t\n    $q$", "execute $q$\n  select 1\n  from t\n$q$"),
        ("select 'a'::text", "select 'a' :: TEXT"),
    ],
)
def test_what_means_the_same_is_normalised_to_the_same(statement: str, same: str) -> None:
    assert normalised(statement) == normalised(same)


@pytest.mark.parametrize(
    ("statement", "other"),
    [
        ("select '-- A'", "select ''"),
        ("select 'A'", "select 'a'"),
        ('select "A"', "select a"),
        ("select E'it\\'s -- A', b", "select E'it\\'s -- B', b"),
        ("select 'a  b'", "select 'a b'"),
        ("select a - > b", "select a -> b"),
        ("select ÄRA", "select ära"),  # PostgreSQL folds ASCII alone
        ("select x'1F'", "select '1F'"),
    ],
)
def test_what_differs_in_meaning_stays_apart(statement: str, other: str) -> None:
    assert normalised(statement) != normalised(other)


def test_what_is_no_sql_keeps_its_words() -> None:
    assert normalised("return 'x  ;\n") == "return 'x ;"
