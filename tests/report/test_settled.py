"""What does not count is told apart in every report, and what of the baseline is gone is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.report.results import Results
from trigger_audit.check.model import CheckResult
from trigger_audit.findings.baseline import Entry
from trigger_audit.findings.model import BaselineState, Finding, Severity
from trigger_audit.findings.settled import Settled
from trigger_audit.pipeline import ScanResult
from trigger_audit.report.formats import Format, render

GONE = Entry("TA401", Severity.ERROR, "public.f()", "a \u202e message", 2, "ab" * 16)


@pytest.fixture
def scan(results: Results) -> ScanResult:
    """The first finding is in the baseline, the second is excepted by the settings, the others are new."""
    bare = [replace(each, suppressed=None, baseline=BaselineState.NEW) for each in results.scan.findings]
    known = replace(bare[0], baseline=BaselineState.UNCHANGED, message="it is known")
    excepted = replace(bare[1], suppressed="for a reason", excepted=True, message="it is excepted")
    return replace(results.scan, findings=(known, excepted, *bare[2:]), settled=Settled(stale=(GONE,)))


@pytest.fixture
def check(results: Results, scan: ScanResult) -> CheckResult:
    return replace(results.check, scan=scan, added=tuple(filter(counts, scan.findings)))


def counts(finding: Finding) -> bool:
    return finding.counts


@pytest.mark.parametrize("format_", [Format.TABLE, Format.CONCISE])
def test_in_words(format_: Format, scan: ScanResult, check: CheckResult) -> None:
    for text in (render(scan, format_), render(check, format_)):
        assert "it is known" not in text
        assert "it is excepted" not in text
        assert "(1 suppressed, 1 in the baseline)" in text
        assert r"TA401 public.f(): a \u202e message (2 times)" in text


def test_in_json(scan: ScanResult, check: CheckResult) -> None:
    for document in (json.loads(render(scan, Format.JSON)), json.loads(render(check, Format.JSON))["scan"]):
        states = [(each["baseline"], each["suppressed"]) for each in document["findings"][:3]]
        assert states == [("unchanged", None), ("new", {"reason": "for a reason"}), ("new", None)]
        [stale] = document["stale_baseline"]
        assert stale["severity"] == "error"
        assert stale["count"] == 2
        assert (document["summary"]["suppressed"], document["summary"]["baseline"]) == (1, 1)
        numbers = [document["summary"][severity] for severity in ("error", "warning", "info")]
        assert sum(numbers) == len(scan.findings) - 2


def test_in_sarif(scan: ScanResult) -> None:
    [run] = json.loads(render(scan, Format.SARIF))["runs"]
    known, excepted, *others = run["results"][: len(scan.findings)]
    assert known["baselineState"] == "unchanged"
    assert "suppressions" not in known
    assert excepted["suppressions"] == [{"kind": "external", "justification": "for a reason"}]
    assert {each["baselineState"] for each in others} == {"new"}
