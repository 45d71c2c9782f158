"""The rules as a whole: codes, pages, examples, selection."""

from __future__ import annotations

import pytest

from tests.rules.marks import read_marks
from trigger_audit.errors import UsageError
from trigger_audit.rules.base import Rule
from trigger_audit.rules.registry import all_rules, find_rule, selected_rules

CODES = (
    "TA001 TA002 TA003 TA004 TA101 TA102 TA103 TA104 TA106 TA107 TA109 TA114 TA118 TA301 TA302 TA401 TA403 TA501 "
    "TA503 TA701"
).split()


def test_codes_and_names_are_unique_and_all_there() -> None:
    codes = [rule.meta.code for rule in all_rules()]
    assert codes == sorted(set(codes))
    assert set(CODES) <= set(codes)
    names = [rule.meta.name for rule in all_rules()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.meta.code)
def test_a_page_tells_what_why_and_how(rule: Rule) -> None:
    for heading in ("What it finds:", "Why it hurts:", "How to mend:"):
        assert heading in rule.page
    assert rule.page.split("\n", 1)[0].endswith(".")
    assert rule.meta.sqlstate is None or rule.meta.sqlstate in rule.page


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.meta.code)
def test_the_bad_example_marks_its_own_code(rule: Rule) -> None:
    assert rule.meta.code in {code for _, code in read_marks(rule.bad).placed}


def test_selection_by_code_prefix_and_name() -> None:
    def codes(select: tuple[str, ...], ignore: tuple[str, ...] = ()) -> list[str]:
        return [rule.meta.code for rule in selected_rules(select, ignore)]

    assert codes(()) == [rule.meta.code for rule in all_rules()]
    assert codes(("TA5",)) == ["TA501", "TA503"]
    assert codes(("ta503",)) == ["TA503"]
    assert codes(("unguarded-write",)) == ["TA401"]
    assert "TA501" not in codes((), ("TA5",))
    assert codes(("TA503",), ("TA5",)) == ["TA503"]


@pytest.mark.parametrize("wrong", ["TA999", "", "X", "unguarded"])
def test_a_selection_that_fits_no_rule_is_an_error(wrong: str) -> None:
    with pytest.raises(UsageError):
        selected_rules((wrong,), ())


def test_an_unknown_rule_gets_the_nearest_ones() -> None:
    def remedy(code: str) -> str | None:
        with pytest.raises(UsageError) as caught:
            find_rule(code)
        return caught.value.remedy

    assert remedy("ta470") == "those of TA4 are TA401, TA403"
    assert remedy("TA999") == ("the families are TA0, TA1, TA3, TA4, TA5, TA7; `trigger-audit rule` lists all rules")
    assert remedy("TA") == remedy("TA9") == remedy("TA999")
    assert remedy("unguarded-writes") == "did you mean unguarded-write?"
    assert remedy("nonsense") == "`trigger-audit rule` lists them all"
