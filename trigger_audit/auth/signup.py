"""The flows that make a user: each begins with the INSERT of users.

Source: supabase/auth internal/api signup.go, anonymous.go, external.go, invite.go, admin.go (v2.196.0). flow_state
is left out: OAuth makes its row before the redirect, in a statement of its own, and removes it with the last one of the
callback; elsewhere only PKCE clients use it.
"""

from __future__ import annotations

from dataclasses import replace

from trigger_audit.auth import messages
from trigger_audit.auth.messages import RAW, Response, as_redirect
from trigger_audit.auth.statements import (
    USER_ID,
    audit,
    clear_tokens,
    commit,
    confirm,
    insert_identity,
    insert_user,
    new_user,
    providers,
    session,
    unconfirmed,
    update_user,
    write_token,
)
from trigger_audit.auth.steps import Flow, Kind, Step, Token
from trigger_audit.auth.values import CLOCK, NULL, Base, Document, Form, Fresh, Given, Probe

EMAIL = Given(Probe.EMAIL)
PHONE = Given(Probe.PHONE)
PASSWORD = Given(Probe.PASSWORD_HASH)

_UNVERIFIED = (("email_verified", False), ("phone_verified", False))
EMAIL_IDENTITY = (("email", Given(Probe.READ_EMAIL)), *_UNVERIFIED, ("sub", USER_ID))
UNREAD_IDENTITY = (("email", EMAIL), *_UNVERIFIED, ("sub", USER_ID))
PHONE_IDENTITY = (*_UNVERIFIED, ("sub", USER_ID))
"""Without the number: Auth writes that into identity_data only when somebody changes it."""
OAUTH_IDENTITY = Document(
    Base.METADATA,
    (
        ("email", EMAIL),
        ("email_verified", True),
        ("phone_verified", False),
        ("provider_id", Given(Probe.PROVIDER_SUBJECT)),
        ("sub", Given(Probe.PROVIDER_SUBJECT)),
    ),
)
OAUTH_PROVIDER = "google"


def send_confirmation(failure: Response, token_failure: Response) -> tuple[Step, ...]:
    """The mail, then users.confirmation_token and its time, then the one-time token."""
    token = update_user(
        failure,
        "confirmation_token",
        confirmation_sent_at=CLOCK,
        confirmation_token=Fresh(Probe.CONFIRMATION_TOKEN, Form.TOKEN),
    )
    return replace(token, mail_before=True), *write_token(token_failure, Token.CONFIRMATION, EMAIL)


def _email_user() -> tuple[Step, ...]:
    """Steps 1 to 7 of an e-mail sign-up: the user, the identity, both metadata rewritten."""
    return (
        *new_user(insert_user(messages.SAVING_NEW_USER, email=EMAIL, password=PASSWORD)),
        insert_identity(messages.CREATING_IDENTITY, data=Document(Base.METADATA, EMAIL_IDENTITY)),
        update_user(RAW, "raw_user_meta_data", raw_user_meta_data=Document(Base.IDENTITY)),
        *providers(RAW),
    )


def _email_confirmation_on() -> tuple[Step, ...]:
    *sending, last = send_confirmation(messages.SENDING_CONFIRMATION, messages.SENDING_CONFIRMATION)
    return (
        *_email_user(),
        *unconfirmed(audit("user_confirmation_requested"), *sending, commit(last)),
    )


def _session(method: str) -> tuple[Step, ...]:
    *first, last = session(method, messages.GRANTING_USER, RAW)
    return *first, commit(last)


SIGNUP_EMAIL = Flow(
    "signup-email",
    "Sign up with e-mail and password, confirmation on",
    _email_confirmation_on(),
    messages.OK,
    unsent=messages.SENDING_CONFIRMATION,
    signs_up=True,
    tokens=(Token.CONFIRMATION,),
)

SIGNUP_AUTOCONFIRM = Flow(
    "signup-autoconfirm",
    "Sign up with e-mail and password, confirmation off",
    (
        *_email_user(),
        *unconfirmed(
            audit("user_signedup"),
            *confirm(messages.UPDATING_USER)[:2],
            commit(clear_tokens(messages.UPDATING_USER)),
        ),
        audit("login"),
        *_session("password"),
    ),
    messages.OK,
    signs_up=True,
)

SIGNUP_OTP = Flow(
    "signup-otp",
    "Magic link or code for an address that has no user yet",
    _email_confirmation_on(),
    messages.OK,
    unsent=messages.SENDING_CONFIRMATION,
    signs_up=True,
    tokens=(Token.CONFIRMATION,),
)


def _signup_phone() -> tuple[Step, ...]:
    requested = audit("user_confirmation_requested", actor=PHONE)
    token, clear, insert = send_confirmation(RAW, messages.CREATING_ONE_TIME_TOKEN)
    relates_to = tuple(
        replace(write, value=PHONE) if write.column == "relates_to" else write for write in insert.writes
    )
    return (
        *new_user(insert_user(messages.SAVING_NEW_USER, phone=PHONE, password=PASSWORD, provider="phone")),
        insert_identity(messages.CREATING_IDENTITY, provider="phone", data=Document(Base.METADATA, PHONE_IDENTITY)),
        update_user(RAW, "raw_user_meta_data", raw_user_meta_data=Document(Base.IDENTITY)),
        *providers(RAW),
        *unconfirmed(requested, token, clear, commit(replace(insert, writes=relates_to))),
    )


SIGNUP_PHONE = Flow(
    "signup-phone",
    "Sign up with a phone number",
    _signup_phone(),
    messages.OK,
    latent=True,
    signs_up=True,
    tokens=(Token.CONFIRMATION,),
    texted=True,
)


def _anonymous() -> tuple[Step, ...]:
    failure, again = messages.CREATING_ANONYMOUS, messages.CREATING_ANONYMOUS_AGAIN
    *granting, claim = session("anonymous", again, failure)
    user = insert_user(again, provider=None, anonymous=True)
    return *new_user(user, again, again), *granting, commit(claim, failure)


ANONYMOUS = Flow("anonymous", "Sign in anonymously", _anonymous(), messages.OK, latent=True, signs_up=True)


def _oauth_first() -> tuple[Step, ...]:
    updating = messages.ERROR_UPDATING_USER
    *granting, claim = session("oauth", messages.GRANTING_USER, RAW)
    steps = (
        *new_user(insert_user(messages.SAVING_NEW_USER, email=EMAIL, metadata=OAUTH_IDENTITY, provider=OAUTH_PROVIDER)),
        insert_identity(
            messages.CREATING_IDENTITY,
            provider=OAUTH_PROVIDER,
            provider_id=Given(Probe.PROVIDER_SUBJECT),
            data=OAUTH_IDENTITY,
        ),
        *unconfirmed(
            update_user(updating, "encrypted_password", encrypted_password=NULL),
            update_user(updating, "raw_user_meta_data", raw_user_meta_data=Document(Base.IDENTITY)),
            *providers(updating),
            audit("user_signedup"),
            *confirm(updating),
        ),
        *granting,
        commit(claim),
    )
    return tuple(in_redirect(step) for step in steps)


def in_redirect(step: Step) -> Step:
    """The same step inside an OAuth callback."""
    if step.table == "mfa_amr_claims":
        failure = replace(messages.RAW_REDIRECT, cause=messages.Cause.TEXT)
    else:
        failure = as_redirect(step.failure, messages.CLOSING if step.kind is Kind.INSERT else "")
    return replace(step, failure=failure, commit_failure=as_redirect(step.commit_failure, messages.COMMITTING))


OAUTH_FIRST = Flow(
    "oauth-first",
    "First sign-in with an OAuth provider that has verified the address",
    _oauth_first(),
    messages.FOUND,
    banned=messages.BANNED_IN_REDIRECT,
    signs_up=True,
)


def _invite() -> tuple[Step, ...]:
    failure = messages.INVITING_USER
    token = update_user(
        failure,
        "confirmation_token",
        confirmation_sent_at=CLOCK,
        confirmation_token=Fresh(Probe.CONFIRMATION_TOKEN, Form.TOKEN),
        invited_at=CLOCK,
    )
    clear, insert = write_token(failure, Token.CONFIRMATION, EMAIL)
    return (
        *new_user(insert_user(messages.SAVING_NEW_USER, email=EMAIL)),
        insert_identity(messages.CREATING_IDENTITY, data=Document(Base.NOTHING, EMAIL_IDENTITY)),
        audit("user_invited", admin=True),
        replace(token, mail_before=True),
        clear,
        commit(insert),
    )


INVITE = Flow(
    "invite",
    "Invite a user by e-mail",
    _invite(),
    messages.OK,
    unsent=messages.SENDING_INVITE,
    signs_up=True,
    tokens=(Token.CONFIRMATION,),
)


def _admin_create() -> tuple[Step, ...]:
    """With app_metadata and email_confirm given, so that both optional parts run; no row is read back."""
    failure = messages.CREATING_NEW_USER
    *confirming, last = confirm(failure)
    insert, role, _ = new_user(insert_user(failure, email=EMAIL, password=PASSWORD), failure)
    return (
        insert,
        insert_identity(messages.CREATING_NEW_USER_AGAIN, data=Document(Base.NOTHING, UNREAD_IDENTITY)),
        audit("user_signedup", failure, admin=True),
        role,
        update_user(failure, "raw_app_meta_data", raw_app_meta_data=Document(Base.MEMORY)),
        *confirming,
        commit(last, failure),
    )


ADMIN_CREATE = Flow(
    "admin-create",
    "Create a confirmed user in the dashboard or by the admin API",
    _admin_create(),
    messages.OK,
    signs_up=True,
)

FLOWS = (SIGNUP_EMAIL, SIGNUP_AUTOCONFIRM, SIGNUP_OTP, SIGNUP_PHONE, ANONYMOUS, OAUTH_FIRST, INVITE, ADMIN_CREATE)
