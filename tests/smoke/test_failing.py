"""A trigger that fails at each kind of step: what the client reads, whether the mail has left, and where it broke."""

from __future__ import annotations

from tests.smoke.conftest import Database, Run, by_flow, connect
from trigger_audit.smoke.model import Mail, Outcome, Payload
from trigger_audit.smoke.session import Limits

RAW = "Unexpected failure, please check server logs for more information"


def trigger(body: str, when: str, *, name: str = "audited", more: str = "", declare: str = "") -> str:
    """A SECURITY DEFINER trigger function with the body from its line 3 on, and a trigger on auth.users."""
    return f"""
        {more}
        DROP FUNCTION IF EXISTS public.{name}() CASCADE;
        CREATE FUNCTION public.{name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {declare} AS $$
BEGIN
{body}
END $$;
        CREATE TRIGGER {name} {when} FOR EACH ROW EXECUTE FUNCTION public.{name}();
    """


def test_insert(smoke: Run) -> None:
    sql = trigger("  INSERT INTO profiles (id) VALUES (NEW.id);\n  RETURN NEW;", "AFTER INSERT ON auth.users")
    results = by_flow(smoke(sql, ["signup-email", "anonymous", "admin-create", "oauth-first"]))
    result = results["signup-email"]
    assert result.outcome is Outcome.FAIL
    assert result.failed_step is not None
    step = result.failed_step
    assert (step.index, step.statement, step.sqlstate) == (1, "INSERT auth.users", "42P01")
    assert (step.function, step.line) == ("public.audited()", 3)
    assert step.message == 'relation "profiles" does not exist'
    assert result.response is not None
    assert (result.response.status, result.response.error_code) == (500, "unexpected_failure")
    assert result.response.message == "Database error saving new user"
    assert result.mail is Mail.NOT_SENT
    answers = {name: results[name].response for name in ("anonymous", "admin-create", "oauth-first")}
    assert {name: answer.message for name, answer in answers.items() if answer} == {
        "anonymous": "Database error creating anonymous user",
        "admin-create": "Database error creating new user",
        "oauth-first": "Database error saving new user",
    }
    assert answers["oauth-first"] is not None
    assert answers["oauth-first"].status == 302
    assert results["anonymous"].latent
    assert results["anonymous"].mail is Mail.NONE


def test_the_functions_schema_is_found_where_its_own_search_path_hides_it(smoke: Run) -> None:
    sql = trigger(
        "  RAISE EXCEPTION 'no';", "AFTER INSERT ON auth.users", declare="SET search_path = public", name='"Odd.name"'
    )
    step = by_flow(smoke(sql, ["signup-email"]))["signup-email"].failed_step
    assert step is not None
    assert (step.function, step.line, step.sqlstate) == ("public.Odd.name()", 3, "P0001")


UPDATES = [
    ("OLD.role <> NEW.role", "signup-email", 2, "Database error updating user", Mail.NOT_SENT),
    ("OLD.raw_user_meta_data <> NEW.raw_user_meta_data", "signup-email", 5, RAW, Mail.NOT_SENT),
    (
        "OLD.confirmation_token <> NEW.confirmation_token",
        "signup-email",
        9,
        "Error sending confirmation email",
        Mail.SENT_TOKEN_LOST,
    ),
    ("NEW.confirmation_token <> ''", "invite", 6, "Error inviting user", Mail.SENT_TOKEN_LOST),
    ("NEW.recovery_token <> ''", "magic-link", 2, "Error sending magic link email", Mail.SENT_TOKEN_LOST),
    ("NEW.recovery_token <> ''", "recovery", 2, "Error sending recovery email", Mail.SENT_TOKEN_LOST),
    ("NEW.email_change <> ''", "email-change", 1, "Error sending email change email", Mail.SENT_TOKEN_LOST),
    (
        "OLD.email_confirmed_at IS NULL AND NEW.email_confirmed_at IS NOT NULL",
        "verify-signup",
        2,
        "Error confirming user",
        Mail.NONE,
    ),
    ("OLD.email <> NEW.email", "verify-email-change", 5, "Error confirm email", Mail.NONE),
    ("NEW.deleted_at IS NOT NULL", "soft-delete", 2, "Error soft deleting user", Mail.NONE),
    ("NEW.encrypted_password <> OLD.encrypted_password", "update-user", 1, "Error during password storage", Mail.NONE),
]


def test_updates(smoke: Run) -> None:
    """Which statement fails decides what the client reads; all in one database, for each run leaves it as it was."""
    for condition, flow, index, message, mail in UPDATES:
        sql = trigger(
            f"  IF {condition} THEN\n    RAISE 'refused' USING DETAIL = 'd', HINT = 'h';\n  END IF;\n  RETURN NEW;",
            "AFTER UPDATE ON auth.users",
        )
        result = by_flow(smoke(sql, [flow]))[flow]
        assert result.failed_step is not None, condition
        step = result.failed_step
        assert (step.index, step.sqlstate, step.function, step.line) == (index, "P0001", "public.audited()", 4)
        assert (step.detail, step.hint) == ("d", "h")
        assert result.response is not None
        assert (flow, result.response.message, result.mail) == (flow, message, mail)


def test_at_commit(smoke: Run) -> None:
    sql = trigger(
        "  RAISE EXCEPTION 'too late';",
        "AFTER INSERT ON auth.users DEFERRABLE INITIALLY DEFERRED",
    ).replace("CREATE TRIGGER", "CREATE CONSTRAINT TRIGGER")
    result = by_flow(smoke(sql, ["signup-email"]))["signup-email"]
    assert result.failed_step is not None
    assert (result.failed_step.statement, result.failed_step.index) == ("COMMIT", 11)
    assert result.response is not None
    assert (result.response.message, result.mail) == (RAW, Mail.SENT_TOKEN_LOST)


def test_login_alone(smoke: Run) -> None:
    sql = trigger(
        "  IF NEW.last_sign_in_at IS DISTINCT FROM OLD.last_sign_in_at THEN RAISE 'no'; END IF;\n  RETURN NEW;",
        "AFTER UPDATE ON auth.users",
    )
    results = by_flow(smoke(sql, ["signup-email", "verify-signup", "login", "refresh-token"]))
    assert results["signup-email"].outcome is Outcome.PASS
    assert results["verify-signup"].outcome is Outcome.FAIL
    login = results["login"]
    assert login.response is not None
    assert login.response.message == "Database error granting user"
    assert login.reason is not None
    assert login.reason.startswith("starts from the user of admin-create, because verify-signup")
    assert results["refresh-token"].outcome is Outcome.PASS  # it writes last_sign_in_at, but the old value


def test_delete_that_a_foreign_key_refuses(smoke: Run) -> None:
    sql = trigger(
        "  INSERT INTO public.profiles (id) VALUES (NEW.id);\n  RETURN NEW;",
        "AFTER INSERT ON auth.users",
        more="CREATE TABLE public.profiles (id uuid PRIMARY KEY REFERENCES auth.users);",
    )
    results = by_flow(smoke(sql, ["signup-email", "delete-user"]))
    assert results["signup-email"].outcome is Outcome.PASS
    step = results["delete-user"].failed_step
    assert step is not None
    assert (step.index, step.sqlstate, step.constraint) == (2, "23503", "profiles_id_fkey")
    assert (step.schema, step.table, step.function) == ("public", "profiles", None)
    response = results["delete-user"].response
    assert response is not None
    assert response.message == "Database error deleting user"


def test_phone_and_anonymous_alone(smoke: Run) -> None:
    sql = trigger(
        "  INSERT INTO public.profiles VALUES (NEW.id, NEW.email);\n  RETURN NEW;",
        "AFTER INSERT ON auth.users",
        more="CREATE TABLE public.profiles (id uuid PRIMARY KEY, email text NOT NULL);",
    )
    report = smoke(sql)
    failed = {result.flow for result in report.flows if result.outcome is Outcome.FAIL}
    assert failed == {"signup-phone", "anonymous"}
    assert all(result.latent for result in report.flows if result.outcome is Outcome.FAIL)
    step = by_flow(report)["anonymous"].failed_step
    assert step is not None
    assert (step.sqlstate, step.table, step.column) == ("23502", "profiles", "email")
    verify = by_flow(report)["verify-phone"]
    assert verify.outcome is Outcome.PASS
    assert verify.reason is not None
    assert "triggers off" in verify.reason


def test_a_second_user_with_the_same_name(smoke: Run) -> None:
    sql = trigger(
        "  INSERT INTO public.profiles VALUES (NEW.id, split_part(NEW.email, '@', 1));\n  RETURN NEW;",
        "AFTER INSERT ON auth.users",
        more="CREATE TABLE public.profiles (id uuid, username text UNIQUE);",
    )
    report = smoke(sql, ["signup-email"])
    failed = {result.payload: result.failed_step for result in report.flows if result.failed_step is not None}
    assert set(failed) == {Payload.DUPLICATE}
    assert failed[Payload.DUPLICATE].sqlstate == "23505"


def test_metadata_that_only_the_full_payload_has(smoke: Run) -> None:
    sql = trigger(
        "  INSERT INTO public.profiles VALUES (NEW.id, NEW.raw_user_meta_data->>'full_name');\n  RETURN NEW;",
        "AFTER INSERT ON auth.users",
        more="CREATE TABLE public.profiles (id uuid, name text NOT NULL);",
    )
    results = by_flow(smoke(sql, ["signup-email", "login"]))
    assert results["signup-email/bare"].outcome is Outcome.FAIL
    assert results["signup-email/full"].outcome is Outcome.PASS
    assert results["login"].outcome is Outcome.PASS
    assert results["login"].reason is not None
    assert results["login"].reason.startswith("starts from the user of signup-email with full metadata, because")


def test_recursion(smoke: Run) -> None:
    sql = trigger(
        "  UPDATE auth.users SET updated_at = now() WHERE id = NEW.id;\n  RETURN NEW;", "AFTER UPDATE ON auth.users"
    )
    result = by_flow(smoke(sql, ["signup-email"]))["signup-email"]
    assert result.failed_step is not None
    assert (result.failed_step.index, result.failed_step.sqlstate) == (2, "54001")
    assert result.failed_step.context is not None
    assert len(result.failed_step.context) < 10_000
    assert result.response is not None
    assert result.response.message == "Database error updating user"


def test_invoker_rights_are_those_of_auth(smoke: Run) -> None:
    """What postgres may do, Auth's role may not."""
    sql = trigger(
        "  INSERT INTO public.profiles VALUES (NEW.id);\n  RETURN NEW;",
        "AFTER INSERT ON auth.users",
        more="CREATE TABLE public.profiles (id uuid); REVOKE ALL ON public.profiles FROM PUBLIC, supabase_auth_admin;",
    ).replace("SECURITY DEFINER", "SECURITY INVOKER")
    step = by_flow(smoke(sql, ["signup-email"]))["signup-email"].failed_step
    assert step is not None
    assert step.sqlstate == "42501"


def test_an_oauth_callback_shows_the_cause(smoke: Run) -> None:
    sql = trigger(
        "  IF NEW.payload->>'action' = 'user_signedup' THEN RAISE EXCEPTION 'no oauth'; END IF;\n  RETURN NEW;",
        "AFTER INSERT ON auth.audit_log_entries",
    )
    result = by_flow(smoke(sql, ["oauth-first"]))["oauth-first"]
    assert result.response is not None
    assert (result.response.status, result.response.message) == (302, "no oauth")


def test_a_refresh_token_that_is_suppressed_fails(smoke: Run) -> None:
    sql = trigger("  RETURN NULL;", "BEFORE INSERT ON auth.refresh_tokens")
    result = by_flow(smoke(sql, ["login"]))["login"]
    assert result.failed_step is not None
    assert (result.failed_step.sqlstate, result.failed_step.statement) == (None, "INSERT auth.refresh_tokens")
    assert result.response is not None
    assert result.response.message == "Database error granting user"


def test_a_function_that_never_ends_is_skipped(smoke: Run) -> None:
    sql = trigger("  LOOP\n    PERFORM 1;\n  END LOOP;", "AFTER INSERT ON auth.users")
    report = smoke(sql, ["signup-email"], limits=Limits(statement=300))
    assert {result.outcome for result in report.flows} == {Outcome.SKIPPED}
    reason = report.flows[0].reason
    assert reason is not None
    assert "statement_timeout" in reason
    assert "public.audited() line" in reason
    assert report.flows[0].response is None


def test_a_lock_that_is_not_to_be_had_is_skipped(smoke: Run, fresh_database: Database) -> None:
    sql = trigger(
        "  INSERT INTO public.profiles VALUES (NEW.id);\n  RETURN NEW;",
        "AFTER INSERT ON auth.users",
        more="CREATE TABLE public.profiles (id uuid);",
    )
    with connect(fresh_database) as owner:
        owner.execute(sql.encode())
        owner.execute("BEGIN; LOCK TABLE public.profiles")
        report = smoke(flows=["signup-otp"], limits=Limits(lock=200))
        owner.execute("ROLLBACK")
    assert {result.outcome for result in report.flows} == {Outcome.SKIPPED}
    assert report.flows[0].reason is not None
    assert "55P03" in report.flows[0].reason


def test_a_lock_timeout_that_a_handler_catches_is_no_verdict(smoke: Run, fresh_database: Database) -> None:
    sql = trigger(
        "  BEGIN\n    INSERT INTO public.profiles VALUES (NEW.id);\n  EXCEPTION WHEN OTHERS THEN NULL;\n  END;\n"
        "  RETURN NEW;",
        "AFTER INSERT ON auth.users",
        more="CREATE TABLE public.profiles (id uuid);",
    )
    with connect(fresh_database) as owner:
        owner.execute(sql.encode())
        owner.execute("BEGIN; LOCK TABLE public.profiles")
        report = smoke(flows=["signup-otp"], limits=Limits(lock=200, statement=500))
        owner.execute("ROLLBACK")
    assert {result.outcome for result in report.flows} == {Outcome.SKIPPED}
    assert smoke(flows=["signup-otp"]).summary["pass"] == 2


def test_a_slow_function_is_still_judged(smoke: Run) -> None:
    sql = trigger("  PERFORM pg_sleep(0.3);\n  RETURN NEW;", "AFTER INSERT ON auth.users")
    report = smoke(sql, ["signup-otp"], limits=Limits(lock=200, statement=1000))
    assert report.summary["pass"] == 2


def test_without_a_user_to_start_from_a_flow_is_skipped(smoke: Run) -> None:
    """Auth's own role cannot switch triggers off."""
    sql = trigger("  RAISE EXCEPTION 'no';", "AFTER INSERT ON auth.users")
    result = by_flow(smoke(sql, ["login"], role="supabase_auth_admin"))["login"]
    assert result.outcome is Outcome.SKIPPED
    assert result.reason is not None
    assert result.reason.startswith("no user to start from: signup-email with bare metadata fails")
    assert "cannot be switched off" in result.reason
