"""The parts of a flow: a step is one statement of Auth, a flow an ordered series of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trigger_audit.auth.messages import FINDING_USER, RAW, USER_NOT_FOUND, Response
from trigger_audit.auth.values import Value


class Kind(StrEnum):
    """RELOAD reads the whole users row into Auth's memory; PROVIDERS reads identities.provider."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    RELOAD = "RELOAD"
    PROVIDERS = "PROVIDERS"


class Rows(StrEnum):
    """How many rows the statement touches when nothing interferes."""

    ONE = "one"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Write:
    column: str
    value: Value


@dataclass(frozen=True, slots=True)
class Condition:
    """`column operator value`; the conditions of a step hold together."""

    column: str
    value: Value
    operator: str = "="


@dataclass(frozen=True, slots=True)
class Step:
    """One statement. `table` is unqualified, as Auth writes it; `writes` are sorted by column, as Auth's library does.

    `mail_before`: the mail or text message leaves just before. `commit_after`: Auth commits after it,
    `commit_failure` is what the client reads when that fails. `unconfirmed_only`: skipped where the reloaded row says
    that the user is confirmed.
    `conflict` is the unique constraint of an upsert, `returning` the column whose absence Auth takes for an error.
    """

    label: str
    kind: Kind
    table: str
    failure: Response
    writes: tuple[Write, ...] = ()
    where: tuple[Condition, ...] = ()
    rows: Rows = Rows.ONE
    mail_before: bool = False
    commit_after: bool = False
    commit_failure: Response = RAW
    unconfirmed_only: bool = False
    conflict: str | None = None
    returning: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns written, in the statement's order."""
        return tuple(write.column for write in self.writes)


class Token(StrEnum):
    """A token that must be readable afterwards: its column in users, and auth.one_time_token_type's label."""

    CONFIRMATION = "confirmation_token"
    RECOVERY = "recovery_token"
    EMAIL_CHANGE_CURRENT = "email_change_token_current"
    EMAIL_CHANGE_NEW = "email_change_token_new"

    @property
    def sent_at(self) -> str:
        """The column of users from which the token's age is counted."""
        return {"confirmation_token": "confirmation_sent_at", "recovery_token": "recovery_sent_at"}.get(
            self.value, "email_change_sent_at"
        )


class FoundBy(StrEnum):
    """How Auth finds the user at the start of a request, always among those whose instance_id is all zeros.

    By address also `aud` and `is_sso_user` must be as usual, and what follows where nobody has it differs: OR_SIGNUP
    makes a user, OR_NOTHING answers as if all were well. A refresh token leads to the user and the session, an access
    token holds the ids of both. IDENTITY is a provider and its own id of the user.
    """

    ID = "id"
    ADDRESS = "address"
    ADDRESS_OR_SIGNUP = "address or sign-up"
    ADDRESS_OR_NOTHING = "address or nothing"
    ACCESS_TOKEN = "access token"
    REFRESH_TOKEN = "refresh token"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class Flow:
    """`starts` are the flows whose user this one goes on with: the first is what smoke runs before it, all of them are
    what may have made the user. Empty for sign-ups. `tokens` must be found afterwards; `deletes`: the row must be gone.
    `signs_up`: raw_user_meta_data of the caller reaches it, so every payload is tried. `success` is the answer when all
    goes well, `lookup` that where the user cannot be read at the start of a flow that goes on with one, `missing` that
    where there is none to be found by `found_by`, `banned` that
    to a user whose banned_until lies ahead (None where Auth does not look, and in verifications: the letter counts as
    lost before), `wrong_password` and `unconfirmed` those to a user whose password or address Auth does not take (None
    where it does not ask). `texted`: what it sends is a text message, which holds a code and no link; codes are looked
    up in users, links in one_time_tokens. `unsent` is the answer where the row that was read back has no address for
    the mail.
    """

    name: str
    title: str
    steps: tuple[Step, ...]
    success: Response
    found_by: FoundBy = FoundBy.ID
    lookup: Response = FINDING_USER
    missing: Response = USER_NOT_FOUND
    banned: Response | None = None
    wrong_password: Response | None = None
    unconfirmed: Response | None = None
    unsent: Response | None = None
    starts: tuple[str, ...] = ()
    latent: bool = False
    signs_up: bool = False
    tokens: tuple[Token, ...] = ()
    texted: bool = False
    deletes: bool = False

    @property
    def mails(self) -> bool:
        """Whether a mail or text message leaves in it."""
        return any(step.mail_before for step in self.steps)
