"""SQL such as projects hold, scanned and smoked: what is marked is found and does harm, what is quiet is safe.

What an ignore comment of the case silences counts as not found.

The comment lines on top of a case may say more than `-- quiet`:

    -- not smoked: reason    smoke's payloads do not show it
    -- latent: reason        it concerns only flows that a project must enable: a warning, and one of these flows breaks
    -- hidden: reason        a handler catches it: one severity lower, and every flow passes
    -- uncertain: reason     it depends on data whether the statement runs: a warning
    -- as supabase_admin     applied by the superuser, for what postgres may not do to auth.users
    -- on PostgreSQL 15      for what newer servers do otherwise
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pytest

from tests.conftest import FreshDatabase
from tests.rules.judging import judged_case, run_flows
from tests.rules.marks import Marks, found_at, read_marks
from trigger_audit.catalog.model import Catalog
from trigger_audit.findings.model import Finding, Severity
from trigger_audit.rules.registry import all_rules
from trigger_audit.smoke.model import FlowResult

CASES = Path(__file__).parent.parent / "cases"
RULES = {rule.meta.code: rule.meta for rule in all_rules()}
EXTENDED = bool(os.environ.get("TRIGGER_AUDIT_TEST_ALL"))
_WORD = re.compile(r"-- (not smoked|latent|hidden|uncertain): \S")


@dataclass(frozen=True, slots=True)
class Case:
    """A file of tests/cases. `own` is the code of its folder, '' for tests/cases/safe."""

    sql: str
    marks: Marks
    words: frozenset[str]
    own: str

    @property
    def role(self) -> str:
        return "supabase_admin" if "-- as supabase_admin\n" in self.sql else "postgres"

    @property
    def fixture(self) -> str:
        return "fresh_database15" if "-- on PostgreSQL 15\n" in self.sql else "fresh_database"


def read_case(path: Path) -> Case:
    sql = path.read_text()
    head = takewhile(lambda line: line.startswith("--"), sql.split("\n"))
    words = frozenset(found[1] for line in head if (found := _WORD.match(line)))
    own = path.parent.name if path.parent.name in RULES else ""
    return Case(sql, read_marks(sql), words, own)


def placed(case: Case, catalog: Catalog, finding: Finding) -> tuple[int, str] | None:
    """The line and code of a finding; one without code belongs to the marked line in the statement that makes it."""
    if finding.place is not None:
        return found_at(case.sql, catalog, finding)
    *_, table, name = finding.object.partition("(")[0].split(".")
    lines = case.sql.split("\n")
    for number, code in sorted(case.marks.placed):
        if code != finding.rule:
            continue
        if finding.rule == "TA701":
            if name in lines[number - 1].split():
                return number, code
            continue
        start = max((n for n in range(number - 1, 0, -1) if lines[n - 1].rstrip().endswith(";")), default=0)
        statement = "\n".join(lines[start:number]).replace('"', "")
        if re.search(rf"\b({re.escape(table)}|{re.escape(name)})\b", statement):
            column = re.search(r"\(([^)]+)\) references", finding.message)
            if finding.rule != "TA118" or (column and column[1] in lines[number - 1]):
                return number, code
        if finding.rule == "TA002" and f"{name}(" in "\n".join(lines[start : number + 2]):
            return number, code
    return None


def lowered_by(case: Case) -> frozenset[str]:
    return case.words & {"latent", "hidden", "uncertain"}


def broken(flows: tuple[FlowResult, ...]) -> list[tuple[object, ...]]:
    return [
        (flow.flow, flow.payload, flow.reason, flow.failed_step, flow.changes)
        for flow in flows
        if flow.outcome != "pass"
    ]


@pytest.mark.parametrize("path", sorted(CASES.rglob("*.sql")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_case(path: Path, request: pytest.FixtureRequest) -> None:
    case = read_case(path)
    database: FreshDatabase = request.getfixturevalue(case.fixture)
    database.apply(case.sql, role=case.role)
    audit, all_findings = judged_case(database)
    findings = [finding for finding in all_findings if finding.suppressed is None]
    told = [(f.rule, f.severity, f.object, f.place.line if f.place else None, f.message) for f in findings]

    here = {id(finding): placed(case, audit.catalog, finding) for finding in findings}
    graver = [finding for finding in findings if finding.severity is not Severity.INFO]
    assert {here[id(f)] for f in graver} - case.marks.placed == set(), told
    assert case.marks.placed - set(here.values()) == set(), (told, audit.answers.unasked)

    marked = [finding for finding in findings if here[id(finding)] in case.marks.placed]
    if case.marks.quiet:
        if case.own and RULES[case.own].severity is Severity.INFO:
            assert case.own not in {finding.rule for finding in findings}, told
    else:
        assert_severities(case, marked, told)
    # A near miss of a rule is there for the scan; that it harms nothing shows its good example, and the extended tests.
    near_miss = case.marks.quiet and case.own != "" and not EXTENDED
    if "not smoked" not in case.words and not near_miss:
        smoke(case, marked, database)


def assert_severities(case: Case, marked: list[Finding], told: object) -> None:
    """A marked finding has its rule's severity, or the lower one that the case's head gives the reason for."""
    for finding in marked:
        full = RULES[finding.rule].severity
        expected = full.lowered() if lowered_by(case) else full
        assert finding.severity is expected, told
        assert (finding.hidden_by is not None) == ("hidden" in case.words), told


def smoke(case: Case, marked: list[Finding], database: FreshDatabase) -> None:
    """Quiet and hidden ones pass every flow; a refusal breaks a flow that the finding names, with its SQLSTATE.

    TA503 shows in what the one gets who asks for it, and nothing else does.
    """
    refusals = [f for f in marked if f.sqlstate is not None and f.rule != "TA301" and f.severity is not Severity.INFO]
    if not refusals or "hidden" in case.words:
        flows = run_flows(database, None if EXTENDED else QUIET)
        assert broken(tuple(flow for flow in flows if not flow.escalations)) == []
        got = {(flow.payload.value, flow.outcome.value, flow.changes) for flow in flows if flow.escalations}
        assert got == ({("admin", "altered", ())} if any(f.rule == "TA503" for f in marked) else set()), flows
        return
    named = {name for finding in refusals for path in finding.paths for name in path.flows}
    assert named, refusals
    chosen = sorted(named) if "latent" in case.words else [next(n for n in ORDER if n in named)]
    flows = run_flows(database, chosen)
    assert any(flow.outcome in ("fail", "altered") for flow in flows), flows
    states = {flow.failed_step.sqlstate for flow in flows if flow.failed_step is not None}
    assert states <= {finding.sqlstate for finding in refusals}, flows
    if "latent" in case.words:
        assert all(flow.latent for flow in flows if flow.outcome != "pass"), flows


QUIET = ("signup-email", "anonymous", "verify-email-change", "delete-user")
"""The flows that a quiet case must pass, unless the extended tests run: between them every table and column of Auth's
that cases look at is written."""

ORDER = (
    "signup-email",
    "signup-autoconfirm",
    "login",
    "email-change",
    "verify-email-change",
    "admin-update",
    "delete-user",
    "update-user",
    "oauth-first",
    "verify-signup",
)
"""Of the flows that a finding names, the one to try: the first of these. A case that needs another fails."""
