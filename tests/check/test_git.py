"""The base of a check, read from real repositories."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.check.repositories import Made, made_repository
from trigger_audit.check.git import repository_of
from trigger_audit.errors import TriggerAuditError, UsageError

FIRST = "supabase/migrations/1_first.sql"


@pytest.fixture
def repository(tmp_path: Path) -> Made:
    made = made_repository(tmp_path / "app")
    made.write(FIRST, "select 1;\r\nselect 'ä';\r\n")
    made.write("supabase/config.toml", "")
    made.write("src/app.ts", "")
    made.commit()
    return made


def test_what_main_has_gained_meanwhile_is_not_in_the_base(repository: Made) -> None:
    base = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "--quiet", "-b", "feature")
    repository.write(FIRST, "changed and not committed")
    repository.git("branch", "--quiet", "keep")
    repository.git("stash", "--quiet")
    repository.git("checkout", "--quiet", "main")
    repository.write("supabase/migrations/2_of_main.sql", "select 2;")
    repository.commit()
    repository.git("checkout", "--quiet", "feature")
    repository.git("stash", "pop", "--quiet")

    found = repository_of((repository.top / "supabase",))
    assert found.base("main").commit == base
    with found.at(base, (Path("supabase"),)) as tree:
        assert there(tree) == {"supabase/migrations/1_first.sql", "supabase/config.toml"}
        assert (tree / FIRST).read_bytes() == "select 1;\r\nselect 'ä';\r\n".encode()
    assert not tree.exists()


def there(tree: Path) -> set[str]:
    return {file.relative_to(tree).as_posix() for file in tree.rglob("*") if file.is_file()}


def tree_of(repository: Made, commit: str) -> AbstractContextManager[Path]:
    return repository_of((repository.top,)).at(commit, (Path("supabase"),))


def test_a_path_that_the_base_does_not_have_is_not_there(repository: Made) -> None:
    base = repository.git("rev-parse", "HEAD")
    repository.write("supabase/migrations/2_new.sql", "select 2;")
    with tree_of(repository, base) as tree:
        assert not (tree / "supabase/migrations/2_new.sql").exists()


def test_odd_names_are_names(repository: Made) -> None:
    odd = ["m/[1].sql", "m/*.sql", "m/-x.sql", "m/ä b\n.sql", "m/a\\b.sql"]
    for name in odd:
        repository.write(name, name)
    with tree_of(repository, repository.commit()) as tree:
        assert [(tree / name).read_text() for name in odd] == odd


def test_a_symbolic_link_is_followed_inside_the_tree_alone(repository: Made) -> None:
    migrations = repository.top / "supabase/migrations"
    (migrations / "2_out.sql").symlink_to("/etc/passwd")
    (migrations / "3_up.sql").symlink_to("../../../../../../../etc/passwd")
    (migrations / "4_in.sql").symlink_to("../../sql/shared.sql")
    (migrations / "5_gone.sql").symlink_to("nowhere.sql")
    (repository.top / "db").symlink_to("supabase")
    repository.write("sql/shared.sql", "select 4;")
    with tree_of(repository, repository.commit()) as tree:
        names = sorted(file.name for file in (tree / "supabase/migrations").iterdir())
        assert names == ["1_first.sql", "4_in.sql"]
        assert (tree / "supabase/migrations/4_in.sql").read_text() == "select 4;"
        assert (tree / "db/migrations/1_first.sql").read_text().startswith("select 1;")


@pytest.mark.parametrize("name", ["..", "."])
def test_a_tree_that_leads_out_of_itself_is_refused(repository: Made, name: str) -> None:
    """git checks none out; a hand-made one would write anywhere."""
    blob = repository.git("hash-object", "-w", "--stdin", sent="select 1;")
    inner = repository.git("mktree", sent=f"100644 blob {blob}\tevil.sql\n")
    outer = repository.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", sent=tree_entry(name, inner))
    commit = repository.git("commit-tree", outer, "-m", "evil")
    with pytest.raises(TriggerAuditError, match="leads out of it"), tree_of(repository, commit):
        pass


def tree_entry(name: str, tree: str) -> bytes:
    return b"40000 " + name.encode() + b"\0" + bytes.fromhex(tree)


def test_a_path_that_leads_out_of_the_repository(repository: Made, tmp_path: Path) -> None:
    outside = tmp_path / "outside.sql"
    outside.write_text("select 1;")
    link = repository.top / "x.sql"
    link.symlink_to(outside)
    with pytest.raises(UsageError, match="leads out of the git repository"):
        repository_of((link,)).place(link)


def test_the_repository_is_left_as_it_was(repository: Made) -> None:
    repository.write(FIRST, "changed")
    before = {file: file.stat().st_mtime_ns for file in (repository.top / ".git").rglob("*")}
    found = repository_of((repository.top,))
    with found.at(found.base("main").commit, ()):
        pass
    assert {file: file.stat().st_mtime_ns for file in (repository.top / ".git").rglob("*")} == before


def refused(repository: Made, ref: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        repository_of((repository.top,)).base(ref)
    return caught.value


def test_an_unknown_revision(repository: Made) -> None:
    problem = refused(repository, "develop")
    assert problem.message == "--base: git knows no revision 'develop'"
    assert "git fetch origin main" in str(problem.remedy)


@pytest.mark.parametrize("ref", ["--output=x", "-h", "main^{/x"])
def test_a_revision_is_never_an_option(repository: Made, ref: str) -> None:
    assert "git knows no revision" in refused(repository, ref).message


def test_an_empty_revision(repository: Made) -> None:
    assert refused(repository, " ").message == "--base is empty"


def test_branches_without_a_common_commit(repository: Made) -> None:
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.write("src/other.ts", "")
    repository.commit()
    assert refused(repository, "main").message == "--base: main and HEAD have no common commit"


def test_a_shallow_clone_is_told_how_to_deepen(repository: Made, tmp_path: Path) -> None:
    repository.git("checkout", "--quiet", "-b", "feature")
    repository.write(FIRST, "new")
    repository.commit()
    repository.git("clone", "--quiet", "--depth", "1", f"file://{repository.top}", str(tmp_path / "ci"))
    clone = Made(tmp_path / "ci")
    problem = refused(clone, "main")
    remedy = str(problem.remedy)
    assert "git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*'" in remedy
    clone.git("fetch", "--quiet", "--unshallow", "origin", "+refs/heads/*:refs/remotes/origin/*")
    assert repository_of((clone.top,)).base("origin/main").commit == repository.git("rev-parse", "main")
    assert "fetch-depth: 0" in str(problem.remedy)


def test_a_branch_that_only_the_remote_has(repository: Made, tmp_path: Path) -> None:
    repository.git("branch", "release")
    repository.git("clone", "--quiet", f"file://{repository.top}", str(tmp_path / "clone"))
    assert refused(Made(tmp_path / "clone"), "release").remedy == "did you mean origin/release?"


def test_no_commit_yet(tmp_path: Path) -> None:
    made = made_repository(tmp_path)
    assert "has no commit yet" in refused(made, "main").message


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is in no git repository"):
        repository_of((tmp_path,))


def test_two_repositories(repository: Made, tmp_path: Path) -> None:
    other = made_repository(tmp_path / "other")
    with pytest.raises(UsageError, match="are in different git repositories"):
        repository_of((repository.top, other.top))


def test_no_git(repository: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="--base needs git"):
        repository_of((repository.top,))


def test_a_store_that_is_damaged(repository: Made) -> None:
    commit = repository.git("rev-parse", "HEAD")
    blob = repository.git("rev-parse", f"HEAD:{FIRST}")
    (repository.top / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with (
        pytest.raises(TriggerAuditError, match="git has no object for supabase"),
        tree_of(repository, commit),
    ):
        pass


def test_inside_a_hook_of_git(repository: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = repository.git("rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert repository_of((repository.top / "supabase",)).base("main").commit == commit
