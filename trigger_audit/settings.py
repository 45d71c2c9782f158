"""The settings of a project: one file, with what options say instead, and where each value comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.findings.model import Severity
from trigger_audit.smoke.model import Expectation

if TYPE_CHECKING:
    from trigger_audit.rules.base import Rule

OWN_FILE = "trigger-audit.toml"
_SHARED_FILE = "pyproject.toml"
_NAME = "trigger-audit"
_TABLE = f"[tool.{_NAME}]"
_MOST_BYTES = 1 << 20
_DEFAULT = "default"

SCAN_FAILS_ON = ("error", "warning", "info", "never")
SMOKE_FAILS_ON = ("fail", "altered", "never")
_SQLSTATE = re.compile(r"[0-9A-Z]{5}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """A value and where it comes from: a file, an option, or `default`. `in_file`: an error must name the file."""

    value: T
    source: str = _DEFAULT
    in_file: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """`flows` are the latent ones that the project has enabled, None where nobody says; `severity` goes by code,
    prefix or name of a rule, `expect` by flow. `file` is the one that was read.
    """

    select: Setting[tuple[str, ...]] = Setting(())
    ignore: Setting[tuple[str, ...]] = Setting(())
    severity: Setting[Mapping[str, Severity]] = field(default_factory=lambda: Setting({}))
    scan_fails_on: Setting[str] = Setting("error")
    smoke_fails_on: Setting[str] = Setting("altered")
    tables: Setting[tuple[str, ...]] = Setting(())
    flows: Setting[tuple[str, ...] | None] = Setting(None)
    expect: Setting[Mapping[str, Expectation]] = field(default_factory=lambda: Setting({}))
    file: str | None = None


def load_settings(folder: Path, file: Path | None = None) -> Settings:
    """The settings of `file`, or of the nearest file upward from `folder`; the defaults where there is none.

    In one folder trigger-audit.toml goes before pyproject.toml, and a pyproject.toml without our table is passed over.
    Files are not merged. Raises UsageError, naming the file, for an unknown key, a value that none can be, and TOML
    that is broken; TriggerAuditError where a file cannot be read.
    """
    if file is not None:
        table = _read(file, _shown(file, folder))
        if table is None:
            raise UsageError(f"{_shown(file, folder)} has no table {_TABLE}")
        return _parsed(table, _shown(file, folder))
    for place in (folder, *folder.parents):
        for name in (OWN_FILE, _SHARED_FILE):
            if _is_file(place / name):
                shown = _shown(place / name, folder)
                table = _read(place / name, shown)
                if table is not None:
                    return _parsed(table, shown)
    return Settings()


def with_options(
    settings: Settings,
    *,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    tables: tuple[str, ...] = (),
    scan_fails_on: str | None = None,
    smoke_fails_on: str | None = None,
) -> Settings:
    """An option stands instead of the file's value. --select sets aside both `select` and `ignore` of the file, or a
    rule that is asked for by name might be left out by what is written far away.
    """
    if select:
        settings = replace(settings, select=Setting(select, "--select"), ignore=Setting((), "set aside by --select"))
    if ignore:
        settings = replace(settings, ignore=Setting(ignore, "--ignore"))
    if tables:
        settings = replace(settings, tables=Setting(tables, "--table"))
    if scan_fails_on is not None:
        settings = replace(settings, scan_fails_on=Setting(scan_fails_on, "--fail-on"))
    if smoke_fails_on is not None:
        settings = replace(settings, smoke_fails_on=Setting(smoke_fails_on, "--fail-on"))
    return settings


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


def settings_lines(settings: Settings) -> str:
    """Each setting as it could stand in a file, and where it comes from."""
    enabled = settings.flows.value or ()
    rows: tuple[tuple[str, str, Setting[object]], ...] = (
        ("select", _array(settings.select.value), _any(settings.select)),
        ("ignore", _array(settings.ignore.value), _any(settings.ignore)),
        ("severity", _inline(settings.severity.value), _any(settings.severity)),
        ("fail-on.scan", _quoted(settings.scan_fails_on.value), _any(settings.scan_fails_on)),
        ("fail-on.smoke", _quoted(settings.smoke_fails_on.value), _any(settings.smoke_fails_on)),
        ("tables", _array(settings.tables.value), _any(settings.tables)),
        ("flows", _array(enabled), _any(settings.flows)),
        ("expect", _inline(settings.expect.value), _any(settings.expect)),
    )
    left = [f"{key} = {value}" for key, value, _ in rows]
    width = min(60, max(map(len, left)))
    return "".join(f"{text.ljust(width)}  # {row[2].source}\n" for text, row in zip(left, rows, strict=True))


def _any(setting: Setting[T]) -> Setting[object]:
    return Setting(setting.value, setting.source, setting.in_file)


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)


def _array(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, values))}]"


def _inline(table: Mapping[str, object]) -> str:
    if not table:
        return "{}"
    pairs = (f"{key if re.fullmatch('[A-Za-z0-9_-]+', key) else _quoted(key)} = {_quoted(str(value))}"
             for key, value in table.items())  # fmt: skip
    return f"{{ {', '.join(pairs)} }}"


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


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # in a folder that is closed to us
        return False


def _shown(file: Path, folder: Path) -> str:
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)


def _read(file: Path, shown: str) -> Mapping[str, object] | None:
    """The table with our keys, None for a pyproject.toml without one."""
    is_shared = file.name == _SHARED_FILE
    try:
        with file.open("rb") as stream:
            raw = stream.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TriggerAuditError(f"the settings file {shown} cannot be read: {reason}") from None
    if is_shared and _NAME.encode() not in raw:
        # Whatever else is in it is not ours to judge.
        return None
    if len(raw) > _MOST_BYTES:
        raise UsageError(f"{shown} is larger than a settings file can be ({_MOST_BYTES >> 20} MiB)")
    document = _toml(raw, shown)
    if not is_shared:
        return document
    tools = document.get("tool")
    if not isinstance(tools, dict) or _NAME not in tools:
        return None
    table = tools[_NAME]
    if not isinstance(table, dict):
        raise UsageError(f"{shown}: tool.{_NAME} must be a table, not {_kind(table)}", f"write {_TABLE}")
    return table


def _toml(raw: bytes, shown: str) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problem = f"{shown} is not UTF-8: byte 0x{raw[error.start]:02x} in line {line}"
    except tomllib.TOMLDecodeError as error:
        problem = f"{shown} is no TOML: {error}"
    except (ValueError, RecursionError):  # a number of thousands of digits, a list in a list in a list ...
        problem = f"{shown} cannot be read as TOML: a value in it is too large or too deep"
    raise UsageError(problem)


def _parsed(table: Mapping[str, object], shown: str) -> Settings:
    settings = Settings(file=shown)
    for key, value in table.items():
        read = _READERS.get(key)
        if read is None:
            raise _unknown_key(key, shown)
        try:
            settings = read(settings, value)
        except UsageError as error:
            problem = UsageError(f"{shown}: {key}: {error.message}", error.remedy)
        else:
            continue
        raise problem
    return settings


def _unknown_key(key: str, shown: str) -> UsageError:
    if key == "tool":
        return UsageError(f"{shown}: there is no setting 'tool'", f"the keys stand at the top there, without {_TABLE}")
    return UsageError(f"{shown}: there is no setting {_short(key)}", _nearest(key, _READERS, "settings"))


def _nearest(name: str, known: Iterable[str], what: str) -> str:
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(name[:100].lower().replace("_", "-"), names, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"the {what} are {', '.join(names)}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}...")


def _kind(value: object) -> str:
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "a table"}
    return kinds.get(type(value), "a date or time")


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise UsageError(f"it must be a list of strings, not {_kind(value)}")
    for entry in value:
        if not isinstance(entry, str):
            raise UsageError(f"it must be a list of strings, and one of them is {_kind(entry)}")
        if not entry.strip():
            raise UsageError("a string in it is empty")
    return tuple(dict.fromkeys(entry.strip() for entry in value))


def _string(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{what} must be a string, not {_kind(value)}")
    return value


def _table(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise UsageError(f"it must be a table, not {_kind(value)}")
    return value


def _from_file(settings: Settings, value: T) -> Setting[T]:
    return Setting(value, settings.file or "", in_file=True)


def _select(settings: Settings, value: object) -> Settings:
    codes = _strings(value)
    if not codes:
        raise UsageError("it is empty", "leave it out to have all rules")
    return replace(settings, select=_from_file(settings, codes))


def _ignore(settings: Settings, value: object) -> Settings:
    return replace(settings, ignore=_from_file(settings, _strings(value)))


def _tables(settings: Settings, value: object) -> Settings:
    return replace(settings, tables=_from_file(settings, _strings(value)))


def _severity(settings: Settings, value: object) -> Settings:
    severities: dict[str, Severity] = {}
    for code, name in _table(value).items():
        if _string(name, code) == "off":
            raise UsageError(f"{_short(code)} cannot be off", f"ignore = [{_quoted(code)}] leaves a rule out")
        severities[code] = Severity(_one_of(_string(name, code), tuple(severity.value for severity in Severity)))
    return replace(settings, severity=_from_file(settings, severities))


def _one_of(value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise UsageError(f"{_short(value)} is none of {', '.join(known)}")
    return value


def _fail_on(settings: Settings, value: object) -> Settings:
    """A string is scan's, and `never` both commands'; a table names the command."""
    if isinstance(value, str):
        if value in SMOKE_FAILS_ON and value not in SCAN_FAILS_ON:
            raise UsageError(f"{value!r} is of smoke alone", f'write fail-on = {{ smoke = "{value}" }}')
        both = {"scan": value, "smoke": value} if value == "never" else {"scan": value}
    elif isinstance(value, dict):
        both = {command: _string(level, command) for command, level in value.items()}
    else:
        raise UsageError(f"it must be a string or a table, not {_kind(value)}")
    for command, level in both.items():
        if command == "scan":
            settings = replace(settings, scan_fails_on=_from_file(settings, _one_of(level, SCAN_FAILS_ON)))
        elif command == "smoke":
            settings = replace(settings, smoke_fails_on=_from_file(settings, _one_of(level, SMOKE_FAILS_ON)))
        else:
            raise UsageError(f"there is no command {_short(command)} with it", "the commands are scan, smoke")
    return settings


def _flows(settings: Settings, value: object) -> Settings:
    from trigger_audit.auth import FLOWS

    latent = [flow.name for flow in FLOWS if flow.latent]
    for name in _strings(value):
        _known_flow(name)
        if name not in latent:
            raise UsageError(f"{name!r} counts anyway", f"what can be enabled is {', '.join(latent)}")
    return replace(settings, flows=_from_file(settings, _strings(value)))


def _known_flow(name: str) -> None:
    from trigger_audit.auth import FLOWS

    known = [flow.name for flow in FLOWS]
    if name not in known:
        raise UsageError(f"there is no flow {_short(name)}", _nearest(name, known, "flows"))


def _expect(settings: Settings, value: object) -> Settings:
    expected: dict[str, Expectation] = {}
    for flow, text in _table(value).items():
        _known_flow(flow)
        outcome, colon, state = _string(text, flow).partition(":")
        if outcome != "fail" or (colon and not _SQLSTATE.fullmatch(state)):
            raise UsageError(f"{flow}: {_short(str(text))} is no expectation", 'write "fail", or "fail:P0001"')
        expected[flow] = Expectation(state or None)
    return replace(settings, expect=_from_file(settings, expected))


_READERS: Mapping[str, Callable[[Settings, object], Settings]] = {
    "select": _select,
    "ignore": _ignore,
    "severity": _severity,
    "fail-on": _fail_on,
    "tables": _tables,
    "flows": _flows,
    "expect": _expect,
}
