"""Who signs up, and what raw_user_meta_data the client sends."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

from trigger_audit.auth.steps import Flow
from trigger_audit.auth.values import Probe
from trigger_audit.smoke.model import Payload

_NAMES: dict[str, object] = {
    "name": "Trigger Audit",
    "full_name": "Trigger Audit",
    "first_name": "Trigger",
    "last_name": "Audit",
    "display_name": "Trigger Audit",
    "user_name": "trigger_audit",
    "username": "trigger_audit",
    "preferred_username": "trigger_audit",
    "avatar_url": "https://example.com/avatar.png",
    "picture": "https://example.com/avatar.png",
}
_FULL: dict[str, object] = {**_NAMES, "phone": "+15550100", "locale": "en", "company": "Example", "bio": "Example"}
_ADMIN: dict[str, object] = {
    "role": "admin",
    "user_role": "admin",
    "is_admin": True,
    "is_super_admin": True,
    "admin": True,
    "plan": "enterprise",
    "tenant_id": "00000000-0000-4000-8000-000000000000",
    "organization_id": "00000000-0000-4000-8000-000000000000",
}
_GOOGLE: dict[str, object] = {
    "iss": "https://accounts.google.com",
    "name": "Trigger Audit",
    "full_name": "Trigger Audit",
    "avatar_url": "https://example.com/avatar.png",
    "picture": "https://example.com/avatar.png",
    "custom_claims": {"hd": "example.com"},
}

METADATA: dict[Payload, dict[str, object]] = {
    Payload.BARE: {},
    Payload.FULL: _FULL,
    Payload.GOOGLE: _GOOGLE,
    Payload.DUPLICATE: _FULL,
    Payload.ADMIN: {**_FULL, **_ADMIN},
}


def payloads_of(flow: Flow) -> tuple[Payload, ...]:
    """The payloads that the flow is tried with."""
    if not flow.signs_up:
        return (Payload.BARE,)
    more = {"oauth-first": (Payload.GOOGLE,), "signup-email": (Payload.DUPLICATE, Payload.ADMIN)}
    return (Payload.BARE, Payload.FULL, *more.get(flow.name, ()))


@dataclass(slots=True)
class Probes:
    """Makes the values of the probe users and remembers what a rollback must have removed.

    The addresses are of example.com and example.org (RFC 2606, nobody's mailbox, and a usual syntax check passes); the
    numbers start with 999, a country code that is not in use.
    """

    emails: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def user(self, payload: Payload, twin_of: dict[Probe, object] | None = None) -> dict[Probe, object]:
        """The values of a new user; a twin has the same local part and names at another domain."""
        if twin_of is None:
            local, domain = f"trigger-audit-{secrets.token_hex(8)}", "example.com"
        else:
            local, domain = str(twin_of[Probe.EMAIL]).partition("@")[0], "example.org"
        email, new_email = f"{local}@{domain}", f"{local}-new@{domain}"
        self.emails += [email, new_email]
        return {
            Probe.EMAIL: email,
            Probe.NEW_EMAIL: new_email,
            Probe.PHONE: "999" + "".join(secrets.choice("0123456789") for _ in range(12)),
            Probe.METADATA: METADATA[payload],
            Probe.PASSWORD_HASH: "$2a$10$" + secrets.token_hex(27)[:53],
            Probe.NEW_PASSWORD_HASH: "$2a$10$" + secrets.token_hex(27)[:53],
            Probe.PROVIDER_SUBJECT: str(secrets.randbits(68)),
            Probe.USER_AGENT: "trigger-audit",
            Probe.IP: "127.0.0.1",
        }


def token() -> str:
    """A token as Auth stores it: 56 hexadecimal digits."""
    return hashlib.sha224(secrets.token_bytes(16)).hexdigest()
