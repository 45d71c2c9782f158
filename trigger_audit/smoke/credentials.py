"""Whether Auth lets in who logs in with the password that was given at sign-up, by the row that it reads."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trigger_audit.auth.messages import RAW, Response
from trigger_audit.auth.steps import Flow

_HASH = re.compile(r"\$2[^$]?\$(?:0[4-9]|[12]\d|3[01])\$.{53}|\$(?:argon2|fbscrypt).*", re.DOTALL)
"""What Auth takes for a hash. For anything else it has no answer of its own (internal/models/user.go, Authenticate)."""


def refused_log_in(flow: Flow, user: Mapping[str, object], password_hash: object) -> tuple[str, Response] | None:
    """Why Auth turns the user away, and its answer; None where it does not, or where the flow asks for no password.

    `password_hash` is what Auth wrote at sign-up.
    """
    if flow.wrong_password is None or flow.unconfirmed is None:
        return None
    found = user.get("encrypted_password", password_hash)
    if found in (None, ""):
        told = "NULL" if found is None else "''"
        return f"auth.users.encrypted_password is {told}, and no password fits", flow.wrong_password
    if found != password_hash:
        readable = _HASH.match(str(found)) is not None
        what = "another hash than Auth wrote" if readable else "no hash that Auth can read"
        return f"auth.users.encrypted_password is {what}", flow.wrong_password if readable else RAW
    if user.get("email_confirmed_at", "") is None:
        return (
            "auth.users.email_confirmed_at is NULL, and nobody logs in before",
            flow.unconfirmed,
        )
    return None
