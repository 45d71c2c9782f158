"""The answers of older versions of Auth; the expected texts were read off v2.144.0, v2.158.1 and v2.196.0 at work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from trigger_audit.auth import FLOWS, flow_named, messages
from trigger_audit.auth.messages import Response, Shown
from trigger_audit.auth.versions import Span, Version, exactly, parse_version
from trigger_audit.auth.wording import CHANGES, as_of, in_doubt

REFUSED = ("refused", "P0001")
CODE = "unexpected_failure"
RAW = messages.RAW.message


def _answer(
    flow: str, label: str, version: str, *, commit: bool = False, sqlstate: str = "P0001"
) -> tuple[object, ...]:
    """What the client reads when the first step of that label fails, or the COMMIT after it."""
    step = next(step for step in flow_named(flow).steps if label in step.label)
    response = step.commit_failure if commit else step.failure
    answer = as_of(response, flow, exactly(parse_version(version))).answer("refused", sqlstate)
    return answer.status, answer.error_code, answer.message


TOKEN = "one_time_tokens"
AUDIT = "audit_log_entries"
FAILURES = [
    ("signup-email", "confirmation_token", "2.160.0", (500, CODE, "Error sending confirmation email")),
    ("signup-email", "confirmation_token", "2.158.1", (500, CODE, "Error sending confirmation mail")),
    ("signup-otp", TOKEN, "2.159.2", (500, CODE, "Error sending confirmation mail")),
    ("signup-email", "INSERT auth.users", "2.158.1", (500, CODE, "Database error saving new user")),
    ("signup-email", AUDIT, "2.158.1", (500, CODE, RAW)),
    ("magic-link", "recovery_token", "2.160.0", (500, CODE, "Error sending magic link email")),
    ("magic-link", "recovery_token", "2.158.1", (500, CODE, "Error sending magic link")),
    ("magic-link", AUDIT, "2.160.0", (500, CODE, RAW)),
    ("magic-link", AUDIT, "2.158.1", (500, CODE, "Error sending magic link")),
    ("recovery", "recovery_token", "2.160.0", (500, CODE, "Error sending recovery email")),
    ("recovery", TOKEN, "2.158.1", (500, CODE, "Unable to process request")),
    ("recovery", AUDIT, "2.158.1", (500, CODE, "Unable to process request")),
    ("invite", TOKEN, "2.158.1", (500, CODE, "Error inviting user")),
    ("invite", AUDIT, "2.158.1", (500, CODE, RAW)),
    ("email-change", "email_change", "2.160.0", (500, CODE, "Error sending email change email")),
    ("email-change", "email_change", "2.158.1", (500, CODE, "Error sending change email")),
    ("signup-phone", "INSERT auth.one_time_tokens", "2.158.1", (500, CODE, "error creating one time token")),
    ("signup-phone", "INSERT auth.one_time_tokens", "2.158.0", (500, CODE, RAW)),
    ("oauth-first", "INSERT auth.users", "2.165.0", (302, CODE, "Database error saving new user")),
    ("oauth-first", "INSERT auth.users", "2.164.0", (302, "500", "Database error saving new user")),
    ("oauth-first", "INSERT auth.users", "2.144.0", (302, "500", "Database error saving new user")),
    ("oauth-first", "INSERT auth.sessions", "2.144.0", (302, None, "500: Database error granting user")),
    ("oauth-again", AUDIT, "2.144.0", (302, None, "refused")),
    ("signup-email", "INSERT auth.users", "2.145.0", (500, CODE, "Database error saving new user")),
    ("signup-email", "INSERT auth.users", "2.144.0", (500, "P0001", "refused")),
    ("magic-link", AUDIT, "2.144.0", (500, "P0001", "refused")),
    ("signup-email", AUDIT, "2.144.0", (500, None, "Internal server error")),
    ("anonymous", "INSERT auth.users", "2.144.0", (500, None, "Database error creating anonymous user")),
]


@pytest.mark.parametrize(("flow", "label", "version", "expected"), FAILURES)
def test_a_statement_that_fails(flow: str, label: str, version: str, expected: tuple[object, ...]) -> None:
    assert _answer(flow, label, version) == expected


@pytest.mark.parametrize(
    ("flow", "version", "expected"),
    [
        ("magic-link", "2.160.0", (500, CODE, RAW)),
        ("magic-link", "2.158.1", (500, CODE, "Error sending magic link")),
        ("recovery", "2.158.1", (500, CODE, "Unable to process request")),
        ("signup-email", "2.158.1", (500, CODE, RAW)),
        ("invite", "2.158.1", (500, CODE, RAW)),
        ("signup-email", "2.144.0", (500, None, "Internal server error")),
        ("magic-link", "2.144.0", (500, "P0001", "refused")),
    ],
)
def test_a_commit_that_fails(flow: str, version: str, expected: tuple[object, ...]) -> None:
    last = flow_named(flow).steps[-1]
    assert last.commit_after
    answer = as_of(last.commit_failure, flow, exactly(parse_version(version))).answer(*REFUSED)
    assert (answer.status, answer.error_code, answer.message) == expected


def test_what_is_not_public_stays_hidden_from_old_clients_too() -> None:
    expected = (500, None, "Database error saving new user")
    assert _answer("signup-email", "INSERT auth.users", "2.144.0", sqlstate="42P01") == expected


@pytest.mark.parametrize(
    ("response", "version", "expected"),
    [
        (messages.BANNED_AT_LOGIN, "2.159.0", (400, "user_banned", "User is banned")),
        (messages.BANNED_AT_LOGIN, "2.158.1", (400, None, "Invalid login credentials")),
        (messages.BANNED_AT_LOGIN, "2.144.0", (400, None, "Invalid login credentials")),
        (messages.INVALID_LOGIN, "2.159.0", (400, "invalid_credentials", "Invalid login credentials")),
        (messages.INVALID_LOGIN, "2.158.1", (400, None, "Invalid login credentials")),
        (messages.NOT_CONFIRMED, "2.159.0", (400, "email_not_confirmed", "Email not confirmed")),
        (messages.NOT_CONFIRMED, "2.158.1", (400, None, "Email not confirmed")),
        (messages.BANNED_AT_REFRESH, "2.164.0", (400, "user_banned", "Invalid Refresh Token: User Banned")),
        (messages.BANNED_AT_REFRESH, "2.163.0", (400, None, "Invalid Refresh Token: User Banned")),
        (messages.BANNED_IN_REDIRECT, "2.165.0", (302, "user_banned", "User is banned")),
        (messages.BANNED_IN_REDIRECT, "2.145.0", (302, "403", "User is banned")),
        (messages.BANNED_IN_REDIRECT, "2.144.0", (302, "401", "User is unauthorized")),
        (messages.OK, "2.144.0", (200, None, "")),
        (messages.FOUND, "2.144.0", (302, None, "")),
    ],
)
def test_a_refusal_of_auth_itself(response: Response, version: str, expected: tuple[object, ...]) -> None:
    answer = as_of(response, "login", exactly(parse_version(version)))
    assert (answer.status, answer.error_code, answer.message) == expected


def _responses() -> Iterator[tuple[str, Response]]:
    for flow in FLOWS:
        for step in flow.steps:
            yield flow.name, step.failure
            yield flow.name, step.commit_failure
        for response in (flow.success, flow.lookup, flow.banned, flow.wrong_password, flow.unconfirmed, flow.unsent):
            if response is not None:
                yield flow.name, response


def test_the_newest_and_the_unknown_version_answer_as_the_flows_say() -> None:
    for versions in (Span(), Span(Version(2, 192, 0)), exactly(CHANGES[0][0])):
        assert [as_of(response, flow, versions) for flow, response in _responses()] == [
            response for _, response in _responses()
        ]


def test_each_change_changes_some_answer() -> None:
    for version, _ in CHANGES:
        before, since = Span(None, version), exactly(version)
        assert any(as_of(response, flow, before) != as_of(response, flow, since) for flow, response in _responses())


def test_before_error_codes_none_is_told_but_in_redirects() -> None:
    old = [as_of(response, flow, exactly(Version(2, 144, 0))) for flow, response in _responses()]
    assert {answer.error_code for answer in old if answer.status != 302} == {None}
    assert {answer.error_code for answer in old if answer.status == 302} == {None, "401", "500"}
    assert {answer.shown for answer in old} == {Shown.NEVER, Shown.ALWAYS}


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (Span(Version(2, 159, 0), Version(2, 163, 0)), ["v2.160.0"]),
        (Span(Version(2, 163, 0), Version(2, 178, 0)), ["v2.164.0", "v2.165.0"]),
        (Span(Version(2, 158, 1), Version(2, 159, 0)), []),
        (Span(Version(2, 192, 0)), []),
        (Span(), [str(version) for version, _ in reversed(CHANGES)]),
    ],
)
def test_changes_in_doubt(span: Span, expected: list[str]) -> None:
    assert [str(version) for version in in_doubt(span)] == expected


SHOWN = [
    ("signup-email", "INSERT auth.users", True),
    ("signup-email", "confirmation_token", True),
    ("signup-email", "INSERT auth.identities", True),
    ("signup-email", "raw_user_meta_data", False),
    ("signup-email", AUDIT, False),
    ("anonymous", "INSERT auth.users", False),
    ("anonymous", "INSERT auth.sessions", False),
    ("anonymous", "INSERT auth.mfa_amr_claims", True),
    ("admin-create", "INSERT auth.users", True),
    ("admin-create", "INSERT auth.identities", False),
    ("admin-update", "UPDATE auth.identities", True),
    ("oauth-first", "INSERT auth.users", False),
    ("oauth-again", AUDIT, False),
    ("login", "INSERT auth.sessions", True),
    ("refresh-token", "revoked", False),
    ("delete-user", "DELETE auth.users", True),
]


@pytest.mark.parametrize(("flow", "label", "expected"), SHOWN)
def test_whose_cause_is_shown_without_the_header(flow: str, label: str, expected: bool) -> None:
    step = next(step for step in flow_named(flow).steps if label in step.label)
    assert step.failure.opened(*REFUSED) == (Response(500, "P0001", "refused") if expected else None)


@pytest.mark.parametrize("sqlstate", ["P0001", "23000", "23001", "23502", "23503", "23505", "23514", "23P01"])
def test_sqlstates_that_are_shown(sqlstate: str) -> None:
    assert messages.SAVING_NEW_USER.opened("no", sqlstate) == Response(500, sqlstate, "no")


def test_pt_is_followed_by_the_status() -> None:
    assert messages.SAVING_NEW_USER.opened("no", "PT402") == Response(402, "PT402", "no")


@pytest.mark.parametrize("sqlstate", ["42P01", "42501", "42703", "P0002", "22P02", "54001", "PT000", "PTabc", None])
def test_sqlstates_that_are_not(sqlstate: str | None) -> None:
    assert messages.SAVING_NEW_USER.opened("no", sqlstate) is None
