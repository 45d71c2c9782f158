"""What the settings mean to the rules there are. UsageError, naming the file, for what is no rule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from trigger_audit.errors import UsageError
from trigger_audit.settings.model import Setting, Settings

if TYPE_CHECKING:
    from trigger_audit.findings.exemptions import Exemption
    from trigger_audit.findings.model import Severity
    from trigger_audit.rules.base import Rule

T = TypeVar("T")


def chosen_rules(settings: Settings) -> tuple[tuple[Rule, ...], dict[str, Severity]]:
    """The rules of `select` and `ignore`, and the severities that the settings give, by code.

    UsageError for what is no rule, naming the file where it is written there, and where no rule is left.
    """
    from trigger_audit.rules.registry import selected_rules, severities_by_code

    with _naming(settings, settings.select, "select"):
        selected_rules(settings.select.value, ())
    with _naming(settings, settings.ignore, "ignore"):
        selected_rules((), settings.ignore.value)
    with _naming(settings, settings.severity, "severity"):
        severities = severities_by_code(settings.severity.value)
    rules = selected_rules(settings.select.value, settings.ignore.value)
    if not rules:
        raise UsageError("no rule is left: what is selected is ignored too", "the longer match decides")
    return rules, severities


def exemptions(settings: Settings) -> tuple[Exemption, ...]:
    """What `[[ignore-finding]]` excepts, by the codes of the rules that it means."""
    from trigger_audit.findings.exemptions import Exemption
    from trigger_audit.rules.registry import selected_rules

    found = []
    with _naming(settings, settings.ignored_findings, "ignore-finding"):
        for each in settings.ignored_findings.value:
            codes = frozenset(rule.meta.code for rule in selected_rules((each.rule,), ()))
            found.append(Exemption(each.rule, codes, each.object, each.reason, each.expires))
    return tuple(found)


@contextmanager
def _naming(settings: Settings, setting: Setting[T], key: str) -> Iterator[None]:
    """Puts the file and the key before the error where the value is written there; an option's speaks for itself."""
    try:
        yield
    except UsageError as error:
        if not setting.in_file:
            raise
        problem = UsageError(f"{settings.file}: {key}: {error.message}", error.remedy)
    else:
        return
    raise problem
