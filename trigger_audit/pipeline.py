"""The phases in their order: catalog, bodies, cascade, answers, rules, findings; and for smoke hazards and flows."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from trigger_audit.findings.model import Finding, NotAnalysed, Severity
from trigger_audit.findings.settled import Settled

if TYPE_CHECKING:
    import psycopg

    from trigger_audit.analysis.model import Audit, BodyFacts, Cascade
    from trigger_audit.analysis.ways import Ways
    from trigger_audit.auth.versions import Version
    from trigger_audit.catalog.model import Catalog
    from trigger_audit.check.source_map import SourceMap
    from trigger_audit.opening import TargetInfo
    from trigger_audit.rules.base import Rule
    from trigger_audit.smoke.model import Expectation, FlowResult, Payload, SmokeReport
    from trigger_audit.smoke.payloads import SignUps
    from trigger_audit.smoke.trials import Evidence
    from trigger_audit.unmade import NotMade, Unmade


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan found. `seconds` is wall time; it is in no machine-readable output.

    `unexplained` are the flows that a run for its proof saw fail, and that no finding of any rule speaks of. `settled`
    tells of the project's exemptions and baseline.
    """

    target: TargetInfo
    audit: Audit
    findings: tuple[Finding, ...]
    not_analysed: tuple[NotAnalysed, ...]
    seconds: float
    unexplained: tuple[FlowResult, ...] = ()
    settled: Settled = field(default_factory=Settled)

    def count(self, severity: Severity) -> int:
        """Findings of a severity that count: suppressed ones and those of the baseline are left out."""
        return sum(finding.severity is severity and finding.counts for finding in self.findings)


def examine(
    connection: psycopg.Connection[Any],
    *,
    tables: Sequence[str],
    all_tables: bool,
    as_role: str | None,
    names: bool = True,
    enabled: Collection[str] = (),
) -> Audit:
    """From catalog to answers, inside the caller's read-only transaction. Raises TriggerAuditError.

    Without `names` the server is asked for missing privileges alone, and no handler is judged by its answers: enough
    for those who only want the cascade. `enabled` are the latent flows that the project has enabled.
    """
    from trigger_audit.analysis.bodies import reading
    from trigger_audit.analysis.cascade import build_cascade
    from trigger_audit.analysis.failing import without_useless_handlers
    from trigger_audit.analysis.model import Answers, Audit
    from trigger_audit.ask.ask import ask, ask_rights
    from trigger_audit.auth import firings
    from trigger_audit.catalog.audited import audited_tables
    from trigger_audit.catalog.load import load_catalog
    from trigger_audit.errors import UsageError

    catalog = load_catalog(connection)
    if as_role is not None and as_role not in catalog.roles:
        raise UsageError(f"there is no role {as_role!r} on this server")
    audited = audited_tables(catalog, tables, all_tables)
    bodies: dict[int, BodyFacts] = {}
    cascade = build_cascade(catalog, audited, reading(bodies), firings(frozenset(enabled)), as_role=as_role)
    if names:
        answers = ask(connection, catalog, bodies, cascade)
        cascade = without_useless_handlers(cascade, catalog, answers)
    else:
        answers = Answers({}, ask_rights(connection, catalog, cascade))
    return Audit(catalog=catalog, tables=audited, bodies=bodies, cascade=cascade, answers=answers)


def judge(audit: Audit, rules: Sequence[Rule], keep: Callable[[Finding], bool] = lambda _: True) -> tuple[Finding, ...]:
    """All rules speak, so that folding does not depend on the selection; then those selected are kept.

    What `keep` does not keep is as good as never said, yet a comment in a body that ignores it has its use.
    """
    from trigger_audit.findings.folding import fold
    from trigger_audit.findings.suppression import ignore_comments, suppressed
    from trigger_audit.rules.bodies.ta004_useless_suppression import idlers
    from trigger_audit.rules.registry import all_rules

    chosen = {rule.meta.code for rule in rules}
    said: Iterable[Finding] = (finding for rule in all_rules() for finding in rule.check(audit))
    comments = ignore_comments(audit)
    if comments:
        said = list(said)
        said += idlers(audit, said, {item.object for item in not_analysed(audit)})
    findings = suppressed(fold(filter(keep, said)), comments)
    return tuple(finding for finding in findings if finding.rule in chosen)


def not_analysed(audit: Audit) -> tuple[NotAnalysed, ...]:
    """Bodies and statements that could not be looked at, with the reason."""
    found: set[NotAnalysed] = set()
    reached = audit.cascade.reached
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
    for site in audit.cascade.unfollowed:
        if site.facts.body is not None:
            line = site.facts.body.source.place(site.statement.span.start)[0]
            found.add(NotAnalysed(site.facts.function.name, line, "fires triggers in more cycles than are followed"))
    for oid, unasked, reason in audit.answers.unasked:
        if oid in reached:
            found.add(NotAnalysed(audit.catalog.functions[oid].name, unasked, reason))
    return in_order(found)


def in_order(items: Iterable[NotAnalysed]) -> tuple[NotAnalysed, ...]:
    return tuple(sorted(items, key=lambda item: (item.object, item.line or 0, item.reason)))


def scan(
    connection: psycopg.Connection[Any],
    target: TargetInfo,
    rules: Sequence[Rule],
    *,
    tables: Sequence[str] = (),
    all_tables: bool = False,
    as_role: str | None = None,
    not_applied: Sequence[NotAnalysed] = (),
    unmade: Sequence[Unmade] = (),
    enabled: Collection[str] = (),
    source_map: SourceMap | None = None,
) -> ScanResult:
    """Scan the database of an open connection in one READ ONLY transaction. Raises TriggerAuditError.

    `not_applied` are the statements that never got into the database: they head what was not analysed. `unmade` is
    what they would have made: a name that is missing for want of it is not analysed either. `enabled` are the latent
    flows that the project has enabled. `source_map` knows where the files define what is at fault.
    """
    from trigger_audit.database.connect import read_only

    started = time.perf_counter()
    with read_only(connection):
        audit = examine(connection, tables=tables, all_tables=all_tables, as_role=as_role, enabled=enabled)
        missing = what_is_missing(connection, unmade)
    unjudged: set[NotAnalysed] = set()

    def keep(finding: Finding) -> bool:
        maker = missing.of_finding(finding)
        if maker is not None:
            line = None if finding.place is None else finding.place.line
            unjudged.add(NotAnalysed(finding.object, line, f"{finding.message}: {maker.excuse}"))
        return maker is None

    findings = judge(audit, rules, keep)
    unseen = in_order({*not_analysed(audit), *unjudged})
    if source_map is not None:
        findings = tuple(replace(each, file_place=source_map.of_finding(each)) for each in findings)
        unseen = tuple(replace(each, file_place=source_map.of_line(each.object, each.line)) for each in unseen)
    return ScanResult(
        target=target,
        audit=audit,
        findings=findings,
        not_analysed=(*not_applied, *unseen),
        seconds=time.perf_counter() - started,
    )


def what_is_missing(connection: psycopg.Connection[Any], unmade: Sequence[Unmade]) -> NotMade:
    """What was not made, with the names that the server knows where an extension is among it."""
    from trigger_audit.resources import read_sql
    from trigger_audit.unmade import NotMade

    missing = NotMade(tuple(unmade))
    if not missing.of_unknown_names:
        return missing
    return replace(missing, known=frozenset(row[0] for row in connection.execute(read_sql("ask/known_names.sql"))))


def sign_ups_of(
    audit: Audit,
    *,
    given: Mapping[str, object] | None = None,
    email: str | None = None,
    payloads: Sequence[Payload] = (),
) -> SignUps:
    """Who signs up in a smoke run: with the keys that the cascade reads, looked at where it grants something."""
    from trigger_audit.analysis.metadata import metadata_keys
    from trigger_audit.analysis.rights import rights_tables
    from trigger_audit.smoke.payloads import SignUps

    return SignUps(
        keys=metadata_keys(audit.cascade, audit.catalog),
        given=given,
        email=email,
        payloads=tuple(payloads),
        rights=rights_tables(audit.cascade, audit.catalog),
    )


@dataclass(frozen=True, slots=True)
class SmokeResult:
    """What a smoke run saw.

    `sources` holds the bodies of the functions by signature, for the lines that failed; `not_analysed` the statements
    that never got into the database, so that no flow could meet what they would have made. `refused` says where Auth's
    own role would have been refused what another one could do in its place: such flows went too far. It stands among
    the session's gaps as well. `source_map` knows where the files define what failed, None for a database.
    """

    report: SmokeReport
    sources: Mapping[str, str]
    not_analysed: tuple[NotAnalysed, ...] = ()
    refused: tuple[str, ...] = ()
    source_map: SourceMap | None = None


@dataclass(frozen=True, slots=True)
class SmokeOptions:
    """What to run, and what may be done for it.

    `flows` and `payloads` name the only ones to run; `given` is the app's own options.data, `email` the address that
    signs up. `allow_locks`: triggers may be switched off in ways that hold up other sessions' writes. `unmask`:
    handlers may be opened for a replay, to see what they hide. `blame`: the triggers at fault are looked for.
    `auth_version` is the one whose answers are told, None takes what the database says. `enabled` are the latent flows
    that the project has enabled, `expect` tells by flow what it means to refuse.
    """

    flows: tuple[str, ...] | None = None
    payloads: tuple[str, ...] = ()
    given: Mapping[str, object] | None = None
    email: str | None = None
    allow_side_effects: bool = False
    allow_locks: bool = False
    unmask: bool = False
    blame: bool = True
    auth_version: Version | None = None
    enabled: frozenset[str] = frozenset()
    expect: Mapping[str, Expectation] = field(default_factory=dict)


def smoke(
    connection: psycopg.Connection[Any],
    target: TargetInfo,
    options: SmokeOptions,
    *,
    not_applied: Sequence[NotAnalysed] = (),
    unmade: Sequence[Unmade] = (),
    announce: Callable[[Sequence[str]], None] | None = None,
) -> SmokeResult:
    """Look for hazards in the cascade, then run Auth's flows and roll them back. Raises TriggerAuditError.

    `announce` is told, before anything runs, which sequences may advance: a rollback does not take that back. What
    fails for want of something `unmade` gives no verdict.
    """
    from trigger_audit.database.connect import read_only

    with read_only(connection):
        audit = examine(connection, tables=(), all_tables=False, as_role=None, names=False, enabled=options.enabled)
    return smoke_audited(connection, target, audit, options, not_applied=not_applied, unmade=unmade, announce=announce)


def smoke_audited(
    connection: psycopg.Connection[Any],
    target: TargetInfo,
    audit: Audit,
    options: SmokeOptions,
    *,
    not_applied: Sequence[NotAnalysed] = (),
    unmade: Sequence[Unmade] = (),
    announce: Callable[[Sequence[str]], None] | None = None,
) -> SmokeResult:
    """The same for a database that has been examined already."""
    from trigger_audit.analysis.bodies import reading
    from trigger_audit.analysis.dynamic import unresolved_places
    from trigger_audit.analysis.hazards import effects
    from trigger_audit.auth import firings
    from trigger_audit.catalog.stored import load_stored
    from trigger_audit.database.connect import read_only
    from trigger_audit.rules.refusals.approximated import refused_to_auth
    from trigger_audit.smoke.model import By
    from trigger_audit.smoke.payloads import payload_named
    from trigger_audit.smoke.runner import run_smoke

    chosen = tuple(payload_named(name) for name in options.payloads)
    with read_only(connection):
        behind = load_stored(connection, audit.catalog)
        excuse = what_is_missing(connection, unmade).excuse
    # The same bodies as the cascade's: hazards and reach know a statement by its identity.
    bodies = reading(dict(audit.bodies))
    found = effects(audit.cascade, audit.catalog, behind, bodies, firings(options.enabled))
    report = run_smoke(
        connection,
        flows=options.flows,
        hazards=found.hazards,
        allow_side_effects=options.allow_side_effects,
        target=asdict(target),
        auth_version=options.auth_version,
        sign_ups=sign_ups_of(audit, given=options.given, email=options.email, payloads=chosen),
        evidence=evidence_of(audit.catalog, audit.cascade, found.ways, audit.bodies, options),
        excuse=excuse if unmade else None,
        ready=None if announce is None else partial(announce, found.sequences),
    )
    refused = refused_to_auth(audit, options.flows) if report.session.by is By.APPROXIMATION else ()
    hidden = {error: excuse(error.sqlstate, error.message) for error in report.hidden_errors}
    excused = dict.fromkeys(f"{error.message}: {why}" for error, why in hidden.items() if why is not None)
    # A sandbox is thrown away, with whatever a text has done in it.
    unseen = (
        f"{function} line {line} runs a text that only it knows: whether a rollback undoes all of it is not known"
        for function, line in (unresolved_places(audit) if target.kind == "database" else ())
    )
    report = replace(
        report,
        session=replace(report.session, gaps=(*report.session.gaps, *refused, *excused, *unseen)),
        hidden_errors=tuple(error for error, why in hidden.items() if why is None),
    )
    return SmokeResult(_as_meant(report, options), audit.catalog.sources, tuple(not_applied), refused)


def evidence_of(
    catalog: Catalog, cascade: Cascade, ways: Ways, bodies: Mapping[int, BodyFacts], options: SmokeOptions
) -> Evidence:
    """What a run may suspect, which handlers it may open, and what it may do for it."""
    from trigger_audit.smoke.suspects import Suspects
    from trigger_audit.smoke.trials import Evidence
    from trigger_audit.smoke.unmask import masks

    return Evidence(
        Suspects(catalog, cascade, ways),
        masks(bodies[oid] for oid in sorted(cascade.reached)),
        allow_locks=options.allow_locks,
        unmask=options.unmask,
        blame=options.blame,
    )


def _as_meant(report: SmokeReport, options: SmokeOptions) -> SmokeReport:
    """The flows as the project means them: which of them it has, and what is expected of them."""
    flows = tuple(
        replace(flow, latent=flow.latent and flow.flow not in options.enabled, expected=options.expect.get(flow.flow))
        for flow in report.flows
    )
    return replace(report, flows=flows)


def prove(
    connection: psycopg.Connection[Any],
    scanned: ScanResult,
    options: SmokeOptions,
    *,
    unmade: Sequence[Unmade] = (),
    announce: Callable[[Sequence[str]], None] | None = None,
) -> tuple[ScanResult, SmokeResult]:
    """Run Auth's flows, rolled back, and give the findings that they showed proof `observed`.

    On the scan's own connection, with what the scan has found out. Raises TriggerAuditError where smoke cannot run.
    """
    from trigger_audit.analysis.reported import ReportedPlaces
    from trigger_audit.catalog.audited import audited_tables
    from trigger_audit.findings.proving import prove as prove_findings
    from trigger_audit.findings.proving import unexplained
    from trigger_audit.rules.registry import all_rules

    audit, target = scanned.audit, scanned.target
    has_users = ("auth", "users") in audit.catalog.tables_by_name
    if has_users and audit.tables == audited_tables(audit.catalog):
        smoked = smoke_audited(connection, target, audit, options, unmade=unmade, announce=announce)
    else:
        # Other tables have side effects of their own, which no flow of Auth sets off.
        smoked = smoke(connection, target, options, unmade=unmade, announce=announce)
    places = ReportedPlaces(audit.bodies.values())
    findings = prove_findings(scanned.findings, smoked.report, places)
    open_ = unexplained(findings, smoked.report, places)
    if open_:
        # Rules that were not selected may know all about it.
        open_ = unexplained(judge(audit, all_rules()), smoked.report, places)
    return replace(scanned, findings=findings, unexplained=open_), smoked
