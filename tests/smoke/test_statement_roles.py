"""As whom the user's own statements run."""

from __future__ import annotations

import pytest
from psycopg.conninfo import make_conninfo

from tests.conftest import FreshDatabase
from tests.smoke.own import culprits, flow, rows, run
from trigger_audit.errors import UsageError
from trigger_audit.report.culprits import culprit_words
from trigger_audit.smoke.model import By, Outcome

POLICIES = """
CREATE TABLE public.notes (id int PRIMARY KEY, owner uuid, text text);
ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY;
GRANT ALL ON public.notes TO authenticated;
CREATE POLICY "own notes" ON public.notes TO authenticated USING (owner = auth.uid()) WITH CHECK (owner = auth.uid());
"""
NOTE = "INSERT INTO notes VALUES (1, '6e2a5c9e-6a4e-4a0e-9d6c-111111111111', 'x');"
CLAIMS = """SELECT set_config('request.jwt.claims', '{"sub": "6e2a5c9e-6a4e-4a0e-9d6c-111111111111"}', true);"""


@pytest.mark.parametrize("login", ["supabase_admin", "postgres"])
def test_row_security_as_authenticated(fresh_database: FreshDatabase, login: str) -> None:
    fresh_database.apply(POLICIES)
    result = run(fresh_database.conninfo(login), NOTE, "authenticated")
    found = flow(result)
    assert found.failed_step is not None
    assert (found.failed_step.statement, found.failed_step.sqlstate) == ("INSERT public.notes", "42501")
    (culprit,) = found.culprits
    assert (culprit.kind, culprit.name, culprit.policies) == ("policy", "public.notes", ("own notes",))
    assert culprit_words(culprit) == (
        "row security: public.notes (the server names it; it happens with every trigger off too; the row must satisfy "
        "one of its policies own notes)"
    )
    session = result.report.session
    assert (session.role, session.search_path) == ("authenticated", '"$user", public, extensions')
    assert session.by is (By.SET_ROLE if login == "postgres" else By.SESSION_AUTHORIZATION)
    assert any("request.jwt.claims is not set" in gap for gap in session.gaps)
    claimed = run(fresh_database.conninfo(login), CLAIMS + NOTE, "authenticated")
    assert flow(claimed).outcome is Outcome.PASS
    assert not any("request.jwt.claims" in gap for gap in claimed.report.session.gaps)
    own = run(fresh_database.conninfo(login), NOTE)
    assert flow(own).outcome is Outcome.PASS
    (gap,) = own.report.session.gaps
    assert f"row security do{'' if login == 'supabase_admin' else 'es'} not hold {login} back" in gap
    unseen = flow(run(fresh_database.conninfo(login), "DELETE FROM notes", "authenticated"))
    assert (unseen.outcome, unseen.reason) == (
        Outcome.PASS,
        "DELETE public.notes (statement 1) touched no row, and row security applies to authenticated there",
    )


def test_the_path_of_the_role(fresh_database: FreshDatabase) -> None:
    """`$user` and the settings of the role in this database; the login's own is what its connection has."""
    fresh_database.apply(
        'CREATE SCHEMA "anon"; CREATE TABLE anon.t (n int); CREATE TABLE public.t (n int);'
        "GRANT USAGE ON SCHEMA anon TO anon, authenticated; GRANT ALL ON anon.t, public.t TO anon, authenticated;"
    )
    fresh_database.apply(
        f"ALTER ROLE authenticated IN DATABASE {fresh_database.name} SET search_path = anon", "supabase_admin"
    )
    script = "INSERT INTO t VALUES (1)"
    for role, table in {"anon": "anon.t", "authenticated": "anon.t", "service_role": "public.t"}.items():
        result = run(fresh_database.conninfo(), script, role)
        assert result.report.locked == (table,), role
    with_path = make_conninfo(fresh_database.conninfo(), options="-c search_path=anon")
    assert run(with_path, script).report.locked == ("anon.t",)
    assert flow(run(with_path, script)).outcome is Outcome.PASS


def test_a_role_that_is_unknown_or_not_to_be_had(fresh_database: FreshDatabase) -> None:
    conninfo = fresh_database.conninfo("postgres")
    fresh_database.apply("CREATE TABLE public.t (n int)")
    for role, told in {
        "nobody": "there is no role nobody",
        "supabase_admin": "postgres may not become role supabase_admin",
        "a\x1b[2J\n": "there is no role",
    }.items():
        with pytest.raises(UsageError, match=told) as caught:
            run(conninfo, "INSERT INTO public.t VALUES (1)", role)
        assert "\n" not in str(caught.value)
        assert "\x1b" not in str(caught.value)


def test_no_trigger_leaves_the_role(fresh_database: FreshDatabase) -> None:
    """A sequence stays at what a trigger that has got away has made of it, whatever is rolled back."""
    fresh_database.apply(
        """
        CREATE TABLE public.t (n int);
        CREATE SEQUENCE public.escaped;
        REVOKE ALL ON SEQUENCE public.escaped FROM PUBLIC, anon, authenticated;
        GRANT ALL ON public.t TO authenticated;
        CREATE FUNCTION public.leave() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          RESET SESSION AUTHORIZATION;
          PERFORM nextval('public.escaped');
          RETURN NEW;
        END $$;
        CREATE TRIGGER leave BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.leave();
        """
    )
    found = flow(run(fresh_database.conninfo(), "INSERT INTO public.t VALUES (1)", "authenticated"))
    assert found.outcome is Outcome.SKIPPED
    assert found.reason is not None
    assert "changes the role" in found.reason
    assert rows(fresh_database.conninfo(), "SELECT is_called FROM public.escaped") == [(False,)]


def test_users_of_auth_can_be_written_too(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(
        """
        INSERT INTO auth.users (id, email) VALUES ('6e2a5c9e-6a4e-4a0e-9d6c-111111111111', 'a@example.com');
        CREATE FUNCTION public.stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stop'; END $$;
        CREATE TRIGGER stop AFTER UPDATE OF email ON auth.users FOR EACH ROW EXECUTE FUNCTION public.stop();
        """,
        "supabase_admin",
    )
    conninfo = fresh_database.conninfo("postgres")
    assert culprits(run(conninfo, "UPDATE auth.users SET email = 'b@example.com'")) == [("trigger", "auth.users.stop")]
    assert flow(run(conninfo, "UPDATE auth.users SET phone = '1'")).outcome is Outcome.PASS


def test_a_restrictive_policy_is_named_itself(fresh_database: FreshDatabase) -> None:
    """Of a table that has the name of another one in the path of nobody."""
    fresh_database.apply(
        POLICIES
        + "CREATE POLICY short ON public.notes AS RESTRICTIVE FOR INSERT WITH CHECK (length(text) > 1);"
        + "CREATE SCHEMA other; CREATE TABLE other.notes (id int); ALTER TABLE other.notes ENABLE ROW LEVEL SECURITY;"
    )
    found = flow(run(fresh_database.conninfo("postgres"), CLAIMS + NOTE, "authenticated"))
    assert [(one.kind, one.name, one.policies) for one in found.culprits] == [("policy", "public.notes.short", ())]


def test_a_setting_that_a_policy_needs_is_named(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(
        "CREATE TABLE public.bills (tenant text); ALTER TABLE public.bills ENABLE ROW LEVEL SECURITY;"
        "GRANT ALL ON public.bills TO authenticated;"
        "CREATE POLICY own ON public.bills WITH CHECK (tenant = current_setting('app.tenant'));"
    )
    bill, tenant = "INSERT INTO bills VALUES ('a');", "SELECT set_config('app.tenant', 'a', true);"
    found = flow(run(fresh_database.conninfo("postgres"), bill, "authenticated"))
    assert [(one.kind, one.name) for one in found.culprits] == [("setting", "app.tenant")]
    assert flow(run(fresh_database.conninfo("postgres"), tenant + bill, "authenticated")).outcome is Outcome.PASS


def test_a_statement_that_changes_the_role_is_not_taken_for_a_trigger(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(POLICIES)
    script = "SELECT set_config('role', 'postgres', true);" + NOTE
    found = flow(run(fresh_database.conninfo("supabase_admin"), script, "authenticated"))
    assert found.outcome is Outcome.SKIPPED
    assert found.reason is not None
    assert found.reason.startswith("statement 1 changes the role, and all are run as one: --as-role names it")
