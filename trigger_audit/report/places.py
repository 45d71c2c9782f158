"""Paths as a code host wants them: from the top of the repository, with slashes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import quote


def in_repository(file: str) -> str | None:
    """The path from the top of the repository that the working folder is in (from the working folder without one).

    None for what is outside, and for what is no file. `file` is as the user named it.
    """
    if file in ("", "-") or "\0" in file:
        return None
    folder = Path.cwd()
    top = _top(folder)
    # Not resolved: a code host knows a link by its own name.
    path = _without_dots(folder / file)
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else None


@cache
def _top(folder: Path) -> Path:
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), folder)


def as_uri(path: str) -> str:
    """A relative reference, percent-encoded; what no encoding takes (a lone surrogate) as the bytes it stands for."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/-._~")


def _without_dots(path: Path) -> Path:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and len(parts) > 1:
            parts.pop()
        elif part != "..":
            parts.append(part)
    return Path(*parts)
