"""Which extensions a sandbox' server can create: its own, and stand-ins of ours for those it lacks.

A stand-in is a true extension, so that CREATE, ALTER and DROP EXTENSION, its schema and its membership are
PostgreSQL's own doing. From 18 on the server looks for them in a folder of ours (extension_control_path). Before, it
only looks into its share folder, which it finds relative to its program: there a copy of the program is started in a
tree of links to the installed one.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trigger_audit.resources import sql_folder
from trigger_audit.sandbox.binaries import as_account, server_environment

if TYPE_CHECKING:
    from trigger_audit.sandbox.binaries import Account, Binaries

# Of those that we have a stand-in for, the ones that are used as they are where the server has them. Others would act
# outside of the sandbox (http, dblink ...), or have scripts that nobody has read for what runs, as the superuser, in a
# schema full of a project's functions.
_REAL = frozenset({"pgcrypto", "plpgsql_check", "sslinfo", "uuid-ossp", "xml2"})
# What supautils lets postgres create, besides our stand-ins (privileged_extensions of supabase/postgres).
_PRIVILEGED = frozenset(
    "autoinc bloom btree_gin btree_gist citext cube dict_int dict_xsyn fuzzystrmatch hstore "
    "insert_username intarray isn ltree moddatetime pg_buffercache pg_prewarm pg_stat_statements pg_trgm "
    "pg_walinspect pgrowlocks pgstattuple refint seg tablefunc tcn tsm_system_rows tsm_system_time "
    "unaccent vector".split()
)
# Its objects belong to whoever creates it, on the platform too.
_OF_CREATOR = frozenset({"pgmq"})
_TRUSTED = re.compile(r"^\s*trusted\s*=", re.MULTILINE)


@functools.cache
def stand_ins() -> frozenset[str]:
    """The names of the extensions that we have a stand-in for."""
    return frozenset(path.stem for path in (sql_folder() / "extensions").glob("*.control"))


def stand_in_script(name: str) -> str:
    """The SQL script of the one version of a stand-in."""
    (path,) = (sql_folder() / "extensions").glob(f"{name}--*.sql")
    return path.read_text(encoding="utf-8")


def privileged(name: str, major: int) -> bool:
    """Whether CREATE EXTENSION of this name has the superuser's rights, on a server of this version.

    As on the platform, but that the script of earthdistance evaluates a literal of whatever type is called cube: only
    from 16 on it says which one.
    """
    if name == "earthdistance":
        return major >= 16
    return name in _PRIVILEGED or (name in stand_ins() and name not in _OF_CREATOR)


@dataclass(frozen=True, slots=True)
class Provided:
    """The program to start, and the settings to start it with."""

    program: Path
    settings: tuple[tuple[str, str], ...] = ()


def provide(binaries: Binaries, account: Account | None, target: Path) -> Provided:
    """Makes the stand-ins available to a server of these binaries; they are written below `target`, a new folder.

    Where the share folder of a server before 18 cannot be found, there are none.
    """
    target.mkdir(mode=0o755)
    target.chmod(0o755)
    program = binaries.folder / "postgres"
    share = _share_folder(binaries, account)
    own = share / "extension" if share is not None else None
    if binaries.major >= 18:
        _write(target / "extension", own, binaries.major)
        return Provided(program, (("extension_control_path", f"{target}:$system"),))
    if share is None:
        return Provided(program)
    return Provided(_mirror(program, share, target, binaries.major))


def _share_folder(binaries: Binaries, account: Account | None) -> Path | None:
    for near in ("share", "share/postgresql"):
        if (binaries.folder.parent / near / "postgres.bki").is_file():
            return binaries.folder.parent / near
    said = subprocess.run(
        [binaries.folder / "initdb", "--show", "-D", "/nonexistent"],
        capture_output=True,
        cwd="/",
        env=server_environment(),
        check=False,
        **as_account(account),
    )
    found = re.search(rb"^share_path=(.+)$", said.stdout + said.stderr, re.MULTILINE)
    share = Path(os.fsdecode(found[1])) if found else None
    return share if share is not None and (share / "extension").is_dir() else None


def _mirror(program: Path, share: Path, target: Path, major: int) -> Path:
    """A tree below `target` in which a copy of the program finds all that the real one finds, and the stand-ins."""
    top = Path(os.path.commonpath([program, share]))
    inner = {share / "extension", program.parent}
    inner |= {parent for folder in inner for parent in folder.parents if parent.is_relative_to(top)}
    for folder in sorted(inner):
        copy = target / folder.relative_to(top)
        copy.mkdir(mode=0o755, exist_ok=True)
        copy.chmod(0o755)
        if folder != share / "extension":
            _link((path for path in folder.iterdir() if path not in inner | {program}), copy)
    _write(target / share.relative_to(top) / "extension", share / "extension", major, complete=True)
    copied = target / program.relative_to(top)
    shutil.copy2(program, copied)
    copied.chmod(0o755)
    return copied


def _write(folder: Path, own: Path | None, major: int, *, complete: bool = False) -> None:
    """Fills the folder with the stand-ins that the server needs, and with those of its own that we change.

    Untrusted ones become trusted where the platform lets postgres create them: also a DO block may do it. `complete`:
    links to everything else that the server has come along.
    """
    folder.mkdir(mode=0o755, exist_ok=True)
    folder.chmod(0o755)
    files = list(own.iterdir()) if own is not None else []
    has = {path.stem for path in files if path.suffix == ".control"}
    ours = {name for name in stand_ins() if name not in has or name not in _REAL}
    for path in (sql_folder() / "extensions").iterdir():
        if _name(path) in ours:
            _copy(path.read_bytes(), folder / path.name)
    controls = {
        path.stem: path.read_text(encoding="utf-8")
        for path in files
        if path.suffix == ".control" and path.stem not in ours and privileged(path.stem, major)
    }
    changed = {name for name, control in controls.items() if _TRUSTED.search(control) is None}
    for name in changed:
        _copy(f"{controls[name]}\ntrusted = true\n".encode(), folder / f"{name}.control")
    for path in files:
        is_written = _name(path) in ours or (path.suffix == ".control" and path.stem in changed)
        if not is_written and (complete or _name(path) in changed):
            _link([path], folder)


def _name(path: Path) -> str:
    return path.stem.partition("--")[0]


def _copy(content: bytes, target: Path) -> None:
    target.write_bytes(content)
    target.chmod(0o644)


def _link(paths: Iterable[Path], folder: Path) -> None:
    for path in paths:
        (folder / path.name).symlink_to(path)
