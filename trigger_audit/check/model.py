"""What a check saw: the state that the migrations lead to, and what they change in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trigger_audit.findings.model import Finding, NotAnalysed
    from trigger_audit.pipeline import ScanResult, SmokeResult
    from trigger_audit.smoke.model import FlowResult


@dataclass(frozen=True, slots=True)
class Base:
    """What the migrations are compared with: `ref` as it was given, `commit` the whole hash of the merge base."""

    ref: str
    commit: str


@dataclass(frozen=True, slots=True)
class FlowChange:
    """One flow with one payload whose outcome or failure differs; None where that side does not run it, never both."""

    before: FlowResult | None
    after: FlowResult | None

    @property
    def flow(self) -> FlowResult:
        """As it is now, or was where it is run no more: which flow and payload it is."""
        flow = self.after or self.before
        assert flow is not None  # what no side runs does not change
        return flow


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`scan` and `smoke` tell of the state with all migrations applied.

    `smoke` is None where it could not run, and `not_smoked` says why. Without `base` all that is wrong counts as
    brought by the migrations: `added` holds the findings of `scan`, `mended` and `flows` are empty. With it, `added`
    are the findings that the base does not have, `mended` those that only the base has, `flows` what differs in the
    flows. `failing` are the flows of the state after that break or alter a sign-up and did not before, or otherwise.
    `skipped` are those that gave no verdict, `broken` the statements that PostgreSQL refuses whatever the database
    holds, `not_analysed` whatever could not be looked at, each less what was so in the base.
    """

    scan: ScanResult
    smoke: SmokeResult | None
    added: tuple[Finding, ...]
    base: Base | None = None
    mended: tuple[Finding, ...] = ()
    flows: tuple[FlowChange, ...] = ()
    failing: tuple[FlowResult, ...] = ()
    skipped: tuple[FlowResult, ...] = ()
    broken: tuple[NotAnalysed, ...] = ()
    not_analysed: tuple[NotAnalysed, ...] = ()
    not_smoked: str | None = None

    @property
    def open_items(self) -> tuple[NotAnalysed, ...]:
        """What was not analysed, less the broken statements, which are told as such."""
        return tuple(item for item in self.not_analysed if item not in self.broken)
