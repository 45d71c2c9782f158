"""Results to render, with what differs from run to run and from machine to machine made steady."""

from __future__ import annotations

import shutil
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.check.checking import checked
from tests.check.repositories import made_repository
from trigger_audit.check.model import Base, CheckResult, FlowChange
from trigger_audit.opening import TargetInfo
from trigger_audit.pipeline import ScanResult, SmokeResult
from trigger_audit.smoke.model import FlowResult, failing_flows

if TYPE_CHECKING:
    from trigger_audit.report.formats import Result

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Path(__file__).parent / "project"
TARGET = TargetInfo("sql", "supabase", "18.6", "supabase")
# The others say nothing else, at length.
SHOWN = {"signup-email", "signup-autoconfirm", "anonymous", "login", "recovery", "delete-user"}
BASE_FILE = "supabase/migrations/20260101090000_profiles.sql"
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
    with chdir(repository.top):
        found = steady(checked(Path("supabase"), base="main"))
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
    """Without durations, and what differs between servers and commits."""
    assert result.smoke is not None
    flows = tuple(untimed(flow) for flow in result.smoke.report.flows if flow.flow in SHOWN)
    target = {"kind": "sql", "name": "supabase", "server_version": "18.6", "platform": "supabase"}
    report = replace(result.smoke.report, flows=flows, target=target)
    scan = replace(
        result.scan,
        target=TARGET,
        unexplained=tuple(map(untimed, result.scan.unexplained)),
        seconds=0.0,
    )
    return replace(
        result,
        scan=scan,
        smoke=replace(result.smoke, report=report),
        base=Base("main", "0123456789abcdef0123456789abcdef01234567"),
        flows=tuple(
            FlowChange(untimed_side(each.before), untimed_side(each.after)) for each in result.flows if shows(each)
        ),
        failing=tuple(untimed(flow) for flow in result.failing if flow.flow in SHOWN),
    )


def shows(change: FlowChange) -> bool:
    return change.flow.flow in SHOWN


def untimed(flow: FlowResult) -> FlowResult:
    return replace(flow, milliseconds=7)


def untimed_side(flow: FlowResult | None) -> FlowResult | None:
    return None if flow is None else untimed(flow)
