"""JUnit XML: one suite for the findings, one for the flows.

Each finding is a test case of its own, named by what it is about and never by its line: a report that a CI compares
with an earlier one then shows the new finding as a new failure, where a case a rule would have failed before too. A
rule that found nothing is one case that passes, so that a clean run is not an empty report. Errors and warnings fail;
infos, what is suppressed and what was not analysed are skipped cases, which CI shows without a failure.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from trigger_audit.findings.model import BaselineState, Severity
from trigger_audit.report.gathered import BROKEN, gathered, problems_of
from trigger_audit.report.table import head_place
from trigger_audit.report.words import ending, problem_facts, problem_message
from trigger_audit.smoke.model import Outcome
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from trigger_audit.findings.model import Finding, NotAnalysed
    from trigger_audit.report.formats import Result
    from trigger_audit.report.gathered import Gathered
    from trigger_audit.smoke.model import FlowResult


@dataclass(frozen=True, slots=True)
class Case:
    """`verdict` is failure, error, skipped or None where it passes."""

    classname: str
    name: str
    verdict: str | None = None
    type: str = ""
    message: str = ""
    lines: tuple[str, ...] = ()
    milliseconds: int | None = None


@dataclass(slots=True)
class Names:
    """Consumers take two cases of one name for one: those after the first get a number."""

    _seen: Counter[str] = field(default_factory=Counter)

    def unique(self, name: str) -> str:
        self._seen[name] += 1
        return name if self._seen[name] == 1 else f"{name} #{self._seen[name]}"


def junit_xml(result: Result) -> str:
    """The document. No time of the day and no host is in it, and no character that an encoding could lack."""
    told = gathered(result)
    suites = []
    if told.command != "smoke":
        suites.append(("findings", finding_cases(told)))
    if told.command == "scan":
        suites += [("flows", flow_cases(told))] if told.flows else []
    else:
        suites.append(("flows", flow_cases(told)))
    cases = [case for _, found in suites for case in found]
    head = f'<testsuites name="trigger-audit {told.command}" {counts(cases, skipped=False)}>'
    body = "".join(suite(name, found) for name, found in suites)
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{body}</testsuites>\n'
    return document.encode("ascii", "xmlcharrefreplace").decode()


def finding_cases(told: Gathered) -> list[Case]:
    """With a base the findings that it has too are no failures: they are skipped cases."""
    from trigger_audit.rules.registry import all_rules

    names = Names()
    cases = [finding_case(finding, names, is_new=is_new) for finding, is_new in told.told_findings()]
    met = {finding.rule for finding in told.findings}
    cases += [Case(rule.meta.code, rule.meta.name) for rule in all_rules() if rule.meta.code not in met]
    cases += [
        Case(
            BROKEN,
            names.unique(f"{item.object}: {item.reason}"),
            "failure",
            "error",
            item.reason,
            (whole(item),),
        )
        for item in told.broken
    ]
    return cases + [open_case(item, names) for item in told.not_analysed]


def finding_case(finding: Finding, names: Names, *, is_new: bool) -> Case:
    name = names.unique(f"{finding.name}: {finding.object} ({finding.fingerprint[:8]})")
    text = (head_place(finding), f"why: {finding.why}", f"fix: {finding.fix}")
    severity = finding.severity.value
    if finding.suppressed is not None:
        return Case(finding.rule, name, "skipped", "suppressed", f"{finding.message} ({finding.suppressed})", text)
    if not is_new:
        where = "in the baseline" if finding.baseline is BaselineState.UNCHANGED else "in the base too"
        return Case(finding.rule, name, "skipped", where, finding.message, text)
    verdict = "skipped" if finding.severity is Severity.INFO else "failure"
    return Case(finding.rule, name, verdict, severity, finding.message, text)


def open_case(item: NotAnalysed, names: Names) -> Case:
    return Case(
        "not-analysed",
        names.unique(f"{item.object}: {item.reason}"),
        "skipped",
        "not analysed",
        item.reason,
        (whole(item),),
    )


def whole(item: NotAnalysed) -> str:
    return f"{item.object if item.line is None else f'{item.object}:{item.line}'}: {item.reason}"


def flow_cases(told: Gathered) -> list[Case]:
    """One for each flow and payload; latent ones that fail, and those that failed before a check's migrations, are
    skipped.
    """
    counting = {flow.key for flow in told.failing}
    if told.not_smoked is not None:
        return [Case("flows", "all", "error", "not run", told.not_smoked)]
    cases = [flow_case(flow, counts=flow.key in counting) for flow in told.flows]
    return cases + [Case("session", f"gap {number}", "skipped", "gap", gap) for number, gap in enumerate(told.gaps, 1)]


def flow_case(flow: FlowResult, *, counts: bool) -> Case:
    case = (f"flow.{flow.flow}", f"{flow.flow} ({flow.payload.value})")
    if flow.outcome is Outcome.SKIPPED:
        return Case(*case, "skipped", "no verdict", flow.remark or "", milliseconds=flow.milliseconds)
    problem = next(iter(problems_of((flow,))), None)
    if problem is None or flow.as_expected:
        return Case(*case, milliseconds=flow.milliseconds)
    state = problem.step.sqlstate or "refused by Auth" if problem.step else problem.outcome.value
    message = problem_message(problem)
    facts = tuple(f"{label}: {fact}" for label, fact in problem_facts(problem))
    if counts:
        return Case(*case, "failure", state, message, facts, flow.milliseconds)
    why = "latent" if flow.latent else "before too"
    return Case(*case, "skipped", why, f"{ending(flow)}: {message}", facts, flow.milliseconds)


def suite(name: str, cases: list[Case]) -> str:
    body = "".join(map(case_xml, cases))
    return f'<testsuite name="{name}" {counts(cases, skipped=True)}>\n{body}</testsuite>\n'


def counts(cases: list[Case], *, skipped: bool) -> str:
    numbers = Counter(case.verdict for case in cases)
    told = f'tests="{len(cases)}" failures="{numbers["failure"]}" errors="{numbers["error"]}"'
    return f'{told} skipped="{numbers["skipped"]}"' if skipped else told


def case_xml(case: Case) -> str:
    time = "" if case.milliseconds is None else f' time="{case.milliseconds / 1000:.3f}"'
    head = f"<testcase classname={attribute(case.classname)} name={attribute(case.name)}{time}"
    if case.verdict is None:
        return f"{head}/>\n"
    attributes = f"type={attribute(case.type)} message={attribute(case.message)}"
    text = escape("\n".join(map(plain, case.lines)))
    return f"{head}><{case.verdict} {attributes}>{text}</{case.verdict}></testcase>\n"


def attribute(text: str) -> str:
    """Quoted. What XML 1.0 cannot hold, and what a terminal would act on, is an escape by then."""
    return quoteattr(plain(text))
