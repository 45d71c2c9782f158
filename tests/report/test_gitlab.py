"""The Code Quality report against the format that GitLab describes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given, settings

from tests.report.hostile import TEXTS, hostile
from tests.report.results import BASE_FILE, FILE, Results
from trigger_audit.report.formats import Format, render
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from trigger_audit.report.formats import Result

pytestmark = pytest.mark.xdist_group("formats")

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "code-quality.json").read_text())


def read(result: Result) -> list[dict[str, Any]]:
    issues: list[dict[str, Any]] = json.loads(render(result, Format.GITLAB))
    jsonschema.validate(issues, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    return issues


def where(issue: dict[str, Any]) -> tuple[str, int]:
    return issue["location"]["path"], issue["location"]["lines"]["begin"]


def test_the_schema_refuses_what_is_none() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([{"description": "x"}], SCHEMA)


def test_all_of_the_state_is_told_with_a_base_and_without(results: Results) -> None:
    """GitLab compares the reports of two branches: one that leaves out what the base has would look mended."""
    issues = {(issue["check_name"], issue["severity"]): issue for issue in read(results.check_with_base)}
    assert where(issues["TA104", "critical"]) == (FILE, 13)
    assert where(issues["broken-statement", "critical"]) == (FILE, 42)
    assert where(issues["smoke/fail", "info"]) == (FILE, 4)
    assert where(issues["smoke/altered", "major"]) == (FILE, 29)
    assert where(issues["TA118", "major"]) == (BASE_FILE, 2)
    assert not any(check == "TA501" for check, _ in issues)
    assert read(results.check_with_base) == read(replace(results.check_with_base, base=None))


def test_a_database_has_objects_for_files(results: Results) -> None:
    places = {issue["check_name"]: where(issue) for issue in read(results.database)}
    assert places["TA104"] == ("database/public.note_login()", 3)
    assert places["TA118"] == ("database/public.memberships.memberships_user_id_fkey", 1)


@pytest.mark.parametrize(
    ("name", "path"),
    [("sql", "sql"), ("a b.sql", "a b.sql"), ("a b.sql sql", "a b.sql"), ("no such", "no"), ("-", "database/x")],
)
def test_what_has_no_place_is_told_of_the_first_path(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, path: str
) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "a b.sql").write_text("")
    monkeypatch.chdir(tmp_path)
    found = replace(results.scan.findings[0], file_place=None, object="x")
    scan = replace(results.scan, findings=(found,), target=replace(results.scan.target, name=name))
    assert where(read(scan)[0])[0] == path


def test_the_same_fault_twice_has_two_fingerprints(results: Results) -> None:
    first = results.scan.findings[0]
    twice = replace(results.scan, findings=(first, first))
    assert [issue["check_name"] for issue in read(twice)[:2]] == [first.rule, first.rule]


def test_every_text_comes_out_as_a_terminal_may_show_it(results: Results) -> None:
    @given(TEXTS)
    @settings(max_examples=40)
    def holds(text: str) -> None:
        issues = read(hostile(results.check_with_base, text))
        assert issues[0]["description"] == plain(f"{text} ({text})")

    holds()
