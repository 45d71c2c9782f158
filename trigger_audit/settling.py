"""What a project has settled beforehand: which findings do not count, and how grave the others are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from trigger_audit.findings.baseline import Baseline, baseline_of, compared, pruned
from trigger_audit.findings.baseline_file import write_baseline
from trigger_audit.findings.exemptions import Exemption, exempted
from trigger_audit.findings.folding import weighed

if TYPE_CHECKING:
    from datetime import date

    from trigger_audit.findings.model import Severity
    from trigger_audit.pipeline import ScanResult


class Update(StrEnum):
    """What becomes of the baseline's file: written anew from the findings, or rid of what is stale."""

    WRITE = "write"
    PRUNE = "prune"


@dataclass(frozen=True, slots=True)
class BaselineFile:
    """The file with what is in it: nothing, where it is to be made."""

    path: Path
    baseline: Baseline = field(default_factory=Baseline)
    update: Update | None = None


@dataclass(frozen=True, slots=True)
class Settling:
    """`judged` are the codes of the rules that are asked; `severities` go by code. `today` decides which exemptions
    have expired.
    """

    judged: frozenset[str]
    today: date
    severities: Mapping[str, Severity] = field(default_factory=dict)
    exemptions: tuple[Exemption, ...] = ()
    baseline: BaselineFile | None = None

    def of_base(self, scanned: ScanResult) -> ScanResult:
        """For a state that the result is compared with: the baseline is not about that."""
        return self._weighed(self._exempted(scanned))

    def of_result(self, scanned: ScanResult) -> ScanResult:
        """For the state that the run is about; the baseline's file is written where that is asked for.

        Raises TriggerAuditError where it cannot be.
        """
        scanned = self._exempted(scanned)
        if self.baseline is not None:
            scanned = self._updated(self._compared(scanned, self.baseline.baseline), self.baseline)
        return self._weighed(scanned)

    def _exempted(self, scanned: ScanResult) -> ScanResult:
        found = exempted(scanned.findings, self.exemptions, self.today, judged=self.judged, not_analysed=_open(scanned))
        settled = replace(scanned.settled, expired=found.expired, idle=found.idle)
        return replace(scanned, findings=found.findings, settled=settled)

    def _compared(self, scanned: ScanResult, baseline: Baseline) -> ScanResult:
        found = compared(scanned.findings, baseline, judged=self.judged, not_analysed=_open(scanned))
        settled = replace(scanned.settled, stale=found.stale, unjudged=found.unjudged)
        return replace(scanned, findings=found.findings, settled=settled)

    def _updated(self, scanned: ScanResult, file: BaselineFile) -> ScanResult:
        if file.update is None:
            return scanned
        if file.update is Update.WRITE:
            changed = baseline_of(scanned.findings, scanned.settled.unjudged)
        elif scanned.settled.stale:
            changed = pruned(file.baseline, scanned.settled.stale)
        else:
            return scanned
        write_baseline(file.path, changed)
        # What it no longer holds is still told.
        return replace(self._compared(scanned, changed), settled=scanned.settled)

    def _weighed(self, scanned: ScanResult) -> ScanResult:
        """Last, for a rule's own severity counts until then: in folding, in proving and in the baseline."""
        if not self.severities:
            return scanned
        return replace(scanned, findings=weighed(scanned.findings, self.severities))


def _open(scanned: ScanResult) -> set[str]:
    return {item.object for item in scanned.not_analysed}
