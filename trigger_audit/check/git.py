"""What the migrations were at the merge base with another revision, out of git's own store: no file is checked out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from trigger_audit.check.model import Base
from trigger_audit.errors import TriggerAuditError, UsageError

_REGULAR, _LINK = ("100644", "100755"), "120000"
# git sets these for its hooks, relative to another folder than the one that it is asked about here.
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
_MOST_ELSEWHERE = 64 << 20
# What makes up a project's database; everything else of the repository stays where it is.
_WANTED = (".sql", "config.toml")


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository around the paths that were given: `top` is the folder of its working tree."""

    top: Path

    def base(self, ref: str) -> Base:
        """The merge base of a revision and HEAD. UsageError where git knows none, with what helps."""
        if not ref.strip():
            raise UsageError("--base is empty", "is the variable that it comes from set?")
        named, head = self._hash(ref), self._hash("HEAD")
        if not head:
            raise UsageError(f"--base: the repository at {self.top} has no commit yet")
        if not named:
            raise self._unknown(ref)
        done = self._git("merge-base", named, head)
        commit = done.stdout.decode().strip()
        if done.returncode or not commit:
            raise UsageError(f"--base: {ref} and HEAD have no common commit", self._deepen())
        return Base(ref, commit)

    @contextmanager
    def at(self, commit: str, places: Sequence[Path]) -> Iterator[Path]:
        """A folder with the SQL files and every config.toml of the tree of a commit, for as long as the context lasts.

        Those below the places, and of the others up to 64 MiB: seeds and links lead to them. Symbolic links are there
        where they lead to a file or folder of the tree. Raises TriggerAuditError where git cannot read its store, or
        a path of the tree leads out of it.
        """
        with TemporaryDirectory(prefix="trigger-audit-base-") as name:
            folder = Path(name).resolve()
            self._copy(commit, folder, places)
            yield folder

    def place(self, path: Path) -> Path:
        """Where a path is in the tree. UsageError for one that is outside, behind a link for instance."""
        try:
            return path.resolve().relative_to(self.top)
        except ValueError:
            raise UsageError(f"--base: {path} leads out of the git repository at {self.top}") from None

    def _copy(self, commit: str, folder: Path, places: Sequence[Path]) -> None:
        listed = self._read("ls-tree", "-r", "-z", "--long", "--full-tree", commit)
        files: dict[str, bytes] = {}
        links: dict[str, bytes] = {}
        left = _MOST_ELSEWHERE
        for entry in listed.split(b"\0")[:-1]:
            about, _, path = entry.partition(b"\t")
            mode, _, blob, size = about.decode().split()
            text = path.decode("utf-8", "surrogateescape")
            if mode == _LINK:
                links[_inside(text)] = blob.encode()
            elif mode in _REGULAR and text.lower().endswith(_WANTED):
                if not any(Path(text).is_relative_to(place) for place in places):
                    left -= int(size)
                    if left < 0:
                        continue
                files[_inside(text)] = blob.encode()
        for text, content in zip(files, self._contents(files, commit), strict=True):
            copy = folder / text
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
        for text, content in zip(links, self._contents(links, commit), strict=True):
            copy, target = folder / text, content.decode("utf-8", "surrogateescape")
            # Only what leads to a place of the tree that is there.
            leads = Path(os.path.normpath(copy.parent / target)) if target and "\0" not in target else None
            if leads is not None and leads.is_relative_to(folder) and leads.exists() and not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.symlink_to(leads)

    def _contents(self, wanted: Mapping[str, bytes], commit: str) -> Iterator[bytes]:
        """What is in the blobs, in the order of their paths."""
        if not wanted:
            return
        contents = self._read("cat-file", "--batch", sent=b"\n".join(wanted.values()) + b"\n")
        at = 0
        for path in wanted:
            end_of_header = contents.index(b"\n", at)
            header = contents[at:end_of_header]
            if header.endswith(b" missing"):
                raise TriggerAuditError(f"git has no object for {path} at {commit}", "`git fsck` tells more")
            start = end_of_header + 1
            end = start + int(header.split()[2])
            yield contents[start:end]
            at = end + 1

    def _hash(self, ref: str) -> str:
        done = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        return "" if done.returncode else done.stdout.decode().strip()

    def _unknown(self, ref: str) -> UsageError:
        remote = f"origin/{ref}"
        if self._hash(remote):
            return UsageError(f"--base: git knows no revision {ref!r}", f"did you mean {remote}?")
        return UsageError(f"--base: git knows no revision {ref!r}", self._deepen())

    def _deepen(self) -> str:
        """What to do where a commit is missing: most often the clone of a CI job has but the last one."""
        if self._git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
            return (
                "the clone is shallow: run `git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*'`, "
                "and name origin/BRANCH; in GitHub Actions set `fetch-depth: 0` for actions/checkout, in GitLab CI "
                "`GIT_DEPTH: 0`"
            )
        return "fetch it first, for example `git fetch origin main:refs/remotes/origin/main`, and name origin/main"

    def _git(self, *arguments: str, sent: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        return _run_git(self.top, *arguments, sent=sent)

    def _read(self, *arguments: str, sent: bytes | None = None) -> bytes:
        done = self._git(*arguments, sent=sent)
        if done.returncode:
            raise TriggerAuditError(f"git {arguments[0]} failed: {_said(done)}")
        return done.stdout


def _inside(path: str) -> str:
    """The path of a tree, which git itself never writes otherwise: a hand-made one could lead anywhere."""
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise TriggerAuditError(f"the git tree has the path {path!r}, which leads out of it")
    return path


def repository_of(paths: Sequence[Path]) -> Repository:
    """The repository that all the paths are in. Raises UsageError where there is none, or git is not to be had."""
    tops = {_top_of(path): path for path in paths}
    if len(tops) > 1:
        raise UsageError(f"--base: {' and '.join(map(str, tops.values()))} are in different git repositories")
    return Repository(next(iter(tops)))


def _top_of(path: Path) -> Path:
    folder = path if path.is_dir() else path.parent
    done = _run_git(folder, "rev-parse", "--show-toplevel")
    if done.returncode == 0:
        return Path(done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")).resolve()
    said = _said(done)
    if "not a git repository" in said:
        raise UsageError(f"--base: {path} is in no git repository", "without --base all migrations are judged")
    if "dubious ownership" in said:
        raise UsageError(f"--base: git does not trust the repository of {path}, for it is another user's",
                         "git config --global --add safe.directory FOLDER tells it to")  # fmt: skip
    raise UsageError(f"--base: git cannot read the repository of {path}: {said}")


def _run_git(folder: Path, *arguments: str, sent: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    # Its words in English, for some are recognised; paths as they are, not as patterns; and no lock in the repository.
    plain = {**os.environ, "LC_ALL": "C", "GIT_LITERAL_PATHSPECS": "1", "GIT_OPTIONAL_LOCKS": "0"}
    for name in _OF_HOOKS:
        plain.pop(name, None)
    try:
        return subprocess.run(
            ("git", "-C", str(folder), *arguments), input=sent or b"", capture_output=True, check=False, env=plain
        )
    except FileNotFoundError:
        raise UsageError("--base needs git, and there is none on the PATH",
                         "without --base all migrations are judged") from None  # fmt: skip


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    first = next((line for line in lines if line.strip()), f"exit code {done.returncode}")
    return first.removeprefix("fatal: ")
