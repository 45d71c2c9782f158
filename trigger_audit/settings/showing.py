"""The settings as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from trigger_audit.settings.model import IgnoredFinding, Setting, Settings
from trigger_audit.settings.values import quoted

if TYPE_CHECKING:
    from datetime import date

T = TypeVar("T")


def settings_lines(settings: Settings) -> str:
    """Each setting as it could stand in a file, and where it comes from. Paths are from the working folder."""
    enabled = settings.flows.value or ()
    ignored = settings.ignored_findings
    rows: tuple[tuple[str, str, Setting[object]], ...] = (
        ("select", _array(settings.select.value), _any(settings.select)),
        ("ignore", _array(settings.ignore.value), _any(settings.ignore)),
        ("severity", _inline(settings.severity.value), _any(settings.severity)),
        ("fail-on.scan", quoted(settings.scan_fails_on.value), _any(settings.scan_fails_on)),
        ("fail-on.smoke", quoted(settings.smoke_fails_on.value), _any(settings.smoke_fails_on)),
        ("fail-on.check", quoted(settings.check_fails_on.value), _any(settings.check_fails_on)),
        ("tables", _array(settings.tables.value), _any(settings.tables)),
        ("flows", _array(enabled), _any(settings.flows)),
        ("expect", _inline(settings.expect.value), _any(settings.expect)),
        ("baseline", quoted(settings.baseline.value), _any(settings.baseline)),
        ("ignore-finding", f"[{', '.join(map(_ignored, ignored.value))}]", _any(ignored)),
    )
    left = [f"{key} = {value}" for key, value, _ in rows]
    width = min(60, max(map(len, left)))
    return "".join(f"{text.ljust(width)}  # {row[2].source}\n" for text, row in zip(left, rows, strict=True))


def _any(setting: Setting[T]) -> Setting[object]:
    return Setting(setting.value, setting.source, setting.in_file)


def _array(values: Iterable[str]) -> str:
    return f"[{', '.join(map(quoted, values))}]"


def _ignored(finding: IgnoredFinding) -> str:
    texts = {"rule": finding.rule, "object": finding.object, "reason": finding.reason}
    return _inline(texts, finding.expires)


def _inline(table: Mapping[str, object], expires: date | None = None) -> str:
    pairs = [
        f"{key if re.fullmatch('[A-Za-z0-9_-]+', key) else quoted(key)} = {quoted(str(value))}"
        for key, value in table.items()
    ]
    pairs += [f"expires = {expires}"] if expires is not None else []
    return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
