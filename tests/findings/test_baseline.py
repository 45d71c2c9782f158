"""What a baseline knows, what is new, and what is gone."""

from __future__ import annotations

from dataclasses import replace

from trigger_audit.findings.baseline import Baseline, Entry, baseline_of, compared, pruned
from trigger_audit.findings.folding import fold
from trigger_audit.findings.model import BaselineState, Finding, Severity

from .test_fingerprint import FINDING, PLACE

[FAULT] = fold([FINDING])
[OTHER] = fold([replace(FINDING, rule="TA301", cause="INSERT t", severity=Severity.WARNING)])
NEW, UNCHANGED = BaselineState.NEW, BaselineState.UNCHANGED
JUDGED = ("TA106", "TA301")


def again(finding: Finding, line: int) -> Finding:
    return replace(finding, place=replace(PLACE, line=line))


def states(*findings: Finding, baseline: Baseline) -> list[BaselineState | None]:
    return [each.baseline for each in compared(findings, baseline, judged=JUDGED).findings]


def test_what_was_written_down_is_known_and_does_not_count() -> None:
    assert states(FAULT, OTHER, baseline=baseline_of([FAULT])) == [UNCHANGED, NEW]
    found = compared([FAULT, OTHER], baseline_of([FAULT]), judged=JUDGED)
    assert [each.counts for each in found.findings] == [False, True]
    assert (found.stale, found.unjudged) == ((), ())
    assert FAULT.baseline is None
    assert FAULT.counts


def test_an_entry_says_what_it_is_about() -> None:
    assert baseline_of([FAULT]).entries == (
        Entry("TA106", Severity.ERROR, "public.f()", "m", 1, FAULT.fingerprint),
    )  # fmt: skip


def test_the_same_twice_is_counted_and_a_third_is_new() -> None:
    baseline = baseline_of([FAULT, again(FAULT, 9)])
    assert [(entry.count, entry.message) for entry in baseline.entries] == [(2, "m")]
    assert states(FAULT, again(FAULT, 9), again(FAULT, 12), baseline=baseline) == [UNCHANGED, UNCHANGED, NEW]


def test_what_is_gone_is_stale_as_often_as_it_is_gone() -> None:
    baseline = baseline_of([FAULT, again(FAULT, 9), OTHER])
    found = compared([FAULT], baseline, judged=JUDGED)
    assert [(each.rule, each.count) for each in found.stale] == [("TA106", 1), ("TA301", 1)]
    left = pruned(baseline, found.stale)
    assert left == baseline_of([FAULT])
    assert compared([FAULT], left, judged=JUDGED).stale == ()
    assert pruned(baseline, ()) == baseline


def test_what_has_become_graver_is_new() -> None:
    hidden = replace(FAULT, severity=Severity.WARNING)
    assert states(FAULT, baseline=baseline_of([hidden])) == [NEW]
    assert states(hidden, baseline=baseline_of([FAULT])) == [UNCHANGED]
    # The lesser of two is not taken for the graver one, whichever comes first.
    for pair in ([FAULT, hidden], [hidden, FAULT]):
        told = compared(pair, baseline_of([hidden]), judged=JUDGED)
        assert {each.severity: each.baseline for each in told.findings} == {
            Severity.ERROR: NEW, Severity.WARNING: UNCHANGED,
        }  # fmt: skip
        assert states(*pair, baseline=baseline_of([FAULT, hidden])) == [UNCHANGED, UNCHANGED]


def test_a_suppressed_finding_is_neither_written_nor_looked_up() -> None:
    silenced = replace(FAULT, suppressed="on purpose")
    assert baseline_of([silenced]) == Baseline()
    found = compared([silenced, again(FAULT, 9)], baseline_of([FAULT]), judged=JUDGED)
    assert [(each.baseline, each.counts) for each in found.findings] == [(UNCHANGED, False), (UNCHANGED, False)]
    assert [each.rule for each in compared([silenced], baseline_of([FAULT]), judged=JUDGED).stale] == ["TA106"]


def test_of_rules_and_objects_that_were_not_looked_at_nothing_is_stale() -> None:
    baseline = baseline_of([FAULT, OTHER])
    only = compared([], baseline, judged=("TA106",))
    assert ([each.rule for each in only.stale], [each.rule for each in only.unjudged]) == (["TA106"], ["TA301"])
    open_ = compared([], baseline, judged=JUDGED, not_analysed=("public.f()",))
    assert (open_.stale, len(open_.unjudged)) == ((), 2)
    # So a baseline that is written by a run with --select loses nothing of the other rules.
    assert baseline_of([FAULT], only.unjudged) == baseline


def test_the_order_of_discovery_does_not_show() -> None:
    findings = [replace(FAULT, fingerprint=str(number), object=f"public.f{number}()") for number in range(5)]
    assert baseline_of(findings) == baseline_of(reversed(findings))
