"""Finds the user at the start of a request, as Auth does: by what the client has, and never by what smoke knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from psycopg import sql

from trigger_audit.auth import flow_named, messages
from trigger_audit.auth.messages import Response
from trigger_audit.auth.roles import AUDIENCE, INSTANCE_ID
from trigger_audit.auth.signin import OAUTH_LINK, REPEATED_SIGNUP
from trigger_audit.auth.signup import OAUTH_PROVIDER
from trigger_audit.auth.steps import Flow, FoundBy
from trigger_audit.auth.tables import USERS_INSERT
from trigger_audit.auth.values import Probe
from trigger_audit.smoke.checks import BY_ID
from trigger_audit.smoke.credentials import refused_log_in
from trigger_audit.smoke.model import Change
from trigger_audit.smoke.sending import Read
from trigger_audit.smoke.unreadable import find_unreadable

if TYPE_CHECKING:
    from trigger_audit.smoke.catalog import Target
    from trigger_audit.smoke.memory import Memory
    from trigger_audit.smoke.replay import Observing
    from trigger_audit.smoke.sending import Sender

_BY_ADDRESS = (FoundBy.ADDRESS, FoundBy.ADDRESS_OR_SIGNUP, FoundBy.ADDRESS_OR_NOTHING)

_Row = Mapping[str, object]


class LookUp:
    """That of one request. What it reads goes into the memory: nothing of the last request's is left there."""

    def __init__(self, sender: Sender, memory: Memory, target: Target, observation: Observing) -> None:
        self._sender = sender
        self._memory = memory
        self._target = target
        self._observation = observation

    def start(self) -> Flow | None:
        """The flow whose statements Auth sends then: that of the request, or another one where it finds nobody.

        None where it answers at once; that it refuses is in the observation. psycopg.Error.
        """
        flow = self._observation.flow
        self._memory.rows["identities"] = self._identity()
        played: Flow | None = flow
        if flow.found_by in _BY_ADDRESS:
            played = self._by_address(flow)
        elif flow.found_by is FoundBy.REFRESH_TOKEN:
            played = self._by_refresh_token(flow)
        elif flow.found_by is FoundBy.IDENTITY:
            played = self._by_identity(flow)
        elif not self._by_id(self._memory.probes[Probe.USER_ID]) or (
            flow.found_by is FoundBy.ACCESS_TOKEN and not self._has_session()
        ):
            played = None
        if played not in (flow, OAUTH_LINK) or flow.found_by is FoundBy.REFRESH_TOKEN:
            return played
        return None if self._refuse_banned() or self._refuse_log_in() else played

    def _by_address(self, flow: Flow) -> Flow | None:
        address = self._memory.probes[Probe.EMAIL]
        found = self._users_by_address(address)
        if found:
            return flow if self._take(found[0]) else None
        if flow.found_by is FoundBy.ADDRESS:
            self._refuse("SELECT auth.users", f"no user is found by the address {address}", flow.missing)
            return None
        self._note("auth.users, looked up by email", self._memory.probes[Probe.USER_ID])
        if flow.found_by is FoundBy.ADDRESS_OR_SIGNUP:
            return self._sign_up(flow, address)
        self._observation.mail_skipped = True
        return None

    def _users_by_address(self, address: object) -> list[_Row]:
        condition = sql.SQL("instance_id = %s AND lower(email) = lower(%s) AND aud = %s AND is_sso_user = false")
        return self._users(condition, (INSTANCE_ID, address, AUDIENCE))

    def _sign_up(self, flow: Flow, address: object) -> Flow | None:
        """Somebody whom an identity with the address leads to is there already, everybody else is new."""
        for identity in self._identities_by_address(address):
            users = self._users_by_id(identity["user_id"])
            if not users:
                break
            if users[0].get("aud", AUDIENCE) == AUDIENCE:
                if not self._take(users[0]):
                    return None
                if users[0].get("email_confirmed_at", "") is None:
                    return flow
                self._observation.mail_skipped = True
                return REPEATED_SIGNUP
        return flow_named("signup-otp")

    def _by_refresh_token(self, flow: Flow) -> Flow | None:
        """The token, its user, its session, and whether the token has been used up."""
        label = "SELECT auth.refresh_tokens"
        if "refresh_tokens" not in self._target.columns:
            return flow if self._by_id(self._memory.probes[Probe.USER_ID]) and not self._refuse_banned() else None
        token = self._memory.probes.get(Probe.REFRESH_TOKEN)
        columns = ("id", "user_id", "session_id", "revoked")
        tokens = self._sender.read(Read("refresh_tokens", columns, sql.SQL("token = %s"), (token,)))
        if not tokens:
            self._refuse(label, "no row of auth.refresh_tokens has the token", flow.missing)
            return None
        if not self._by_id(tokens[0]["user_id"]) or self._refuse_banned():
            return None
        session = tokens[0]["session_id"]
        self._memory.probes |= {Probe.REFRESH_TOKEN_ID: tokens[0]["id"], Probe.SESSION_ID: session}
        if not self._has_valid_session(session):
            return None
        if tokens[0]["revoked"] and not self._is_parent_of_active(session, token):
            self._refuse(label, "auth.refresh_tokens.revoked is true", messages.REFRESH_TOKEN_USED)
            return None
        return flow

    def _has_valid_session(self, session: object) -> bool:
        label = "SELECT auth.sessions"
        columns = tuple({"id", "not_after"} & self._target.columns["sessions"])
        sessions = self._sender.read(Read("sessions", columns, BY_ID, (session,)))
        if not sessions:
            self._refuse(label, "no row of auth.sessions has the token's session_id", messages.SESSION_NOT_FOUND)
            return False
        until = sessions[0].get("not_after")
        if until is not None and not lies_ahead(until):
            self._refuse(label, "auth.sessions.not_after lies in the past", messages.SESSION_EXPIRED)
            return False
        return True

    def _is_parent_of_active(self, session: object, token: object) -> bool:
        """Then Auth takes it for one whose successor the client never got, and gives him that."""
        condition = sql.SQL("session_id = %s AND revoked IS FALSE")
        rest = sql.SQL(" ORDER BY id DESC LIMIT 1")
        active = self._sender.read(Read("refresh_tokens", ("parent",), condition, (session,), rest))
        return bool(active) and active[0]["parent"] == token

    def _has_session(self) -> bool:
        """That of the access token. A user without one, whom an administrator has made, would log in first."""
        if self._memory.probes.get(Probe.SESSION_ID) is None or "sessions" not in self._target.columns:
            return True
        return not refuse_session_gone(self._observation, self._sender, self._memory, 0, messages.SESSION_GONE)

    def _by_identity(self, flow: Flow) -> Flow | None:
        probes = self._memory.probes
        if "provider_id" not in self._target.columns["identities"]:
            return flow if self._by_id(probes[Probe.USER_ID]) else None
        subject = probes[Probe.PROVIDER_SUBJECT]
        condition = sql.SQL("provider_id = %s AND provider = %s")
        columns = ("id", "user_id", "provider_id", "identity_data", "last_sign_in_at")
        found = self._sender.read(Read("identities", columns, condition, (subject, OAUTH_PROVIDER)))
        if found:
            probes[Probe.IDENTITY_ID] = found[0]["id"]
            self._memory.rows["identities"] = found[0]
            return flow if self._by_id(found[0]["user_id"]) else None
        self._note("auth.identities, looked up by provider_id", probes[Probe.USER_ID])
        return self._link(probes[Probe.EMAIL])

    def _link(self, address: object) -> Flow | None:
        """To the one user who has the address, by an identity or in his own row; a new one where nobody has it."""
        label = "SELECT auth.identities"
        linked = {str(identity["user_id"]) for identity in self._identities_by_address(address)}
        users = self._users(sql.SQL("email = lower(%s) AND is_sso_user = false"), (address,))
        if len(linked) > 1 or (not linked and len(users) > 1):
            self._refuse(label, f"identities of several users have the address {address}", messages.MULTIPLE_ACCOUNTS)
            return None
        if linked:
            return OAUTH_LINK if self._by_id(linked.pop()) else None
        if users:
            return OAUTH_LINK if self._take(users[0]) else None
        return flow_named("oauth-first")

    def _by_id(self, user: object) -> bool:
        found = self._users_by_id(user)
        if not found:
            self._refuse(
                "SELECT auth.users",
                "no user has that id and an instance_id of zeros",
                self._observation.flow.missing,
            )
        return bool(found) and self._take(found[0])

    def _users_by_id(self, user: object) -> list[_Row]:
        return self._users(sql.SQL("instance_id = %s AND id = %s"), (INSTANCE_ID, user))

    def _users(self, condition: sql.SQL, parameters: Sequence[object]) -> list[_Row]:
        columns = tuple(sorted(self._target.columns["users"] & frozenset(USERS_INSERT)))
        return list(self._sender.read(Read("users", columns, condition, parameters)))

    def _identities_by_address(self, address: object) -> list[_Row]:
        if "email" not in self._target.columns["identities"]:
            return []
        return list(self._sender.read(Read("identities", ("user_id",), sql.SQL("email = lower(%s)"), (address,))))

    def _identity(self) -> dict[str, object]:
        """The one that the user has, which is all that most requests read of it."""
        columns = ("provider_id", "identity_data", "last_sign_in_at")
        read = Read("identities", columns, BY_ID, (self._memory.probes.get(Probe.IDENTITY_ID),))
        found = self._sender.read(read)
        return found[0] if found else {}

    def _take(self, row: _Row) -> bool:
        """Whether Auth can read the row; it is in the memory then."""
        unreadable = find_unreadable(row)
        self._memory.probes[Probe.USER_ID] = str(row["id"])
        self._memory.rows["users"] = dict(row)
        if unreadable is not None:
            lookup = self._observation.flow.lookup
            self._refuse("SELECT auth.users", unreadable.told, lookup.worded(unreadable.words))
        return unreadable is None

    def _note(self, what: str, user: object) -> None:
        self._observation.changes.append(Change(what, str(user), "no row"))

    def _refuse(self, label: str, told: str, response: Response) -> None:
        self._observation.refuse(0, label, told, response)

    def _refuse_banned(self) -> bool:
        return refuse_banned(self._observation, self._memory, 0, "SELECT auth.users")

    def _refuse_log_in(self) -> bool:
        """Whether Auth does not take the password of the user that it has just read."""
        probes, user = self._memory.probes, self._memory.rows["users"]
        refused = refused_log_in(self._observation.flow, user, probes.get(Probe.PASSWORD_HASH))
        if refused is not None:
            self._refuse("SELECT auth.users", *refused)
        return refused is not None


def refuse_banned(observation: Observing, memory: Memory, index: int, label: str) -> bool:
    """Whether Auth turns the user away that it has just read."""
    until = memory.rows["users"].get("banned_until")
    if observation.flow.banned is None or not lies_ahead(until):
        return False
    observation.refuse(index, label, "auth.users.banned_until lies in the future", observation.flow.banned)
    return True


def refuse_session_gone(observation: Observing, sender: Sender, memory: Memory, index: int, response: Response) -> bool:
    """Whether Auth does not find the session of an access token, of one it got or one it makes. psycopg.Error."""
    if sender.read(Read("sessions", ("id",), BY_ID, (memory.probes[Probe.SESSION_ID],))):
        return False
    observation.refuse(index, "SELECT auth.sessions", "no row of auth.sessions has the session's id", response)
    return True


def lies_ahead(time: object) -> bool:
    # A time as text is one that Python has no value for: before Christ, or after the year 9999.
    if isinstance(time, datetime):
        return time > datetime.now(UTC)
    return time is not None and time != "-infinity" and "BC" not in str(time)
