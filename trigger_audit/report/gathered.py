"""What the formats of other programs have to tell, whichever command gave the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trigger_audit.findings.model import Severity
from trigger_audit.report.smoke_table import by_change, by_failure
from trigger_audit.smoke.model import Outcome, failing_flows

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit
    from trigger_audit.check.model import Base, CheckResult, FlowChange
    from trigger_audit.check.source_map import SourceMap
    from trigger_audit.findings.model import FilePlace, Finding, NotAnalysed
    from trigger_audit.pipeline import ScanResult, SmokeResult
    from trigger_audit.smoke.model import FailedStep, FlowResult

BROKEN = "broken-statement"
"""What programs know a statement by that PostgreSQL refuses whatever the database holds."""

_WRONG = (Outcome.FAIL, Outcome.ALTERED)


@dataclass(frozen=True, slots=True)
class Problem:
    """Flows that go wrong in one and the same way; `step` is None where they are altered, or pass and should not.

    `counts`: some of them makes a run fail, none of them is latent or as expected. `new`: some of them did not go wrong
    before the migrations of a check.
    """

    outcome: Outcome
    flows: tuple[FlowResult, ...]
    step: FailedStep | None
    counts: bool
    new: bool = True

    @property
    def severity(self) -> Severity:
        if not self.counts:
            return Severity.INFO
        return Severity.WARNING if self.outcome is Outcome.ALTERED else Severity.ERROR


@dataclass(frozen=True, slots=True)
class Gathered:
    """`findings` are all of the state that was looked at, suppressed ones too; `new` those that the report is about:
    all that count, or with a base those that the migrations bring. `failing` are likewise the flows that make a run
    fail, of all the `flows`; `problems` hold those that go wrong by their causes, `new_problems` those that the report
    is about.

    `tables` and `triggers` hold the names that are some, to tell what an object is. `source_map` knows where the files
    define what is in the database.
    """

    command: str
    target: Mapping[str, object]
    findings: tuple[Finding, ...] = ()
    new: tuple[Finding, ...] = ()
    mended: tuple[Finding, ...] = ()
    flows: tuple[FlowResult, ...] = ()
    failing: tuple[FlowResult, ...] = ()
    problems: tuple[Problem, ...] = ()
    new_problems: tuple[Problem, ...] = ()
    changes: tuple[FlowChange, ...] = ()
    broken: tuple[NotAnalysed, ...] = ()
    not_analysed: tuple[NotAnalysed, ...] = ()
    gaps: tuple[str, ...] = ()
    base: Base | None = None
    not_smoked: str | None = None
    rolled_back: bool = True
    tables: frozenset[str] = frozenset()
    triggers: frozenset[str] = frozenset()
    source_map: SourceMap | None = None

    def told_findings(self) -> Iterator[tuple[Finding, bool]]:
        """All findings, each with whether the report is about it."""
        left = Counter(self.new)
        for finding in self.findings:
            is_new = left[finding] > 0
            left[finding] -= is_new
            yield finding, is_new

    def kind_of(self, name: str) -> str:
        """function, trigger, table or constraint."""
        if name.endswith(")"):
            return "function"
        if name in self.triggers:
            return "trigger"
        return "table" if name in self.tables else "constraint"

    def place_of(self, problem: Problem) -> FilePlace | None:
        """Where the migrations say what failed; of what is altered, where they make the trigger that did it."""
        if self.source_map is None:
            return None
        if problem.step is not None:
            return self.source_map.of_step(problem.step)
        culprits = (culprit.name for flow in problem.flows for culprit in flow.culprits)
        return next((place for place in map(self.source_map.of_object, culprits) if place is not None), None)

    @property
    def whole_target(self) -> str | None:
        """The first path of the SQL that was looked at, for what has no place in it. None for a database.

        The name holds all paths, with blanks between them.
        """
        if self.target.get("kind") != "sql":
            return None
        words = str(self.target.get("name", "")).split(" ")
        paths = (" ".join(words[:number]) for number in range(1, len(words) + 1))
        return next((path for path in paths if path and Path(path).exists()), words[0])


def gathered(result: ScanResult | SmokeResult | CheckResult) -> Gathered:
    from trigger_audit.pipeline import ScanResult, SmokeResult

    if isinstance(result, ScanResult):
        return _of_scan(result)
    return _of_smoke(result) if isinstance(result, SmokeResult) else _of_check(result)


def smoke_id(outcome: Outcome) -> str:
    """What programs know a flow's outcome by: `smoke/fail`."""
    return f"smoke/{outcome.value}"


def is_of_a_file(item: NotAnalysed) -> bool:
    """Whether it is a statement of a file, which is in no database."""
    return item.file_place is not None and item.file_place.file == item.object


def problems_of(flows: Sequence[FlowResult], new: Sequence[FlowResult] | None = None) -> tuple[Problem, ...]:
    """The flows that fail or are altered, those of one cause together; `new` are those that did not before."""
    counting = {flow.key for flow in failing_flows(flows)}
    fresh = None if new is None else {flow.key for flow in new}

    def problem(outcome: Outcome, step: FailedStep | None, found: Sequence[FlowResult]) -> Problem:
        return Problem(
            outcome,
            tuple(found),
            step,
            counts=any(flow.key in counting for flow in found),
            new=fresh is None or any(flow.key in fresh for flow in found),
        )

    wrong = [flow for flow in flows if flow.outcome in _WRONG]
    failed = [problem(Outcome.FAIL, step, found) for step, found in by_failure(wrong)]
    altered = [problem(Outcome.ALTERED, None, found) for found in by_change(wrong)]
    # What is meant to fail and does not.
    passed = [flow for flow in flows if flow.outcome is Outcome.PASS and flow.as_expected is False]
    return (*failed, *altered, *(problem(Outcome.PASS, None, [flow]) for flow in passed))


def _of_scan(result: ScanResult) -> Gathered:
    problems = problems_of(result.unexplained)
    return Gathered(
        "scan",
        _target(result),
        findings=result.findings,
        new=tuple(finding for finding in result.findings if finding.counts),
        flows=result.unexplained,
        failing=result.unexplained,
        problems=problems,
        new_problems=problems,
        not_analysed=result.not_analysed,
        tables=_tables(result.audit),
        triggers=_triggers(result.audit),
    )


def _of_smoke(result: SmokeResult) -> Gathered:
    report = result.report
    problems = problems_of(report.flows)
    return Gathered(
        "smoke",
        report.target,
        flows=report.flows,
        failing=failing_flows(report.flows),
        problems=problems,
        new_problems=problems,
        not_analysed=result.not_analysed,
        gaps=report.session.gaps,
        rolled_back=report.rolled_back,
        source_map=result.source_map,
    )


def _of_check(result: CheckResult) -> Gathered:
    scan, smoke = result.scan, result.smoke
    flows = smoke.report.flows if smoke else ()
    return Gathered(
        "check",
        _target(scan),
        findings=scan.findings,
        new=result.added,
        mended=result.mended,
        flows=flows,
        failing=result.failing,
        problems=problems_of(flows, None if result.base is None else result.failing),
        new_problems=problems_of(result.failing),
        changes=result.flows,
        broken=result.broken,
        not_analysed=result.open_items,
        gaps=smoke.report.session.gaps if smoke else (),
        base=result.base,
        not_smoked=result.not_smoked,
        rolled_back=smoke.report.rolled_back if smoke else True,
        tables=_tables(scan.audit),
        triggers=_triggers(scan.audit),
        source_map=smoke.source_map if smoke else None,
    )


def _target(result: ScanResult) -> Mapping[str, object]:
    return asdict(result.target)


def _tables(audit: Audit) -> frozenset[str]:
    return frozenset(table.name for table in audit.catalog.tables.values())


def _triggers(audit: Audit) -> frozenset[str]:
    catalog = audit.catalog
    return frozenset(f"{catalog.tables[trigger.table].name}.{trigger.name}" for trigger in catalog.triggers)
