"""Who signs up, and what raw_user_meta_data the client sends."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trigger_audit.analysis.granting import PRIVILEGED
from trigger_audit.auth.steps import Flow
from trigger_audit.auth.values import Probe
from trigger_audit.errors import UsageError
from trigger_audit.smoke.accepts import text_of
from trigger_audit.smoke.model import Payload
from trigger_audit.smoke.samples import Rows, nested, sample

if TYPE_CHECKING:
    from trigger_audit.analysis.metadata import MetadataKey, Reference
    from trigger_audit.analysis.rights import RightsTable

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

_STATIC: dict[Payload, Mapping[str, object]] = {
    Payload.BARE: {},
    Payload.FULL: _FULL,
    Payload.GOOGLE: _GOOGLE,
    Payload.DUPLICATE: _FULL,
    Payload.ADMIN: {**_FULL, **_ADMIN},
}
_MORE = {"oauth-first": (Payload.GOOGLE,), "signup-email": (Payload.DUPLICATE, Payload.ADMIN)}


@dataclass(frozen=True, slots=True)
class SignUps:
    """Who signs up, and what the client sends: what a run varies.

    `keys` are those that the cascade reads. `given` is the app's own options.data, `email` the address to sign up with.
    `payloads` are the only ones to run, in the order of `Payload`; without them it is the usual matrix.
    `rights` says where to look for what a user got.
    """

    keys: tuple[MetadataKey, ...] = ()
    given: Mapping[str, object] | None = None
    email: str | None = None
    payloads: tuple[Payload, ...] = ()
    rights: tuple[RightsTable, ...] = ()

    @property
    def references(self) -> tuple[Reference, ...]:
        """The columns of which rows are wanted, for values that foreign keys check."""
        return tuple(dict.fromkeys(reference for key in self.keys for reference in key.references))


USUAL = SignUps()


def payloads_of(flow: Flow, sign_ups: SignUps = USUAL) -> tuple[Payload, ...]:
    """The payloads that the flow is tried with. What makes no user sends no metadata of its own."""
    only = sign_ups.payloads
    if not flow.signs_up:
        return (Payload.BARE,) if not only or Payload.BARE in only else ()
    if only:
        return tuple(payload for payload in Payload if payload in only)
    given = (Payload.GIVEN,) if sign_ups.given is not None else ()
    return (Payload.BARE, Payload.FULL, *_MORE.get(flow.name, ()), *given)


def payload_named(name: str) -> Payload:
    """UsageError for another name than those of the contract."""
    try:
        return Payload(name)
    except ValueError:
        known = ", ".join(payload.value for payload in Payload)
        raise UsageError(f"there is no payload {name!r}", f"the payloads are {known}") from None


@dataclass(frozen=True, slots=True)
class Metadata:
    """What each payload sends. `privileged` are the texts in `admin` and `given` that would be worth having.

    `notes` say which keys `full` leaves out, and why.
    """

    documents: Mapping[Payload, Mapping[str, object]]
    privileged: Mapping[Payload, frozenset[str]]
    notes: tuple[str, ...]


def metadata_for(sign_ups: SignUps, rows: Rows) -> Metadata:
    """`full` has every key that is read, with a value that it takes, and so has `duplicate`, which both users send;
    `admin` what grants something besides.

    The static role-like keys of `admin` give way to what is known of the same key.
    """
    documents = dict(_STATIC)
    samples = [sample(key, _usual(key), rows) for key in _leaves(sign_ups.keys)]
    full = nested([(found.path, found.usual) for found in samples if found.usual is not None], _FULL)
    for found in samples:
        if found.usual is None and len(found.path) == 1:
            full.pop(found.path[0], None)  # a usual value that this project would refuse
    guessed = {name: value for name, value in _ADMIN.items() if name not in {key.path[0] for key in sign_ups.keys}}
    privileged = [(found.path, found.privileged) for found in samples if found.privileged is not None]
    documents[Payload.FULL] = documents[Payload.DUPLICATE] = full
    documents[Payload.ADMIN] = nested(privileged, {**full, **guessed})
    texts = {Payload.ADMIN: frozenset(text_of(value) for value in (*guessed.values(), *(v for _, v in privileged)))}
    if sign_ups.given is not None:
        documents[Payload.GIVEN] = sign_ups.given
        texts[Payload.GIVEN] = frozenset(
            text for text in map(text_of, _scalars(sign_ups.given)) if PRIVILEGED.search(text)
        )
    return Metadata(documents, texts, tuple(found.note for found in samples if found.note is not None))


def _leaves(keys: Sequence[MetadataKey]) -> list[MetadataKey]:
    """Those that no longer path leads through: they are objects, and the path below makes them so."""
    through = {key.path[:length] for key in keys for length in range(1, len(key.path))}
    return [key for key in keys if key.path not in through]


def _usual(key: MetadataKey) -> object:
    return _FULL.get(key.path[0]) if len(key.path) == 1 else None


def _scalars(document: object) -> Iterator[object]:
    if isinstance(document, Mapping):
        for value in document.values():
            yield from _scalars(value)
    elif isinstance(document, list):
        for value in document:
            yield from _scalars(value)
    elif document is not None:
        yield document


@dataclass(slots=True)
class Probes:
    """Makes the values of the probe users and remembers what a rollback must have removed.

    The addresses are of example.com and example.org (RFC 2606, nobody's mailbox, and a usual syntax check passes); the
    numbers start with 999, a country code that is not in use.
    """

    documents: Mapping[Payload, Mapping[str, object]] = field(default_factory=lambda: _STATIC)
    address: str | None = None
    emails: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def user(self, payload: Payload, twin_of: dict[Probe, object] | None = None) -> dict[Probe, object]:
        """The values of a new user; a twin has the same local part and names at another domain.

        Where an address was given, the others are plus-addresses of it that nobody has: triggers may take no other
        domain. Then a twin shares the names alone.
        """
        if self.address is not None:
            email = self.address if twin_of is None else _plus(self.address)
            new_email = _plus(self.address)
        else:
            local = f"trigger-audit-{secrets.token_hex(8)}"
            domain = "example.com"
            if twin_of is not None:
                local, domain = str(twin_of[Probe.EMAIL]).partition("@")[0], "example.org"
            email, new_email = f"{local}@{domain}", f"{local}-new@{domain}"
        self.emails += [email, new_email]
        return {
            Probe.EMAIL: email,
            Probe.NEW_EMAIL: new_email,
            Probe.PHONE: "999" + "".join(secrets.choice("0123456789") for _ in range(12)),
            Probe.METADATA: self.documents[payload],
            Probe.PASSWORD_HASH: "$2a$10$" + secrets.token_hex(27)[:53],
            Probe.NEW_PASSWORD_HASH: "$2a$10$" + secrets.token_hex(27)[:53],
            Probe.PROVIDER_SUBJECT: str(secrets.randbits(68)),
            Probe.USER_AGENT: "trigger-audit",
            Probe.IP: "127.0.0.1",
        }


def _plus(address: str) -> str:
    """A plus-address of it: seven characters longer, within what a local part (64) and the column (255) may have."""
    local, _, domain = address.partition("@")
    tag = f"+{secrets.token_hex(3)}"
    most = max(1, min(64, 255 - 1 - len(domain)) - len(tag))
    return f"{local[:most]}{tag}@{domain}"


def token() -> str:
    """A token as Auth stores it: 56 hexadecimal digits."""
    return hashlib.sha224(secrets.token_bytes(16)).hexdigest()
