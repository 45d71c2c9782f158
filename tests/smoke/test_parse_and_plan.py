"""What PostgreSQL runs of a database while it parses and plans does not have the rights of a superuser's login."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.attacks import ATTACKS, attack
from tests.conftest import FreshDatabase
from tests.smoke.conftest import connect
from trigger_audit.opening import SqlInput, TargetInfo, sandbox_with
from trigger_audit.pipeline import ScanResult, SmokeOptions, scan, smoke
from trigger_audit.rules.registry import all_rules
from trigger_audit.sandbox.project import SqlFile
from trigger_audit.smoke.model import SmokeReport

INFO = TargetInfo("database", "test", "", "supabase")
ALL = SmokeOptions(allow_side_effects=True, allow_locks=True, unmask=True)


def apply(database: FreshDatabase, text: str) -> None:
    """As postgres, which is let into Auth's role for that."""
    with connect(database) as owner:
        owner.execute("GRANT supabase_auth_admin TO postgres")
        try:
            database.apply(text)
        finally:
            owner.execute("REVOKE supabase_auth_admin FROM postgres")


def look(database: FreshDatabase) -> tuple[ScanResult, SmokeReport]:
    """scan and smoke with all that they may do, as the superuser."""
    with psycopg.connect(database.conninfo(), prepare_threshold=None) as connection:
        scanned = scan(connection, INFO, all_rules())
        report = smoke(connection, INFO, ALL).report
    assert report.rolled_back, report.not_verified
    return scanned, report


def test_the_attacks_are_some(fresh_database: FreshDatabase, folder: Path) -> None:
    """What the other tests find is not for want of trying."""
    apply(fresh_database, attack("an index's predicate", folder))
    assert list(folder.iterdir()) == []
    for statement in (
        "SELECT ('{1}'::public.checked[])[1]",
        "SELECT FROM public.profiles WHERE id = gen_random_uuid()",
    ):
        with connect(fresh_database) as connection:
            connection.execute(statement.encode())
        (written,) = folder.iterdir()
        assert written.read_text() == "supabase_admin\tsupabase_admin\n"
        written.unlink()


@pytest.mark.parametrize("name", ATTACKS)
def test_on_a_database(fresh_database: FreshDatabase, folder: Path, name: str) -> None:
    apply(fresh_database, attack(name, folder))
    scanned, report = look(fresh_database)
    assert list(folder.iterdir()) == []
    assert not report.summary["skipped"]
    # Every attack has the domain, so that nothing was asked.
    assert {item.reason.partition(":")[0] for item in scanned.not_analysed} >= {"names and types were not asked about"}


@pytest.mark.extended
@pytest.mark.parametrize("name", ["an index's predicate", "indexes of Auth's tables", "an argument's default"])
def test_on_15(fresh_database15: FreshDatabase, folder: Path, name: str) -> None:
    apply(fresh_database15, attack(name, folder))
    look(fresh_database15)
    assert list(folder.iterdir()) == []


@pytest.mark.extended
@pytest.mark.parametrize("name", ATTACKS)
def test_in_a_sandbox(folder: Path, name: str) -> None:
    files = SqlInput((SqlFile("a.sql", attack(name, folder)),))
    with sandbox_with(files, ["a.sql"], postgres=None, progress=lambda text: None) as target:
        assert target.not_applied == ()
        scan(target.connection, target.info, all_rules())
        assert smoke(target.connection, target.info, ALL).report.rolled_back
    assert list(folder.iterdir()) == []


def test_a_function_that_triggers_rename_is_not_opened(fresh_database: FreshDatabase, folder: Path) -> None:
    apply(fresh_database, attack("a function renamed before it is opened", folder))
    _, report = look(fresh_database)
    assert (
        "what exception handlers hide is not known, for opening them was refused: triggers have changed what the name "
        "stands for, or what is there: public.log(uuid)"
    ) in report.session.gaps


OWNED = """
CREATE TABLE public.members (id uuid PRIMARY KEY, role text);
ALTER TABLE public.members OWNER TO supabase_admin;
CREATE FUNCTION public.take() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
  INSERT INTO public.members VALUES (NEW.id, NEW.raw_user_meta_data ->> 'role');
  RETURN NEW;
END $$;
ALTER FUNCTION public.take() OWNER TO supabase_admin;
CREATE TRIGGER take AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.take();
"""


def test_what_a_superuser_owns(fresh_database: FreshDatabase, folder: Path) -> None:
    """It is read where nothing of anybody's can run, and left alone where something can."""
    fresh_database.apply(
        attack("a literal of an array in a body", folder).partition("CREATE FUNCTION public.handle")[0]
    )
    fresh_database.apply(OWNED, role="supabase_admin")
    _, report = look(fresh_database)
    rights = {escalation.column for flow in report.flows for escalation in flow.escalations}
    assert rights == {"role"}
    fresh_database.apply("CREATE INDEX ON public.members (id) WHERE public.evil()", role="supabase_admin")
    for written in folder.iterdir():
        written.unlink()  # the superuser has just planned that by himself
    _, report = look(fresh_database)
    assert not any(flow.escalations for flow in report.flows)
    assert (
        "public.members is a superuser's, and reading it runs code with a superuser's rights: "
        "what the user got there was not looked at"
    ) in report.session.gaps
