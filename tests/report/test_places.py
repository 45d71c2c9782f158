"""Paths from the top of the repository, wherever in it the command runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigger_audit.report.places import in_repository


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "apps" / "web").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("supabase/1.sql", "apps/web/supabase/1.sql"),
        ("./1.sql", "apps/web/1.sql"),
        ("../api/1.sql", "apps/api/1.sql"),
        ("../../../1.sql", None),
        ("/elsewhere/1.sql", None),
        ("-", None),
        ("", None),
        ("a\0b", None),
    ],
)
def test_a_path_is_told_from_the_top(
    top: Path, monkeypatch: pytest.MonkeyPatch, file: str, expected: str | None
) -> None:
    monkeypatch.chdir(top / "apps" / "web")
    assert in_repository(file) == expected


def test_a_whole_path_is_told_from_the_top(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(top / "apps")
    assert in_repository(str(top / "db" / "1.sql")) == "db/1.sql"


def test_without_a_repository_the_working_folder_is_the_top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert in_repository("db/1.sql") == "db/1.sql"
