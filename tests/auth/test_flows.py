"""The flows as data: the order of the statements, their columns, the mail, the commits and the answers."""

from __future__ import annotations

import pytest

from trigger_audit.auth import FLOWS, commit_response, flow_named
from trigger_audit.auth.steps import Flow, Kind
from trigger_audit.auth.tables import USERS_INSERT

NEW = ["INSERT users", "U role", "SELECT users"]
SESSION = ["INSERT sessions", "INSERT refresh_tokens", "U last_sign_in_at", "INSERT mfa_amr_claims"]
PROVIDERS = ["SELECT identities", "U raw_app_meta_data"]
CONFIRM = ["U confirmation_token, email_confirmed_at", "U raw_user_meta_data", "DELETE one_time_tokens"]
TOKEN = ["DELETE one_time_tokens", "INSERT one_time_tokens"]
EMAIL_USER = [*NEW, "INSERT identities", "U raw_user_meta_data", *PROVIDERS, "INSERT audit_log_entries"]
CONFIRMATION_ON = [*EMAIL_USER, "MAIL", "U confirmation_sent_at, confirmation_token", *TOKEN, "COMMIT"]
VERIFIED = [*PROVIDERS, "SELECT users", *SESSION, "COMMIT"]
RECOVERY = ["INSERT audit_log_entries", "MAIL", "U recovery_sent_at, recovery_token", *TOKEN, "COMMIT"]
PASSWORD_COLUMNS = (
    "confirmation_sent_at, confirmation_token, email_change_sent_at, email_change_token_current, "
    "email_change_token_new, encrypted_password, phone_change_sent_at, phone_change_token, "
    "reauthentication_sent_at, reauthentication_token, recovery_sent_at, recovery_token"
)
SOFT_DELETE_COLUMNS = (
    "confirmation_token, deleted_at, email, email_change, email_change_token_current, email_change_token_new, "
    "encrypted_password, phone, phone_change, phone_change_token, recovery_token"
)

SEQUENCES = {
    "signup-email": CONFIRMATION_ON,
    "signup-otp": CONFIRMATION_ON,
    "signup-phone": CONFIRMATION_ON,
    "signup-autoconfirm": [*EMAIL_USER, *CONFIRM, "COMMIT", "INSERT audit_log_entries", *SESSION, "COMMIT"],
    "anonymous": [*NEW, *SESSION, "COMMIT"],
    "oauth-first": [
        *NEW,
        "INSERT identities",
        "U encrypted_password",
        "U raw_user_meta_data",
        *PROVIDERS,
        "INSERT audit_log_entries",
        *CONFIRM,
        *SESSION,
        "COMMIT",
    ],
    "oauth-again": [
        "UPDATE identities",
        "U raw_user_meta_data",
        *PROVIDERS,
        "INSERT audit_log_entries",
        *SESSION,
        "COMMIT",
    ],
    "invite": [
        *NEW,
        "INSERT identities",
        "INSERT audit_log_entries",
        "MAIL",
        "U confirmation_sent_at, confirmation_token, invited_at",
        *TOKEN,
        "COMMIT",
    ],
    "admin-create": [
        "INSERT users",
        "INSERT identities",
        "INSERT audit_log_entries",
        "U role",
        "U raw_app_meta_data",
        *CONFIRM,
        "COMMIT",
    ],
    "admin-update": [
        "U role",
        "UPDATE identities",
        "U email",
        "U raw_app_meta_data",
        "U raw_user_meta_data",
        "INSERT audit_log_entries",
        "COMMIT",
    ],
    "magic-link": RECOVERY,
    "recovery": RECOVERY,
    "verify-signup": ["INSERT audit_log_entries", *CONFIRM, "UPDATE identities", *VERIFIED],
    "verify-magic-link": ["U recovery_token", "DELETE one_time_tokens", "INSERT audit_log_entries", *VERIFIED],
    "verify-email-change": [
        "DELETE one_time_tokens",
        "U email_change_confirm_status, email_change_token_current, email_change_token_new",
        "COMMIT",
        "INSERT audit_log_entries",
        "UPDATE identities",
        "U email, email_change, email_change_confirm_status, email_change_token_current, email_change_token_new",
        "DELETE one_time_tokens",
        "UPDATE identities",
        *VERIFIED,
    ],
    "verify-phone": [
        "INSERT audit_log_entries",
        "U confirmation_token, phone_confirmed_at",
        "DELETE one_time_tokens",
        *VERIFIED,
    ],
    "login": ["INSERT audit_log_entries", *SESSION, "COMMIT"],
    "refresh-token": [
        "INSERT audit_log_entries",
        "INSERT audit_log_entries",
        "UPDATE refresh_tokens",
        "INSERT refresh_tokens",
        "U last_sign_in_at",
        "UPDATE sessions",
        "COMMIT",
    ],
    "email-change": [
        "MAIL",
        "U email_change, email_change_confirm_status, email_change_sent_at, email_change_token_current, "
        "email_change_token_new",
        *TOKEN,
        *TOKEN,
        "INSERT audit_log_entries",
        "COMMIT",
    ],
    "update-user": [
        f"U {PASSWORD_COLUMNS}",
        "DELETE one_time_tokens",
        "DELETE sessions",
        "INSERT audit_log_entries",
        "U raw_user_meta_data",
        "INSERT audit_log_entries",
        "COMMIT",
    ],
    "delete-user": ["INSERT audit_log_entries", "DELETE users", "COMMIT"],
    "soft-delete": [
        "INSERT audit_log_entries",
        f"U {SOFT_DELETE_COLUMNS}",
        "DELETE one_time_tokens",
        "U raw_user_meta_data",
        "U raw_app_meta_data",
        "DELETE sessions",
        "UPDATE identities",
        "UPDATE identities",
        "DELETE mfa_factors",
        "DELETE webauthn_credentials",
        "DELETE sessions",
        "COMMIT",
    ],
}


def sequence(flow: Flow) -> list[str]:
    """The flow in the short notation above: U is an UPDATE of users with its columns, updated_at left out."""
    parts = []
    for step in flow.steps:
        if step.mail_before:
            parts.append("MAIL")
        if step.kind is Kind.UPDATE and step.table == "users":
            assert step.columns[-1] == "updated_at"
            parts.append("U " + ", ".join(step.columns[:-1]))
        elif step.kind in (Kind.RELOAD, Kind.PROVIDERS):
            parts.append(f"SELECT {step.table}")
        else:
            parts.append(f"{step.kind.value} {step.table}")
        if step.commit_after:
            parts.append("COMMIT")
    return parts


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_statements_are_those_of_auth(flow: Flow) -> None:
    assert sequence(flow) == SEQUENCES[flow.name]


def test_every_flow_is_there_once_and_in_order() -> None:
    assert [flow.name for flow in FLOWS] == list(dict.fromkeys(flow.name for flow in FLOWS))
    assert {flow.name for flow in FLOWS} == set(SEQUENCES)
    assert {flow.name for flow in FLOWS if flow.latent} == {"signup-phone", "anonymous", "verify-phone"}


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_flow_ends_with_a_commit_and_starts_from_another(flow: Flow) -> None:
    assert flow.steps[-1].commit_after
    assert bool(flow.starts) != flow.signs_up
    for start in flow.starts:
        assert flow_named(start) is not flow


def test_insert_of_users_lists_33_sorted_columns() -> None:
    for flow in FLOWS:
        for step in flow.steps:
            if step.table == "users" and step.kind is Kind.INSERT:
                assert step.columns == tuple(USERS_INSERT)
                assert len(step.columns) == 33
                assert list(step.columns) == sorted(step.columns)


@pytest.mark.parametrize(
    ("flow", "statement", "message"),
    [
        ("signup-email", 1, "Database error saving new user"),
        ("signup-email", 2, "Database error updating user"),
        ("signup-email", 3, "Database error loading user after sign-up"),
        ("signup-email", 4, "Error creating identity"),
        ("signup-email", 5, "Unexpected failure, please check server logs for more information"),
        ("signup-email", 9, "Error sending confirmation email"),
        ("signup-email", 11, "Error sending confirmation email"),
        ("signup-autoconfirm", 9, "Database error updating user"),
        ("signup-autoconfirm", 13, "Database error granting user"),
        ("signup-phone", 11, "error creating one time token"),
        ("anonymous", 6, "Database error creating anonymous user"),
        ("invite", 6, "Error inviting user"),
        ("admin-create", 4, "Database error creating new user"),
        ("admin-update", 2, "Error updating user"),
        ("magic-link", 2, "Error sending magic link email"),
        ("recovery", 4, "Error sending recovery email"),
        ("verify-signup", 2, "Error confirming user"),
        ("verify-signup", 5, "Error setting email_verified to true on identity"),
        ("verify-magic-link", 1, "Database error updating user"),
        ("verify-email-change", 5, "Error confirm email"),
        ("verify-phone", 2, "Error confirming user"),
        ("login", 4, "Database error granting user"),
        ("email-change", 1, "Error sending email change email"),
        ("update-user", 1, "Error during password storage"),
        ("update-user", 5, "Error updating user"),
        ("delete-user", 1, "Error recording audit log entry"),
        ("delete-user", 2, "Database error deleting user"),
        ("soft-delete", 2, "Error soft deleting user"),
        ("soft-delete", 8, "Error soft deleting user identities"),
    ],
)
def test_messages(flow: str, statement: int, message: str) -> None:
    response = flow_named(flow).steps[statement - 1].failure
    assert (response.status, response.error_code, response.message) == (500, "unexpected_failure", message)


def test_failing_commits() -> None:
    assert commit_response("signup-email", 1).message.startswith("Unexpected failure")
    assert commit_response("admin-create", 1).message == "Database error creating new user"
    assert commit_response("anonymous", 3).message == "Database error creating anonymous user"
    assert commit_response("oauth-first", 1).text("no", "P0001") == "no"
    assert commit_response("oauth-first", 1).text("no", "42P01") == (
        "database error on committing or rolling back transaction: ERROR: no (SQLSTATE 42P01)"
    )
    with pytest.raises(KeyError):
        commit_response("login", 6)
