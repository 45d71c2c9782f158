"""Auth answers that all is well, and it is not: what the post-checks find."""

from __future__ import annotations

import pytest

from tests.smoke.conftest import Run, by_flow
from tests.smoke.test_failing import trigger
from trigger_audit.smoke.model import Change, FlowResult, Mail, Outcome


def changed(result: FlowResult) -> dict[str, tuple[str, str]]:
    return {change.what: (change.expected, change.found) for change in result.changes}


def test_before_insert_that_returns_null(smoke: Run) -> None:
    results = by_flow(smoke(trigger("  RETURN NULL;", "BEFORE INSERT ON auth.users"), ["signup-email", "admin-create"]))
    signup = results["signup-email"]
    assert signup.outcome is Outcome.FAIL
    assert signup.failed_step is not None
    assert (signup.failed_step.statement, signup.failed_step.sqlstate) == ("SELECT auth.users", None)
    assert signup.response is not None
    assert signup.response.message == "Database error loading user after sign-up"
    admin = results["admin-create"].failed_step
    assert admin is not None
    assert (admin.statement, admin.sqlstate) == ("INSERT auth.identities", "23503")


def test_before_update_that_returns_null(smoke: Run) -> None:
    result = by_flow(smoke(trigger("  RETURN NULL;", "BEFORE UPDATE ON auth.users"), ["signup-email"]))["signup-email"]
    assert result.outcome is Outcome.ALTERED
    assert Change("UPDATE auth.users (role)", "1 row", "0 rows") in result.changes
    assert result.response is not None
    assert result.response.status == 200
    assert result.mail is Mail.SENT_TOKEN_LOST


def test_before_update_that_returns_old(smoke: Run) -> None:
    result = by_flow(smoke(trigger("  RETURN OLD;", "BEFORE UPDATE ON auth.users"), ["signup-email"]))["signup-email"]
    assert result.outcome is Outcome.ALTERED
    found = changed(result)
    assert found["auth.users.role"] == ("authenticated", "''")
    assert found["auth.users.confirmation_token"][1] == "''"
    assert found["auth.users.confirmation_sent_at"] == ("a time", "NULL")
    assert result.mail is Mail.SENT_TOKEN_LOST


def test_confirming_at_the_insert_leaves_the_mail_out(smoke: Run) -> None:
    sql = trigger("  NEW.email_confirmed_at := now();\n  RETURN NEW;", "BEFORE INSERT ON auth.users")
    results = by_flow(smoke(sql, ["signup-email", "signup-otp", "verify-signup"]))
    for name in ("signup-email", "signup-otp"):
        assert results[name].outcome is Outcome.ALTERED
        assert set(changed(results[name])) == {"auth.users.email_confirmed_at"}
        assert results[name].mail is Mail.SKIPPED
    assert results["verify-signup"].reason is not None
    assert "sends no mail" in results["verify-signup"].reason


def test_a_confirmation_that_is_taken_back(smoke: Run) -> None:
    sql = trigger("  NEW.email_confirmed_at := NULL;\n  RETURN NEW;", "BEFORE UPDATE ON auth.users")
    results = by_flow(smoke(sql, ["verify-signup", "admin-create", "login"]))
    for name in ("verify-signup", "admin-create"):
        assert results[name].outcome is Outcome.ALTERED
        assert changed(results[name]) == {"auth.users.email_confirmed_at": ("a time", "NULL")}
    assert results["login"].response is not None
    assert results["login"].response.error_code == "email_not_confirmed"


def test_clearing_the_token(smoke: Run) -> None:
    sql = trigger("  NEW.confirmation_token := '';\n  RETURN NEW;", "BEFORE UPDATE ON auth.users")
    result = by_flow(smoke(sql, ["signup-email"]))["signup-email"]
    assert result.outcome is Outcome.ALTERED
    assert set(changed(result)) == {"auth.users.confirmation_token"}
    assert result.mail is Mail.SENT_TOKEN_LOST


def test_removing_the_one_time_token(smoke: Run) -> None:
    sql = trigger("  RETURN NULL;", "BEFORE INSERT ON auth.one_time_tokens")
    result = by_flow(smoke(sql, ["recovery"]))["recovery"]
    assert changed(result)["auth.one_time_tokens.token_hash"][1] == "no row"
    assert result.mail is Mail.SENT_TOKEN_LOST


def test_dating_the_token_back(smoke: Run) -> None:
    sql = trigger(
        "  NEW.recovery_sent_at := NEW.recovery_sent_at - interval '2 hours';\n  RETURN NEW;",
        "BEFORE UPDATE OF recovery_token ON auth.users",
    )
    result = by_flow(smoke(sql, ["recovery"]))["recovery"]
    assert set(changed(result)) == {"auth.users.recovery_sent_at"}
    assert result.mail is Mail.SENT_TOKEN_LOST


def test_rewriting_the_address(smoke: Run) -> None:
    sql = trigger("  NEW.email := 'x' || NEW.email;\n  RETURN NEW;", "BEFORE INSERT ON auth.users")
    result = by_flow(smoke(sql, ["signup-email"]))["signup-email"]
    assert set(changed(result)) == {"auth.users.email"}


def test_hiding_the_user_from_look_ups(smoke: Run) -> None:
    sql = trigger("  NEW.is_sso_user := true;\n  RETURN NEW;", "BEFORE INSERT ON auth.users")
    result = by_flow(smoke(sql, ["admin-create"]))["admin-create"]
    assert changed(result)["auth.users.is_sso_user"] == ("false", "true")


def test_a_null_that_auth_cannot_read(smoke: Run) -> None:
    sql = trigger("  NEW.email_change := NULL;\n  RETURN NEW;", "BEFORE INSERT ON auth.users")
    result = by_flow(smoke(sql, ["signup-email"]))["signup-email"]
    assert result.failed_step is not None
    assert "auth.users.email_change is NULL" in result.failed_step.message
    assert result.response is not None
    assert result.response.message == "Database error loading user after sign-up"


def test_a_null_after_the_row_was_read(smoke: Run) -> None:
    sql = trigger("  NEW.phone_change := NULL;\n  RETURN NEW;", "BEFORE UPDATE OF confirmation_token ON auth.users")
    result = by_flow(smoke(sql, ["signup-email"]))["signup-email"]
    assert changed(result) == {"auth.users.phone_change": ("''", "NULL")}


def test_a_null_that_every_later_look_up_meets(smoke: Run) -> None:
    sql = trigger("  NEW.phone_change := NULL;\n  RETURN NEW;", "BEFORE UPDATE OF last_sign_in_at ON auth.users")
    results = by_flow(smoke(sql, ["verify-signup", "login", "recovery", "delete-user", "magic-link"]))
    assert results["verify-signup"].outcome is Outcome.ALTERED
    messages = {name: result.response.message for name, result in results.items() if result.response}
    assert {name: messages[name] for name in ("login", "recovery", "delete-user", "magic-link")} == {
        "login": "Database error querying schema",
        "recovery": "Unable to process request",
        "delete-user": "Database error loading user",
        "magic-link": "Database error finding user",
    }
    step = results["login"].failed_step
    assert step is not None
    assert (step.index, step.statement, step.sqlstate) == (0, "SELECT auth.users", None)


def test_metadata_that_a_trigger_adds_later_is_kept_by_the_next_request(smoke: Run) -> None:
    sql = trigger(
        """  NEW.raw_app_meta_data := NEW.raw_app_meta_data || '{"plan": "free"}';\n  RETURN NEW;""",
        "BEFORE UPDATE OF last_sign_in_at ON auth.users",
    )
    report = smoke(sql, ["login", "oauth-again", "verify-magic-link"])
    assert report.summary["pass"] == 3


def test_metadata_that_auth_overwrites(smoke: Run) -> None:
    sql = trigger(
        """  NEW.raw_user_meta_data := NEW.raw_user_meta_data || '{"plan": "free"}';\n  RETURN NEW;""",
        "BEFORE INSERT ON auth.users",
    )
    results = by_flow(smoke(sql, ["signup-email", "anonymous"]))
    assert changed(results["signup-email"]) == {
        "auth.users.raw_user_meta_data.plan": ("free (a trigger wrote it)", "absent (Auth overwrote it later)")
    }
    assert results["anonymous"].outcome is Outcome.PASS  # nothing writes it again


def test_added_app_metadata_survives_and_removed_comes_back(smoke: Run) -> None:
    sql = trigger(
        """  NEW.raw_app_meta_data := (NEW.raw_app_meta_data - 'provider') || '{"plan": "free"}';\n  RETURN NEW;""",
        "BEFORE INSERT ON auth.users",
    )
    result = by_flow(smoke(sql, ["signup-email"]))["signup-email"]
    assert changed(result) == {
        "auth.users.raw_app_meta_data.provider": (
            "absent (a trigger removed it)",
            "email (Auth overwrote it later)",
        )
    }


def test_a_deletion_that_is_suppressed(smoke: Run) -> None:
    sql = trigger("  RETURN NEW;", "BEFORE DELETE ON auth.users")
    result = by_flow(smoke(sql, ["delete-user"]))["delete-user"]
    assert result.outcome is Outcome.ALTERED
    assert changed(result)["auth.users"] == ("the row is deleted", "the row is still there")


@pytest.mark.parametrize(
    ("sql", "what", "found"),
    [
        (
            trigger("  NEW.revoked := true;\n  RETURN NEW;", "BEFORE INSERT ON auth.refresh_tokens"),
            "auth.refresh_tokens.revoked",
            ("false", "true"),
        ),
        (
            trigger(
                "  DELETE FROM auth.refresh_tokens WHERE user_id = NEW.id::text;\n  RETURN NEW;",
                "AFTER UPDATE OF last_sign_in_at ON auth.users",
            ),
            "auth.refresh_tokens",
            ("the row is there", "no row has the token"),
        ),
    ],
    ids=["revoked", "removed"],
)
def test_a_refresh_token_that_is_lost(smoke: Run, sql: str, what: str, found: tuple[str, str]) -> None:
    for name, result in by_flow(smoke(sql, ["login", "verify-signup", "anonymous"])).items():
        assert (name, result.outcome) == (name, Outcome.ALTERED)
        assert changed(result) == {what: found}


def test_a_ban(smoke: Run) -> None:
    sql = trigger("  NEW.banned_until := now() + interval '1 day';\n  RETURN NEW;", "BEFORE INSERT ON auth.users")
    result = by_flow(smoke(sql, ["invite"]))["invite"]
    assert changed(result) == {"auth.users.banned_until": ("NULL", "a time")}


def test_a_harmless_touch_of_updated_at_passes(smoke: Run) -> None:
    sql = trigger("  NEW.updated_at := now();\n  RETURN NEW;", "BEFORE UPDATE ON auth.users")
    report = smoke(sql)
    assert report.summary["pass"] == len(report.flows)
