"""Faults, each brought by one more migration: found at its file and line, and cleared by a later one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.check.checking import FAULTS, SHOP_FILES, checked, scanned
from tests.rules.marks import read_marks
from trigger_audit.findings.model import Finding, Severity
from trigger_audit.smoke.model import Outcome

NAMES = sorted(path.name.removesuffix(".mended.sql") for path in FAULTS.glob("*.mended.sql"))
# What breaks no sign-up by itself: a user who cannot be deleted needs rows first, and an UPDATE of all rows goes
# through.
NO_FLOW = {"a_user_who_cannot_be_deleted", "an_update_of_all"}
WHOLE = ("no_name_given", "a_role_that_the_client_names")


def fault(name: str) -> Path:
    return FAULTS / f"{name}.sql"


def mended(name: str) -> Path:
    return FAULTS / f"{name}.mended.sql"


def places(findings: Iterable[Finding]) -> set[tuple[str, int, str]]:
    """File, line and rule of what is above info."""
    found = [each for each in findings if each.severity is not Severity.INFO]
    assert all(each.file_place is not None for each in found)
    return {(Path(each.file_place.file).name, each.file_place.line, each.rule) for each in found if each.file_place}


def expected(name: str) -> set[tuple[str, int, str]]:
    marks = read_marks(fault(name).read_text())
    return {(fault(name).name, line, rule) for line, rule in marks.placed}


def test_there_are_at_least_ten_of_as_many_rules() -> None:
    assert len({rule for name in NAMES for _, _, rule in expected(name)}) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_is_found_where_it_stands_and_nothing_else(name: str) -> None:
    assert places(scanned(*SHOP_FILES, fault(name)).findings) == expected(name)


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in WHOLE else pytest.mark.extended) for n in NAMES])
def test_the_whole_check_shows_the_harm_and_a_later_migration_clears_it(name: str) -> None:
    broken = checked(*SHOP_FILES, fault(name))
    assert places(broken.added) == expected(name)
    assert {flow.outcome for flow in broken.failing} <= {Outcome.FAIL, Outcome.ALTERED}
    assert bool(broken.failing) is (name not in NO_FLOW)
    cleared = checked(*SHOP_FILES, fault(name), mended(name))
    assert (places(cleared.added), cleared.failing, cleared.broken) == (set(), (), ())
