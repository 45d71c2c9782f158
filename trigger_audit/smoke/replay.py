"""Executes one flow's steps in order, as Auth does: no savepoint between them, the first error ends it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from psycopg import sql
from psycopg.rows import dict_row, tuple_row

from trigger_audit.auth import messages
from trigger_audit.auth.messages import Response
from trigger_audit.auth.roles import SCHEMA
from trigger_audit.auth.steps import Flow, Kind, Rows, Step
from trigger_audit.auth.tables import USERS_INSERT
from trigger_audit.auth.values import Probe
from trigger_audit.smoke.checks import Edits, compare_reload, final_changes
from trigger_audit.smoke.context import innermost_frame, shortened
from trigger_audit.smoke.memory import Memory
from trigger_audit.smoke.model import Change, FailedStep, Mail, Outcome
from trigger_audit.smoke.statement import compose
from trigger_audit.smoke.times import open_cursor
from trigger_audit.smoke.unreadable import Unreadable, find_unreadable

if TYPE_CHECKING:
    from psycopg import Connection, Cursor, Error

    from trigger_audit.smoke.catalog import Target
    from trigger_audit.smoke.session import Session

OUR_LIMITS = {
    "55P03": "a lock was not to be had within our lock_timeout",
    "57014": "the statement ran into our statement_timeout",
    "40P01": "the statement ran into a deadlock with another session",
    "25006": "the transaction is read-only",
}
"""Errors that say nothing of the flow: they come from how we run it."""

_ADDRESS = re.compile(r"[^@\s]@[^@\s]")

_FOUND_BY = frozenset({"aud", "banned_until", "email", "instance_id", "is_sso_user", "phone"})
"""Columns by whose values a code is looked up or refused: with other ones it does not work."""


@dataclass(slots=True)
class Observation:
    """What one run of a flow showed. `failed` and `response` are None where it went through.

    `longest` is the time that the slowest statement took, in seconds."""

    flow: Flow
    changes: list[Change] = field(default_factory=list)
    failed: FailedStep | None = None
    response: Response | None = None
    mailed: bool = False
    committed: bool = False
    mail_skipped: bool = False
    limit: str | None = None
    longest: float = 0.0

    @property
    def outcome(self) -> Outcome:
        if self.limit is not None:
            return Outcome.SKIPPED
        if self.failed is not None:
            return Outcome.FAIL
        return Outcome.ALTERED if self.changes else Outcome.PASS

    @property
    def mail(self) -> Mail:
        if self.limit is not None or not self.flow.mails:
            return Mail.NONE
        if self.mail_skipped:
            return Mail.SKIPPED
        if not self.mailed:
            return Mail.NOT_SENT
        return Mail.SENT_TOKEN_LOST if self.failed is not None or self.token_lost else Mail.SENT

    @property
    def token_lost(self) -> bool:
        """Whether what the mail holds will be refused though Auth has answered that all is well."""
        columns = {name for token in self.flow.tokens for name in (token.value, token.sent_at)} | _FOUND_BY
        lost = {f"{SCHEMA}.users", *(f"{SCHEMA}.users.{name}" for name in columns)}
        if not self.flow.texted:
            lost.add(f"{SCHEMA}.one_time_tokens.token_hash")
        return any(change.what in lost for change in self.changes)


class Replay:
    """Runs flows for one user. The session is Auth's role by now, and a savepoint surrounds everything."""

    def __init__(
        self, connection: Connection, session: Session, target: Target, memory: Memory, ids: list[str]
    ) -> None:
        self.connection = connection
        self.session = session
        self.target = target
        self.memory = memory
        self.ids = ids

    def run(self, flow: Flow, *, check: bool = True) -> Observation:
        """Executes the steps and the post-checks (`check`).

        psycopg.OperationalError where the connection is lost; every other error of the server is the observation.
        """
        from psycopg import Error

        observation = Observation(flow)
        edits = Edits()
        confirmed = False
        if flow.starts and not self._look_up(observation):
            return observation
        reloads = any(step.kind is Kind.RELOAD for step in flow.steps)
        with open_cursor(self.connection, tuple_row) as cursor:
            for index, step in enumerate(flow.steps, start=1):
                if not self.target.has(step):
                    if step.commit_after and not self._commit(cursor, index, step, observation):
                        return observation
                    continue
                if step.unconfirmed_only and confirmed:
                    observation.mail_skipped = observation.mail_skipped or step.mail_before
                    continue
                if step.mail_before and self._lacks_address(observation, index):
                    return observation
                observation.mailed = observation.mailed or step.mail_before
                try:
                    refused = self._execute(cursor, step, observation, edits)
                    if step.kind is Kind.INSERT and step.table == "users" and not reloads:
                        edits.note(self.memory, self._users_row(cursor))
                except Error as error:
                    self._fail(observation, index, step.label, step.failure, error)
                    return observation
                if refused is not None:
                    observation.failed = FailedStep(index, step.label, None, refused)
                    observation.response = step.failure
                    return observation
                if step.kind is Kind.RELOAD:
                    if flow.signs_up and self._refuse_banned(observation, index, step.label):
                        return observation
                    user = self.memory.rows["users"]
                    confirmed = (
                        user.get("phone_confirmed_at" if user.get("email") is None else "email_confirmed_at")
                        is not None
                    )
                if step.commit_after and not self._commit(cursor, index, step, observation):
                    return observation
            if check:
                try:
                    observation.changes += final_changes(cursor, flow, self.memory, self.target, edits)
                except Error as error:
                    self._fail(observation, len(flow.steps), "SELECT auth.users", messages.FINDING_USER, error)
        return observation

    def _look_up(self, observation: Observation) -> bool:
        """A new request reads the user and the identity afresh; nothing of the last one's memory is left."""
        users = self.target.columns["users"] & frozenset(USERS_INSERT)
        refused: Unreadable | None = Unreadable("no user has that id", "User not found")
        with open_cursor(self.connection, dict_row) as cursor:
            names = sql.SQL(", ").join(map(sql.Identifier, sorted(users)))
            user_id = self.memory.probes[Probe.USER_ID]
            cursor.execute(sql.SQL("SELECT {} FROM users WHERE id = %s").format(names), (user_id,))
            user = cursor.fetchone()
            if user is not None:
                refused = find_unreadable(user)
                self.memory.rows["users"] = user
            cursor.execute(
                "SELECT provider_id, identity_data, last_sign_in_at FROM identities WHERE id = %s",
                (self.memory.probes.get(Probe.IDENTITY_ID),),
            )
            self.memory.rows["identities"] = cursor.fetchone() or {}
        if refused is not None:
            observation.failed = FailedStep(0, "SELECT auth.users", None, refused.told)
            observation.response = observation.flow.lookup.worded(refused.words)
        return refused is None and not self._refuse_banned(observation, 0, "SELECT auth.users")

    def _lacks_address(self, observation: Observation, index: int) -> bool:
        """Whether Auth has nobody to send the mail to: it takes the address from the row that it has read back.

        Other addresses that a mail server would refuse are not told apart here.
        """
        email = self.memory.rows["users"].get("email")
        if observation.flow.unsent is None or _ADDRESS.search(str(email or "")):
            return False
        told = "NULL" if email is None else repr(email)
        observation.failed = FailedStep(index, "MAIL", None, f"auth.users.email is {told}, and no mail can go there")
        observation.response = observation.flow.unsent
        return True

    def _refuse_banned(self, observation: Observation, index: int, label: str) -> bool:
        """Whether Auth turns the user away that it has just read."""
        until = self.memory.rows["users"].get("banned_until")
        if observation.flow.banned is None or not _lies_ahead(until):
            return False
        observation.failed = FailedStep(index, label, None, "auth.users.banned_until lies in the future")
        observation.response = observation.flow.banned
        return True

    def _execute(self, cursor: Cursor, step: Step, observation: Observation, edits: Edits) -> str | None:
        """Runs one statement; a text where Auth cannot take what it got."""
        columns = self.target.usable(step)
        statement, parameters = compose(
            step, self.memory, columns, upsert=step.conflict is None or step.conflict in self.target.unique
        )
        if step.kind is Kind.INSERT and step.table == "users":
            self.ids.append(str(self.memory.probes[Probe.USER_ID]))
        started = time.perf_counter()
        cursor.execute(statement, parameters)
        observation.longest = max(observation.longest, time.perf_counter() - started)
        if step.kind is Kind.RELOAD:
            return self._reload(cursor, observation, edits)
        if step.kind is Kind.PROVIDERS:
            providers = [str(row[0]) for row in cursor.fetchall()]
            self.memory.probes[Probe.PROVIDERS] = providers
            self.memory.probes[Probe.PROVIDER] = providers[0] if providers else None
            return None
        if step.returning is not None:
            row = cursor.fetchone()
            if row is None:
                return "no row came back: a trigger has suppressed the INSERT"
            self.memory.probes[Probe.REFRESH_TOKEN_ID] = row[0]
        elif step.rows is Rows.ONE and cursor.rowcount != 1:
            observation.changes.append(Change(step.label, "1 row", f"{cursor.rowcount} rows"))
        return None

    def _users_row(self, cursor: Cursor) -> dict[str, object] | None:
        cursor.execute(
            "SELECT raw_user_meta_data, raw_app_meta_data FROM users WHERE id = %s",
            (self.memory.probes[Probe.USER_ID],),
        )
        row = cursor.fetchone()
        return None if row is None else {"raw_user_meta_data": row[0], "raw_app_meta_data": row[1]}

    def _reload(self, cursor: Cursor, observation: Observation, edits: Edits) -> str | None:
        row = cursor.fetchone()
        if row is None:
            return "no user has that id: a trigger has suppressed the INSERT, removed the row or changed its id"
        assert cursor.description is not None
        found = dict(zip((column.name for column in cursor.description), row, strict=True))
        unreadable = find_unreadable(found)
        if unreadable is not None:
            return unreadable.told
        observation.changes += compare_reload(self.memory, found)
        edits.note(self.memory, found)
        self.memory.reload(found)
        return None

    def _commit(self, cursor: Cursor, index: int, step: Step, observation: Observation) -> bool:
        """Auth's COMMIT: deferred constraints and triggers run now, then those that start deferred are deferred again.

        The triggers run under the role that is set (15) or that queued them (18): the same one here. Naming a
        constraint needs USAGE on its schema, which Auth's role may lack, and fires nothing: the outer role does it.
        """
        from psycopg import Error

        started = time.perf_counter()
        try:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            observation.longest = max(observation.longest, time.perf_counter() - started)
        except Error as error:
            self._fail(observation, index, "COMMIT", step.commit_failure, error)
            return False
        if self.target.deferred is not None:
            self.session.leave()
            cursor.execute(self.target.deferred)
            self.session.enter()
        observation.committed = True
        return True

    def _fail(self, observation: Observation, index: int, label: str, response: Response, error: Error) -> None:
        if self.connection.closed or error.sqlstate is None:
            raise error
        diagnosis = error.diag
        frame = innermost_frame(diagnosis.context)
        message = diagnosis.message_primary or str(error)
        observation.failed = FailedStep(
            index=index,
            statement=label,
            sqlstate=error.sqlstate,
            message=message,
            detail=diagnosis.message_detail,
            hint=diagnosis.message_hint,
            context=shortened(diagnosis.context),
            schema=diagnosis.schema_name,
            table=diagnosis.table_name,
            column=diagnosis.column_name,
            constraint=diagnosis.constraint_name,
            function=None if frame is None else frame.text,
            line=None if frame is None else frame.line,
        )
        observation.response = response
        observation.limit = OUR_LIMITS.get(error.sqlstate)


def _lies_ahead(time: object) -> bool:
    # A time as text is one that Python has no value for: before Christ, or after the year 9999.
    return time > datetime.now(UTC) if isinstance(time, datetime) else time is not None and "BC" not in str(time)
