"""What Auth answers when a statement fails, as a client with the header X-Supabase-Api-Version >= 2024-01-01 sees it.

Source: supabase/auth internal/api/errors.go and the handlers; the wording is that of v2.165.0 and later (wording.py has
that of older versions).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum


class Cause(StrEnum):
    """What of PostgreSQL's error the client reads in place of `message`.

    TEXT is Auth's wording of the whole error. PUBLIC is the error's message alone where its SQLSTATE is one of those
    that Auth shows, else the TEXT.
    """

    HIDDEN = "hidden"
    PUBLIC = "public"
    TEXT = "text"


class Shown(StrEnum):
    """To whom Auth shows PostgreSQL's own error in place of its answer, where the SQLSTATE is one of the public ones.

    It does so where that error is the direct cause of the answer, and not that of another answer in between.
    """

    NEVER = "never"
    WITHOUT_HEADER = "without-header"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Response:
    """What the client gets; `before` is what Auth's libraries put in front of the error's TEXT."""

    status: int
    error_code: str | None
    message: str
    cause: Cause = Cause.HIDDEN
    before: str = ""
    shown: Shown = Shown.NEVER

    def answer(self, message: str, sqlstate: str | None) -> Response:
        """What the client gets when PostgreSQL's error has this message and SQLSTATE."""
        opened = self.opened(message, sqlstate) if self.shown is Shown.ALWAYS else None
        return opened or Response(self.status, self.error_code, self.text(message, sqlstate))

    def opened(self, message: str, sqlstate: str | None) -> Response | None:
        """PostgreSQL's own error as Auth sends it in the body: its SQLSTATE, message, detail and hint.

        A client without the header gets it. None where Auth keeps the error to itself.
        """
        if self.shown is Shown.NEVER or sqlstate is None or not _PUBLIC.fullmatch(sqlstate):
            return None
        status = int(sqlstate[2:]) if sqlstate.startswith("PT") else 500
        return Response(status, sqlstate, message)

    def text(self, message: str, sqlstate: str | None) -> str:
        """What the client reads when PostgreSQL's error has this message and SQLSTATE."""
        if self.cause is Cause.HIDDEN:
            return self.message
        if self.cause is Cause.PUBLIC and sqlstate is not None and _PUBLIC.fullmatch(sqlstate):
            return message
        return f"{self.before}ERROR: {message}" + ("" if sqlstate is None else f" (SQLSTATE {sqlstate})")

    def worded(self, error: str) -> Response:
        """The answer to an error of Auth itself with this text."""
        if self.cause is Cause.HIDDEN:
            return self
        return replace(self, message=f"{self.before}{error}", cause=Cause.HIDDEN)


_PUBLIC = re.compile("P0001|2300[01]|2350[235]|23514|23P01|PT(?!000)[0-9]{3}")
"""The SQLSTATEs whose message Auth shows: RAISE, integrity constraints, and PT with the HTTP status to answer with.

Source: supabase/auth internal/utilities/postgres.go.
"""


def failure(message: str, shown: Shown = Shown.WITHOUT_HEADER) -> Response:
    """The 500 that Auth gives for an error with a fixed text."""
    return Response(500, "unexpected_failure", message, shown=shown)


def redirect(message: str) -> Response:
    """The same in an OAuth callback: a redirect whose error_description is the text."""
    return Response(302, "unexpected_failure", message)


RAW = failure("Unexpected failure, please check server logs for more information", Shown.NEVER)
RAW_REDIRECT = Response(302, None, "the error text of the database", Cause.PUBLIC)
CLOSING = (
    "failed to close prepared statement: ERROR: current transaction is aborted, commands ignored until end of "
    "transaction block (SQLSTATE 25P02): "
)
"""In front of the error of an INSERT: it is a prepared statement, and closing that fails next."""
COMMITTING = "database error on committing or rolling back transaction: "

SAVING_NEW_USER = failure("Database error saving new user")
UPDATING_USER = failure("Database error updating user")
LOADING_USER = failure("Database error loading user after sign-up")
CREATING_IDENTITY = failure("Error creating identity")
SENDING_CONFIRMATION = failure("Error sending confirmation email")
SENDING_INVITE = failure("Error sending invite email")
CREATING_ONE_TIME_TOKEN = failure("error creating one time token")
GRANTING_USER = failure("Database error granting user")
SENDING_MAGIC_LINK = failure("Error sending magic link email")
SENDING_RECOVERY = failure("Error sending recovery email")
INVITING_USER = failure("Error inviting user")
CREATING_NEW_USER = failure("Database error creating new user")
CREATING_NEW_USER_AGAIN = replace(CREATING_NEW_USER, shown=Shown.NEVER)
CREATING_ANONYMOUS = failure("Database error creating anonymous user")
CREATING_ANONYMOUS_AGAIN = replace(CREATING_ANONYMOUS, shown=Shown.NEVER)
"""In place of another answer of Auth, which hides the cause."""
ERROR_UPDATING_USER = failure("Error updating user")
CONFIRMING_USER = failure("Error confirming user")
IDENTITY_VERIFIED = failure("Error setting email_verified to true on identity")
CONFIRMING_EMAIL = failure("Error confirm email")
SENDING_EMAIL_CHANGE = failure("Error sending email change email")
RECORDING_AUDIT = failure("Error recording audit log entry")
STORING_PASSWORD = failure("Error during password storage")
GENERATING_TOKEN = failure("error generating jwt token", Shown.NEVER)
UPDATING_SESSION = failure("failed to update session information")
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
FINDING_USER_IN_REDIRECT = Response(302, None, "the error text of Auth", Cause.TEXT)
FINDING_USER_AT_REFRESH = Response(500, "unexpected_failure", "error finding user", Cause.TEXT, "error finding user: ")
BANNED = Response(403, "user_banned", "User is banned")
BANNED_AT_LOGIN = replace(BANNED, status=400)
INVALID_LOGIN = Response(400, "invalid_credentials", "Invalid login credentials")
NOT_CONFIRMED = Response(400, "email_not_confirmed", "Email not confirmed")
BANNED_AT_REFRESH = Response(400, "user_banned", "Invalid Refresh Token: User Banned")
USER_NOT_FOUND = Response(404, "user_not_found", "User not found")
USER_GONE = Response(403, "user_not_found", "User from sub claim in JWT does not exist")
SESSION_GONE = Response(403, "session_not_found", "Session from session_id claim in JWT does not exist")
OTP_EXPIRED = Response(403, "otp_expired", "Token has expired or is invalid")
REFRESH_TOKEN_NOT_FOUND = Response(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
REFRESH_TOKEN_USED = Response(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
SESSION_NOT_FOUND = Response(400, "session_not_found", "Invalid Refresh Token: No Valid Session Found")
SESSION_EXPIRED = Response(400, "session_expired", "Invalid Refresh Token: Session Expired")
MULTIPLE_ACCOUNTS = redirect(
    "Multiple accounts with the same email address in the same linking domain detected: default"
)
BANNED_IN_REDIRECT = replace(BANNED, status=302)
OK = Response(200, None, "")
FOUND = Response(302, None, "")


def without_session(failure: Response) -> Response:
    """The answer where the session is gone when Auth reads it for the access token, after the statement that gives
    `failure` and in the same request."""
    if failure.status == FOUND.status:
        return Response(FOUND.status, None, f"500: {GENERATING_TOKEN.message}")
    return GENERATING_TOKEN if failure == RAW else failure


def as_redirect(response: Response, before: str = "") -> Response:
    """The answer to the same failure inside an OAuth callback; `before` is for what is shown raw.

    The errors of granting a session come there as text with the status in it.
    """
    if response == RAW:
        return replace(RAW_REDIRECT, before=before)
    if response == GRANTING_USER:
        return Response(302, None, f"500: {response.message}")
    return redirect(response.message)
