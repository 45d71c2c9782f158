"""What came of the settings' exemptions and of the baseline, besides the findings themselves."""

from __future__ import annotations

from dataclasses import dataclass

from trigger_audit.findings.baseline import Entry
from trigger_audit.findings.exemptions import Exemption


@dataclass(frozen=True, slots=True)
class Settled:
    """`expired` exemptions would have suppressed a finding, `idle` ones are about none. `stale` and `unjudged` are of
    the baseline, as in `baseline.Compared`.
    """

    expired: tuple[Exemption, ...] = ()
    idle: tuple[Exemption, ...] = ()
    stale: tuple[Entry, ...] = ()
    unjudged: tuple[Entry, ...] = ()
