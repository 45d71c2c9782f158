"""Findings that a project's settings except, with a reason and perhaps until a day: `[[ignore-finding]]`.

They are for what no comment can stand at: a trigger, a constraint, a table, or a function that is not one's own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from trigger_audit.findings.model import Finding


@dataclass(frozen=True, slots=True)
class Exemption:
    """`rule` is as written, `codes` the rules that it means. `object` is a finding's; a function may stand without its
    arguments, for all of that name. `expires` is the last day on which it holds.
    """

    rule: str
    codes: frozenset[str]
    object: str
    reason: str
    expires: date | None = None

    def is_about(self, finding: Finding) -> bool:
        name, arguments, _ = finding.object.partition("(")
        return finding.rule in self.codes and self.object in ((name, finding.object) if arguments else (name,))


@dataclass(frozen=True, slots=True)
class Exempted:
    """The findings in their order; `expired` would have suppressed one of them, `idle` are about none."""

    findings: tuple[Finding, ...]
    expired: tuple[Exemption, ...] = ()
    idle: tuple[Exemption, ...] = ()


def exempted(
    findings: Iterable[Finding],
    exemptions: Sequence[Exemption],
    today: date,
    *,
    judged: Collection[str],
    not_analysed: Collection[str] = (),
) -> Exempted:
    """Suppress what is excepted and does not go by a comment already.

    `judged` are the codes of the rules that were asked, `not_analysed` the objects that could not be looked at: what is
    about others is not idle.
    """
    met: set[Exemption] = set()
    expired: set[Exemption] = set()
    told = []
    for finding in findings:
        about = [each for each in exemptions if each.is_about(finding)]
        met.update(about)
        holding = [each for each in about if each.expires is None or today <= each.expires]
        if finding.suppressed is None and holding:
            finding = replace(finding, suppressed=holding[0].reason, excepted=True)
        elif finding.suppressed is None:
            expired.update(about)
        told.append(finding)
    return Exempted(
        tuple(told),
        tuple(each for each in exemptions if each in expired),
        tuple(
            each
            for each in exemptions
            if each not in met and not each.codes.isdisjoint(judged) and each.object not in not_analysed
        ),
    )
