"""Builders for Auth's statements: each gives a Step with the exact column list.

Source: supabase/auth internal/models and pop's rules: an INSERT lists every column, UpdateOnly lists the changed ones
and updated_at, so `UPDATE OF` triggers fire as they do behind Auth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from trigger_audit.auth.messages import LOADING_USER, RAW, UPDATING_USER, Response
from trigger_audit.auth.roles import ADMINISTRATOR, AUDIENCE, INSTANCE_ID
from trigger_audit.auth.steps import Condition, Kind, Rows, Step, Token, Write
from trigger_audit.auth.tables import USERS_INSERT
from trigger_audit.auth.values import CLOCK, EMPTY, NULL, Base, Constant, Document, Form, Fresh, Given, Probe, Value

USER_ID = Given(Probe.USER_ID)
ROW_ID = Fresh(Probe.ROW_ID, Form.UUID)
ADDRESS = Given(Probe.EMAIL)
PROVIDER_KEYS = (("provider", Given(Probe.PROVIDER)), ("providers", Given(Probe.PROVIDERS)))

_LOG_TYPES = {
    "identity_linked": "user",
    "login": "account",
    "token_refreshed": "token",
    "token_revoked": "token",
    "user_confirmation_requested": "user",
    "user_deleted": "team",
    "user_invited": "team",
    "user_modified": "user",
    "user_recovery_requested": "user",
    "user_repeated_signup": "user",
    "user_signedup": "team",
    "user_updated_password": "user",
}


def _sorted(writes: Mapping[str, Value]) -> tuple[Write, ...]:
    return tuple(Write(column, writes[column]) for column in sorted(writes))


def commit(step: Step, failure: Response = RAW) -> Step:
    """The same step with Auth's COMMIT after it."""
    return replace(step, commit_after=True, commit_failure=failure)


def unconfirmed(*steps: Step) -> tuple[Step, ...]:
    """The same steps, left out where the reloaded row is confirmed already."""
    return tuple(replace(step, unconfirmed_only=True) for step in steps)


def insert_user(
    failure: Response,
    *,
    email: Value = NULL,
    phone: Value = NULL,
    password: Value = EMPTY,
    metadata: Value = Given(Probe.METADATA),  # noqa: B008  a frozen value
    provider: str | None = "email",
    anonymous: bool = False,
) -> Step:
    """INSERT of users with all 33 columns: role and the tokens empty, every other time NULL."""
    writes: dict[str, Value] = {
        column: EMPTY if column.endswith("_token") or "_token_" in column else NULL for column in USERS_INSERT
    }
    app = () if provider is None else (("provider", provider), ("providers", (provider,)))
    writes |= {
        "aud": Constant(AUDIENCE),
        "created_at": CLOCK,
        "email": email,
        "email_change": EMPTY,
        "email_change_confirm_status": Constant(0),
        "encrypted_password": password,
        "id": Fresh(Probe.USER_ID, Form.UUID),
        "instance_id": Constant(INSTANCE_ID),
        "is_anonymous": Constant(anonymous),
        "is_sso_user": Constant(False),
        "phone": phone,
        "phone_change": EMPTY,
        "raw_app_meta_data": Document(Base.NOTHING, app),
        "raw_user_meta_data": metadata,
        "role": EMPTY,
        "updated_at": CLOCK,
    }
    return Step("INSERT auth.users", Kind.INSERT, "users", failure, _sorted(writes))


def update_user(failure: Response, label: str, **writes: Value) -> Step:
    """UPDATE of one user: the named columns and updated_at. `label` is what people read in brackets."""
    return Step(
        f"UPDATE auth.users ({label})",
        Kind.UPDATE,
        "users",
        failure,
        (*_sorted(writes), Write("updated_at", CLOCK)),
        (Condition("id", USER_ID),),
    )


def set_role(failure: Response) -> Step:
    return update_user(failure, "role", role=Constant(AUDIENCE))


def reload(failure: Response = LOADING_USER) -> Step:
    """SELECT of the whole row into Auth's memory; a missing row or a NULL it cannot scan is an error."""
    return Step("SELECT auth.users", Kind.RELOAD, "users", failure, where=(Condition("id", USER_ID),))


def providers(failure: Response) -> tuple[Step, Step]:
    """SELECT of the user's providers, then UPDATE of the app metadata."""
    return (
        Step(
            "SELECT auth.identities",
            Kind.PROVIDERS,
            "identities",
            failure,
            where=(Condition("user_id", USER_ID),),
            rows=Rows.ANY,
        ),
        update_user(failure, "raw_app_meta_data", raw_app_meta_data=Document(Base.MEMORY, PROVIDER_KEYS)),
    )


def insert_identity(
    failure: Response, *, provider: str = "email", provider_id: Value = USER_ID, data: Document
) -> Step:
    writes: dict[str, Value] = {
        "created_at": CLOCK,
        "id": Fresh(Probe.IDENTITY_ID, Form.UUID),
        "identity_data": data,
        "last_sign_in_at": CLOCK,
        "provider": Constant(provider),
        "provider_id": provider_id,
        "updated_at": CLOCK,
        "user_id": USER_ID,
    }
    return Step("INSERT auth.identities", Kind.INSERT, "identities", failure, _sorted(writes))


def update_identity(failure: Response, *, touch: bool, **writes: Value) -> Step:
    """UPDATE of the user's identity; Auth writes updated_at there only through UpdateOnly (`touch`)."""
    touched = (Write("updated_at", CLOCK),) if touch else ()
    return Step(
        f"UPDATE auth.identities ({', '.join(sorted(writes))})",
        Kind.UPDATE,
        "identities",
        failure,
        (*_sorted(writes), *touched),
        (Condition("id", Given(Probe.IDENTITY_ID)),),
    )


def audit(action: str, failure: Response = RAW, *, actor: Given = ADDRESS, admin: bool = False) -> Step:
    """INSERT of an audit entry; projects that switch the audit log off do not see it.

    `actor` is the address or number of who acts; an administrator (`admin`) is nobody in users: his id is all zeros.
    `traits`, whose keys differ by handler, are left out of the payload.
    """
    who = (INSTANCE_ID, ADMINISTRATOR) if admin else (USER_ID, actor)
    payload = (
        ("action", action),
        ("actor_id", who[0]),
        ("actor_username", who[1]),
        ("actor_via_sso", False),
        ("log_type", _LOG_TYPES[action]),
    )
    writes: dict[str, Value] = {
        "created_at": CLOCK,
        "id": ROW_ID,
        "instance_id": Constant(INSTANCE_ID),
        "ip_address": EMPTY,
        "payload": Document(Base.NOTHING, payload),
    }
    return Step(f"INSERT auth.audit_log_entries ({action})", Kind.INSERT, "audit_log_entries", failure, _sorted(writes))


def clear_tokens(failure: Response, token: Token | None = None) -> Step:
    """DELETE of the user's one-time tokens, of one kind or all."""
    where = [Condition("user_id", USER_ID)]
    if token is not None:
        where.insert(0, Condition("token_type", Constant(token.value)))
    return Step(
        "DELETE auth.one_time_tokens", Kind.DELETE, "one_time_tokens", failure, where=tuple(where), rows=Rows.ANY
    )


def write_token(failure: Response, token: Token, relates_to: Value) -> tuple[Step, Step]:
    """DELETE of the old one-time token of the kind, INSERT of the new one with the hash that users holds."""
    writes: dict[str, Value] = {
        "created_at": CLOCK,
        "id": ROW_ID,
        "relates_to": relates_to,
        "token_hash": Given(Probe(token.value)),
        "token_type": Constant(token.value),
        "updated_at": CLOCK,
        "user_id": USER_ID,
    }
    insert = Step("INSERT auth.one_time_tokens", Kind.INSERT, "one_time_tokens", failure, _sorted(writes))
    return clear_tokens(failure, token), insert


def clear_sessions(failure: Response, *, except_current: bool = False) -> Step:
    where: tuple[Condition, ...] = (Condition("user_id", USER_ID),)
    if except_current:
        where = (Condition("id", Given(Probe.SESSION_ID), "<>"), *where)
    return Step("DELETE auth.sessions", Kind.DELETE, "sessions", failure, where=where, rows=Rows.ANY)


def confirm(failure: Response) -> tuple[Step, Step, Step]:
    """User.Confirm: token away and email_confirmed_at, then the metadata, then the one-time tokens."""
    return (
        update_user(failure, "email_confirmed_at", confirmation_token=EMPTY, email_confirmed_at=CLOCK),
        update_user(
            failure,
            "raw_user_meta_data",
            raw_user_meta_data=Document(Base.MEMORY, (("email_verified", True),)),
        ),
        clear_tokens(failure),
    )


def insert_refresh_token(failure: Response, parent: Value = NULL) -> Step:
    """INSERT of a refresh token; its id comes from the server, and a missing one is an error for Auth."""
    writes: dict[str, Value] = {
        "created_at": CLOCK,
        "instance_id": Constant(INSTANCE_ID),
        "parent": parent,
        "revoked": Constant(False),
        "session_id": Given(Probe.SESSION_ID),
        "token": Fresh(Probe.REFRESH_TOKEN, Form.REFRESH),
        "updated_at": CLOCK,
        "user_id": USER_ID,
    }
    return Step("INSERT auth.refresh_tokens", Kind.INSERT, "refresh_tokens", failure, _sorted(writes), returning="id")


def session(method: str, failure: Response, claim_failure: Response) -> tuple[Step, ...]:
    """IssueRefreshToken: a session, its refresh token, last_sign_in_at, and how the user proved who he is."""
    session_writes: dict[str, Value] = {
        "aal": Constant("aal1"),
        "created_at": CLOCK,
        "factor_id": NULL,
        "id": Fresh(Probe.SESSION_ID, Form.UUID),
        "ip": Given(Probe.IP),
        "not_after": NULL,
        "oauth_client_id": NULL,
        "refresh_token_counter": NULL,
        "refresh_token_hmac_key": NULL,
        "refreshed_at": NULL,
        "scopes": NULL,
        "tag": NULL,
        "updated_at": CLOCK,
        "user_agent": Given(Probe.USER_AGENT),
        "user_id": USER_ID,
    }
    claim_writes: dict[str, Value] = {
        "authentication_method": Constant(method),
        "created_at": CLOCK,
        "id": ROW_ID,
        "session_id": Given(Probe.SESSION_ID),
        "updated_at": CLOCK,
    }
    return (
        Step("INSERT auth.sessions", Kind.INSERT, "sessions", failure, _sorted(session_writes)),
        insert_refresh_token(failure),
        update_user(failure, "last_sign_in_at", last_sign_in_at=CLOCK),
        Step(
            "INSERT auth.mfa_amr_claims",
            Kind.INSERT,
            "mfa_amr_claims",
            claim_failure,
            _sorted(claim_writes),
            conflict="mfa_amr_claims_session_id_authentication_method_pkey",
        ),
    )


def new_user(insert: Step, update: Response = UPDATING_USER, load: Response = LOADING_USER) -> tuple[Step, Step, Step]:
    """signupNewUser: the INSERT, the role, and the row read back."""
    return insert, set_role(update), reload(load)
