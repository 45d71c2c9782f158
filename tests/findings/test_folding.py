"""One fault, one finding."""

from __future__ import annotations

from dataclasses import replace

from trigger_audit.findings.folding import fold, weighed
from trigger_audit.findings.model import Finding, Path, Severity

from .test_fingerprint import FINDING, PLACE


def on(event: str, flow: str) -> Path:
    return Path("auth.users", "t1", (event,), ("auth.users.t1",), (flow,))


def test_the_same_fault_on_two_ways_is_one_finding_of_the_graver_severity() -> None:
    first = replace(FINDING, severity=Severity.WARNING, paths=(on("UPDATE", "login"),))
    second = replace(FINDING, paths=(on("INSERT", "signup-email"),))
    (found,) = fold([first, second])
    assert found.severity is Severity.ERROR
    assert found.paths == (
        Path("auth.users", "t1", ("INSERT", "UPDATE"), ("auth.users.t1",), ("login", "signup-email")),
    )


def test_two_columns_of_one_statement_are_two_faults() -> None:
    assert len(fold([FINDING, replace(FINDING, cause="public.t.c")])) == 2


def rules_left(*findings: Finding) -> list[str]:
    return [finding.rule for finding in fold(findings)]


def test_an_unresolved_name_says_more_than_a_missing_search_path() -> None:
    path = replace(FINDING, rule="TA501", cause="search_path", severity=Severity.WARNING)
    assert rules_left(path, replace(FINDING, rule="TA101", cause="42P01 t")) == ["TA101"]
    assert rules_left(path, FINDING) == ["TA106", "TA501"]


def test_an_exact_refusal_says_more_than_a_missing_handler() -> None:
    advice = replace(FINDING, rule="TA301", severity=Severity.WARNING, cause="INSERT t")
    elsewhere = replace(advice, place=replace(PLACE, line=9))
    assert rules_left(advice, FINDING) == ["TA106"]
    assert rules_left(elsewhere, FINDING) == ["TA106", "TA301"]
    assert rules_left(replace(elsewhere, severity=Severity.INFO), FINDING) == ["TA106"]


def test_a_handler_is_not_blamed_where_what_it_hides_is_named() -> None:
    handler = replace(FINDING, rule="TA302", place=replace(PLACE, line=9), cause="INSERT t")
    assert rules_left(handler, FINDING) == ["TA106", "TA302"]
    assert rules_left(handler, replace(FINDING, hidden_by=9)) == ["TA106"]
    assert rules_left(handler, replace(FINDING, hidden_by=12)) == ["TA106", "TA302"]


def test_a_handler_of_a_caller_is_told_by_the_way() -> None:
    (path,) = FINDING.paths
    inside = replace(path, via=(*path.via, "public.helper()"))
    handler = replace(FINDING, rule="TA302", place=replace(PLACE, line=9), cause="INSERT t")
    named = replace(FINDING, object="public.helper()", hidden_by=9)
    assert rules_left(handler, replace(named, paths=(inside,))) == ["TA106"]
    elsewhere = replace(path, via=("auth.users.t2", "public.helper()"))
    assert sorted(rules_left(handler, replace(named, paths=(elsewhere,)))) == ["TA106", "TA302"]


def test_order_does_not_depend_on_the_order_of_discovery() -> None:
    findings = [replace(FINDING, cause=str(number), place=replace(PLACE, line=number)) for number in range(5)]
    assert fold(findings) == fold(list(reversed(findings)))


def test_a_severity_of_the_project_changes_the_order_and_nothing_else() -> None:
    graver = replace(FINDING, rule="TA501", cause="search_path", severity=Severity.WARNING)
    before = fold([FINDING, graver])
    after = weighed(before, {"TA106": Severity.INFO, "TA501": Severity.ERROR})
    assert [(one.rule, one.severity) for one in before] == [("TA106", Severity.ERROR), ("TA501", Severity.WARNING)]
    assert [(one.rule, one.severity) for one in after] == [("TA501", Severity.ERROR), ("TA106", Severity.INFO)]
    assert {one.fingerprint for one in after} == {one.fingerprint for one in before}
    assert weighed(before, {}) == before
