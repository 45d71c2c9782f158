"""Which SQL files make up a project, and in which order they are applied."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from trigger_audit.errors import TriggerAuditError
from trigger_audit.sandbox.config import read_config, supabase_folder, table

# The Supabase CLI takes digits_name.sql only; hosted builders write digits-uuid.sql, and mean them to be applied.
_MIGRATION = re.compile(r"\d+[-_].*\.sql", re.ASCII | re.DOTALL)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A data dump as a seed can be large; what never ends (a device, a pipe) must not fill the memory.
_MOST_BYTES = 256 << 20
_CHUNK_BYTES = 1 << 20


class NothingToApply(TriggerAuditError):
    """There is no SQL file in a folder."""


@dataclass(frozen=True, slots=True)
class SqlFile:
    """One file's name as the user knows it, and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """The files to apply, in order; `skipped` holds (path, reason) of the SQL files that are not applied."""

    root: Path
    files: tuple[SqlFile, ...]
    skipped: tuple[tuple[str, str], ...]


def project_files(path: Path) -> ProjectFiles:
    """The SQL of a project folder, of its supabase/ folder, or of a folder of migrations or loose SQL files.

    Raises NothingToApply where there is no SQL file, and TriggerAuditError where one is no UTF-8 text.
    """
    if not path.is_dir():
        raise TriggerAuditError(f"{path} is no folder")
    root = supabase_folder(path)
    if root is None:
        chosen, skipped = _folder(path)
        return _read(path, chosen, skipped)
    skipped = []
    chosen = [file for file in (root / "roles.sql",) if file.is_file()]
    if (root / "migrations").is_dir():
        migrations, skipped = _migrations(root / "migrations")
        chosen += migrations
    chosen += _seeds(root, skipped)
    return _read(root, chosen, skipped)


def read_sql_file(path: Path) -> SqlFile:
    """One file's text: UTF-8, with or without a byte order mark, any line ends.

    Raises TriggerAuditError, naming the file and the byte, for anything else, and for more than 256 MiB.
    """
    try:
        with path.open("rb") as stream:
            return SqlFile(str(path), _sql_text(stream, str(path)))
    except OSError as error:
        raise TriggerAuditError(f"{path} cannot be read: {error.strerror or error}") from error


def read_standard_input() -> SqlFile:
    """The same from standard input, under the name `-`."""
    # None where it was closed before the start.
    if sys.stdin is None:
        raise TriggerAuditError("standard input is closed")
    try:
        return SqlFile("-", _sql_text(sys.stdin.buffer, "standard input"))
    except OSError as error:
        raise TriggerAuditError(f"standard input cannot be read: {error.strerror or error}") from error


def _sql_text(stream: BinaryIO, name: str) -> str:
    raw = bytearray()
    while chunk := stream.read(_CHUNK_BYTES):
        raw += chunk
        if b"\0" in chunk:
            line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
            # UTF-16 begins with a byte order mark, and that says more than the zeros behind it.
            if not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise TriggerAuditError(f"{name} is not SQL text: byte 0x00 in line {line}", "save the file as UTF-8")
        if len(raw) > _MOST_BYTES:
            raise TriggerAuditError(
                f"{name} is larger than {_MOST_BYTES >> 20} MiB",
                "is it the right file? Data that no trigger needs can be left out",
            )
    if raw.startswith(_BYTE_ORDER_MARK):
        del raw[: len(_BYTE_ORDER_MARK)]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TriggerAuditError(
            f"{name} is not UTF-8: byte 0x{raw[error.start]:02x} in line {line} (offset {error.start})",
            "save the file as UTF-8",
        ) from None
    return text


def has_sql_suffix(path: Path) -> bool:
    """Whether the name ends in .sql, in whatever case."""
    return path.suffix.lower() == ".sql"


def _sql_files(folder: Path) -> list[Path]:
    return sorted(
        (file for file in folder.iterdir() if has_sql_suffix(file) and file.is_file() and file.name[0] != "."),
        key=lambda file: file.name,
    )


def _folder(folder: Path) -> tuple[list[Path], list[tuple[str, str]]]:
    if any(_MIGRATION.fullmatch(file.name) for file in _sql_files(folder)):
        return _migrations(folder)
    return _sql_files(folder), []


def _migrations(folder: Path) -> tuple[list[Path], list[tuple[str, str]]]:
    chosen = []
    skipped = []
    for file in _sql_files(folder):
        if _MIGRATION.fullmatch(file.name):
            chosen.append(file)
        else:
            skipped.append((str(file), "the Supabase CLI does not apply it: its name is not digits_name.sql"))
    return chosen, skipped


def _seeds(root: Path, skipped: list[tuple[str, str]]) -> list[Path]:
    """The files of [db.seed] in config.toml: seed.sql unless it says otherwise."""
    config = read_config(root)
    settings = {} if config is None else table(table(config.tables, "db"), "seed")
    if config is not None and config.problem is not None:
        skipped.append((str(config.file), f"{config.problem}, so only seed.sql counts as a seed"))
    patterns = settings.get("sql_paths", ["./seed.sql"])
    if settings.get("enabled", True) is False or not isinstance(patterns, list):
        return []
    found: dict[Path, None] = {}
    for pattern in patterns:
        relative = str(pattern).removeprefix("./")
        try:
            matching = sorted(root.glob(relative))
        except (ValueError, NotImplementedError):
            skipped.append((str(pattern), "a seed outside of the project is not applied"))
            continue
        found |= dict.fromkeys(file for file in matching if file.is_file())
    return list(found)


def _read(root: Path, chosen: list[Path], skipped: list[tuple[str, str]]) -> ProjectFiles:
    if not chosen:
        raise NothingToApply(
            f"{root} holds no SQL file to apply",
            "name a project folder with supabase/migrations, or a folder of .sql files",
        )
    return ProjectFiles(root, tuple(read_sql_file(file) for file in chosen), tuple(skipped))
