"""Results to render, with what differs from run to run and from machine to machine made steady."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.check.checking import checked
from tests.check.repositories import made_repository
from trigger_audit.check.compare import failing_flows
from trigger_audit.check.model import Base, CheckResult, FlowChange
from trigger_audit.findings.model import FilePlace, Finding
from trigger_audit.opening import TargetInfo
from trigger_audit.pipeline import ScanResult, SmokeResult
from trigger_audit.smoke.model import FlowResult

if TYPE_CHECKING:
    from trigger_audit.report.formats import Result

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Path(__file__).parent / "project"
TARGET = TargetInfo("sql", "supabase", "18.6", "supabase")
# The others say nothing else, at length.
SHOWN = {"signup-email", "signup-autoconfirm", "anonymous", "login", "recovery", "delete-user"}
FILE = "supabase/migrations/20260201090000_changes.sql"


@dataclass(frozen=True, slots=True)
class Results:
    """The same project seen by each command; `database` is a scan of a live one, which has no files."""

    scan: ScanResult
    database: ScanResult
    smoke: SmokeResult
    check: CheckResult
    check_with_base: CheckResult

    def all(self) -> dict[str, Result]:
        return {
            "scan": self.scan,
            "scan-database": self.database,
            "smoke": self.smoke,
            "check": self.check,
            "check-base": self.check_with_base,
        }


def made_results(folder: Path) -> Results:
    """One check of a project with a base, in a repository that is made in the folder; the other results are parts."""
    repository = made_repository(folder)
    migrations = repository.top / "supabase" / "migrations"
    shutil.copytree(PROJECT / "base", migrations)
    repository.commit()
    shutil.copytree(PROJECT / "branch", migrations, dirs_exist_ok=True)
    found = steady(checked(repository.top, base="main"))
    assert found.smoke is not None
    live = tuple(finding for finding in found.scan.findings if finding.suppressed is None)
    whole = replace(
        found,
        base=None,
        added=live,
        mended=(),
        flows=(),
        failing=failing_flows(found.smoke.report.flows),
        not_analysed=found.scan.not_analysed,
    )
    target = TargetInfo("database", "db.example.test/postgres", "17.6", "supabase")
    unplaced = tuple(replace(finding, file_place=None) for finding in found.scan.findings)
    database = replace(found.scan, target=target, findings=unplaced, not_analysed=())
    return Results(found.scan, database, found.smoke, whole, found)


def steady(result: CheckResult) -> CheckResult:
    """Without durations and places of this machine; findings in bodies are all placed, thirty lines further down."""
    assert result.smoke is not None
    flows = tuple(untimed(flow) for flow in result.smoke.report.flows if flow.flow in SHOWN)
    target = {"kind": "sql", "name": "supabase", "server_version": "18.6", "platform": "supabase"}
    report = replace(result.smoke.report, flows=flows, target=target)
    scan = replace(
        result.scan,
        target=TARGET,
        findings=tuple(map(placed, result.scan.findings)),
        not_analysed=tuple(replace(item, object=FILE) for item in result.scan.not_analysed),
        unexplained=tuple(map(untimed, result.scan.unexplained)),
        seconds=0.0,
    )
    return replace(
        result,
        scan=scan,
        smoke=replace(result.smoke, report=report, not_analysed=scan.not_analysed),
        added=tuple(map(placed, result.added)),
        mended=tuple(map(placed, result.mended)),
        base=Base("main", "0123456789abcdef0123456789abcdef01234567"),
        flows=tuple(
            FlowChange(untimed_side(each.before), untimed_side(each.after)) for each in result.flows if shows(each)
        ),
        failing=tuple(untimed(flow) for flow in result.failing if flow.flow in SHOWN),
        broken=tuple(replace(item, object=FILE) for item in result.broken),
        not_analysed=tuple(replace(item, object=FILE) for item in result.not_analysed),
    )


def shows(change: FlowChange) -> bool:
    flow = change.after or change.before
    return flow is not None and flow.flow in SHOWN


def untimed(flow: FlowResult) -> FlowResult:
    return replace(flow, milliseconds=7)


def untimed_side(flow: FlowResult | None) -> FlowResult | None:
    return None if flow is None else untimed(flow)


def placed(finding: Finding) -> Finding:
    place = finding.place
    if place is None:
        return replace(finding, file_place=None)
    there = FilePlace(FILE, place.line + 30, place.column, place.end_line + 30, place.end_column)
    return replace(finding, file_place=there)
