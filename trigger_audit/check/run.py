"""Runs a check: the state that all migrations lead to and, with a base, the state before them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trigger_audit.check.compare import (
    added,
    broken_statements,
    changed_flows,
    failing_flows,
    mended,
    newly_broken,
    newly_open,
    worse_flows,
)
from trigger_audit.check.model import Base, CheckResult
from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.opening import NothingApplied, SqlInput, as_not_analysed, sandbox_with, sql_input
from trigger_audit.pipeline import SmokeOptions, prove, scan

if TYPE_CHECKING:
    from trigger_audit.findings.model import NotAnalysed
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
) -> CheckResult:
    """Apply the migrations to a sandbox, scan and smoke them, and do the same for the base. Raises TriggerAuditError.

    `about` is told how the migrations fared in the sandbox, before they are judged.
    """
    names = [str(path) for path in target.paths]
    found, earlier = (None, None) if base is None else _base(target.paths, base)
    now = sql_input(target.paths)
    with sandbox_with(now, names, postgres=options.postgres, progress=progress) as opened:
        about(opened)
        progress("scanning and running the flows of Auth")
        after = _judged(opened, options, closely=True)
    before = None
    if earlier is not None:
        before = after if earlier.files == now.files else _before(earlier, names, options, progress)
    result = CheckResult(after.scan, after.smoke, base=found, not_smoked=after.not_smoked, added=after.scan.findings)
    if before is None:
        return replace(
            result,
            added=added((), after.scan.findings),
            failing=failing_flows(after.flows),
            broken=_told(broken_statements(after.failed)),
            not_analysed=after.scan.not_analysed,
        )
    both = before.smoke is not None and after.smoke is not None
    return replace(
        result,
        added=added(before.scan.findings, after.scan.findings),
        mended=mended(before.scan.findings, after.scan.findings),
        flows=changed_flows(before.flows, after.flows) if both else (),
        failing=worse_flows(before.flows, after.flows),
        broken=_told(newly_broken(before.failed, after.failed)),
        not_analysed=newly_open(before.scan.not_analysed, after.scan.not_analysed),
    )


def _base(paths: Sequence[Path | str], ref: str) -> tuple[Base, SqlInput | None]:
    """The merge base, and the same files and folders as they were there; None where there was nothing of them."""
    from trigger_audit.check.git import repository_of

    places = [_project_folder(Path(path)) for path in paths if path != "-"]
    if len(places) < len(paths):
        raise UsageError("--base: standard input has no history", "name the files or the folder of the migrations")
    repository = repository_of(places)
    base = repository.base(ref)
    with repository.at(base.commit, places) as copies:
        there = [(copy, place) for copy, place in zip(copies, places, strict=True) if copy is not None]
        read = [_named_as(sql_input((copy,)), copy, place) for copy, place in there if _holds_sql(copy)]
    if not read:
        return base, None
    return base, SqlInput(tuple(file for each in read for file in each.files))


def _project_folder(path: Path) -> Path:
    """The part of a project that holds its SQL: what lies beside it in the repository is not asked for."""
    from trigger_audit.sandbox.project import project_files

    return project_files(path).root if path.is_dir() else path


def _holds_sql(copy: Path) -> bool:
    return copy.is_file() or next(copy.rglob("*.sql"), None) is not None


def _named_as(sql: SqlInput, copy: Path, place: Path) -> SqlInput:
    """The copy's files under the names that they have where they come from."""
    files = (replace(file, path=str(place / Path(file.path).relative_to(copy))) for file in sql.files)
    return SqlInput(tuple(files))


def _before(
    earlier: SqlInput, names: list[str], options: CheckOptions, progress: Callable[[str], None]
) -> _State | None:
    """The state of the base, None where none of its statements can be applied: then nothing was there before."""
    progress("the same for the base")
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(
                sandbox_with(earlier, names, postgres=options.postgres, progress=lambda _: None)
            )
        except NothingApplied:
            return None
        return _judged(opened, options, closely=False)


def _judged(opened: OpenTarget, options: CheckOptions, *, closely: bool) -> _State:
    """Scan and smoke; `closely` with the search for culprits and for what handlers hide."""
    unmade = opened.unmade
    scanned = scan(
        opened.connection,
        opened.info,
        options.rules,
        tables=options.tables,
        not_applied=opened.not_applied,
        unmade=unmade,
        enabled=options.enabled,
        source_map=opened.source_map,
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
        smoked = replace(smoked, not_analysed=opened.not_applied, source_map=opened.source_map)
    except TriggerAuditError as error:
        reason = error.message + (f" ({error.remedy})" if error.remedy else "")
    failed = opened.loaded.failed if opened.loaded else ()
    if options.settling is not None:
        scanned = options.settling.of_result(scanned) if closely else options.settling.of_base(scanned)
    return _State(scanned, smoked, reason, failed)


def _told(failed: Sequence[FailedStatement]) -> tuple[NotAnalysed, ...]:
    return tuple(as_not_analysed(each) for each in failed)
