"""The SARIF log against the JSON schema of OASIS, and against what the standard says beside it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import jsonschema
import pytest
from hypothesis import given, settings

from tests.report.hostile import TEXTS, hostile
from tests.report.results import BASE_FILE, FILE, Results
from trigger_audit.report.formats import Format, render
from trigger_audit.report.places import as_uri

if TYPE_CHECKING:
    from trigger_audit.report.formats import Result

pytestmark = pytest.mark.xdist_group("formats")

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-schema-2.1.0.json").read_text())
VALIDATOR = jsonschema.Draft4Validator(SCHEMA)


def read(result: Result) -> dict[str, Any]:
    """The one run."""
    log = json.loads(render(result, Format.SARIF))
    VALIDATOR.validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for each in run["results"]:
        assert rules[each["ruleIndex"]]["id"] == each["ruleId"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    states = [(each["partialFingerprints"]["triggerAudit/v1"], each.get("baselineState")) for each in run["results"]]
    assert len(set(states)) == len(states)
    found: dict[str, Any] = run
    return found


def by_rule(run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["ruleId"]: each for each in run["results"]}


def test_the_schema_refuses_what_is_none() -> None:
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({"version": "2.1.0", "runs": [{"results": []}]})


def test_every_kind_of_result_is_valid(results: Results) -> None:
    identities = {kind: read(result)["automationDetails"]["id"] for kind, result in results.all().items()}
    assert set(identities.values()) == {f"trigger-audit/{command}/" for command in ("scan", "smoke", "check")}


def test_a_finding_has_its_place_in_the_file_and_in_the_database(results: Results) -> None:
    found = by_rule(read(results.scan))["TA104"]
    assert found["level"] == "error"
    assert found["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": FILE, "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 13, "startColumn": 3, "endLine": 13, "endColumn": 72},
            },
            "logicalLocations": [
                {"fullyQualifiedName": "public.note_login()", "kind": "function"},
                {"fullyQualifiedName": "auth.users.on_login", "kind": "trigger"},
                {"fullyQualifiedName": "auth.users", "kind": "table"},
            ],
        }
    ]
    assert read(results.scan)["columnKind"] == "unicodeCodePoints"


def test_a_code_host_gets_a_file_for_every_result_of_sql_and_for_none_of_a_database(results: Results) -> None:
    for result in (results.scan, results.smoke, results.check):
        for each in read(result)["results"]:
            place = each["locations"][0]["physicalLocation"]
            assert place["artifactLocation"]["uri"] in (FILE, BASE_FILE)
            assert place["region"]["startLine"] >= 1
    for each in read(results.database)["results"]:
        assert "physicalLocation" not in each["locations"][0]
        assert each["locations"][0]["logicalLocations"]


def test_the_base_tells_what_is_new(results: Results) -> None:
    run = read(results.check_with_base)
    states = {(each["ruleId"], each["baselineState"]) for each in run["results"]}
    assert {("TA104", "new"), ("TA118", "unchanged"), ("TA101", "new"), ("smoke/fail", "new")} <= states
    assert ("broken-statement", "new") in states
    assert {state for _, state in states} == {"new", "unchanged"}, "what is mended would open an alert"
    assert not any("baselineState" in each for each in read(results.check)["results"])


def test_what_is_suppressed_says_so(results: Results) -> None:
    run = read(results.scan)
    assert by_rule(run)["TA501"]["suppressions"] == [{"kind": "inSource", "justification": "it names no object"}]
    assert sum("suppressions" in each for each in run["results"]) == 1


def test_the_rules_come_with_their_pages(results: Results) -> None:
    rules = {rule["id"]: rule for rule in read(results.scan)["tool"]["driver"]["rules"]}
    security = rules["TA501"]
    assert security["name"] == "definer-without-search-path"
    assert security["properties"]["security-severity"] == "5.5"
    assert "security" in security["properties"]["tags"]
    assert security["help"]["text"].startswith("A SECURITY DEFINER function has no search path of its own.")
    assert "```sql\ncreate table" in security["help"]["markdown"]
    assert not any("security-severity" in rule["properties"] for code, rule in rules.items() if code[:3] != "TA5")


def test_what_was_not_analysed_is_a_notice(results: Results) -> None:
    (invocation,) = read(results.scan)["invocations"]
    assert invocation["executionSuccessful"] is True
    (notice,) = invocation["toolExecutionNotifications"]
    assert notice["descriptor"] == {"id": "not-analysed"}
    assert notice["locations"][0]["physicalLocation"]["region"]["startLine"] == 42


def test_flows_that_were_not_run_are_no_success(results: Results) -> None:
    (invocation,) = read(replace(results.check, smoke=None, not_smoked="a hazard"))["invocations"]
    assert invocation["executionSuccessful"] is False
    assert ("error", "a hazard") in [
        (notice["level"], notice["message"]["text"]) for notice in invocation["toolExecutionNotifications"]
    ]


def test_no_text_is_a_placeholder_or_a_link(results: Results) -> None:
    @given(TEXTS)
    @settings(max_examples=40)
    def holds(text: str) -> None:
        for each in read(hostile(results.check_with_base, text))["results"]:
            message = each["message"]["text"]
            assert "](" not in message.replace("\\](", "")
            # What is left once pairs stand for single braces.
            assert not re.search(r"[{}]", message.replace("{{", "").replace("}}", ""))

    holds()


@given(TEXTS.filter(lambda text: not re.search("[\ud800-\udfff]", text)))
def test_a_path_survives_the_encoding(text: str) -> None:
    uri = as_uri(text)
    assert re.fullmatch(r"(?:[A-Za-z0-9/._~-]|%[0-9A-F]{2})*", uri)
    assert unquote(uri) == text
