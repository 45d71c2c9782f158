"""Each rule's examples on a server: the bad one is found on its line and does the harm, the good one works."""

from __future__ import annotations

import pytest

from tests.conftest import FreshDatabase
from tests.rules.judging import judged_case, run_flows
from tests.rules.marks import found_at, read_marks
from trigger_audit.findings.model import Severity
from trigger_audit.rules.base import Rule
from trigger_audit.rules.registry import all_rules

RULES = pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.meta.code)


@RULES
def test_the_bad_example_is_found_at_its_marks(rule: Rule, fresh_database: FreshDatabase) -> None:
    fresh_database.apply(rule.bad)
    audit, findings = judged_case(fresh_database)
    own = [finding for finding in findings if finding.rule == rule.meta.code]
    expected = {mark for mark in read_marks(rule.bad).placed if mark[1] == rule.meta.code}
    assert {found_at(rule.bad, audit.catalog, finding) for finding in own} == expected
    others = [finding for finding in findings if finding.rule != rule.meta.code and finding.severity is Severity.ERROR]
    assert others == []
    assert max(finding.severity.rank for finding in own) == rule.meta.severity.rank


@RULES
def test_the_good_example_is_quiet(rule: Rule, fresh_database: FreshDatabase) -> None:
    fresh_database.apply(rule.good)
    _, findings = judged_case(fresh_database)
    assert [finding for finding in findings if finding.rule == rule.meta.code and finding.severity.rank > 0] == []
    assert [(f.rule, f.message) for f in findings if f.severity is Severity.ERROR] == []


HARMFUL = [rule for rule in all_rules() if rule.meta.harm is not None]


@pytest.mark.parametrize("rule", HARMFUL, ids=lambda rule: rule.meta.code)
def test_the_bad_example_does_the_documented_harm(rule: Rule, fresh_database: FreshDatabase) -> None:
    harm = rule.meta.harm
    assert harm is not None
    fresh_database.apply(rule.bad)
    (flow,) = [found for found in run_flows(fresh_database, [harm.flow]) if found.payload == harm.payload]
    assert flow.outcome == harm.outcome, flow
    if harm.sqlstate is not None:
        assert flow.failed_step is not None
        assert flow.failed_step.sqlstate == harm.sqlstate


@RULES
def test_the_good_example_passes_every_default_flow(rule: Rule, fresh_database: FreshDatabase) -> None:
    fresh_database.apply(rule.good)
    broken = [
        (flow.flow, flow.payload, flow.reason or flow.failed_step)
        for flow in run_flows(fresh_database, None)
        if flow.outcome != "pass"
    ]
    assert broken == []
