"""Runs checks in the test's own process."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from trigger_audit.check.model import CheckResult
from trigger_audit.check.run import CheckOptions, check
from trigger_audit.opening import sandbox_with, sql_input
from trigger_audit.pipeline import ScanResult, scan
from trigger_audit.rules.registry import all_rules
from trigger_audit.target import SqlTarget

SHOP = Path(__file__).parent / "shop"
FAULTS = Path(__file__).parent / "faults"
SHOP_FILES = (*sorted((SHOP / "supabase/migrations").iterdir()),)


def checked(
    *paths: Path,
    base: str | None = None,
    enabled: Collection[str] = (),
    note: Callable[[str], None] = lambda _: None,
) -> CheckResult:
    """All rules, all flows; `enabled` as the config.toml of the paths says."""
    options = CheckOptions(tuple(all_rules()), enabled=frozenset(enabled), enabled_by_config=True)
    target = SqlTarget(paths, "the test")
    return check(target, base, options, progress=lambda _: None, about=lambda _: None, note=note)


def scanned(*paths: Path) -> ScanResult:
    """What scan finds in the files, all rules asked."""
    with sandbox_with(sql_input(paths), ["the test"], postgres=None, progress=lambda _: None) as opened:
        return scan(
            opened.connection, opened.info, tuple(all_rules()), not_applied=opened.not_applied,
            unmade=opened.unmade, source_map=opened.source_map,
        )  # fmt: skip
