"""Scan and smoke a prepared database, for tests of rules."""

from __future__ import annotations

from collections.abc import Sequence

from tests.conftest import FreshDatabase
from trigger_audit.analysis.bodies import read_body
from trigger_audit.analysis.hazards import effects
from trigger_audit.analysis.model import Audit
from trigger_audit.auth import firings
from trigger_audit.catalog.stored import load_stored
from trigger_audit.database.connect import connect, read_only
from trigger_audit.database.dsn import parse_dsn
from trigger_audit.findings.model import Finding
from trigger_audit.pipeline import examine, judge, sign_ups_of
from trigger_audit.rules.registry import all_rules
from trigger_audit.smoke.model import FlowResult
from trigger_audit.smoke.runner import run_smoke


def judged_case(database: FreshDatabase) -> tuple[Audit, tuple[Finding, ...]]:
    """The audit of auth.users' triggers and what all rules say of it. Smoke must find nothing there to refuse."""
    with connect(parse_dsn(database.conninfo())) as connection, read_only(connection):
        audit = examine(connection, tables=(), all_tables=False, as_role=None)
        behind = load_stored(connection, audit.catalog)
    assert effects(audit.cascade, audit.catalog, behind, read_body, firings()).hazards == ()
    return audit, judge(audit, all_rules())


def run_flows(database: FreshDatabase, flows: Sequence[str] | None) -> tuple[FlowResult, ...]:
    """The outcomes of these flows, or of all."""
    with connect(parse_dsn(database.conninfo())) as connection:
        with read_only(connection):
            audit = examine(connection, tables=(), all_tables=False, as_role=None, names=False)
        return run_smoke(
            connection, flows=flows, hazards=(), allow_side_effects=False, target={}, sign_ups=sign_ups_of(audit)
        ).flows
