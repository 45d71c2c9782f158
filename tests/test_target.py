"""Which target is taken, why, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trigger_audit.errors import UsageError
from trigger_audit.target import VARIABLES, DatabaseTarget, SqlTarget, announcement, choose_target, find_project

URL = "postgresql://postgres:hush@h:5432/d"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one migration, a folder of loose files and empty folders."""
    root = tmp_path / "app"
    (root / "supabase" / "migrations").mkdir(parents=True)
    (root / "supabase" / "config.toml").touch()
    (root / "supabase" / "migrations" / "20240101000000_a.sql").write_text("SELECT 1;")
    (root / "src" / "deep").mkdir(parents=True)
    (root / "loose").mkdir()
    (root / "loose" / "a.sql").write_text("SELECT 1;")
    (root / "loose" / "b.sql").write_text("SELECT 2;")
    (root / "loose" / "notes.txt").write_text("x")
    (root / "empty").mkdir()
    (root / "prisma" / "20240101_init").mkdir(parents=True)
    (root / "prisma" / "20240101_init" / "migration.sql").write_text("SELECT 1;")
    return root


def _database(*arguments: str, **environment: str) -> DatabaseTarget:
    target = choose_target(arguments, environment, Path("/nonexistent"))
    assert isinstance(target, DatabaseTarget)
    return target


def _files(folder: Path, *arguments: str, **environment: str) -> SqlTarget:
    target = choose_target(arguments, environment, folder)
    assert isinstance(target, SqlTarget)
    return target


def _refused(folder: Path, *arguments: str, **environment: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        choose_target(arguments, environment, folder)
    assert "hush" not in f"{caught.value.message} {caught.value.remedy} {caught.value!r}"
    assert "\n" not in caught.value.message
    return caught.value


def test_a_url() -> None:
    target = _database(URL, DATABASE_URL="postgresql://other/x")
    assert (target.dsn.name, target.source) == ("h/d", "the argument")
    assert announcement(target) == "target: postgres@h:5432/d (from the argument)"


def test_a_conninfo() -> None:
    assert announcement(_database("host=h dbname=d user=u password=hush")) == "target: u@h:5432/d (from the argument)"


def test_the_local_projects_url_is_announced_in_full() -> None:
    target = _database(DATABASE_URL="postgresql://postgres:postgres@127.0.0.1:54322/postgres")
    assert announcement(target) == "target: postgres@127.0.0.1:54322/postgres (from DATABASE_URL)"


def test_the_environment_in_order(project: Path) -> None:
    for at, name in enumerate(VARIABLES):
        environment = {later: f"postgresql://{later.lower().replace('_', '-')}/d" for later in VARIABLES[at:]}
        target = choose_target((), environment, project)
        assert isinstance(target, DatabaseTarget)
        assert target.source == name
        assert target.dsn.host == name.lower().replace("_", "-")
        assert target.notes == ()


def test_an_empty_variable_is_skipped_with_a_note(project: Path) -> None:
    target = _database(DATABASE_URL=" ", SUPABASE_DB_URL="postgresql://h/d?schema=x")
    assert target.source == "SUPABASE_DB_URL"
    assert target.notes[0] == "DATABASE_URL is set but empty, and was skipped"
    assert "schema" in target.notes[1]
    assert _files(project, DATABASE_URL="").notes == ("DATABASE_URL is set but empty, and was skipped",)


def test_a_bad_variable_is_no_reason_to_look_elsewhere(project: Path) -> None:
    error = _refused(project, DATABASE_URL="mysql://u:hush@h/d", DIRECT_URL=URL)
    assert error.message == "DATABASE_URL: mysql:// is no PostgreSQL URL"
    assert "file:" not in _refused(project, DATABASE_URL="file:./hush.db").message


def test_the_project_upward(project: Path) -> None:
    target = _files(project / "src" / "deep")
    assert target == SqlTarget((Path("../.."),), f"the project found at {project}")
    assert announcement(target) == f"target: ../.. (from the project found at {project})"
    assert find_project(project / "supabase" / "migrations") == project
    (project / "supabase" / "config.toml").unlink()
    assert find_project(project) == project


def test_nothing_found(tmp_path: Path) -> None:
    error = _refused(tmp_path)
    assert "nothing to look at" in error.message
    assert ".sql files" in (error.remedy or "")
    assert "DATABASE_URL is set but empty" in _refused(tmp_path, DATABASE_URL="").message


def test_a_found_project_without_sql(project: Path) -> None:
    next((project / "supabase" / "migrations").iterdir()).unlink()
    assert "no .sql file" in _refused(project).message
    assert "no .sql file" in _refused(project, ".").message


@pytest.mark.parametrize(
    "arguments",
    [
        (".",), ("supabase",), ("supabase/migrations",), ("loose",), ("loose/a.sql",), ("loose/b.sql", "loose/a.sql"),
        ("-",), ("loose/a.sql", "-"), ("supabase/", "loose"),
    ],
)  # fmt: skip
def test_paths(project: Path, arguments: tuple[str, ...]) -> None:
    target = _files(project, *arguments, DATABASE_URL=URL)
    assert target.paths == tuple("-" if argument == "-" else Path(argument) for argument in arguments)
    assert target.source == ("the argument" if len(arguments) == 1 else "the arguments")


def test_the_suffix_in_capitals(project: Path) -> None:
    (project / "capitals").mkdir()
    (project / "capitals" / "A.SQL").write_text("SELECT 1;")
    for argument in ("capitals", "capitals/A.SQL"):
        assert _files(project, argument).paths == (Path(argument),)
    (project / "supabase" / "migrations" / "20240101000000_a.sql").rename(project / "supabase" / "seed.SQL")
    assert _files(project, ".").paths == (Path("."),)


def test_paths_are_announced(project: Path) -> None:
    assert (
        announcement(_files(project, "loose/a.sql", "-")) == "target: loose/a.sql, standard input (from the arguments)"
    )


def test_a_pipe_is_a_file(project: Path) -> None:
    os.mkfifo(project / "pipe")
    assert _files(project, "pipe").paths == (Path("pipe"),)


@pytest.mark.parametrize(
    ("arguments", "message", "remedy"),
    [
        (("",), "an argument is empty", "variable"),
        ((" ",), "an argument is empty", "variable"),
        (("loose", ""), "an argument is empty", "variable"),
        ((URL, ""), "an argument is empty", "variable"),
        ((URL, URL), "more than one database", "one URL"),
        ((URL, "loose"), "together", "only paths"),
        (("-", URL), "together", "only paths"),
        (("host=h", "dbname=d"), "connection string is one argument", "quote it"),
        (("-", "-"), "only once", ""),
        (("missing",), "no file or folder missing", "database URL"),
        (("missing.sql",), "no file or folder missing.sql", "database URL"),
        (("loose/notes.txt",), "loose/notes.txt is no .sql file", "standard input"),
        (("empty",), "the folder empty holds no .sql file", ""),
        (("prisma",), "the folder prisma holds no .sql file", "its subfolder 20240101_init does"),
        (("postgres:/u:hush@h/d",), "mistyped", "postgresql://"),
        (("postgress://u:hush@h/d",), "postgress:// is no PostgreSQL URL", "postgresql://"),
        (("mysql://u:hush@h/d",), "mysql:// is no PostgreSQL URL", "postgresql://"),
        (("u:hush@h:5432/d",), "without its scheme", "postgresql://"),
        (("//u:hush@h:5432/d",), "without its scheme", "postgresql://"),
        (("hots=h password=hush",), "does not begin with a key that libpq knows", "host="),
        (("x" * 5000,), "no file or folder xxx", "database URL"),
        (("a\0b",), "no file or folder", "database URL"),
    ],
)
def test_refusals(project: Path, arguments: tuple[str, ...], message: str, remedy: str) -> None:
    error = _refused(project, *arguments, DATABASE_URL=URL)
    assert message in error.message
    assert remedy in (error.remedy or "")
    assert len(error.message) < 400


def test_no_password_in_a_repr() -> None:
    assert "hush" not in f"{_database(URL)!r}"
