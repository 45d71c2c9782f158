"""All flows, in the order in which they are listed and run."""

from __future__ import annotations

from trigger_audit.auth import account, signin, signup
from trigger_audit.auth.messages import Response
from trigger_audit.auth.steps import Flow

_ORDER = (
    "signup-email",
    "signup-autoconfirm",
    "signup-otp",
    "signup-phone",
    "anonymous",
    "oauth-first",
    "oauth-again",
    "invite",
    "admin-create",
    "admin-update",
    "magic-link",
    "recovery",
    "verify-signup",
    "verify-magic-link",
    "verify-email-change",
    "verify-phone",
    "login",
    "refresh-token",
    "email-change",
    "update-user",
    "delete-user",
    "soft-delete",
)

_BY_NAME = {flow.name: flow for flow in (*signup.FLOWS, *signin.FLOWS, *account.FLOWS)}

FLOWS: tuple[Flow, ...] = tuple(_BY_NAME[name] for name in _ORDER)


def flow_named(name: str) -> Flow:
    """The flow of that name; KeyError where there is none."""
    return _BY_NAME[name]


def commit_response(flow: str, step: int) -> Response:
    """What the client reads when the next COMMIT at or after the step (from 1) fails, deferred triggers included.

    KeyError where no commit follows.
    """
    for later in flow_named(flow).steps[step - 1 :]:
        if later.commit_after:
            return later.commit_failure
    raise KeyError((flow, step))
