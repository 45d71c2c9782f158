"""Which file holds the settings, and its table of ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.settings.keys import parsed
from trigger_audit.settings.model import Settings
from trigger_audit.settings.values import kind

OWN_FILE = "trigger-audit.toml"
_SHARED_FILE = "pyproject.toml"
_NAME = "trigger-audit"
_TABLE = f"[tool.{_NAME}]"
_MOST_BYTES = 1 << 20


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
        return parsed(table, _shown(file, folder), _TABLE)
    for place in (folder, *folder.parents):
        for name in (OWN_FILE, _SHARED_FILE):
            if _is_file(place / name):
                shown = _shown(place / name, folder)
                table = _read(place / name, shown)
                if table is not None:
                    return parsed(table, shown, _TABLE)
    return Settings()


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
        raise UsageError(f"{shown}: tool.{_NAME} must be a table, not {kind(table)}", f"write {_TABLE}")
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
