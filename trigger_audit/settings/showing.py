"""The settings as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from trigger_audit.settings.model import IgnoredFinding, Settings
from trigger_audit.settings.values import quoted

if TYPE_CHECKING:
    from datetime import date


def settings_lines(settings: Settings) -> str:
    """Each setting as it could stand in a file, and where it comes from. Paths are from the working folder."""
    enabled = settings.flows.value or ()
    ignored = settings.ignored_findings
    rows = (
        ("select", _array(settings.select.value), settings.select.source),
        ("ignore", _array(settings.ignore.value), settings.ignore.source),
        ("severity", _inline(settings.severity.value), settings.severity.source),
        ("fail-on.scan", quoted(settings.scan_fails_on.value), settings.scan_fails_on.source),
        ("fail-on.smoke", quoted(settings.smoke_fails_on.value), settings.smoke_fails_on.source),
        ("fail-on.check", quoted(settings.check_fails_on.value), settings.check_fails_on.source),
        ("tables", _array(settings.tables.value), settings.tables.source),
        ("flows", _array(enabled), settings.flows.source),
        ("expect", _inline(settings.expect.value), settings.expect.source),
        ("baseline", quoted(settings.baseline.value), settings.baseline.source),
        ("ignore-finding", f"[{', '.join(map(_ignored, ignored.value))}]", ignored.source),
    )
    left = [f"{key} = {value}" for key, value, _ in rows]
    width = min(60, max(map(len, left)))
    return "".join(f"{text.ljust(width)}  # {source}\n" for text, (_, _, source) in zip(left, rows, strict=True))


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
