"""Git repositories for tests, made by git itself."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Nothing of the machine's own settings: signing, hooks, the name of the first branch.
_PLAIN = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.test",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.test",
}


@dataclass(frozen=True, slots=True)
class Made:
    """A repository with the branch main."""

    top: Path

    def git(self, *arguments: str, sent: str | bytes = "") -> str:
        done = subprocess.run(
            ("git", "-C", str(self.top), *arguments),
            input=sent.encode() if isinstance(sent, str) else sent,
            capture_output=True,
            env={**os.environ, **_PLAIN},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    def write(self, name: str, text: str) -> Path:
        file = self.top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        return file

    def commit(self) -> str:
        """Commits all that is there; the hash."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD")


def made_repository(folder: Path) -> Made:
    folder.mkdir(parents=True, exist_ok=True)
    made = Made(folder)
    made.git("init", "--quiet", "--initial-branch", "main")
    return made
