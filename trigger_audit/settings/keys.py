"""The keys of a settings file, each with how its value is read. UsageError for what none can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from trigger_audit.errors import UsageError
from trigger_audit.findings.model import Severity
from trigger_audit.settings.model import SCAN_FAILS_ON, SMOKE_FAILS_ON, IgnoredFinding, Setting, Settings
from trigger_audit.settings.values import kind, nearest, one_of, quoted, short, string, strings, table
from trigger_audit.smoke.model import Expectation

_SQLSTATE = re.compile(r"[0-9A-Z]{5}")
_OF_AN_IGNORED_FINDING = ("rule", "object", "reason", "expires")

T = TypeVar("T")


def parsed(values: Mapping[str, object], shown: str, header: str) -> Settings:
    """The settings of a file's table; `shown` names the file, `header` is the table's in a shared one."""
    settings = Settings(file=shown)
    for key, value in values.items():
        read = _READERS.get(key)
        if read is None:
            raise _unknown_key(key, shown, header)
        try:
            settings = read(settings, value)
        except UsageError as error:
            problem = UsageError(f"{shown}: {key}: {error.message}", error.remedy)
        else:
            continue
        raise problem
    return settings


def _unknown_key(key: str, shown: str, header: str) -> UsageError:
    if key == "tool":
        return UsageError(f"{shown}: there is no setting 'tool'", f"the keys stand at the top there, without {header}")
    return UsageError(f"{shown}: there is no setting {short(key)}", nearest(key, _READERS, "settings"))


def _from_file(settings: Settings, value: T) -> Setting[T]:
    return Setting(value, settings.file or "", in_file=True)


def _select(settings: Settings, value: object) -> Settings:
    codes = strings(value)
    if not codes:
        raise UsageError("it is empty", "leave it out to have all rules")
    return replace(settings, select=_from_file(settings, codes))


def _ignore(settings: Settings, value: object) -> Settings:
    return replace(settings, ignore=_from_file(settings, strings(value)))


def _tables(settings: Settings, value: object) -> Settings:
    return replace(settings, tables=_from_file(settings, strings(value)))


def _severity(settings: Settings, value: object) -> Settings:
    severities: dict[str, Severity] = {}
    for code, name in table(value).items():
        if string(name, code) == "off":
            raise UsageError(f"{short(code)} cannot be off", f"ignore = [{quoted(code)}] leaves a rule out")
        severities[code] = Severity(one_of(string(name, code), tuple(severity.value for severity in Severity)))
    return replace(settings, severity=_from_file(settings, severities))


def _fail_on(settings: Settings, value: object) -> Settings:
    """A string is scan's and check's, and `never` all commands'; a table names the command."""
    if isinstance(value, str):
        if value in SMOKE_FAILS_ON and value not in SCAN_FAILS_ON:
            raise UsageError(f"{value!r} is of smoke alone", f'write fail-on = {{ smoke = "{value}" }}')
        levels = dict.fromkeys(("scan", "check", "smoke") if value == "never" else ("scan", "check"), value)
    elif isinstance(value, dict):
        levels = {command: string(level, command) for command, level in value.items()}
    else:
        raise UsageError(f"it must be a string or a table, not {kind(value)}")
    for command, level in levels.items():
        if command == "scan":
            settings = replace(settings, scan_fails_on=_from_file(settings, one_of(level, SCAN_FAILS_ON)))
        elif command == "check":
            settings = replace(settings, check_fails_on=_from_file(settings, one_of(level, SCAN_FAILS_ON)))
        elif command == "smoke":
            settings = replace(settings, smoke_fails_on=_from_file(settings, one_of(level, SMOKE_FAILS_ON)))
        else:
            raise UsageError(f"there is no command {short(command)} with it", "the commands are scan, smoke, check")
    return settings


def _flows(settings: Settings, value: object) -> Settings:
    from trigger_audit.auth import FLOWS

    latent = [flow.name for flow in FLOWS if flow.latent]
    for name in strings(value):
        _known_flow(name)
        if name not in latent:
            raise UsageError(f"{name!r} counts anyway", f"what can be enabled is {', '.join(latent)}")
    return replace(settings, flows=_from_file(settings, strings(value)))


def _known_flow(name: str) -> None:
    from trigger_audit.auth import FLOWS

    known = [flow.name for flow in FLOWS]
    if name not in known:
        raise UsageError(f"there is no flow {short(name)}", nearest(name, known, "flows"))


def _expect(settings: Settings, value: object) -> Settings:
    expected: dict[str, Expectation] = {}
    for flow, text in table(value).items():
        _known_flow(flow)
        outcome, colon, state = string(text, flow).partition(":")
        if outcome != "fail" or (colon and not _SQLSTATE.fullmatch(state)):
            raise UsageError(f"{flow}: {short(str(text))} is no expectation", 'write "fail", or "fail:P0001"')
        expected[flow] = Expectation(state or None)
    return replace(settings, expect=_from_file(settings, expected))


def _baseline(settings: Settings, value: object) -> Settings:
    """A path from the settings file's folder; kept as one from the working folder."""
    name = string(value, "it")
    if "\0" in name:
        raise UsageError("it is no path")
    path = str(Path(settings.file or "").parent / name) if name else ""
    return replace(settings, baseline=_from_file(settings, path))


def _ignored_findings(settings: Settings, value: object) -> Settings:
    if not isinstance(value, list):
        raise UsageError(f"it must be a list of tables, not {kind(value)}", "write [[ignore-finding]] above each")
    ignored = []
    for number, entry in enumerate(value, start=1):
        try:
            ignored.append(_ignored_finding(entry))
        except UsageError as error:
            problem = UsageError(f"entry {number}: {error.message}", error.remedy)
        else:
            continue
        raise problem
    return replace(settings, ignored_findings=_from_file(settings, tuple(ignored)))


def _ignored_finding(value: object) -> IgnoredFinding:
    entry = table(value)
    for key in entry:
        if key not in _OF_AN_IGNORED_FINDING:
            raise UsageError(f"there is no key {short(key)}", nearest(key, _OF_AN_IGNORED_FINDING, "keys"))
    texts = {}
    for key in ("rule", "object", "reason"):
        texts[key] = string(entry.get(key, ""), key).strip()
        if not texts[key]:
            raise UsageError(f"it has no {key}", "rule, object and reason are required, expires is not")
    expires = entry.get("expires")
    # A time of the day is a date to Python.
    if expires is not None and (not isinstance(expires, date) or isinstance(expires, datetime)):
        raise UsageError(f"expires must be a date, not {_kind_of_date(expires)}", "write expires = 2026-12-31")
    return IgnoredFinding(texts["rule"], texts["object"], texts["reason"], expires)


def _kind_of_date(value: object) -> str:
    return "a date with a time" if isinstance(value, datetime) else kind(value)


_READERS: Mapping[str, Callable[[Settings, object], Settings]] = {
    "select": _select,
    "ignore": _ignore,
    "severity": _severity,
    "fail-on": _fail_on,
    "tables": _tables,
    "flows": _flows,
    "expect": _expect,
    "baseline": _baseline,
    "ignore-finding": _ignored_findings,
}
