"""Runs a check: the state that all migrations lead to and, with a base, the state before them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trigger_audit.check.compare import (
    added,
    changed_flows,
    mended,
    newly_broken,
    newly_open,
    newly_skipped,
    worse_flows,
)
from trigger_audit.check.earlier import earlier_state
from trigger_audit.check.model import CheckResult
from trigger_audit.errors import TriggerAuditError
from trigger_audit.findings.model import NotAnalysed
from trigger_audit.opening import NothingApplied, SqlInput, as_not_analysed, sandbox_with, sql_input
from trigger_audit.pipeline import SmokeOptions, prove, scan

if TYPE_CHECKING:
    from trigger_audit.check.model import Base
    from trigger_audit.opening import OpenTarget
    from trigger_audit.pipeline import ScanResult, SmokeResult
    from trigger_audit.rules.base import Rule
    from trigger_audit.sandbox.docker import DockerImage
    from trigger_audit.sandbox.migrations import FailedStatement
    from trigger_audit.settling import Settling
    from trigger_audit.smoke.model import Expectation, FlowResult
    from trigger_audit.target import SqlTarget


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How to judge: as `scan` and `smoke` do with the same names. `postgres` holds the sandbox' server. Without
    `settling` every finding counts, as grave as its rule says.
    """

    rules: tuple[Rule, ...]
    settling: Settling | None = None
    tables: tuple[str, ...] = ()
    enabled: frozenset[str] = frozenset()
    enabled_by_config: bool = False
    expect: Mapping[str, Expectation] = field(default_factory=dict)
    allow_side_effects: bool = False
    postgres: Path | DockerImage | None = None


@dataclass(frozen=True, slots=True)
class _State:
    """What was seen with one set of migrations."""

    scan: ScanResult
    smoke: SmokeResult | None
    not_smoked: str | None
    failed: tuple[FailedStatement, ...]

    @property
    def flows(self) -> tuple[FlowResult, ...]:
        return self.smoke.report.flows if self.smoke else ()


def check(
    target: SqlTarget,
    base: str | None,
    options: CheckOptions,
    *,
    progress: Callable[[str], None],
    about: Callable[[OpenTarget], None],
    note: Callable[[str], None],
) -> CheckResult:
    """Apply the migrations to a sandbox, scan and smoke them, and do the same for the base. Raises TriggerAuditError.

    `about` is told how the migrations fared in the sandbox, before they are judged; `note` what is to be known of the
    comparison.
    """
    names = [str(path) for path in target.paths]
    earlier = None if base is None else earlier_state(target.paths, base, enabled=options.enabled_by_config, note=note)
    now = sql_input(target.paths)
    with sandbox_with(now, names, postgres=options.postgres, progress=progress) as opened:
        about(opened)
        progress("scanning and running the flows of Auth")
        after = _judged(opened, options, closely=True)
    before = None
    if earlier is not None and earlier.sql is not None:
        enabled = options.enabled if earlier.enabled is None else earlier.enabled
        if earlier.sql.files == now.files and enabled == options.enabled:
            before = after
        else:
            before = _before(earlier.sql, names, replace(options, enabled=enabled), progress, note)
    return _result(None if earlier is None else earlier.base, before, after)


def _result(base: Base | None, before: _State | None, after: _State) -> CheckResult:
    """Where nothing was before, all that is there now is new."""
    findings = before.scan.findings if before else ()
    gaps = before.scan.not_analysed if before else ()
    flows = before.flows if before else ()
    failed = before.failed if before else ()
    unknown: tuple[NotAnalysed, ...] = ()
    if before is not None and before.smoke is None:
        reason = (
            f"the flows could not be run on the base, so which of them break newly is not known: {before.not_smoked}"
        )
        unknown = (NotAnalysed("the base", None, reason),)
    both = before is not None and before.smoke is not None and after.smoke is not None
    return CheckResult(
        after.scan,
        after.smoke,
        base=base,
        added=added(findings, after.scan.findings),
        mended=mended(findings, after.scan.findings),
        flows=changed_flows(flows, after.flows) if both else (),
        failing=() if unknown else worse_flows(flows, after.flows),
        skipped=newly_skipped(flows, after.flows),
        broken=tuple(map(as_not_analysed, newly_broken(failed, after.failed))),
        not_analysed=(*newly_open(gaps, after.scan.not_analysed), *unknown),
        not_smoked=after.not_smoked,
    )


def _before(
    earlier: SqlInput,
    names: list[str],
    options: CheckOptions,
    progress: Callable[[str], None],
    note: Callable[[str], None],
) -> _State | None:
    """The state of the base, None where none of its statements can be applied: then nothing was there before."""
    progress("the same for the base")
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(
                sandbox_with(earlier, names, postgres=options.postgres, progress=lambda _: None)
            )
        except NothingApplied as error:
            note(f"note: of the base nothing could be applied, so that all counts: {error.message}")
            return None
        return _judged(opened, options, closely=False)


def _judged(opened: OpenTarget, options: CheckOptions, *, closely: bool) -> _State:
    """Scan and smoke; `closely` with the search for culprits and for what handlers hide."""
    unmade, not_applied, source_map = opened.unmade, opened.not_applied, opened.source_map
    scanned = scan(
        opened.connection,
        opened.info,
        options.rules,
        tables=options.tables,
        not_applied=not_applied,
        unmade=unmade,
        enabled=options.enabled,
        source_map=source_map,
    )
    how = SmokeOptions(
        allow_side_effects=options.allow_side_effects,
        allow_locks=True,
        unmask=closely,
        blame=closely,
        enabled=options.enabled,
        expect=options.expect,
    )
    smoked: SmokeResult | None = None
    reason: str | None = None
    try:
        scanned, smoked = prove(opened.connection, scanned, how, unmade=unmade)
        smoked = replace(smoked, not_analysed=not_applied, source_map=source_map)
    except TriggerAuditError as error:
        reason = error.message + (f" ({error.remedy})" if error.remedy else "")
    failed = opened.loaded.failed if opened.loaded else ()
    if options.settling is not None:
        scanned = options.settling.of_result(scanned) if closely else options.settling.of_base(scanned)
    return _State(scanned, smoked, reason, failed)
