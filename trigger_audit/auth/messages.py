"""What Auth answers when a statement fails, as a client with the header X-Supabase-Api-Version >= 2024-01-01 sees it.

Source: supabase/auth internal/api/errors.go and the handlers; the wording is that of v2.160.0 and later.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Response:
    """`shows_cause`: the answer carries PostgreSQL's own error text in place of `message` (OAuth redirects)."""

    status: int
    error_code: str | None
    message: str
    shows_cause: bool = False


def failure(message: str) -> Response:
    """The 500 that Auth gives for an error with a fixed text."""
    return Response(500, "unexpected_failure", message)


def redirect(message: str) -> Response:
    """The same in an OAuth callback: a redirect whose error_description is the text."""
    return Response(302, "unexpected_failure", message)


RAW = failure("Unexpected failure, please check server logs for more information")
RAW_REDIRECT = Response(302, "unexpected_failure", "the error text of the database", shows_cause=True)

SAVING_NEW_USER = failure("Database error saving new user")
UPDATING_USER = failure("Database error updating user")
LOADING_USER = failure("Database error loading user after sign-up")
CREATING_IDENTITY = failure("Error creating identity")
SENDING_CONFIRMATION = failure("Error sending confirmation email")
CREATING_ONE_TIME_TOKEN = failure("error creating one time token")
GRANTING_USER = failure("Database error granting user")
SENDING_MAGIC_LINK = failure("Error sending magic link email")
SENDING_RECOVERY = failure("Error sending recovery email")
INVITING_USER = failure("Error inviting user")
CREATING_NEW_USER = failure("Database error creating new user")
CREATING_ANONYMOUS = failure("Database error creating anonymous user")
ERROR_UPDATING_USER = failure("Error updating user")
CONFIRMING_USER = failure("Error confirming user")
IDENTITY_VERIFIED = failure("Error setting email_verified to true on identity")
CONFIRMING_EMAIL = failure("Error confirm email")
SENDING_EMAIL_CHANGE = failure("Error sending email change email")
RECORDING_AUDIT = failure("Error recording audit log entry")
STORING_PASSWORD = failure("Error during password storage")
DELETING_USER = failure("Database error deleting user")
SOFT_DELETING_USER = failure("Error soft deleting user")
SOFT_DELETING_IDENTITIES = failure("Error soft deleting user identities")
DELETING_FACTORS = failure("Error deleting user's factors")
DELETING_CREDENTIALS = failure("Error deleting user's WebAuthn credentials")
DELETING_SESSIONS = failure("Error deleting user's sessions")
FINDING_USER = failure("Database error finding user")
QUERYING_SCHEMA = failure("Database error querying schema")
LOADING_ADMIN_USER = failure("Database error loading user")
PROCESSING_REQUEST = failure("Unable to process request")
OK = Response(200, None, "")
FOUND = Response(302, None, "")


def as_redirect(response: Response) -> Response:
    """The answer to the same failure inside an OAuth callback."""
    return RAW_REDIRECT if response == RAW else redirect(response.message)
