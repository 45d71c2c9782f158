"""Where every statement goes through and Auth itself refuses: it cannot read the row, or has nobody to send mail to.

The texts are those of the real Auth; tests/conformance compares them with it.
"""

from __future__ import annotations

import pytest

from tests.smoke.conftest import Run, by_flow
from trigger_audit.smoke.model import Mail, Outcome
from trigger_audit.smoke.unreadable import find_unreadable


def _assigning(assignment: str, trigger: str) -> str:
    return f"""
    CREATE FUNCTION public.spoil() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.{assignment};
      RETURN NEW;
    END $$;
    CREATE TRIGGER spoil {trigger} EXECUTE FUNCTION public.spoil();
    """


def test_the_first_column_in_auths_order_is_named() -> None:
    row: dict[str, object] = {
        "updated_at": None,
        "role": None,
        "email": None,
        "aud": "authenticated",
        "raw_user_meta_data": {},
    }
    found = find_unreadable(row)
    assert found is not None
    assert found.told == "auth.users.role is NULL, and Auth cannot read that (converting NULL to string is unsupported)"
    assert found.words == 'sql: Scan error on column index 32, name "role": converting NULL to string is unsupported'
    assert find_unreadable({"email": None, "raw_user_meta_data": None, "aud": ""}) is None


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("email_change_confirm_status", None, "converting NULL to int is unsupported"),
        ("is_anonymous", None, "converting NULL to bool is unsupported"),
        ("created_at", None, "unsupported Scan, storing driver.Value type <nil> into type *time.Time"),
        ("banned_until", "infinity", "unsupported Scan, storing driver.Value type string into type *time.Time"),
        ("raw_app_meta_data", [1], "json: cannot unmarshal array into Go value of type models.JSONMap"),
        ("raw_app_meta_data", 7.5, "json: cannot unmarshal number into Go value of type models.JSONMap"),
    ],
)
def test_auths_own_words(column: str, value: object, words: str) -> None:
    found = find_unreadable({column: value})
    assert found is not None
    assert found.words.endswith(f'name "{column}": {words}')


def test_the_answer_of_a_refresh_holds_them(smoke: Run) -> None:
    sql = _assigning(
        "phone_change_token := NULL",
        "BEFORE UPDATE OF last_sign_in_at ON auth.users FOR EACH ROW WHEN (OLD.last_sign_in_at IS NULL)",
    )
    results = by_flow(smoke(sql, ["refresh-token", "update-user", "login"]))
    answers = {name: result.response.message for name, result in results.items() if result.response is not None}
    assert answers["refresh-token"] == (
        'error finding user: sql: Scan error on column index 24, name "phone_change_token": '
        "converting NULL to string is unsupported"
    )
    assert answers["update-user"] == "Unexpected failure, please check server logs for more information"
    assert answers["login"] == "Database error querying schema"


@pytest.mark.parametrize(
    ("flow", "message"),
    [("signup-email", "Error sending confirmation email"), ("invite", "Error sending invite email")],
)
def test_nobody_to_send_the_mail_to(smoke: Run, flow: str, message: str) -> None:
    sql = _assigning("email := NULL", "BEFORE INSERT ON auth.users FOR EACH ROW")
    result = by_flow(smoke(sql, [flow]))[flow]
    assert (result.outcome, result.mail) == (Outcome.FAIL, Mail.NOT_SENT)
    assert result.response is not None
    assert result.response.message == message
    assert result.failed_step is not None
    assert (result.failed_step.statement, result.failed_step.sqlstate) == ("MAIL", None)
    assert result.failed_step.message == "auth.users.email is NULL, and no mail can go there"


@pytest.mark.parametrize(
    ("assignment", "error_code", "told"),
    [
        ("email_confirmed_at := NULL", "email_not_confirmed", "email_confirmed_at is NULL, and nobody logs in before"),
        ("encrypted_password := NULL", "invalid_credentials", "encrypted_password is NULL, and no password fits"),
        ("encrypted_password := ''", "invalid_credentials", "encrypted_password is '', and no password fits"),
        (
            "encrypted_password := '$2a$10$' || repeat('x', 53)",
            "invalid_credentials",
            "encrypted_password is another hash than Auth wrote",
        ),
        ("encrypted_password := 'x'", "unexpected_failure", "encrypted_password is no hash that Auth can read"),
    ],
)
def test_a_log_in_that_auth_turns_away(smoke: Run, assignment: str, error_code: str, told: str) -> None:
    sql = _assigning(assignment, "BEFORE UPDATE ON auth.users FOR EACH ROW WHEN (OLD.role <> '')")
    results = by_flow(smoke(sql, ["login", "recovery"]))
    assert results["recovery"].response is not None
    assert results["recovery"].response.status == 200
    refused = results["login"]
    assert (refused.outcome, refused.failed_step and refused.failed_step.index) == (Outcome.FAIL, 0)
    assert refused.failed_step is not None
    assert refused.failed_step.message == f"auth.users.{told}"
    assert refused.response is not None
    assert refused.response.error_code == error_code


@pytest.mark.parametrize(
    ("until", "refused"),
    [("now() + interval '1 day'", True), ("'12000-01-01'", True), ("now()", False), ("'4000-01-01 BC'", False)],
)
def test_a_banned_user_is_turned_away(smoke: Run, until: str, refused: bool) -> None:
    sql = _assigning(f"banned_until := {until}", "BEFORE INSERT ON auth.users FOR EACH ROW")
    result = by_flow(smoke(sql, ["oauth-first"]))["oauth-first"]
    assert result.response is not None
    assert result.response.error_code == ("user_banned" if refused else None)
    assert (result.outcome is Outcome.FAIL) == refused
