"""The phases in their order: catalog, bodies, cascade, answers, rules, findings; and for smoke hazards and flows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from trigger_audit.findings.model import Finding, NotAnalysed, Severity

if TYPE_CHECKING:
    import psycopg

    from trigger_audit.analysis.model import Audit, BodyFacts
    from trigger_audit.auth.versions import Version
    from trigger_audit.opening import TargetInfo
    from trigger_audit.rules.base import Rule
    from trigger_audit.smoke.model import SmokeReport


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan found. `seconds` is wall time; it is in no machine-readable output."""

    target: TargetInfo
    audit: Audit
    findings: tuple[Finding, ...]
    not_analysed: tuple[NotAnalysed, ...]
    seconds: float

    def count(self, severity: Severity) -> int:
        """Findings of a severity, suppressed ones left out."""
        return sum(finding.severity is severity and finding.suppressed is None for finding in self.findings)


def examine(
    connection: psycopg.Connection[Any],
    *,
    tables: Sequence[str],
    all_tables: bool,
    as_role: str | None,
    names: bool = True,
) -> Audit:
    """From catalog to answers, inside the caller's read-only transaction. Raises TriggerAuditError.

    Without `names` the server is asked nothing: enough for those who only want the cascade.
    """
    from trigger_audit.analysis.bodies import read_body
    from trigger_audit.analysis.cascade import build_cascade
    from trigger_audit.analysis.failing import without_useless_handlers
    from trigger_audit.analysis.model import Answers, Audit
    from trigger_audit.ask.ask import ask
    from trigger_audit.auth import firings
    from trigger_audit.catalog.audited import audited_tables
    from trigger_audit.catalog.load import load_catalog
    from trigger_audit.catalog.model import Function
    from trigger_audit.errors import UsageError

    catalog = load_catalog(connection)
    if as_role is not None and as_role not in catalog.roles:
        raise UsageError(f"there is no role {as_role!r} on this server")
    audited = audited_tables(catalog, tables, all_tables)
    bodies: dict[int, BodyFacts] = {}

    def body_of(function: Function) -> BodyFacts:
        if function.oid not in bodies:
            bodies[function.oid] = read_body(function)
        return bodies[function.oid]

    cascade = build_cascade(catalog, audited, body_of, firings(), as_role=as_role)
    answers = ask(connection, catalog, bodies, cascade) if names else Answers({}, frozenset())
    cascade = without_useless_handlers(cascade, catalog, answers)
    return Audit(catalog=catalog, tables=audited, bodies=bodies, cascade=cascade, answers=answers)


def judge(audit: Audit, rules: Sequence[Rule]) -> tuple[Finding, ...]:
    """All rules speak, so that folding does not depend on the selection; then those selected are kept."""
    from trigger_audit.findings.folding import fold
    from trigger_audit.rules.registry import all_rules

    chosen = {rule.meta.code for rule in rules}
    findings = fold(finding for rule in all_rules() for finding in rule.check(audit))
    return tuple(finding for finding in findings if finding.rule in chosen)


def not_analysed(audit: Audit) -> tuple[NotAnalysed, ...]:
    """Bodies and statements that could not be looked at, with the reason."""
    found: set[NotAnalysed] = set()
    reached = {visit.function.oid for visit in audit.cascade.visits}
    for oid in reached:
        facts = audit.bodies[oid]
        if facts.problem is not None:
            found.add(NotAnalysed(facts.function.name, None, f"the body cannot be read: {facts.problem.message}"))
        elif facts.body is None:
            found.add(NotAnalysed(facts.function.name, None, f"language {facts.function.language} is not analysed"))
        else:
            for statement in facts.statements:
                for sql in statement.sql:
                    if sql.problem is not None:
                        line = facts.body.source.place(sql.fragment.span.start)[0]
                        found.add(NotAnalysed(facts.function.name, line, sql.problem))
    for oid, line, reason in audit.answers.unasked:
        if oid in reached:
            found.add(NotAnalysed(audit.catalog.functions[oid].name, line, reason))
    return tuple(sorted(found, key=lambda item: (item.object, item.line or 0, item.reason)))


def scan(
    connection: psycopg.Connection[Any],
    target: TargetInfo,
    rules: Sequence[Rule],
    *,
    tables: Sequence[str] = (),
    all_tables: bool = False,
    as_role: str | None = None,
    not_applied: Sequence[NotAnalysed] = (),
) -> ScanResult:
    """Scan the database of an open connection in one READ ONLY transaction. Raises TriggerAuditError.

    `not_applied` are the statements that never got into the database: they head what was not analysed.
    """
    from trigger_audit.database.connect import read_only

    started = time.perf_counter()
    with read_only(connection):
        audit = examine(connection, tables=tables, all_tables=all_tables, as_role=as_role)
    findings = judge(audit, rules)
    return ScanResult(
        target=target,
        audit=audit,
        findings=findings,
        not_analysed=(*not_applied, *not_analysed(audit)),
        seconds=time.perf_counter() - started,
    )


@dataclass(frozen=True, slots=True)
class SmokeResult:
    """What a smoke run saw.

    `sources` holds the bodies of the functions by signature, for the lines that failed; `not_analysed` the statements
    that never got into the database, so that no flow could meet what they would have made.
    """

    report: SmokeReport
    sources: Mapping[str, str]
    not_analysed: tuple[NotAnalysed, ...] = ()


def smoke(
    connection: psycopg.Connection[Any],
    target: TargetInfo,
    *,
    flows: Sequence[str] | None = None,
    auth_version: Version | None = None,
    allow_side_effects: bool = False,
    not_applied: Sequence[NotAnalysed] = (),
    announce: Callable[[Sequence[str]], None] | None = None,
) -> SmokeResult:
    """Look for hazards in the cascade, then run Auth's flows and roll them back. Raises TriggerAuditError.

    `announce` is told, before anything runs, which sequences may advance: a rollback does not take that back.
    """
    from trigger_audit.analysis.bodies import read_body
    from trigger_audit.analysis.hazards import effects
    from trigger_audit.auth import firings
    from trigger_audit.catalog.stored import load_stored
    from trigger_audit.database.connect import read_only
    from trigger_audit.smoke.runner import run_smoke

    with read_only(connection):
        audit = examine(connection, tables=(), all_tables=False, as_role=None, names=False)
        behind = load_stored(connection, audit.catalog)
    found = effects(audit.cascade, audit.catalog, behind, read_body, firings())
    if announce is not None and (allow_side_effects or not found.hazards):
        announce(found.sequences)
    report = run_smoke(
        connection,
        flows=flows,
        auth_version=auth_version,
        hazards=found.hazards,
        allow_side_effects=allow_side_effects,
        target=asdict(target),
    )
    sources = {function.name: function.source for function in audit.catalog.functions.values()}
    return SmokeResult(report, sources, tuple(not_applied))
