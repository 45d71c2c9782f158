"""Who is named where it is not plain: behind views and dynamic SQL, in a recursion, beside triggers that stay on, and
where the harm was done to the user that a flow starts from."""

from __future__ import annotations

import pytest

from tests.conftest import FreshDatabase
from tests.smoke.cases import on_users
from tests.smoke.conftest import Database, apply_as_postgres, by_flow, connect
from tests.smoke.proving import prove_on
from trigger_audit.report.culprits import culprit_words
from trigger_audit.report.smoke_json import flow_document
from trigger_audit.smoke.model import Culprit, FlowResult, Outcome

_FIRST = ("signup-email",)


def first(database: Database, sql: str) -> FlowResult:
    """How a sign-up with bare metadata fares."""
    apply_as_postgres(database, sql)
    return by_flow(prove_on(database, _FIRST))["signup-email"]


def names(result: FlowResult) -> list[tuple[str, str]]:
    return [(culprit.kind, culprit.name) for culprit in result.culprits]


BROKEN = """
CREATE FUNCTION public.broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE TRIGGER broken AFTER INSERT ON public.{table} FOR EACH ROW EXECUTE FUNCTION public.broken();
"""
WRITES = "  INSERT INTO public.profiles (id) VALUES (NEW.id);\n  RETURN NEW;"
BEHIND = {
    "an updatable view": (
        "CREATE TABLE public.base (id uuid);\nCREATE VIEW public.profiles AS SELECT * FROM public.base;\n"
        + on_users("sound", WRITES)
        + BROKEN.format(table="base"),
        "public.base.broken",
    ),
    "a partition": (
        "CREATE TABLE public.profiles (id uuid) PARTITION BY HASH (id);\n"
        "CREATE TABLE public.part PARTITION OF public.profiles FOR VALUES WITH (MODULUS 1, REMAINDER 0);\n"
        + on_users("sound", WRITES)
        + BROKEN.format(table="part"),
        "public.part.broken",
    ),
    "dynamic SQL": (
        "CREATE TABLE public.profiles (id uuid);\n"
        + on_users(
            "sound",
            "  EXECUTE 'INSERT INTO public.' || TG_ARGV[0] || ' (id) VALUES ($1)' USING NEW.id;\n  RETURN NEW;",
        ).replace("public.sound();\n", "public.sound('profiles');\n")
        + BROKEN.format(table="profiles"),
        "public.profiles.broken",
    ),
}


@pytest.mark.parametrize("behind", BEHIND)
def test_not_the_sound_trigger_before_the_broken_one(fresh_database: Database, behind: str) -> None:
    sql, broken = BEHIND[behind]
    (culprit,) = first(fresh_database, sql).culprits
    assert (culprit.name, culprit.necessary, culprit.sufficient) == (broken, True, True)


BREAKS_LATER = "  IF TG_OP = 'UPDATE' THEN RAISE EXCEPTION 'a is broken'; END IF;\n"
LATER = "AFTER INSERT OR UPDATE OF confirmation_token"
INNOCENT = {
    "a policy reads the culprit's row": """
CREATE TABLE public.members (id uuid);
CREATE TABLE public.posts (id uuid);
GRANT ALL ON public.members, public.posts TO supabase_auth_admin;
ALTER TABLE public.posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON public.posts WITH CHECK (EXISTS (SELECT FROM public.members m WHERE m.id = posts.id));
"""
    + on_users("a", BREAKS_LATER + "  INSERT INTO public.members VALUES (NEW.id);\n  RETURN NEW;", LATER)
    + on_users("b", "  INSERT INTO public.posts VALUES (NEW.id);\n  RETURN NEW;").replace("SECURITY DEFINER", ""),
    "the culprit's temporary table": "CREATE TABLE public.log (id uuid);\n"
    + on_users(
        "a",
        BREAKS_LATER
        + "  CREATE TEMP TABLE IF NOT EXISTS context (id uuid);\n  INSERT INTO pg_temp.context VALUES (NEW.id);\n"
        "  RETURN NEW;",
        LATER,
    )
    + on_users("b", "  INSERT INTO public.log SELECT id FROM pg_temp.context;\n  RETURN NEW;"),
    "the culprit's EXECUTE": "CREATE TABLE public.parents (id uuid PRIMARY KEY);\n"
    "CREATE TABLE public.children (id uuid REFERENCES public.parents);\n"
    + on_users(
        "a",
        BREAKS_LATER + "  EXECUTE 'INSERT INTO public.' || TG_ARGV[0] || ' VALUES ($1)' USING NEW.id;\n  RETURN NEW;",
        LATER,
    ).replace("public.a();\n", "public.a('parents');\n")
    + on_users("b", "  INSERT INTO public.children VALUES (NEW.id);\n  RETURN NEW;"),
    "the culprit's value": "CREATE TABLE public.names (name text NOT NULL);\n"
    + on_users(
        "a",
        "  IF TG_OP = 'UPDATE' THEN RAISE EXCEPTION 'a is broken'; END IF;\n"
        '  NEW.raw_user_meta_data := \'{"name": "x"}\';\n  RETURN NEW;',
        "BEFORE INSERT OR UPDATE OF confirmation_token",
    )
    + on_users("b", "  INSERT INTO public.names VALUES (NEW.raw_user_meta_data ->> 'name');\n  RETURN NEW;"),
}


@pytest.mark.parametrize("what", INNOCENT)
def test_one_that_misses_what_the_culprit_does_is_not_named(fresh_database: Database, what: str) -> None:
    result = first(fresh_database, INNOCENT[what])
    assert names(result) == [("trigger", "auth.users.a")]
    assert result.reason is not None
    assert "perhaps only because they are off" in result.reason


def test_one_with_a_fault_of_its_own_in_the_text_is_named_beside_another(fresh_database: Database) -> None:
    """A missing table comes of no row."""
    sql = "CREATE TABLE public.things (id uuid);\n" + on_users(
        "a", "  INSERT INTO public.things VALUES (NEW.id);\n  RAISE EXCEPTION 'no';"
    )
    sql += on_users("b", "  INSERT INTO public.nowhere SELECT id FROM public.things;\n  RETURN NEW;")
    assert names(first(fresh_database, sql)) == [("trigger", "auth.users.a"), ("trigger", "auth.users.b")]


def test_a_recursion_is_of_those_that_run_in_it(fresh_database: Database) -> None:
    """The trigger that makes the row which goes round and round is none of them."""
    sql = "CREATE TABLE public.profiles (id uuid, n int DEFAULT 0);\n" + on_users(
        "makes", "  INSERT INTO public.profiles (id) VALUES (NEW.id);\n  RETURN NEW;"
    )
    sql += on_users("ping", "  UPDATE public.profiles SET n = n + 1 WHERE id = NEW.id;\n  RETURN NEW;", "AFTER UPDATE")
    sql += """
CREATE FUNCTION public.pong() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN UPDATE auth.users SET updated_at = pg_catalog.now() WHERE id = NEW.id; RETURN NEW; END $$;
CREATE TRIGGER pong AFTER UPDATE ON public.profiles FOR EACH ROW EXECUTE FUNCTION public.pong();
"""
    result = first(fresh_database, sql)
    assert result.failed_step is not None
    assert result.failed_step.sqlstate == "54001"
    assert names(result) == [("trigger", "auth.users.ping"), ("trigger", "public.profiles.pong")]


PROFILES = "CREATE TABLE public.profiles (id uuid, name text NOT NULL);\n"
STUCK = {
    "a constraint": PROFILES + on_users("stays", "  INSERT INTO public.profiles VALUES (NEW.id, NULL);\n  RETURN NEW;"),
    "its own error": on_users("stays", "  RAISE EXCEPTION 'no';\n  RETURN NEW;"),
    "behind a sound one": "CREATE TABLE public.profiles (id uuid);\n"
    "GRANT ALL ON public.profiles TO postgres;\n" + BROKEN.format(table="profiles"),
}


@pytest.mark.parametrize("what", STUCK)
def test_nothing_is_proved_past_a_trigger_that_cannot_be_switched_off(fresh_database: Database, what: str) -> None:
    """Neither the constraint that it runs into nor the trigger that leads to it is to blame."""
    with connect(fresh_database) as owner:  # supabase_admin's functions are not postgres's to replace
        owner.execute(STUCK[what].encode())
    harmless = on_users("harmless", "  RETURN NEW;") if what != "behind a sound one" else on_users("sound", WRITES)
    apply_as_postgres(fresh_database, harmless)
    result = by_flow(prove_on(fresh_database, _FIRST, "postgres"))["signup-email"]
    assert result.outcome is Outcome.FAIL
    assert result.culprits == ()
    name = "public.profiles.broken" if what == "behind a sound one" else "auth.users.stays"
    assert result.reason is not None
    assert result.reason.startswith(f"the cause is not proved, for it cannot be switched off here ({name}: ")


def test_a_constraint_is_named_past_a_trigger_that_stays_on_but_fires_elsewhere(fresh_database: Database) -> None:
    with connect(fresh_database) as owner:
        owner.execute(on_users("stays", "  RETURN NEW;").encode())
        owner.execute("CREATE TABLE public.notes (owner uuid CONSTRAINT notes_owner REFERENCES auth.users)")
        owner.execute("GRANT ALL ON public.notes TO postgres")
    apply_as_postgres(fresh_database, on_users("on_new", "  INSERT INTO public.notes VALUES (NEW.id);\n  RETURN NEW;"))
    (result,) = prove_on(fresh_database, ["delete-user"], "postgres").flows
    assert names(result) == [("constraint", "public.notes.notes_owner")]


DELETES_IDENTITY = on_users(
    "unlinks",
    "  DELETE FROM auth.identities WHERE user_id = NEW.id;\n  RETURN NEW;",
    "AFTER UPDATE OF confirmation_token",
)
KEEPS_OLD = on_users("stale", "  RETURN OLD;", "BEFORE UPDATE")
EARLIER = {
    "verify-signup": (DELETES_IDENTITY, Outcome.ALTERED, "auth.users.unlinks"),
    "login": (KEEPS_OLD, Outcome.FAIL, "auth.users.stale"),
}


@pytest.mark.parametrize("flow", EARLIER)
def test_what_broke_the_user_that_a_flow_starts_from(fresh_database: Database, flow: str) -> None:
    sql, outcome, name = EARLIER[flow]
    apply_as_postgres(fresh_database, sql)
    (result,) = prove_on(fresh_database, [flow]).flows
    assert result.outcome is outcome
    (culprit,) = result.culprits
    assert (culprit.name, culprit.earlier, culprit.behind) == (name, True, False)
    assert culprit.necessary
    assert "with it off when the user is made this does not happen" in culprit_words(culprit)
    (told,) = flow_document(result)["culprits"]
    assert (told["earlier"], told["behind"], told["alone"]) == (True, False, False)
    assert "no trigger" not in (result.reason or "")


def test_never_neither_a_culprit_nor_a_reason(database: FreshDatabase) -> None:
    with connect(database) as owner:
        owner.execute("CREATE INDEX ON auth.users (((raw_user_meta_data ->> 'name')::int))")
    result = by_flow(prove_on(database, _FIRST))["signup-email/full"]
    assert result.failed_step is not None
    assert result.failed_step.sqlstate == "22P02"
    assert result.culprits == ()
    assert result.reason == (
        "no trigger is proved to bring about 22P02 at INSERT auth.users: it happens with every trigger off too, and "
        "the server names no constraint, policy or setting for it"
    )


def test_a_setting_that_the_server_names(fresh_database: Database) -> None:
    """A check that needs a parameter which nobody has set: no trigger is in it."""
    with connect(fresh_database) as owner:
        owner.execute("ALTER TABLE auth.users ADD CHECK (email IS DISTINCT FROM current_setting('app.blocked'))")
    (culprit,) = by_flow(prove_on(fresh_database, _FIRST))["signup-email"].culprits
    assert culprit == Culprit("setting", "app.blocked", necessary=True, sufficient=True)
    assert culprit_words(culprit).startswith("setting app.blocked (the server names it")


def test_a_setting_of_the_database_without_which_it_does_not_happen(database: FreshDatabase) -> None:
    """Sessions here start with it, Auth's too. Another one beside it is not to blame."""
    name = database.name
    with connect(database) as owner:
        owner.execute("ALTER TABLE auth.users ADD COLUMN since date DEFAULT '12/31/2020'::text::date")
        owner.execute(f"ALTER DATABASE {name} SET datestyle = 'ISO, DMY'".encode())
        owner.execute(f"ALTER DATABASE {name} SET enable_nestloop = off".encode())
    result = by_flow(prove_on(database, _FIRST))["signup-email"]
    assert result.failed_step is not None
    assert result.failed_step.sqlstate == "22008"
    assert result.culprits == (Culprit("setting", "DateStyle", necessary=True, sufficient=False),)
    assert result.reason is None
    assert culprit_words(result.culprits[0]).startswith("setting DateStyle (proved: with PostgreSQL's own value")


def test_what_is_behind_the_shown_failure_is_told_apart(fresh_database: Database) -> None:
    sql = on_users("a", "  RAISE EXCEPTION 'a';") + on_users("b", "  RAISE EXCEPTION 'b';", "AFTER UPDATE OF role")
    told = flow_document(first(fresh_database, sql))["culprits"]
    assert [(one["name"], one["behind"]) for one in told] == [("auth.users.a", False), ("auth.users.b", True)]


@pytest.mark.parametrize("allow_locks", [False, True])
def test_a_trigger_that_fires_always_is_off_while_a_user_is_made(fresh_database: Database, allow_locks: bool) -> None:
    """session_replication_role does not stop it. The flow itself meets it again."""
    shared = on_users("always", "  RAISE EXCEPTION 'no: %', TG_OP;", "AFTER INSERT")
    if allow_locks:  # by the table, for the function is not its alone
        shared += "CREATE TRIGGER other AFTER DELETE ON auth.users FOR EACH ROW EXECUTE FUNCTION public.always();\n"
    shared += on_users("seen", "  RAISE EXCEPTION 'seen';", "AFTER UPDATE OF last_sign_in_at")
    apply_as_postgres(fresh_database, shared)
    with connect(fresh_database) as owner:
        owner.execute("ALTER TABLE auth.users ENABLE ALWAYS TRIGGER always")
        if allow_locks:
            owner.execute("ALTER TABLE auth.users ENABLE ALWAYS TRIGGER other")
    flows = ["signup-email", "login", "magic-link", "delete-user"]
    results = by_flow(prove_on(fresh_database, flows, allow_locks=allow_locks))
    assert names(results["signup-email"]) == [("trigger", "auth.users.always")]
    assert names(results["login"]) == [("trigger", "auth.users.seen")]
    assert results["magic-link"].outcome is Outcome.PASS
    assert results["delete-user"].outcome is (Outcome.FAIL if allow_locks else Outcome.PASS)
    assert "made with triggers off" in (results["login"].reason or "")
