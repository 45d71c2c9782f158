"""The JUnit XML against the schema that Jenkins' xUnit plugin reads it with."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
import xmlschema
from hypothesis import given, settings

from tests.report.hostile import TEXTS, hostile
from tests.report.results import Results
from trigger_audit.report.formats import Format, render
from trigger_audit.report.junit import Names
from trigger_audit.rules.registry import all_rules
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from trigger_audit.report.formats import Result

pytestmark = pytest.mark.xdist_group("formats")

SCHEMA = xmlschema.XMLSchema(Path(__file__).parent / "schemas" / "junit-10.xsd")


def read(result: Result) -> ElementTree.Element:
    text = render(result, Format.JUNIT)
    SCHEMA.validate(text)
    return ElementTree.fromstring(text.encode())


def verdict(case: ElementTree.Element) -> str:
    return "pass" if len(case) == 0 else f"{case[0].tag} {case[0].get('type')}"


def verdicts(result: Result) -> dict[tuple[str | None, str | None], str]:
    return {(case.get("classname"), case.get("name")): verdict(case) for case in read(result).iter("testcase")}


def test_the_schema_refuses_what_is_none() -> None:
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        SCHEMA.validate("<testsuites><testcase/></testsuites>")


def test_every_kind_of_result_is_valid_and_counted_right(results: Results) -> None:
    for result in results.all().values():
        root = read(result)
        assert [suite.get("name") for suite in root] != []
        for element in (root, *root.iter("testsuite")):
            cases = list(element.iter("testcase"))
            tags = Counter(case[0].tag for case in cases if len(case))
            assert (element.get("tests"), element.get("failures"), element.get("errors")) == (
                str(len(cases)),
                str(tags["failure"]),
                str(tags["error"]),
            )
        names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
        assert len(set(names)) == len(names)


def test_a_case_for_each_finding_and_for_each_rule_without_one(results: Results) -> None:
    found = verdicts(results.check_with_base)
    by_rule: dict[str | None, str] = {rule: told for (rule, _), told in found.items()}
    assert by_rule["TA104"] == "failure error"
    assert by_rule["TA107"] == "failure warning"
    assert by_rule["TA118"] == "skipped in the base too"
    assert by_rule["TA501"] == "skipped suppressed"
    assert by_rule["TA403"] == "pass"
    assert by_rule["broken-statement"] == "failure error"
    assert {rule.meta.code for rule in all_rules()} <= set(by_rule)
    assert verdicts(results.check) | {} != found


def test_a_case_for_each_flow_and_payload(results: Results) -> None:
    found = verdicts(results.check_with_base)
    assert found["flow.signup-email", "signup-email (bare)"] == "pass"
    assert found["flow.login", "login (bare)"] == "failure 42501"
    assert found["flow.recovery", "recovery (bare)"] == "failure altered"
    assert found["flow.anonymous", "anonymous (bare)"] == "skipped latent"
    before_too = verdicts(replace(results.check_with_base, failing=()))
    assert before_too["flow.login", "login (bare)"] == "skipped before too"
    # By itself a flow that fails, fails.
    assert verdicts(results.smoke)["flow.signup-autoconfirm", "signup-autoconfirm (bare)"] == "failure 42501"


def test_the_name_of_a_case_holds_no_line(results: Results) -> None:
    case = next(case for case in read(results.scan).iter("testcase") if case.get("classname") == "TA104")
    assert (case.get("name") or "").startswith("missing-privilege: public.note_login() (")
    assert "changes.sql:13:3" in (case[0].text or "")


def test_cases_of_one_name_are_told_apart() -> None:
    names = Names()
    assert [names.unique("a"), names.unique("b"), names.unique("a")] == ["a", "b", "a #2"]


def test_every_text_comes_out_as_a_terminal_may_show_it(results: Results) -> None:
    @given(TEXTS)
    @settings(max_examples=40)
    def holds(text: str) -> None:
        root = read(hostile(results.check_with_base, text))
        first = next(root.iter("failure"))
        assert first.get("message") == plain(text)
        assert f"fix: {plain(text)}" in (first.text or "")

    holds()
