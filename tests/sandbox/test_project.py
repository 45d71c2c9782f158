"""Which files of a project are applied, in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigger_audit.errors import TriggerAuditError
from trigger_audit.sandbox.project import ProjectFiles, project_files, read_sql_file


def _make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"-- {name}\n", encoding="utf-8")


def _names(project: ProjectFiles) -> list[str]:
    return [Path(file.path).name for file in project.files]


def test_order_of_the_cli(tmp_path: Path) -> None:
    migrations = ("10_c.sql", "1_a.sql", "2_b.sql", "20240101000000-0ab1.sql")
    _make(tmp_path / "supabase", "seed.sql", "roles.sql", *(f"migrations/{name}" for name in migrations))
    _make(tmp_path / "supabase", "migrations/notes.sql", "migrations/016b_x.sql", "schemas/ignored.sql")
    expected = ["roles.sql", "10_c.sql", "1_a.sql", "20240101000000-0ab1.sql", "2_b.sql", "seed.sql"]
    for root in (tmp_path, tmp_path / "supabase"):
        project = project_files(root)
        assert _names(project) == expected
        assert [Path(path).name for path, _ in project.skipped] == ["016b_x.sql", "notes.sql"]
        assert project.root == tmp_path / "supabase"
    assert _names(project_files(tmp_path / "supabase" / "migrations")) == expected[1:-1]


def test_loose_files_go_by_name(tmp_path: Path) -> None:
    _make(tmp_path, "b.sql", "a.sql", ".hidden.sql", "readme.md")
    assert _names(project_files(tmp_path)) == ["a.sql", "b.sql"]


def test_the_suffix_in_any_case(tmp_path: Path) -> None:
    """Loose files count; in a folder of migrations the Supabase CLI's own pattern decides, and it knows .sql alone."""
    _make(tmp_path / "loose", "b.SQL", "a.sql", "c.Sql")
    assert _names(project_files(tmp_path / "loose")) == ["a.sql", "b.SQL", "c.Sql"]
    _make(tmp_path / "supabase", "migrations/1_a.sql", "migrations/2_b.SQL")
    project = project_files(tmp_path)
    assert _names(project) == ["1_a.sql"]
    assert [Path(path).name for path, _ in project.skipped] == ["2_b.SQL"]


def test_seeds_as_configured(tmp_path: Path) -> None:
    _make(tmp_path, "migrations/1_a.sql", "seed.sql", "seeds/2.sql", "seeds/1.sql")
    (tmp_path / "config.toml").write_text('[db.seed]\nsql_paths = ["./seeds/*.sql", "../outside.sql"]\n')
    assert _names(project_files(tmp_path)) == ["1_a.sql", "1.sql", "2.sql"]
    (tmp_path / "config.toml").write_text("[db.seed]\nenabled = false\n")
    assert _names(project_files(tmp_path)) == ["1_a.sql"]
    (tmp_path / "config.toml").write_text("= no toml")
    project = project_files(tmp_path)
    assert (_names(project), len(project.skipped)) == (["1_a.sql", "seed.sql"], 1)


def test_a_config_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    _make(tmp_path, "migrations/1_a.sql", "seed.sql")
    (tmp_path / "config.toml").write_bytes(b"\xef\xbb\xbf[db.seed]\nenabled = false\n")
    project = project_files(tmp_path)
    assert (_names(project), project.skipped) == (["1_a.sql"], ())


@pytest.mark.parametrize("raw", [b"x = " + b"[" * 5000, b"x = '\xe9'"])
def test_a_config_that_cannot_be_read_leaves_seed_sql(tmp_path: Path, raw: bytes) -> None:
    _make(tmp_path, "migrations/1_a.sql", "seed.sql")
    (tmp_path / "config.toml").write_bytes(raw)
    project = project_files(tmp_path)
    reason = "it cannot be read as TOML, so only seed.sql counts as a seed"
    assert (_names(project), project.skipped) == (["1_a.sql", "seed.sql"], ((str(tmp_path / "config.toml"), reason),))


@pytest.mark.parametrize("text", ["db = 3", "[db]\nseed = 3"])
def test_a_config_with_other_values_than_the_cli_knows(tmp_path: Path, text: str) -> None:
    _make(tmp_path, "migrations/1_a.sql", "seed.sql")
    (tmp_path / "config.toml").write_text(text)
    assert _names(project_files(tmp_path)) == ["1_a.sql", "seed.sql"]


@pytest.mark.parametrize("inside", [(), ("supabase/config.toml",), ("readme.md",)])
def test_nothing_to_apply_is_an_error(tmp_path: Path, inside: tuple[str, ...]) -> None:
    _make(tmp_path, *inside)
    with pytest.raises(TriggerAuditError, match="holds no SQL file") as raised:
        project_files(tmp_path)
    assert "\n" not in raised.value.message


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(TriggerAuditError, match="is no folder"):
        project_files(tmp_path / "absent")


def test_byte_order_mark_goes_and_line_ends_stay(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_bytes("\ufeffselect 'é';\r\n".encode())
    assert read_sql_file(tmp_path / "a.sql").text == "select 'é';\r\n"


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("select 1;\nselect 'é'".encode("latin-1"), "byte 0xe9 in line 2 (offset 18)"),
        ("select 1".encode("utf-16"), "byte 0xff in line 1 (offset 0)"),
        (b"select 1;\nselect '\0'", "byte 0x00 in line 2"),
    ],
)
def test_what_is_no_utf8_is_named_with_its_byte(tmp_path: Path, raw: bytes, told: str) -> None:
    (tmp_path / "a.sql").write_bytes(raw)
    with pytest.raises(TriggerAuditError) as raised:
        project_files(tmp_path)
    assert told in raised.value.message
    assert str(tmp_path / "a.sql") in raised.value.message
