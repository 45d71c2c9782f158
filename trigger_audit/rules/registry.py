"""All rules, found by walking this package: a new module is a new rule, nothing else is to be edited."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import walk_packages

import trigger_audit.rules
from trigger_audit.errors import UsageError
from trigger_audit.findings.model import Severity
from trigger_audit.rules.base import Meta, Rule

_RULE_MODULE = re.compile(r"ta\d{3}_\w+")


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by code."""
    found: list[Rule] = []
    for module_info in walk_packages(trigger_audit.rules.__path__, "trigger_audit.rules."):
        if not _RULE_MODULE.fullmatch(module_info.name.rpartition(".")[2]):
            continue
        module = import_module(module_info.name)
        meta: Meta = module.META
        page = inspect.cleandoc(module.__doc__ or "")
        found.append(Rule(meta=meta, page=page, bad=module.BAD, good=module.GOOD, check=module.check))
    return tuple(sorted(found, key=lambda rule: rule.meta.code))


def find_rule(code: str) -> Rule:
    """The rule with a code or a name, in any case. Raises UsageError with the nearest ones."""
    wanted = code.strip().lower()
    for rule in all_rules():
        if wanted in (rule.meta.code.lower(), rule.meta.name):
            return rule
    raise UsageError(f"there is no rule {code!r}", _advice(wanted))


def _advice(wanted: str) -> str:
    """What may have been meant: rules of the same family for a code, near names for anything else."""
    if re.fullmatch(r"ta\d*", wanted):
        codes = [rule.meta.code for rule in all_rules()]
        family = [code for code in codes if code.startswith(wanted[:3].upper())] if wanted[2:] else []
        if family:
            return f"those of {wanted[:3].upper()} are {', '.join(family)}"
        families = ", ".join(dict.fromkeys(code[:3] for code in codes))
        return f"the families are {families}; `trigger-audit rule` lists all rules"
    from difflib import get_close_matches

    near = get_close_matches(wanted, [rule.meta.name for rule in all_rules()], n=3)
    return f"did you mean {' or '.join(near)}?" if near else "`trigger-audit rule` lists them all"


def selected_rules(select: tuple[str, ...], ignore: tuple[str, ...]) -> tuple[Rule, ...]:
    """The rules whose code starts with a prefix of `select` (all without one) and with none of `ignore`.

    The longest matching prefix decides, as in `--ignore TA5 --select TA503`. A prefix that fits no rule is an error.
    """
    rules = all_rules()
    for prefix in (*select, *ignore):
        if not prefix or not any(matches(rule, prefix) for rule in rules):
            find_rule(prefix)
    chosen = []
    for rule in rules:
        wanted = max((len(prefix) for prefix in select if matches(rule, prefix)), default=-1 if select else 0)
        unwanted = max((len(prefix) for prefix in ignore if matches(rule, prefix)), default=-1)
        if wanted > unwanted:
            chosen.append(rule)
    return tuple(chosen)


def severities_by_code(table: Mapping[str, Severity]) -> dict[str, Severity]:
    """The severities of a table by code, prefix or name, the longest match deciding, for the rules that it means.

    A prefix that fits no rule is an error.
    """
    found: dict[str, Severity] = {}
    for prefix in sorted(table, key=len):
        meant = [rule.meta.code for rule in all_rules() if prefix and matches(rule, prefix)]
        if not meant:
            find_rule(prefix)
        found |= dict.fromkeys(meant, table[prefix])
    return found


def matches(rule: Rule, prefix: str) -> bool:
    """Whether a code, a prefix of it, or a rule's name means this rule."""
    return rule.meta.code.startswith(prefix.upper()) or rule.meta.name == prefix.lower()
