"""A check from the migrations to what it says of them, with and without a base."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.check.checking import SHOP, checked
from tests.check.repositories import Made, made_repository
from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.findings.model import Severity
from trigger_audit.smoke.model import Outcome

TABLE = "create table public.profiles (id uuid primary key references auth.users on delete cascade, name text);\n"
SOUND = """create or replace function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;
"""
FAULTY = SOUND.replace("public.profiles", "public.profile")
NO_NAME = SOUND.replace("(id) values (new.id)", "(id, name) values (new.id, null)")
WITH_MAIL = SOUND.replace("(id) values (new.id)", "(id, mail) values (new.id, new.email)")
TRIGGER = """create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""


def errors(findings: object) -> list[str]:
    assert isinstance(findings, tuple)
    return [each.rule for each in findings if each.severity is Severity.ERROR]


@pytest.fixture
def repository(tmp_path: Path) -> Made:
    return made_repository(tmp_path / "app")


def migration(repository: Made, number: int, text: str) -> None:
    repository.write(f"supabase/migrations/{number}_x.sql", text)


def test_forty_migrations_bring_nothing_that_counts() -> None:
    result = checked(SHOP)
    assert (errors(result.added), result.failing, result.broken, result.not_smoked) == ([], (), (), None)
    assert result.smoke is not None
    assert {flow.outcome for flow in result.smoke.report.flows} == {Outcome.PASS}


def test_a_branch_that_breaks_the_sign_up(repository: Made) -> None:
    migration(repository, 1, TABLE + SOUND + TRIGGER)
    base = repository.commit()
    repository.git("checkout", "--quiet", "-b", "feature")
    migration(repository, 2, FAULTY)  # not committed, and not even known to git

    result = checked(repository.top, base="main")
    assert result.base is not None
    assert (result.base.ref, result.base.commit) == ("main", base)
    assert errors(result.added) == ["TA101"]
    assert errors(result.mended) == []
    assert {(each.flow, each.outcome) for each in result.failing} >= {("signup-email", Outcome.FAIL)}
    assert {flow.flow for flow in result.failing}.isdisjoint({"signup-phone", "anonymous"})
    changes = {(each.before.outcome, each.after.outcome) for each in result.flows if each.before and each.after}
    assert changes == {(Outcome.PASS, Outcome.FAIL)}


def test_what_was_wrong_before_is_not_the_branch_s(repository: Made) -> None:
    migration(repository, 1, TABLE + FAULTY + TRIGGER)
    repository.commit()
    migration(repository, 2, "create table public.more (id int);\n-- nothing to do with it\n")
    result = checked(repository.top / "supabase/migrations", base="HEAD")
    assert (result.added, result.mended, result.flows, result.failing) == ((), (), (), ())
    assert errors(result.scan.findings) == ["TA101"]


def test_a_branch_that_mends(repository: Made) -> None:
    migration(repository, 1, TABLE + FAULTY + TRIGGER)
    repository.commit()
    migration(repository, 2, SOUND)
    result = checked(repository.top, base="HEAD")
    assert errors(result.mended) == ["TA101"]
    assert (errors(result.added), result.failing) == ([], ())
    changes = {(each.before.outcome, each.after.outcome) for each in result.flows if each.before and each.after}
    assert changes == {(Outcome.FAIL, Outcome.PASS)}


def test_where_the_base_has_no_migrations_all_counts(repository: Made) -> None:
    repository.write("README", "")
    repository.commit()
    migration(repository, 1, TABLE + FAULTY + TRIGGER)
    result = checked(repository.top, base="HEAD")
    assert errors(result.added) == ["TA101"]
    assert result.failing


def test_a_changed_migration_and_a_removed_one_are_the_branch_s_too(repository: Made) -> None:
    """Whoever edits history changes what the database will be."""
    migration(repository, 1, TABLE + FAULTY + TRIGGER)
    migration(repository, 2, SOUND)
    repository.commit()
    (repository.top / "supabase/migrations/2_x.sql").unlink()
    assert errors(checked(repository.top, base="HEAD").added) == ["TA101"]


def test_another_failure_than_before_is_the_branch_s(repository: Made) -> None:
    migration(repository, 1, TABLE + FAULTY + TRIGGER)
    repository.commit()
    migration(repository, 2, SOUND + "alter table public.profiles add check (name is not null);\n" + NO_NAME)
    result = checked(repository.top, base="HEAD")
    assert {flow.flow for flow in result.failing} >= {"signup-email"}
    assert {each.before.outcome for each in result.flows if each.before and each.after in result.failing} == {
        Outcome.FAIL
    }


def test_a_project_that_has_moved_is_compared_with_where_it_was(repository: Made) -> None:
    migration(repository, 1, TABLE + FAULTY + TRIGGER)
    repository.commit()
    (repository.top / "db").mkdir()
    (repository.top / "supabase").rename(repository.top / "db/supabase")
    notes: list[str] = []
    result = checked(repository.top / "db", base="HEAD", note=notes.append)
    assert (result.added, result.failing, result.flows) == ((), (), ())
    assert notes == ["note: at the base the project was at supabase"]


def test_a_seed_elsewhere_and_a_linked_migration_are_of_the_base_too(repository: Made) -> None:
    repository.write("supabase/config.toml", '[db.seed]\nsql_paths = ["../seeds/*.sql"]\n')
    repository.write("seeds/1.sql", "insert into public.profiles (di) values (1);\n")
    repository.write("sql/shared.sql", TABLE + FAULTY + TRIGGER)
    repository.write("supabase/migrations/1_x.sql", "select 1;")
    (repository.top / "supabase/migrations/2_x.sql").symlink_to("../../sql/shared.sql")
    repository.commit()
    migration(repository, 3, "create table public.more (id int);\n")
    result = checked(repository.top, base="HEAD")
    assert (result.added, result.failing, result.broken, result.not_analysed) == ((), (), (), ())


def test_the_line_ends_of_a_working_tree_break_nothing_anew(repository: Made) -> None:
    repository.write(".gitattributes", "*.sql text eol=crlf\n")
    migration(repository, 1, TABLE + "create tabel public.a (\n  id int\n);\n")
    repository.commit()
    migration(repository, 1, (TABLE + "create tabel public.a (\n  id int\n);\n").replace("\n", "\r\n"))
    assert checked(repository.top, base="HEAD").broken == ()


def test_a_base_that_cannot_be_read_is_none_and_said(repository: Made) -> None:
    (repository.top / "supabase/migrations").mkdir(parents=True)
    (repository.top / "supabase/migrations/1_x.sql").write_bytes(b"-- Gr\xfc\xdfe")
    repository.commit()
    migration(repository, 1, TABLE + SOUND + TRIGGER)
    notes: list[str] = []
    assert errors(checked(repository.top, base="HEAD", note=notes.append).added) == []
    (said,) = notes
    assert "the base cannot be read, so that all counts: supabase/migrations/1_x.sql is not UTF-8" in said


def test_flows_that_the_branch_enables_are_the_branch_s(repository: Made) -> None:
    migration(repository, 1, TABLE.replace("name text", "mail text not null") + WITH_MAIL + TRIGGER)
    repository.write("supabase/config.toml", "[auth]\nenable_anonymous_sign_ins = false\n")
    repository.commit()
    repository.write("supabase/config.toml", "[auth]\nenable_anonymous_sign_ins = true\n")
    result = checked(repository.top, base="HEAD", enabled={"anonymous"})
    assert {flow.flow for flow in result.failing} == {"anonymous"}
    assert checked(repository.top, base="HEAD").failing == ()


def test_where_the_flows_of_the_base_cannot_run_none_is_called_new(repository: Made) -> None:
    outside = "  perform extensions.dblink_exec('dbname=other', 'insert into t values (1)');\n  return new;"
    text = "create extension dblink with schema extensions;\n" + TABLE + FAULTY + TRIGGER
    migration(repository, 1, text.replace("  return new;", outside))
    repository.commit()
    migration(repository, 2, FAULTY)
    result = checked(repository.top, base="HEAD")
    assert (result.added, result.failing, result.flows) == ((), (), ())
    (open_,) = result.not_analysed
    assert "which of them break newly is not known" in open_.reason


def test_a_statement_that_no_database_takes_is_the_branch_s_when_it_is_new(repository: Made) -> None:
    old = TABLE + SOUND + TRIGGER + "create tabel public.a (id int);\n"
    migration(repository, 1, old)
    repository.commit()
    migration(repository, 2, "select 1;\ncreate table public.profiles (id int);\nalter table public.gone add x int;\n")
    result = checked(repository.top, base="HEAD")
    assert [(Path(each.object).name, each.line) for each in result.broken] == [("2_x.sql", 2)]
    # What a dashboard may have made is no fault of the migration, but not looked at either.
    new = {(Path(each.object).name, each.line) for each in result.not_analysed}
    assert new == {("2_x.sql", 2), ("2_x.sql", 3)}
    assert [(Path(each.object).name, each.line) for each in checked(repository.top).broken] == [
        ("1_x.sql", 11),
        ("2_x.sql", 2),
    ]


def test_where_smoke_refuses_the_findings_are_there_and_the_reason(tmp_path: Path) -> None:
    outside = "  perform extensions.dblink_exec('dbname=other', 'insert into t values (1)');\n  return new;"
    text = "create extension dblink with schema extensions;\n" + TABLE + FAULTY + TRIGGER
    (tmp_path / "1_x.sql").write_text(text.replace("  return new;", outside))
    result = checked(tmp_path)
    assert result.smoke is None
    assert "dblink_exec" in str(result.not_smoked)
    assert errors(result.added) == ["TA101"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TriggerAuditError, match="absent"):
        checked(tmp_path / "absent")


def test_standard_input_has_no_base() -> None:
    from trigger_audit.check.run import CheckOptions, check
    from trigger_audit.target import SqlTarget

    with pytest.raises(UsageError, match="standard input"):
        check(
            SqlTarget(("-",), ""),
            "main",
            CheckOptions(()),
            progress=lambda _: None,
            about=lambda _: None,
            note=lambda _: None,
        )
