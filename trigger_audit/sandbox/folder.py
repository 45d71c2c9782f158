"""The folder of one sandbox among the temporary files: made, held while its owner lives, removed, swept after a crash.

The owner holds a lock on the folder's `owner` file as long as its process lives; the kernel releases it however
the process ends. A folder whose lock is free belongs to nobody and may go, with the server that still runs in it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trigger_audit.errors import TriggerAuditError

if TYPE_CHECKING:
    import psutil

_PREFIX = "trigger-audit-"
_NAME = re.compile(r"trigger-audit-(\d+)-\w+")
# sun_path holds 104 bytes on BSD and macOS, 108 on Linux, the closing zero included.
_SOCKET_PATH_BYTES = 103
# Between making the folder and locking it a living owner has no lock yet.
_GRACE_SECONDS = 60.0
_MEMORY = Path("/dev/shm")
_MEMORY_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of one sandbox; `lock` is the descriptor of the held file."""

    path: Path
    lock: int

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def socket(self) -> Path:
        return self.path / "socket"

    @property
    def log(self) -> Path:
        return self.path / "log"

    def remove(self) -> None:
        """Takes the folder and everything in it away."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(self.lock)


def temporary_folders() -> tuple[Path, ...]:
    """Where sandboxes may lie, the best first.

    Copying a data directory of a thousand files costs 0.06 s in memory and up to a second on a busy disk; so memory
    comes first where it has room, unless TMPDIR says otherwise. /tmp comes last, for a temporary folder whose path is
    too long for a socket.
    """
    given = Path(tempfile.gettempdir()).resolve()
    places = [given, Path("/tmp").resolve()]
    if "TMPDIR" not in os.environ:
        places.insert(0, _MEMORY)
    return tuple(dict.fromkeys(place for place in places if place.is_dir()))


def _has_room(place: Path) -> bool:
    """Memory is taken only where a sandbox cannot fill it, and where copied binaries may run."""
    if place != _MEMORY:
        return True
    try:
        seen = os.statvfs(place)
    except OSError:
        return False
    return seen.f_bavail * seen.f_frsize >= _MEMORY_BYTES and not seen.f_flag & os.ST_NOEXEC


def make_folder(traversable: bool) -> Folder:
    """A new, locked folder. `traversable`: other accounts may pass through it (the server runs as another one)."""
    for parent in temporary_folders():
        sample = parent / f"{_PREFIX}{os.getpid()}-12345678" / "socket" / ".s.PGSQL.5432"
        if len(os.fsencode(sample)) > _SOCKET_PATH_BYTES or not _has_room(parent):
            continue
        if traversable and not _open_to_all(parent):
            continue
        try:
            path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
        except OSError:
            continue
        if traversable:
            path.chmod(0o711)
        lock = os.open(path / "owner", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return Folder(path, lock)
    places = ", ".join(str(parent) for parent in temporary_folders())
    raise TriggerAuditError(
        f"no folder for a sandbox can be made in {places}", "set TMPDIR to a writable folder with a short path"
    )


def _open_to_all(folder: Path) -> bool:
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents))


def sweep() -> tuple[Path, ...]:
    """Removes the folders, and stops the servers, of sandboxes whose owner died. Returns what was removed."""
    removed = []
    for parent in temporary_folders():
        try:
            entries = list(os.scandir(parent))
        except OSError:
            continue
        for entry in entries:
            found = _NAME.fullmatch(entry.name)
            if found and entry.is_dir(follow_symlinks=False) and _sweep_one(Path(entry.path), int(found[1])):
                removed.append(Path(entry.path))
    return tuple(removed)


def _sweep_one(path: Path, owner: int) -> bool:
    try:
        seen = path.stat(follow_symlinks=False)
    except OSError:
        return False
    # Another user's folder of that name is none of ours, whatever it holds.
    if seen.st_uid != os.geteuid():
        return False
    young = time.time() - seen.st_ctime < _GRACE_SECONDS
    try:
        lock = os.open(path / "owner", os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        if young:
            return False
        lock = -1
    except OSError:
        return False
    try:
        if lock >= 0:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
            if young and _lives(owner):
                return False
        end_servers(path / "data")
        shutil.rmtree(path, ignore_errors=True)
        return not path.exists()
    finally:
        if lock >= 0:
            os.close(lock)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end_servers(data: Path) -> None:
    """Ends every process that was started for this data directory, and nothing else.

    The directory's random name in the process' own arguments is the proof that it is ours; a process number from
    postmaster.pid alone may belong to another program by now. psutil compares the start time before it sends a signal.
    """
    import psutil

    ours = [process for process in psutil.process_iter() if _serves(process, data)]
    for process in ours:
        with contextlib.suppress(psutil.Error):
            # SIGQUIT is the immediate shutdown: the postmaster ends its children and removes shared memory.
            process.send_signal(3)
    _, alive = psutil.wait_procs(ours, timeout=5)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


def _serves(process: psutil.Process, data: Path) -> bool:
    import psutil

    try:
        arguments = process.cmdline()
    except psutil.Error:
        return False
    return bool(arguments) and Path(arguments[0]).name in ("postgres", "initdb") and str(data) in arguments
