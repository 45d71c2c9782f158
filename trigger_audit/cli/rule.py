"""`trigger-audit rule`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from trigger_audit.cli.terminal import style_for


def rule(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="TA107, or its name.")] = None,
) -> None:
    """Explain a rule, or list all."""
    from trigger_audit.report.pages import rule_list, rule_page
    from trigger_audit.rules.registry import all_rules, find_rule

    if code is None:
        sys.stdout.write(rule_list(all_rules()))
    else:
        sys.stdout.write(rule_page(find_rule(code), style_for(sys.stdout)))
