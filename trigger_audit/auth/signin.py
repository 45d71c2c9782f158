"""The flows of a user who exists: magic link, recovery, the answers to a mail or text message, logging in.

Source: supabase/auth internal/api verify.go, magic_link.go, recover.go, token.go, external.go and internal/tokens
(v2.196.0).
"""

from __future__ import annotations

from dataclasses import replace

from trigger_audit.auth import messages
from trigger_audit.auth.messages import RAW, Response
from trigger_audit.auth.signup import EMAIL, OAUTH_IDENTITY, OAUTH_PROVIDER, in_redirect
from trigger_audit.auth.statements import (
    audit,
    clear_tokens,
    commit,
    confirm,
    insert_identity,
    insert_refresh_token,
    providers,
    reload,
    session,
    update_identity,
    update_user,
    write_token,
)
from trigger_audit.auth.steps import Condition, Flow, FoundBy, Kind, Step, Token, Write
from trigger_audit.auth.values import CLOCK, EMPTY, Base, Constant, Document, Form, Fresh, Given, Kept, Probe

CONFIRMED_USERS = ("verify-signup", "signup-autoconfirm", "oauth-first", "admin-create")
"""The flows after which a user with a confirmed address exists; the first is the one that smoke runs."""


def _granted(method: str) -> tuple[Step, ...]:
    *first, last = session(method, messages.GRANTING_USER, RAW)
    return *first, commit(last)


def _after_verification() -> tuple[Step, ...]:
    """What every verification ends with: the providers, the row read back, a session."""
    return *providers(RAW), reload(RAW), *_granted("otp")


def _recovery(failure: Response) -> tuple[Step, ...]:
    token = update_user(
        failure,
        "recovery_token",
        recovery_sent_at=CLOCK,
        recovery_token=Fresh(Probe.RECOVERY_TOKEN, Form.TOKEN),
    )
    clear, insert = write_token(failure, Token.RECOVERY, EMAIL)
    return audit("user_recovery_requested"), replace(token, mail_before=True), clear, commit(insert)


MAGIC_LINK = Flow(
    "magic-link",
    "Magic link or code for a confirmed user",
    _recovery(messages.SENDING_MAGIC_LINK),
    messages.OK,
    found_by=FoundBy.ADDRESS_OR_SIGNUP,
    starts=CONFIRMED_USERS,
    tokens=(Token.RECOVERY,),
)

RECOVERY = Flow(
    "recovery",
    "Ask for a new password",
    _recovery(messages.SENDING_RECOVERY),
    messages.OK,
    found_by=FoundBy.ADDRESS_OR_NOTHING,
    lookup=messages.PROCESSING_REQUEST,
    starts=CONFIRMED_USERS,
    tokens=(Token.RECOVERY,),
)

VERIFY_SIGNUP = Flow(
    "verify-signup",
    "Open the confirmation link of a sign-up",
    (
        audit("user_signedup"),
        *confirm(messages.CONFIRMING_USER),
        update_identity(
            messages.IDENTITY_VERIFIED,
            touch=False,
            identity_data=Document(Base.MEMORY, (("email_verified", True),)),
        ),
        *_after_verification(),
    ),
    messages.OK,
    missing=messages.OTP_EXPIRED,
    starts=("signup-email", "signup-otp"),
)

VERIFY_MAGIC_LINK = Flow(
    "verify-magic-link",
    "Open a magic link or a recovery link",
    (
        update_user(messages.UPDATING_USER, "recovery_token", recovery_token=EMPTY),
        clear_tokens(messages.UPDATING_USER),
        audit("login", messages.UPDATING_USER),
        *_after_verification(),
    ),
    messages.OK,
    missing=messages.OTP_EXPIRED,
    starts=("magic-link", "recovery"),
)

VERIFY_EMAIL_CHANGE = Flow(
    "verify-email-change",
    "Open both links of an e-mail change",
    (
        clear_tokens(RAW, Token.EMAIL_CHANGE_CURRENT),
        commit(
            update_user(
                RAW,
                "email_change_confirm_status",
                email_change_confirm_status=Constant(1),
                email_change_token_current=EMPTY,
                email_change_token_new=Kept(),
            )
        ),
        audit("user_modified"),
        update_identity(
            RAW,
            touch=False,
            identity_data=Document(Base.MEMORY, (("email", Given(Probe.NEW_EMAIL)), ("email_verified", True))),
        ),
        update_user(
            messages.CONFIRMING_EMAIL,
            "email",
            email=Given(Probe.NEW_EMAIL),
            email_change=EMPTY,
            email_change_confirm_status=Constant(0),
            email_change_token_current=EMPTY,
            email_change_token_new=EMPTY,
        ),
        clear_tokens(messages.CONFIRMING_EMAIL),
        update_identity(
            messages.CONFIRMING_EMAIL,
            touch=True,
            identity_data=Document(Base.MEMORY, (("email", Given(Probe.NEW_EMAIL)),)),
        ),
        *_after_verification(),
    ),
    messages.OK,
    missing=messages.OTP_EXPIRED,
    starts=("email-change",),
)

VERIFY_PHONE = Flow(
    "verify-phone",
    "Enter the code of a text message",
    (
        audit("user_signedup", actor=Given(Probe.PHONE)),
        update_user(messages.CONFIRMING_USER, "phone_confirmed_at", confirmation_token=EMPTY, phone_confirmed_at=CLOCK),
        clear_tokens(messages.CONFIRMING_USER),
        *_after_verification(),
    ),
    messages.OK,
    missing=messages.OTP_EXPIRED,
    starts=("signup-phone",),
    latent=True,
)

LOGIN = Flow(
    "login",
    "Log in with a password",
    (audit("login"), *_granted("password")),
    messages.OK,
    found_by=FoundBy.ADDRESS,
    missing=messages.INVALID_LOGIN,
    banned=messages.BANNED_AT_LOGIN,
    wrong_password=messages.INVALID_LOGIN,
    unconfirmed=messages.NOT_CONFIRMED,
    lookup=messages.QUERYING_SCHEMA,
    starts=("verify-signup", "signup-autoconfirm", "admin-create"),
)

REFRESH_TOKEN = Flow(
    "refresh-token",
    "Refresh a session",
    (
        audit("token_refreshed"),
        audit("token_revoked"),
        Step(
            "UPDATE auth.refresh_tokens (revoked)",
            Kind.UPDATE,
            "refresh_tokens",
            RAW,
            (Write("revoked", Constant(True)), Write("updated_at", CLOCK)),
            (Condition("id", Given(Probe.REFRESH_TOKEN_ID)),),
        ),
        insert_refresh_token(RAW, parent=Given(Probe.REFRESH_TOKEN)),
        update_user(RAW, "last_sign_in_at", last_sign_in_at=Kept()),
        commit(
            Step(
                "UPDATE auth.sessions (refreshed_at)",
                Kind.UPDATE,
                "sessions",
                messages.UPDATING_SESSION,
                (
                    Write("ip", Given(Probe.IP)),
                    Write("refreshed_at", CLOCK),
                    Write("user_agent", Given(Probe.USER_AGENT)),
                    Write("updated_at", CLOCK),
                ),
                (Condition("id", Given(Probe.SESSION_ID)),),
            )
        ),
    ),
    messages.OK,
    found_by=FoundBy.REFRESH_TOKEN,
    missing=messages.REFRESH_TOKEN_NOT_FOUND,
    lookup=messages.FINDING_USER_AT_REFRESH,
    banned=messages.BANNED_AT_REFRESH,
    starts=("login", "verify-signup", "signup-autoconfirm", "oauth-first"),
)

OAUTH_AGAIN = Flow(
    "oauth-again",
    "Sign in again with an OAuth provider",
    tuple(
        in_redirect(step)
        for step in (
            update_identity(RAW, touch=True, identity_data=OAUTH_IDENTITY, last_sign_in_at=Kept()),
            update_user(RAW, "raw_user_meta_data", raw_user_meta_data=Document(Base.MEMORY, OAUTH_IDENTITY.keys)),
            *providers(RAW),
            audit("login"),
            *_granted("oauth"),
        )
    ),
    messages.FOUND,
    found_by=FoundBy.IDENTITY,
    lookup=messages.FINDING_USER_IN_REDIRECT,
    missing=messages.FINDING_USER_IN_REDIRECT.worded("User not found"),
    banned=messages.BANNED_IN_REDIRECT,
    starts=("oauth-first",),
)

OAUTH_LINK = Flow(
    "oauth-link",
    "Sign in with an OAuth provider whose identity is not known, for an address that is",
    tuple(
        in_redirect(step)
        for step in (
            insert_identity(
                messages.CREATING_IDENTITY,
                provider=OAUTH_PROVIDER,
                provider_id=Given(Probe.PROVIDER_SUBJECT),
                data=OAUTH_IDENTITY,
            ),
            update_user(RAW, "raw_user_meta_data", raw_user_meta_data=Document(Base.MEMORY, OAUTH_IDENTITY.keys)),
            *providers(RAW),
            audit("identity_linked"),
            audit("login"),
            *_granted("oauth"),
        )
    ),
    messages.FOUND,
)
"""What Auth does in place of `oauth-again` where it does not find the identity. It is run for that alone."""

REPEATED_SIGNUP = Flow(
    "repeated-signup",
    "Sign up with the address of a confirmed user",
    (commit(audit("user_repeated_signup")),),
    messages.OK,
)
"""The same in place of `magic-link` where no user has the address, but one has an identity with it."""

FLOWS = (
    OAUTH_AGAIN,
    MAGIC_LINK,
    RECOVERY,
    VERIFY_SIGNUP,
    VERIFY_MAGIC_LINK,
    VERIFY_EMAIL_CHANGE,
    VERIFY_PHONE,
    LOGIN,
    REFRESH_TOKEN,
)
