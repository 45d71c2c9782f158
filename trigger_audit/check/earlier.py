"""The migrations as they were at the merge base, under the names that they have now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trigger_audit.check.git import repository_of
from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.opening import SqlInput, sql_input
from trigger_audit.sandbox.config import enabled_flows, is_supabase_folder, supabase_folder
from trigger_audit.sandbox.project import NothingToApply

if TYPE_CHECKING:
    from trigger_audit.check.model import Base


@dataclass(frozen=True, slots=True)
class Earlier:
    """`sql` is None where there was nothing of it, or it cannot be read. `enabled` are the latent flows that the
    config.toml of then enables, None where that was not asked for.
    """

    base: Base
    sql: SqlInput | None
    enabled: frozenset[str] | None = None


def earlier_state(paths: Sequence[Path | str], ref: str, *, enabled: bool, note: Callable[[str], None]) -> Earlier:
    """What the same files and folders were. `note` is told why there is nothing to compare with.

    UsageError where git knows no such base, TriggerAuditError where it cannot read its store.
    """
    named = [Path(path) for path in paths if path != "-"]
    if len(named) < len(paths):
        raise UsageError("--base: standard input has no history", "name the files or the folder of the migrations")
    repository = repository_of(named)
    places = [repository.place(path) for path in named]
    base = repository.base(ref)
    read: list[SqlInput] = []
    flows: set[str] = set()
    with repository.at(base.commit, places) as tree:
        for path, place in zip(named, places, strict=True):
            copy, now = tree / place, path
            moved = None if copy.exists() else _moved(tree, repository.top, path)
            if moved is not None:
                note(f"note: at the base the project was at {moved.relative_to(tree)}")
                copy, now = moved, supabase_folder(path) or path
            if not copy.exists():
                continue
            found = enabled_flows(copy) if enabled and copy.is_dir() else None
            flows.update(found.flows if found else ())
            try:
                read.append(_named_as(sql_input((copy,)), copy, now))
            except NothingToApply:
                continue
            except TriggerAuditError as error:
                said = error.message.replace(f"{tree}/", "")
                note(f"note: the base cannot be read, so that all counts: {said}")
                return Earlier(base, None)
    if not read:
        note(f"note: there were no migrations at {base.commit[:12]}, so that all counts")
        return Earlier(base, None)
    sql = SqlInput(tuple(file for each in read for file in each.files))
    return Earlier(base, sql, frozenset(flows) if enabled else None)


def _moved(tree: Path, top: Path, path: Path) -> Path | None:
    """The one supabase folder of the tree that is not there any more, where the path is a project."""
    if not path.is_dir() or supabase_folder(path) is None:
        return None
    gone = [
        folder
        for folder in tree.rglob("supabase")
        if is_supabase_folder(folder) and not is_supabase_folder(top / folder.relative_to(tree))
    ]
    return gone[0] if len(gone) == 1 else None


def _named_as(sql: SqlInput, copy: Path, now: Path) -> SqlInput:
    """The copy's files under the names that they have where they come from."""
    files = (replace(file, path=str(now / Path(file.path).relative_to(copy))) for file in sql.files)
    return SqlInput(tuple(files))
