"""The rules of a SARIF run: those of the findings with their pages, and one for each outcome of a flow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trigger_audit.findings.model import Severity
from trigger_audit.report.gathered import BROKEN, smoke_id
from trigger_audit.smoke.model import Outcome

if TYPE_CHECKING:
    from trigger_audit.rules.base import Rule

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PROBLEMS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
_SECURITY = "TA5"
# GitHub reads a score as in CVSS: 7.0 and above is high, 4.0 medium, below that low.
_SCORES = {Severity.ERROR: "8.1", Severity.WARNING: "5.5", Severity.INFO: "2.0"}
_FAMILIES = {
    "TA0": "analysis",
    "TA1": "failure",
    "TA3": "exception-handling",
    "TA4": "writes",
    "TA5": "security",
    "TA7": "attachment",
}
_OWN: dict[str, tuple[str, str, str]] = {
    smoke_id(Outcome.FAIL): (
        "failing-flow",
        "a flow of Auth fails",
        "Auth's own statements were run, and PostgreSQL or Auth refused one of them: the app user gets an error.",
    ),
    smoke_id(Outcome.ALTERED): (
        "altered-flow",
        "a flow of Auth leaves something else than Auth wrote",
        "Auth would report success, but a trigger has changed or dropped what it wrote, or has given a right away.",
    ),
    smoke_id(Outcome.PASS): (
        "passing-flow",
        "a flow of Auth passes that the project means to refuse",
        "The settings expect this flow to fail, and it goes through.",
    ),
    BROKEN: (
        BROKEN,
        "a statement that PostgreSQL refuses whatever the database holds",
        "The migration cannot be applied as it is, so that nothing after this statement is certain.",
    ),
}


@dataclass(slots=True)
class Descriptors:
    """The rules that results have named so far, in that order."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    _at: dict[str, int] = field(default_factory=dict)

    def reference(self, rule: str) -> dict[str, Any]:
        """How a result names its rule."""
        if rule not in self._at:
            self._at[rule] = len(self.documents)
            self.documents.append(descriptor(rule))
        return {"ruleId": rule, "ruleIndex": self._at[rule]}


def descriptor(code: str) -> dict[str, Any]:
    if code in _OWN:
        name, short, full = _OWN[code]
        return {
            "id": code,
            "name": name,
            "shortDescription": {"text": short},
            "fullDescription": {"text": full},
            "help": {"text": full, "markdown": full},
            "defaultConfiguration": {"level": "warning" if code == smoke_id(Outcome.ALTERED) else "error"},
            "properties": {"tags": ["supabase", "sign-up"], "problem.severity": "error"},
        }
    from trigger_audit.rules.registry import find_rule

    rule = find_rule(code)
    meta = rule.meta
    family = _FAMILIES.get(code[:3])
    properties: dict[str, Any] = {
        "tags": ["supabase", "trigger", *([family] if family else [])],
        "problem.severity": _PROBLEMS[meta.severity],
    }
    if code.startswith(_SECURITY):
        properties["security-severity"] = _SCORES[meta.severity]
    return {
        "id": meta.code,
        "name": meta.name,
        "shortDescription": {"text": meta.summary},
        "fullDescription": {"text": rule.page.partition("\n\n")[0].replace("\n", " ")},
        "help": {"text": rule.page, "markdown": help_markdown(rule)},
        "defaultConfiguration": {"level": LEVELS[meta.severity]},
        "properties": properties,
    }


def help_markdown(rule: Rule) -> str:
    """The page, which is written so that it is Markdown too, and the examples."""
    return f"{rule.page}\n\nBad:\n\n```sql\n{rule.bad}```\n\nGood:\n\n```sql\n{rule.good}```\n"
