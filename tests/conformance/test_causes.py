"""What of PostgreSQL's error the client reads: by SQLSTATE in OAuth callbacks, and for the causes that are common."""

from __future__ import annotations

import pytest

from tests.conformance.acting import ACTS, Stage
from tests.conformance.breaking import broken, predicted, seen_by_client, smoke

_PROFILES = """
CREATE TABLE public.conformance (id uuid, email text{more});
CREATE FUNCTION public.conformance() RETURNS trigger LANGUAGE plpgsql SECURITY {security} AS $$
BEGIN
  INSERT INTO {table} VALUES (NEW.id, NEW.email);
  RETURN NEW;
END $$;
CREATE TRIGGER conformance AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.conformance();
"""


def _profiles(table: str = "public.conformance", security: str = "DEFINER", more: str = "") -> str:
    """The handler of every tutorial: a row of its own for each user, into a table that is there."""
    return _PROFILES.format(table=table, security=security, more=more)


def _raising(sqlstate: str) -> str:
    return f"""
CREATE FUNCTION public.conformance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'refused' USING ERRCODE = '{sqlstate}';
END $$;
CREATE TRIGGER conformance BEFORE INSERT ON auth.audit_log_entries FOR EACH ROW EXECUTE FUNCTION public.conformance();
"""


_REFERENCE = """
CREATE TABLE public.conformance (user_id uuid REFERENCES auth.users (id) {deferred});
CREATE FUNCTION public.conformance() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO public.conformance VALUES (NEW.id);
  RETURN NEW;
END $$;
INSERT INTO public.conformance SELECT id FROM auth.users;
CREATE TRIGGER conformance AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.conformance();
"""

_WRITES_AGAIN = """
CREATE FUNCTION public.conformance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE auth.users SET role = 'other' WHERE id = NEW.id;
  RETURN NEW;
END $$;
CREATE TRIGGER conformance BEFORE UPDATE ON auth.users FOR EACH ROW WHEN (pg_trigger_depth() = 0)
  EXECUTE FUNCTION public.conformance();
"""

CAUSES: dict[str, tuple[str, dict[str, str | None]]] = {
    "42P01: a table that Auth's search_path lacks": (
        _profiles("conformance"),
        {"signup-email": "42P01", "oauth-first": "42P01", "anonymous": "42P01", "admin-create": "42P01"},
    ),
    "42501: a table that Auth's role may not write": (
        _profiles(security="INVOKER", more="); REVOKE ALL ON public.conformance FROM PUBLIC, supabase_auth_admin; --"),
        {"signup-email": "42501", "invite": "42501"},
    ),
    "23502: no e-mail address": (
        _profiles(more=" NOT NULL"),
        {"signup-email": None, "signup-phone": "23502", "anonymous": "23502"},
    ),
    "23503: a foreign key without ON DELETE": (
        _REFERENCE.format(deferred=""),
        {"delete-user": "23503", "soft-delete": None},
    ),
    "23503: the same, at COMMIT": (
        _REFERENCE.format(deferred="DEFERRABLE INITIALLY DEFERRED"),
        {"delete-user": "23503", "soft-delete": None},
    ),
    "27000: a row that its own BEFORE trigger has updated": (
        _WRITES_AGAIN,
        {"signup-email": "27000", "admin-create": "27000", "login": "27000"},
    ),
}


def _outcomes(stage: Stage, statements: str, flows: tuple[str, ...]) -> tuple[dict[str, str | None], list[str]]:
    """The SQLSTATE that ends each flow in smoke, and where the client reads something else from Auth."""
    scenes = {name: ACTS[name](stage) for name in flows}
    with broken(stage.database, statements):
        # Before Auth, which commits what it makes.
        results = smoke(stage.database, flows)
        seen = {name: seen_by_client(stage, scene) for name, scene in scenes.items()}
    differences = [
        f"{name}: Auth {seen[name]}, smoke {predicted(results[name])}"
        for name in flows
        if seen[name] != predicted(results[name])
    ]
    failures = {name: result.failed_step for name, result in results.items()}
    return {name: None if failed is None else failed.sqlstate for name, failed in failures.items()}, differences


@pytest.mark.parametrize("cause", CAUSES)
def test_a_common_cause(stage: Stage, cause: str) -> None:
    statements, expected = CAUSES[cause]
    assert _outcomes(stage, statements, tuple(expected)) == (expected, [])


@pytest.mark.parametrize("sqlstate", ["23000", "23001", "23P01", "23514", "PT000", "P0002", "22023"])
def test_which_sqlstates_are_public(stage: Stage, sqlstate: str) -> None:
    assert _outcomes(stage, _raising(sqlstate), ("oauth-again",)) == ({"oauth-again": sqlstate}, [])
