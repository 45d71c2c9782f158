"""The flows that change or remove a user.

Source: supabase/auth internal/api user.go, admin.go and internal/models/user.go (v2.196.0).
"""

from __future__ import annotations

from dataclasses import replace

from trigger_audit.auth import messages
from trigger_audit.auth.messages import Response
from trigger_audit.auth.signin import CONFIRMED_USERS
from trigger_audit.auth.signup import EMAIL
from trigger_audit.auth.statements import (
    USER_ID,
    audit,
    clear_sessions,
    clear_tokens,
    commit,
    set_role,
    update_identity,
    update_user,
    write_token,
)
from trigger_audit.auth.steps import Condition, Flow, FoundBy, Kind, Rows, Step, Token
from trigger_audit.auth.values import CLOCK, EMPTY, NULL, Base, Constant, Document, Form, Fresh, Given, Obscured, Probe

ANY_USER = (*CONFIRMED_USERS, "signup-email", "invite")
"""The flows after which a user exists whom an administrator may change or delete."""


def _email_change() -> tuple[Step, ...]:
    failure = messages.SENDING_EMAIL_CHANGE
    change = update_user(
        failure,
        "email_change",
        email_change=Given(Probe.NEW_EMAIL),
        email_change_confirm_status=Constant(0),
        email_change_sent_at=CLOCK,
        email_change_token_current=Fresh(Probe.EMAIL_CHANGE_TOKEN_CURRENT, Form.TOKEN),
        email_change_token_new=Fresh(Probe.EMAIL_CHANGE_TOKEN_NEW, Form.TOKEN),
    )
    return (
        replace(change, mail_before=True),
        *write_token(failure, Token.EMAIL_CHANGE_CURRENT, EMAIL),
        *write_token(failure, Token.EMAIL_CHANGE_NEW, Given(Probe.NEW_EMAIL)),
        commit(audit("user_modified", messages.RECORDING_AUDIT)),
    )


EMAIL_CHANGE = Flow(
    "email-change",
    "Ask for another e-mail address, both addresses confirm",
    _email_change(),
    messages.OK,
    found_by=FoundBy.ACCESS_TOKEN,
    lookup=messages.RAW,
    missing=messages.USER_GONE,
    banned=messages.BANNED,
    starts=CONFIRMED_USERS,
    tokens=(Token.EMAIL_CHANGE_CURRENT, Token.EMAIL_CHANGE_NEW),
)

UPDATE_USER = Flow(
    "update-user",
    "Change the password and the metadata",
    (
        update_user(
            messages.STORING_PASSWORD,
            "encrypted_password",
            confirmation_sent_at=NULL,
            confirmation_token=EMPTY,
            email_change_sent_at=NULL,
            email_change_token_current=EMPTY,
            email_change_token_new=EMPTY,
            encrypted_password=Given(Probe.NEW_PASSWORD_HASH),
            phone_change_sent_at=NULL,
            phone_change_token=EMPTY,
            reauthentication_sent_at=NULL,
            reauthentication_token=EMPTY,
            recovery_sent_at=NULL,
            recovery_token=EMPTY,
        ),
        clear_tokens(messages.STORING_PASSWORD),
        clear_sessions(messages.STORING_PASSWORD, except_current=True),
        audit("user_updated_password"),
        update_user(
            messages.ERROR_UPDATING_USER,
            "raw_user_meta_data",
            raw_user_meta_data=Document(Base.MEMORY, (("updated_by", "user"),)),
        ),
        commit(audit("user_modified", messages.RECORDING_AUDIT)),
    ),
    messages.OK,
    found_by=FoundBy.ACCESS_TOKEN,
    lookup=messages.RAW,
    missing=messages.USER_GONE,
    banned=messages.BANNED,
    starts=("verify-signup", "signup-autoconfirm", "oauth-first"),
)


def _admin_update() -> tuple[Step, ...]:
    """Without email_confirm, which would add User.Confirm: so the new address counts as not verified."""
    failure = messages.ERROR_UPDATING_USER
    return (
        set_role(failure),
        update_identity(
            failure,
            touch=False,
            identity_data=Document(Base.MEMORY, (("email", Given(Probe.NEW_EMAIL)), ("email_verified", False))),
        ),
        update_user(failure, "email", email=Given(Probe.NEW_EMAIL)),
        update_user(failure, "raw_app_meta_data", raw_app_meta_data=Document(Base.MEMORY)),
        update_user(
            failure, "raw_user_meta_data", raw_user_meta_data=Document(Base.MEMORY, (("updated_by", "admin"),))
        ),
        commit(audit("user_modified", failure, admin=True), failure),
    )


ADMIN_UPDATE = Flow(
    "admin-update",
    "Change a user's role, e-mail address and metadata by the admin API",
    _admin_update(),
    messages.OK,
    lookup=messages.LOADING_ADMIN_USER,
    starts=("admin-create", *ANY_USER),
)

DELETE_USER = Flow(
    "delete-user",
    "Delete a user",
    (
        audit("user_deleted", messages.RECORDING_AUDIT, admin=True),
        commit(
            Step(
                "DELETE auth.users",
                Kind.DELETE,
                "users",
                messages.DELETING_USER,
                where=(Condition("id", USER_ID),),
            )
        ),
    ),
    messages.OK,
    lookup=messages.LOADING_ADMIN_USER,
    starts=ANY_USER,
    deletes=True,
)


def _clear(table: str, failure: Response) -> Step:
    return Step(
        f"DELETE auth.{table}",
        Kind.DELETE,
        table,
        failure,
        where=(Condition("user_id", USER_ID),),
        rows=Rows.ANY,
    )


def _soft_delete() -> tuple[Step, ...]:
    failure = messages.SOFT_DELETING_USER
    nothing = Document(Base.NOTHING)
    return (
        audit("user_deleted", messages.RECORDING_AUDIT, admin=True),
        update_user(
            failure,
            "deleted_at",
            confirmation_token=EMPTY,
            deleted_at=CLOCK,
            email=Obscured(),
            email_change=Obscured(),
            email_change_token_current=EMPTY,
            email_change_token_new=EMPTY,
            encrypted_password=NULL,
            phone=Obscured(),
            phone_change=Obscured(),
            phone_change_token=EMPTY,
            recovery_token=EMPTY,
        ),
        clear_tokens(failure),
        update_user(failure, "raw_user_meta_data", raw_user_meta_data=nothing),
        update_user(failure, "raw_app_meta_data", raw_app_meta_data=nothing),
        clear_sessions(failure),
        update_identity(messages.SOFT_DELETING_IDENTITIES, touch=False, identity_data=nothing),
        update_identity(messages.SOFT_DELETING_IDENTITIES, touch=False, provider_id=Obscured()),
        _clear("mfa_factors", messages.DELETING_FACTORS),
        _clear("webauthn_credentials", messages.DELETING_CREDENTIALS),
        commit(clear_sessions(messages.DELETING_SESSIONS)),
    )


SOFT_DELETE = Flow(
    "soft-delete",
    "Delete a user but keep the row",
    _soft_delete(),
    messages.OK,
    lookup=messages.LOADING_ADMIN_USER,
    starts=ANY_USER,
)

FLOWS = (ADMIN_UPDATE, EMAIL_CHANGE, UPDATE_USER, DELETE_USER, SOFT_DELETE)
