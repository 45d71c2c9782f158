"""What older versions of Auth answer where the newest one answers `messages`.

Source: internal/api of supabase/auth at the tags before and after each change. The flows themselves stay those of the
newest version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from trigger_audit.auth import messages
from trigger_audit.auth.messages import Response, Shown, failure
from trigger_audit.auth.versions import Span, Version

_INVALID_LOGIN = replace(messages.INVALID_LOGIN, error_code=None)
_INVALID_REFRESH = {
    response: replace(response, error_code=None)
    for response in (
        messages.BANNED_AT_REFRESH,
        messages.REFRESH_TOKEN_NOT_FOUND,
        messages.REFRESH_TOKEN_USED,
        messages.SESSION_NOT_FOUND,
        messages.SESSION_EXPIRED,
    )
}
_LOGIN = {
    messages.BANNED_AT_LOGIN: _INVALID_LOGIN,
    messages.INVALID_LOGIN: _INVALID_LOGIN,
    messages.NOT_CONFIRMED: replace(messages.NOT_CONFIRMED, error_code=None),
}
"""All in OAuth's form: {"error": "invalid_grant", "error_description": ...}."""

_CONFIRMATION = {messages.SENDING_CONFIRMATION: failure("Error sending confirmation mail")}
_MAGIC_LINK = failure("Error sending magic link")
_MAILS = {
    "signup-email": _CONFIRMATION,
    "signup-otp": _CONFIRMATION,
    "invite": {messages.SENDING_INVITE: messages.INVITING_USER},
    "email-change": {messages.SENDING_EMAIL_CHANGE: failure("Error sending change email")},
    # One text for whatever fails in the transaction, its audit entry and its COMMIT included.
    "magic-link": {messages.SENDING_MAGIC_LINK: _MAGIC_LINK, messages.RAW: _MAGIC_LINK},
    "recovery": {
        messages.SENDING_RECOVERY: messages.PROCESSING_REQUEST,
        messages.RAW: messages.PROCESSING_REQUEST,
    },
}


def _status_for_code(response: Response, flow: str) -> Response:
    """Redirects had the status as their error_code."""
    if response.status != messages.FOUND.status or response.error_code is None:
        return response
    return replace(response, error_code="403" if response.error_code == "user_banned" else "500")


def _no_codes(response: Response, flow: str) -> Response:
    """Before error codes and the header: PostgreSQL's own error went to everybody."""
    if response == replace(messages.BANNED_IN_REDIRECT, error_code="403"):
        return replace(response, error_code="401", message="User is unauthorized")
    if response.message == messages.RAW.message:
        response = replace(response, message="Internal server error")
    if response.status == messages.FOUND.status:
        return response
    shown = Shown.ALWAYS if response.shown is Shown.WITHOUT_HEADER else response.shown
    return replace(response, error_code=None, shown=shown)


_Before = Callable[[Response, str], Response]
CHANGES: tuple[tuple[Version, _Before], ...] = (
    (Version(2, 165, 0), _status_for_code),
    (Version(2, 164, 0), lambda response, _: _INVALID_REFRESH.get(response, response)),
    (Version(2, 160, 0), lambda response, flow: _MAILS.get(flow, {}).get(response, response)),
    (Version(2, 159, 0), lambda response, _: _LOGIN.get(response, response)),
    (
        Version(2, 158, 1),
        lambda response, _: messages.RAW if response == messages.CREATING_ONE_TIME_TOKEN else response,
    ),
    (Version(2, 145, 0), _no_codes),
)
"""What each version changed, newest first: the answer before, from the answer since and the flow's name."""


def as_of(response: Response, flow: str, versions: Span) -> Response:
    """The answer in the flow where it is one of these versions of Auth; the newer one where they differ."""
    for version, before in CHANGES:
        if versions.before(version):
            response = before(response, flow)
    return response


def in_doubt(versions: Span) -> tuple[Version, ...]:
    """The changes of which it cannot be said whether these versions have them; oldest first."""
    return tuple(version for version, _ in reversed(CHANGES) if versions.straddles(version))
