"""The baseline's file: JSON with a schema of its own, one entry a fault, sorted, to be committed and reviewed."""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
from pathlib import Path
from typing import Any

from trigger_audit.errors import TriggerAuditError
from trigger_audit.findings.baseline import Baseline, Entry, of_entries
from trigger_audit.findings.model import Severity

SCHEMA = "trigger-audit/baseline/1"
_NAME, _, _VERSION = SCHEMA.rpartition("/")
_MOST_BYTES = 64 << 20
_MAKE_IT = "--write-baseline makes one"
_ANOTHER = "name another file, which --write-baseline makes"


def read_baseline(path: Path) -> Baseline:
    """The entries of a file. Raises TriggerAuditError, naming it, for what is none, is broken or cannot be read."""
    shown = f"the baseline {str(path)!r}"
    raw = _read(path, shown)
    try:
        document = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problem = f"{shown} is not UTF-8: byte 0x{raw[error.start]:02x} in line {line}"
    except json.JSONDecodeError as error:
        problem = f"{shown} is no JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError):  # a number of thousands of digits, a list in a list in a list ...
        problem = f"{shown} cannot be read as JSON: a value in it is too large or too deep"
    else:
        _check_schema(document, shown)
        return of_entries(_entries(document, shown))
    raise TriggerAuditError(problem, "correct it, or remove it and write it anew")


def written(baseline: Baseline) -> str:
    """The file's text: ASCII only, so that what a reviewer sees is what it says."""
    entries = [
        {
            "rule": entry.rule,
            "severity": entry.severity.value,
            "object": entry.object,
            "message": entry.message,
            "count": entry.count,
            "fingerprint": entry.fingerprint,
        }
        for entry in baseline.entries
    ]
    return json.dumps({"schema": SCHEMA, "findings": entries}, indent=2) + "\n"


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write the file as a whole or not at all. Raises TriggerAuditError where that is not possible."""
    # Through a link, for the file that it names is the one that is read.
    target = Path(os.path.realpath(path))
    temporary: str | None = None
    try:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(descriptor, "w", encoding="ascii", newline="\n") as file:
            file.write(written(baseline))
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        os.replace(temporary, target)
    except OSError as error:
        problem = TriggerAuditError(f"the baseline {str(path)!r} cannot be written: {error.strerror}")
    else:
        return
    if temporary is not None:
        Path(temporary).unlink(missing_ok=True)
    raise problem


def check_writable(path: Path) -> None:
    """Raises TriggerAuditError where a file cannot be written: to be asked before the work, not after it."""
    shown = f"the baseline {str(path)!r}"
    try:
        kind = "" if not path.exists() or path.is_file() else "a folder" if path.is_dir() else "no file"
        folder = Path(os.path.realpath(path)).parent
        has_folder = folder.is_dir()
    except (OSError, ValueError) as error:
        problem = TriggerAuditError(f"{shown} cannot be written: {getattr(error, 'strerror', None) or error}")
    else:
        if kind:
            raise TriggerAuditError(f"{shown} is {kind}")
        if not has_folder:
            raise TriggerAuditError(f"the folder of {shown} does not exist")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise TriggerAuditError(f"{shown} cannot be written: its folder is closed to us")
        return
    raise problem


def _read(path: Path, shown: str) -> bytes:
    try:
        if path.is_dir():
            raise TriggerAuditError(f"{shown} is a folder")
        if not path.exists():
            raise TriggerAuditError(f"{shown} does not exist", _MAKE_IT)
        if not path.is_file():
            raise TriggerAuditError(f"{shown} is no file")
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        problem = TriggerAuditError(f"{shown} cannot be read: {getattr(error, 'strerror', None) or error}")
    else:
        if len(raw) <= _MOST_BYTES:
            return raw
        problem = TriggerAuditError(f"{shown} is larger than a baseline can be ({_MOST_BYTES >> 20} MiB)")
    raise problem


def _check_schema(document: object, shown: str) -> None:
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema == SCHEMA:
        return
    schema = schema if isinstance(schema, str) else ""
    name, _, version = schema.rpartition("/")
    if name == _NAME and re.fullmatch(r"[1-9]\d{0,9}", version):
        raise TriggerAuditError(
            f"{shown} was written by a newer trigger-audit: version {version}, and this one reads {_VERSION}"
        )
    if name.startswith("trigger-audit/") and name != _NAME:
        raise TriggerAuditError(f"{shown} is no baseline, but a report ({schema[:60]!r})", _ANOTHER)
    raise TriggerAuditError(f"{shown} is no baseline of trigger-audit: its schema is not {SCHEMA}", _ANOTHER)


def _entries(document: dict[str, Any], shown: str) -> list[Entry]:
    listed = document.get("findings")
    if not isinstance(listed, list):
        raise TriggerAuditError(f"{shown} is broken: findings is no list")
    return [_entry(each, f"{shown} is broken: finding {number}") for number, each in enumerate(listed, start=1)]


def _entry(value: object, where: str) -> Entry:
    """One entry. Keys that are not known are passed over: a later version may add some."""
    if not isinstance(value, dict):
        raise TriggerAuditError(f"{where} is no object")
    texts = {}
    for key in ("rule", "severity", "object", "message", "fingerprint"):
        text = value.get(key)
        if not isinstance(text, str):
            raise TriggerAuditError(f"{where} has no {key}")
        texts[key] = text
    count = value.get("count")
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 1_000_000:
        raise TriggerAuditError(f"{where} has no count from 1 on")
    if texts["severity"] not in list(Severity):
        raise TriggerAuditError(f"{where} has no severity that is one of {', '.join(Severity)}")
    return Entry(
        texts["rule"],
        Severity(texts["severity"]),
        texts["object"],
        texts["message"],
        count,
        texts["fingerprint"],
    )


def _umask() -> int:
    """The process' mask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
