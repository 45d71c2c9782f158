"""Bootstrapped data directories, kept in the user's cache folder and copied for each sandbox."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

_UNUSED_DAYS = 30


def store_folder() -> Path:
    """Where prepared data directories lie."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("trigger-audit")) / "sandbox"


def obstacle(folder: Path) -> str | None:
    """Why nothing is kept in this folder or taken from it, or None; the folder is made where it may be.

    What lies there is started as a server, so a folder that another account can write could run that account's code
    as ours. A home or cache folder that is not there (HOME=/nonexistent) is left so, even where we might make it.
    """
    base = folder.parent
    try:
        if not base.parent.parent.is_dir():
            return f"there is no folder {base.parent.parent}"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        seen = folder.stat()
    except OSError as error:
        return f"{folder}: {error.strerror or error}"
    if seen.st_uid != os.geteuid():
        return f"{folder} belongs to another account"
    if stat.S_IMODE(seen.st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
        return f"other accounts may write {folder}"
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return f"{folder} cannot be written"
    return None


def entry_path(fingerprint: str, bootstrap_hash: str) -> Path:
    """The place of the data directory for these binaries and this bootstrap."""
    binaries = hashlib.sha256(fingerprint.encode()).hexdigest()[:12]
    version = fingerprint.partition("-")[0]
    return store_folder() / f"{version}-{binaries}-{bootstrap_hash}"


def fetch(entry: Path, target: Path) -> bool:
    """Copies a prepared data directory to `target`; False, with nothing left there, where there is none to be had."""
    if not (entry / "PG_VERSION").is_file():
        return False
    try:
        shutil.copytree(entry, target, symlinks=True)
        os.utime(entry)
    except (OSError, shutil.Error):
        shutil.rmtree(target, ignore_errors=True)
        return False
    return True


def keep(data: Path, entry: Path) -> bool:
    """Stores a copy of a stopped server's data directory. False where that fails, for example on a full disk.

    The copy is made beside its place and renamed, so that nobody ever sees half of it; of several processes that
    come at the same time one wins, and the others' copies go.
    """
    try:
        _drop_unused(entry.parent)
        beside = Path(tempfile.mkdtemp(prefix=".new-", dir=entry.parent))
    except OSError:
        return False
    try:
        copy = beside / "data"
        shutil.copytree(data, copy, symlinks=True)
        if os.geteuid() == 0:
            own(copy, 0, 0)
        copy.rename(entry)
    except (OSError, shutil.Error):
        return entry.is_dir()
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return True


def drop(entry: Path) -> None:
    """Takes a data directory out of the store."""
    shutil.rmtree(entry, ignore_errors=True)


def own(tree: Path, uid: int, gid: int) -> None:
    """Gives a folder and all in it to an account."""
    os.chown(tree, uid, gid)
    for parent, folders, files in os.walk(tree):
        for name in (*folders, *files):
            os.chown(os.path.join(parent, name), uid, gid, follow_symlinks=False)


def _drop_unused(folder: Path) -> None:
    limit = time.time() - _UNUSED_DAYS * 86400
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < limit:
                shutil.rmtree(path, ignore_errors=True)
