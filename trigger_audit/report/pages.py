"""The rules' own pages, and their list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tabulate import tabulate

if TYPE_CHECKING:
    from trigger_audit.report.table import Style
    from trigger_audit.rules.base import Rule


def rule_list(rules: Sequence[Rule]) -> str:
    """All rules in a table."""
    rows = [(rule.meta.code, rule.meta.name, rule.meta.severity.value, rule.meta.summary) for rule in rules]
    return tabulate(rows, headers=("code", "name", "severity", "finds"), maxcolwidths=[None, None, None, 60]) + "\n"


def rule_page(rule: Rule, style: Style) -> str:
    """Title, page, bad and good example."""
    meta = rule.meta
    title = style.paint(meta.severity.value, f"{meta.code} {meta.name} ({meta.severity.value})")
    state = f"SQLSTATE: {meta.sqlstate}\n\n" if meta.sqlstate else ""
    return (
        f"{title}\n\n{rule.page}\n\n{state}"
        f"{style.paint('strong', 'Bad:')}\n\n{indented(rule.bad)}\n{style.paint('strong', 'Good:')}\n\n"
        f"{indented(rule.good)}"
    )


def indented(sql: str) -> str:
    return "".join(f"    {line}\n" if line else "\n" for line in sql.rstrip("\n").split("\n"))
