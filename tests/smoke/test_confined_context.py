"""CONTEXT of errors is as if no function stood around Auth's statements."""

from __future__ import annotations

import pytest

from tests.conftest import FreshDatabase
from tests.smoke.confining import apply
from tests.smoke.conftest import connect
from trigger_audit.smoke.runner import run_smoke
from trigger_audit.smoke.sending import without_frames


@pytest.mark.parametrize(
    ("body", "context"),
    [
        ("RAISE EXCEPTION 'no';", "PL/pgSQL function public.f() line 3 at RAISE"),
        (
            "EXECUTE 'INSERT INTO public.t VALUES (NULL)';",
            'SQL statement "INSERT INTO public.t VALUES (NULL)"\nPL/pgSQL function public.f() line 3 at EXECUTE',
        ),
        ("EXECUTE 'SELECT no_such';", "PL/pgSQL function public.f() line 3 at EXECUTE"),
        ("NEW.aud = NULL; NEW.id = NULL;", None),
    ],
)
def test_the_context_is_as_without_the_function(fresh_database: FreshDatabase, body: str, context: str | None) -> None:
    apply(
        fresh_database,
        f"""
        CREATE TABLE public.t (a int NOT NULL);
        GRANT ALL ON public.t TO supabase_auth_admin;
        CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          {body}
          RETURN NEW;
        END $$;
        CREATE TRIGGER f BEFORE INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.f();
        """,
    )
    steps = []
    for role in ("supabase_admin", "supabase_auth_admin"):
        with connect(fresh_database, role) as connection:
            report = run_smoke(connection, flows=["signup-email"], hazards=(), allow_side_effects=False, target={})
        steps.append(report.flows[0].failed_step)
    assert steps[0] is not None
    assert steps[0].context == context
    assert steps[0] == steps[1]


@pytest.mark.parametrize(
    ("context", "rest"),
    [
        ('SQL statement "INSERT INTO a"\nPL/pgSQL function pg_temp_3.f_write() line 1 at EXECUTE', None),
        ("SQL-Anweisung »INSERT INTO a«\nPL/pgSQL-Funktion pg_temp_3.f_write() Zeile 1 bei EXECUTE", None),
        ("x\ninstruction SQL « INSERT INTO a »\nfonction PL/pgSQL pg_temp_3.f_write(), ligne 1 à EXECUTE", "x"),
        ("PL/pgSQL function pg_temp_3.f_write() line 1 at EXECUTE", None),
        ('SQL statement "INSERT INTO a values"\nPL/pgSQL function pg_temp_3.f_write() line 1 at EXECUTE',
         'SQL statement "INSERT INTO a values"'),
        ("a\nPL/pgSQL function pg_temp_3.f_write() line 1 at EXECUTE", "a"),
        ('SQL statement "INSERT INTO a"\nPL/pgSQL function b() line 1 at EXECUTE',
         'SQL statement "INSERT INTO a"\nPL/pgSQL function b() line 1 at EXECUTE'),
    ],
)  # fmt: skip
def test_without_frames(context: str, rest: str | None) -> None:
    assert without_frames(context, "f_write", "INSERT INTO a") == rest


def test_without_frames_of_a_statement_of_several_lines() -> None:
    context = 'inner\nSQL statement "INSERT\nINTO a"\nPL/pgSQL function pg_temp_3.f_write() line 1 at EXECUTE'
    assert without_frames(context, "f_write", "INSERT\nINTO a") == "inner"
