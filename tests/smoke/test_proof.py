"""Which trigger is named for what goes wrong, and which is not. Every case runs on a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.smoke.conftest import Database, by_flow, connect, users
from trigger_audit.opening import TargetInfo
from trigger_audit.pipeline import SmokeOptions, smoke
from trigger_audit.smoke.model import FlowResult, Mail, Outcome, SmokeReport

Prove = Callable[..., SmokeReport]


@pytest.fixture
def prove(fresh_database: Database) -> Prove:
    def run(
        sql: str,
        flows: Sequence[str] | None = None,
        role: str = "supabase_admin",
        *,
        allow_locks: bool = True,
        unmask: bool = True,
    ) -> SmokeReport:
        with connect(fresh_database) as owner:
            owner.execute("SET SESSION AUTHORIZATION postgres")
            owner.execute(sql.encode())
        info = TargetInfo("sql", "test", "", "supabase")
        with connect(fresh_database, role) as connection:
            asked = SmokeOptions(flows=None if flows is None else tuple(flows), allow_locks=allow_locks, unmask=unmask)
            report = smoke(connection, info, asked).report
        assert report.rolled_back
        assert users(fresh_database) == 0
        return report

    return run


def function(name: str, body: str, *, declare: str = "") -> str:
    """A SECURITY DEFINER trigger function whose body's first line is line 3."""
    return f"""
CREATE FUNCTION public.{name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $${declare}
BEGIN
{body}
END $$;
"""


def on_users(name: str, body: str, when: str = "AFTER INSERT", *, condition: str = "", declare: str = "") -> str:
    return function(name, body, declare=declare) + attach(name, name, when, condition)


def attach(trigger: str, name: str, when: str, condition: str = "", table: str = "auth.users") -> str:
    return f"CREATE TRIGGER {trigger} {when} ON {table} FOR EACH ROW {condition} EXECUTE FUNCTION public.{name}();\n"


def harmless(*names: str) -> str:
    return "".join(on_users(name, "  RETURN NEW;", "BEFORE INSERT OR UPDATE") for name in names)


PROFILES = "CREATE TABLE public.profiles (id uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE, name text);\n"
FAILS = "  RAISE EXCEPTION 'no';\n  RETURN NEW;"


def triggers(result: FlowResult) -> list[str]:
    return sorted(culprit.name for culprit in result.culprits if culprit.kind == "trigger")


def test_the_middle_one_of_three(prove: Prove) -> None:
    report = prove(
        PROFILES
        + on_users("a_profile", "  INSERT INTO public.profiles (id) VALUES (NEW.id);\n  RETURN NEW;")
        + on_users("b_middle", FAILS)
        + on_users("c_last", "  UPDATE public.profiles SET name = 'x' WHERE id = NEW.id;\n  RETURN NEW;"),
        ["signup-email"],
    )
    for result in report.flows:
        (culprit,) = result.culprits
        assert (culprit.kind, culprit.name) == ("trigger", "auth.users.b_middle")
        assert culprit.necessary
        assert culprit.sufficient
        assert culprit.group == ()
        assert result.reason is None or result.reason.startswith("starts from")
    assert [(toggle.trigger, toggle.method) for toggle in report.toggles] == [
        ("auth.users.a_profile", "function-noop"),
        ("auth.users.b_middle", "function-noop"),
        ("auth.users.c_last", "function-noop"),
    ]
    assert report.strongest_lock == "RowExclusiveLock"


def test_only_when_the_token_is_written(prove: Prove) -> None:
    sql = harmless("a", "z") + on_users(
        "on_token", FAILS, "AFTER UPDATE", condition="WHEN (NEW.confirmation_token <> '')"
    )
    result = by_flow(prove(sql, ["signup-email"]))["signup-email"]
    assert result.mail is Mail.SENT_TOKEN_LOST
    assert triggers(result) == ["auth.users.on_token"]


def test_only_at_commit(prove: Prove) -> None:
    sql = harmless("a") + function("late", FAILS)
    sql += (
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON auth.users DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION public.late();"
    )
    result = by_flow(prove(sql, ["signup-email"]))["signup-email"]
    assert result.failed_step is not None
    assert result.failed_step.statement == "COMMIT"
    assert triggers(result) == ["auth.users.late"]


def test_only_on_login(prove: Prove) -> None:
    sql = on_users("seen", FAILS, "AFTER UPDATE OF last_sign_in_at")
    sql += harmless("a")
    results = by_flow(prove(sql, ["signup-email", "login"]))
    assert results["signup-email"].outcome is Outcome.PASS
    assert results["signup-email"].culprits == ()
    assert triggers(results["login"]) == ["auth.users.seen"]


def test_a_foreign_key_that_blocks_the_deletion_is_named_itself(prove: Prove) -> None:
    sql = "CREATE TABLE public.notes (owner uuid CONSTRAINT notes_owner REFERENCES auth.users);\n"
    sql += on_users("on_new", "  INSERT INTO public.notes VALUES (NEW.id);\n  RETURN NEW;")
    results = by_flow(prove(sql, ["signup-email", "delete-user"]))
    assert results["signup-email"].outcome is Outcome.PASS
    (culprit,) = results["delete-user"].culprits
    assert (culprit.kind, culprit.name) == ("constraint", "public.notes.notes_owner")


def test_a_trigger_on_a_users_table_that_fails_in_the_deletion(prove: Prove) -> None:
    sql = PROFILES + on_users("on_new", "  INSERT INTO public.profiles (id) VALUES (NEW.id);\n  RETURN NEW;")
    sql += function("keep", FAILS) + attach("keep", "keep", "BEFORE DELETE", table="public.profiles")
    assert triggers(by_flow(prove(sql, ["delete-user"]))["delete-user"]) == ["public.profiles.keep"]


def test_only_for_phone_and_anonymous(prove: Prove) -> None:
    sql = "CREATE TABLE public.mails (address text NOT NULL);\n" + harmless("a")
    sql += on_users("on_new", "  INSERT INTO public.mails VALUES (NEW.email);\n  RETURN NEW;")
    results = by_flow(prove(sql, ["signup-email", "signup-phone", "anonymous"]))
    assert results["signup-email"].outcome is Outcome.PASS
    assert triggers(results["signup-phone"]) == triggers(results["anonymous"]) == ["auth.users.on_new"]


def test_only_for_a_second_user_of_the_same_name(prove: Prove) -> None:
    sql = "CREATE TABLE public.names (name text UNIQUE);\n" + harmless("a")
    sql += on_users(
        "on_new", "  INSERT INTO public.names VALUES (pg_catalog.split_part(NEW.email, '@', 1));\n  RETURN NEW;"
    )
    results = by_flow(prove(sql, ["signup-email"]))
    assert results["signup-email"].outcome is Outcome.PASS
    twin = results["signup-email/duplicate"]
    assert twin.failed_step is not None
    assert twin.failed_step.sqlstate == "23505"
    assert triggers(twin) == ["auth.users.on_new"]


@pytest.mark.parametrize(
    ("when", "body"),
    [
        ("BEFORE INSERT", "  RETURN NULL;"),
        ("BEFORE UPDATE", "  RETURN OLD;"),
        ("BEFORE INSERT", "  NEW.email_confirmed_at := pg_catalog.now();\n  RETURN NEW;"),
        ("BEFORE UPDATE", "  NEW.confirmation_token := '';\n  RETURN NEW;"),
    ],
    ids=["returns-null", "returns-old", "confirms", "clears-token"],
)
def test_what_alters_the_row_is_named(prove: Prove, when: str, body: str) -> None:
    result = by_flow(prove(harmless("a", "z") + on_users("quiet", body, when), ["signup-email"]))["signup-email"]
    assert result.outcome in (Outcome.FAIL, Outcome.ALTERED)
    assert triggers(result) == ["auth.users.quiet"]


def test_recursion(prove: Prove) -> None:
    sql = harmless("a") + on_users(
        "again",
        "  UPDATE auth.users SET updated_at = pg_catalog.now() WHERE id = NEW.id;\n  RETURN NEW;",
        "AFTER UPDATE",
    )
    result = by_flow(prove(sql, ["signup-email"]))["signup-email"]
    assert result.failed_step is not None
    assert result.failed_step.sqlstate == "54001"
    assert triggers(result) == ["auth.users.again"]


def test_two_culprits(prove: Prove) -> None:
    sql = harmless("a") + on_users("first", FAILS) + on_users("second", FAILS, "AFTER UPDATE OF role")
    result = by_flow(prove(sql, ["signup-email"]))["signup-email"]
    assert triggers(result) == ["auth.users.first", "auth.users.second"]
    assert all(culprit.necessary and culprit.sufficient for culprit in result.culprits)


def test_a_pair_of_which_either_alone_is_harmless(prove: Prove) -> None:
    sql = harmless("a") + on_users("mark", "  NEW.is_sso_user := true;\n  RETURN NEW;", "BEFORE INSERT")
    sql += on_users("refuse", "  IF NEW.is_sso_user THEN RAISE EXCEPTION 'sso'; END IF;\n  RETURN NEW;")
    result = by_flow(prove(sql, ["signup-email"]))["signup-email"]
    assert [(culprit.name, culprit.necessary, culprit.sufficient) for culprit in result.culprits] == [
        ("auth.users.mark", True, False),
        ("auth.users.refuse", True, False),
    ]


def test_a_fault_two_tables_deeper(prove: Prove) -> None:
    sql = PROFILES + "CREATE TABLE public.stats (n int);\n" + harmless("a")
    sql += on_users("on_new", "  INSERT INTO public.profiles (id) VALUES (NEW.id);\n  RETURN NEW;")
    sql += function("count_up", "  INSERT INTO public.stats VALUES (1);\n  RETURN NEW;")
    sql += attach("count_up", "count_up", "AFTER INSERT", table="public.profiles")
    sql += function("deep", FAILS) + attach("deep", "deep", "AFTER INSERT", table="public.stats")
    result = by_flow(prove(sql, ["signup-email"]))["signup-email"]
    (culprit,) = result.culprits
    assert culprit.name == "public.stats.deep"
    assert culprit.sufficient


def test_the_one_that_makes_the_parent_row_is_not_named(prove: Prove) -> None:
    sql = PROFILES + "CREATE TABLE public.cards (owner uuid REFERENCES public.profiles);\n"
    sql += on_users("a_parent", "  INSERT INTO public.profiles (id) VALUES (NEW.id);\n  RETURN NEW;")
    sql += on_users("b_child", "  INSERT INTO public.cards VALUES (NEW.id);\n  RAISE EXCEPTION 'no';")
    result = by_flow(prove(sql, ["signup-email"]))["signup-email"]
    assert triggers(result) == ["auth.users.b_child"]


def test_the_one_that_misses_the_culprits_row_is_not_named(prove: Prove) -> None:
    sql = PROFILES + "CREATE TABLE public.cards (owner uuid REFERENCES public.profiles);\n"
    sql += on_users("a_parent", "  INSERT INTO public.profiles (id) VALUES (NEW.id);\n  RAISE EXCEPTION 'no';")
    sql += on_users("b_child", "  INSERT INTO public.cards VALUES (NEW.id);\n  RETURN NEW;")
    result = by_flow(prove(sql, ["signup-email"]))["signup-email"]
    assert triggers(result) == ["auth.users.a_parent"]
    assert result.reason is not None
    assert "perhaps only because they are off" in result.reason


SHARED = (
    function("both", "  IF TG_NAME = 'bad' THEN RAISE EXCEPTION 'no'; END IF;\n  RETURN NEW;")
    + attach("bad", "both", "AFTER INSERT")
    + attach("good", "both", "AFTER UPDATE")
)


def test_a_shared_function_is_told_apart_by_the_trigger(prove: Prove) -> None:
    report = prove(SHARED, ["signup-email"])
    (culprit,) = by_flow(report)["signup-email"].culprits
    assert (culprit.name, culprit.group) == ("auth.users.bad", ())
    assert {toggle.method for toggle in report.toggles} == {"when-false"}


def test_without_locks_the_group_that_shares_the_function_is_named(prove: Prove) -> None:
    report = prove(SHARED, ["signup-email"], allow_locks=False)
    (culprit,) = by_flow(report)["signup-email"].culprits
    assert {culprit.name, *culprit.group} == {"auth.users.bad", "auth.users.good"}
    assert report.strongest_lock == "RowExclusiveLock"


def test_a_swallowed_error(prove: Prove) -> None:
    body = (
        "  BEGIN\n    INSERT INTO public.nowhere VALUES (NEW.id);\n"
        "  EXCEPTION WHEN OTHERS THEN NULL;\n  END;\n  RETURN NEW;"
    )
    report = prove(on_users("quiet", body), ["signup-email"])
    assert all(result.outcome is Outcome.PASS for result in report.flows)
    (error,) = report.hidden_errors
    assert (error.trigger, error.function, error.line) == ("auth.users.quiet", "public.quiet()", 4)
    assert (error.sqlstate, error.flow) == ("42P01", "signup-email")
    assert by_flow(prove("SELECT 1", ["signup-email"], unmask=False))["signup-email"].outcome is Outcome.PASS


RETRY = """  LOOP
    BEGIN
      INSERT INTO public.names VALUES (candidate);
      EXIT;
    EXCEPTION WHEN OTHERS THEN
      candidate := candidate || 'x';
    END;
  END LOOP;
  RETURN NEW;"""
FALLBACK = """  BEGIN
    wanted := (NEW.raw_user_meta_data ->> 'age')::int;
  EXCEPTION WHEN OTHERS THEN
    wanted := 0;
  END;
  INSERT INTO public.names VALUES (wanted::text);
  RETURN NEW;"""


@pytest.mark.parametrize(
    ("body", "declare"),
    [(RETRY, " DECLARE candidate text := 'taken';"), (FALLBACK, " DECLARE wanted int := 'x';")],
    ids=["retry", "fallback"],
)
def test_a_handler_that_is_part_of_the_work_is_left_alone(prove: Prove, body: str, declare: str) -> None:
    declare = declare.replace("'x'", "1")
    sql = "CREATE TABLE public.names (name text UNIQUE);\nINSERT INTO public.names VALUES ('taken');\n"
    report = prove(sql + on_users("on_new", body, declare=declare), ["signup-email"])
    assert by_flow(report)["signup-email"].outcome is Outcome.PASS
    assert report.hidden_errors == ()
