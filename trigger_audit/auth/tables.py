"""Auth's columns: what each INSERT lists, and what is in the users row besides.

Source: the models of supabase/auth (every tagged field, sorted by name); generated columns are never written.
"""

from __future__ import annotations

from trigger_audit.auth.model import Origin

USERS_INSERT = (
    "aud",
    "banned_until",
    "confirmation_sent_at",
    "confirmation_token",
    "created_at",
    "deleted_at",
    "email",
    "email_change",
    "email_change_confirm_status",
    "email_change_sent_at",
    "email_change_token_current",
    "email_change_token_new",
    "email_confirmed_at",
    "encrypted_password",
    "id",
    "instance_id",
    "invited_at",
    "is_anonymous",
    "is_sso_user",
    "last_sign_in_at",
    "phone",
    "phone_change",
    "phone_change_sent_at",
    "phone_change_token",
    "phone_confirmed_at",
    "raw_app_meta_data",
    "raw_user_meta_data",
    "reauthentication_sent_at",
    "reauthentication_token",
    "recovery_sent_at",
    "recovery_token",
    "role",
    "updated_at",
)

USERS_UNLISTED = ("confirmed_at", "is_super_admin")
"""Columns of users that Auth never writes: one generated, one of long ago."""

CONFIRMED_FROM = frozenset({"email_confirmed_at", "phone_confirmed_at"})
"""What users.confirmed_at is generated from: LEAST of them."""

UNSCANNABLE_WHEN_NULL = (
    "aud",
    "role",
    "confirmation_token",
    "recovery_token",
    "email_change",
    "email_change_token_current",
    "email_change_token_new",
    "email_change_confirm_status",
    "phone_change",
    "phone_change_token",
    "reauthentication_token",
    "is_sso_user",
    "is_anonymous",
    "created_at",
    "updated_at",
    "instance_id",
)
"""Columns of users whose NULL breaks every later SELECT of Auth ("converting NULL to string is unsupported")."""

ORIGINS = {
    "email": Origin.EMAIL,
    "email_change": Origin.EMAIL,
    "relates_to": Origin.EMAIL,
    "phone": Origin.PHONE,
    "phone_change": Origin.PHONE,
    "id": Origin.ID,
    "user_id": Origin.ID,
    "raw_user_meta_data": Origin.USER_METADATA,
    "identity_data": Origin.USER_METADATA,
    "raw_app_meta_data": Origin.APP_METADATA,
    "payload": Origin.GENERATED,
    "encrypted_password": Origin.GENERATED,
}
"""Where a column's value comes from by its meaning, also while it is NULL; *_at columns come from the clock."""


def origin_of(column: str) -> Origin:
    """The origin by meaning; CONSTANT where the column has no other."""
    if column.endswith(("_at", "_until", "_after")):
        return Origin.CLOCK
    return ORIGINS.get(column, Origin.CONSTANT)
