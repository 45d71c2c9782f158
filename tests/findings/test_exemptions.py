"""What the settings except from counting."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from trigger_audit.findings.exemptions import Exempted, Exemption, exempted
from trigger_audit.findings.model import Finding

from .test_fingerprint import FINDING

TODAY = date(2026, 11, 24)
HOLDS = Exemption("TA106", frozenset({"TA106"}), "public.f()", "until the import is done")
OTHER = replace(FINDING, rule="TA301")


def tried(*findings: Finding, by: tuple[Exemption, ...], judged: tuple[str, ...] = ("TA106", "TA301")) -> Exempted:
    return exempted(findings, by, TODAY, judged=judged)


def test_it_suppresses_with_its_reason_and_nothing_else() -> None:
    found = tried(FINDING, OTHER, by=(HOLDS,))
    assert [each.suppressed for each in found.findings] == ["until the import is done", None]
    assert (found.expired, found.idle) == ((), ())


@pytest.mark.parametrize(
    ("written", "object_", "is_about"),
    [
        ("public.f()", "public.f()", True),
        ("public.f", "public.f()", True),
        ("public.f", "public.f(integer, text)", True),
        ("public.f()", "public.f(integer)", False),
        ("public.f", "public.f2()", False),
        ("public", "public.f()", False),
        ("auth.users.t", "auth.users.t", True),
        ("auth.users", "auth.users.t", False),
    ],
)
def test_which_objects_it_means(written: str, object_: str, is_about: bool) -> None:
    assert replace(HOLDS, object=written).is_about(replace(FINDING, object=object_)) is is_about


@pytest.mark.parametrize(("day", "holds"), [(23, False), (24, True), (25, True)])
def test_it_ends_behind_its_last_day(day: int, holds: bool) -> None:
    until = replace(HOLDS, expires=date(2026, 11, day))
    found = tried(FINDING, by=(until,))
    assert [each.counts for each in found.findings] == [not holds]
    assert found.expired == (() if holds else (until,))
    assert tried(FINDING, by=(until, HOLDS)).findings[0].suppressed is not None


def test_what_is_about_nothing_is_told_unless_that_is_not_known() -> None:
    assert tried(OTHER, by=(HOLDS,)).idle == (HOLDS,)
    assert tried(by=(HOLDS,), judged=("TA301",)).idle == ()
    assert exempted([], (HOLDS,), TODAY, judged=("TA106",), not_analysed=("public.f()",)).idle == ()
    ended = replace(HOLDS, expires=date(2020, 1, 1))
    assert (tried(by=(ended,)).expired, tried(by=(ended,)).idle) == ((), (ended,))


def test_what_a_comment_silences_keeps_the_comments_reason() -> None:
    silenced = replace(FINDING, suppressed="in the body")
    found = tried(silenced, by=(HOLDS, replace(HOLDS, expires=date(2020, 1, 1))))
    assert found.findings == (silenced,)
    assert (found.expired, found.idle) == ((), ())
