"""Executes one flow's steps in order, as Auth does: no savepoint between them, the first error ends it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from psycopg import sql

from trigger_audit.auth import messages
from trigger_audit.auth.messages import Response
from trigger_audit.auth.roles import SCHEMA
from trigger_audit.auth.steps import Flow, Kind, Rows, Step
from trigger_audit.auth.values import Probe
from trigger_audit.smoke.checks import BY_ID, Edits, compare_reload, final_changes
from trigger_audit.smoke.context import innermost_frame, shortened
from trigger_audit.smoke.event_triggers import refuser
from trigger_audit.smoke.lookups import LookUp, refuse_banned, refuse_session_gone
from trigger_audit.smoke.memory import Memory
from trigger_audit.smoke.model import Change, FailedStep, Mail, Outcome
from trigger_audit.smoke.sending import Read
from trigger_audit.smoke.statement import compose, compose_read
from trigger_audit.smoke.unreadable import find_unreadable

if TYPE_CHECKING:
    from psycopg import Connection, Error

    from trigger_audit.smoke.catalog import Target
    from trigger_audit.smoke.requests import Requests
    from trigger_audit.smoke.session import Session

OUR_LIMITS = {
    "55P03": "a lock was not to be had within our lock_timeout",
    "57014": "the statement ran into our statement_timeout",
    "40P01": "the statement ran into a deadlock with another session",
}
"""Errors that say nothing of the flow: they come from how we run it."""

_CANCELS = "postgres.c"
"""The file of PostgreSQL that cancels statements. A RAISE with the same SQLSTATE comes from another."""

READ_ONLY = "a trigger has made the transaction read-only, and smoke can make no functions in it to go on"

ROLE_REFUSED = "a trigger changes the role, which smoke lets no trigger do"
"""So does an error of the confinement (see `sending`)."""

CHECK_CONSTRAINTS = sql.SQL("SET CONSTRAINTS ALL IMMEDIATE")

_WRITES = (Kind.INSERT, Kind.UPDATE, Kind.DELETE)

_ADDRESS = re.compile(r"[^@\s]@[^@\s]")

_FOUND_BY = frozenset({"aud", "banned_until", "email", "instance_id", "is_sso_user", "phone"})
"""Columns by whose values a code is looked up or refused: with other ones it does not work."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one run of a flow showed. `failed` and `response` are None where it went through.

    `longest` is the time that the slowest statement took, in seconds."""

    flow: Flow
    changes: tuple[Change, ...] = ()
    failed: FailedStep | None = None
    response: Response | None = None
    mailed: bool = False
    mail_skipped: bool = False
    limit: str | None = None
    longest: float = 0.0

    @property
    def ran_out(self) -> bool:
        """Whether a limit on time or on locks ended it."""
        return self.limit in OUR_LIMITS.values()

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


@dataclass(slots=True)
class Observing:
    """An observation in the making."""

    flow: Flow
    changes: list[Change] = field(default_factory=list)
    failed: FailedStep | None = None
    response: Response | None = None
    mailed: bool = False
    mail_skipped: bool = False
    limit: str | None = None
    longest: float = 0.0

    def refuse(self, index: int, label: str, told: str, response: Response) -> None:
        """Auth itself ends the flow, for what it has read or has not found."""
        self.failed = FailedStep(index, label, None, told)
        self.response = response

    def done(self) -> Observation:
        return Observation(
            self.flow,
            tuple(self.changes),
            self.failed,
            self.response,
            self.mailed,
            self.mail_skipped,
            self.limit,
            self.longest,
        )


class Replay:
    """Runs flows for one user. The session is Auth's role by now, and a savepoint surrounds everything."""

    def __init__(
        self,
        connection: Connection,
        session: Session,
        target: Target,
        memory: Memory,
        ids: list[str],
        requests: Requests,
    ) -> None:
        self.connection = connection
        self.session = session
        self.target = target
        self.memory = memory
        self.ids = ids
        self.requests = requests

    def run(self, flow: Flow, *, check: bool = True) -> Observation:
        """Executes the steps and the post-checks (`check`).

        psycopg.OperationalError where the connection is lost; every other error of the server is the observation.
        """
        observation = Observing(flow)
        self.requests.begin()
        self._run(observation, check=check)
        return observation.done()

    def _run(self, observation: Observing, *, check: bool) -> None:
        from psycopg import Error

        flow = observation.flow
        edits = Edits()
        confirmed = False
        if flow.starts:
            found = LookUp(self.session.sender, self.memory, self.target, observation).start()
            if found is None:
                return
            flow = found
        reloads = any(step.kind is Kind.RELOAD for step in flow.steps)
        for index, step in enumerate(flow.steps, start=1):
            if not self.target.has(step):
                if step.commit_after and not self._commit(index, step, observation):
                    return
                continue
            if step.unconfirmed_only and confirmed:
                observation.mail_skipped = observation.mail_skipped or step.mail_before
                continue
            if step.mail_before and self._lacks_address(observation, flow, index):
                return
            observation.mailed = observation.mailed or step.mail_before
            try:
                refused = self._execute(step, observation, edits)
                if step.kind is Kind.INSERT and step.table == "users" and not reloads:
                    edits.note(self.memory, self._users_row())
            except Error as error:
                self._fail(observation, index, step.label, step.failure, error)
                if observation.limit == READ_ONLY and step.kind in _WRITES:
                    _refuse_to_write(observation, step)
                return
            if refused is not None:
                observation.refuse(index, step.label, refused, step.failure)
                return
            if step.table == "mfa_amr_claims" and refuse_session_gone(
                observation, self.session.sender, self.memory, index, messages.without_session(step.failure)
            ):
                return
            if step.kind is Kind.RELOAD:
                if flow.signs_up and refuse_banned(observation, self.memory, index, step.label):
                    return
                user = self.memory.rows["users"]
                confirmed = (
                    user.get("phone_confirmed_at" if user.get("email") is None else "email_confirmed_at") is not None
                )
            if step.commit_after and not self._commit(index, step, observation):
                return
        if check:
            try:
                observation.changes += final_changes(self.session.sender, flow, self.memory, self.target, edits)
            except Error as error:
                self._fail(observation, len(flow.steps), "SELECT auth.users", messages.FINDING_USER, error)

    def _lacks_address(self, observation: Observing, flow: Flow, index: int) -> bool:
        """Whether Auth has nobody to send the mail to: it takes the address from the row that it has read back.

        Other addresses that a mail server would refuse are not told apart here.
        """
        email = self.memory.rows["users"].get("email")
        if flow.unsent is None or _ADDRESS.search(str(email or "")):
            return False
        told = "NULL" if email is None else repr(email)
        observation.refuse(index, "MAIL", f"auth.users.email is {told}, and no mail can go there", flow.unsent)
        return True

    def _execute(self, step: Step, observation: Observing, edits: Edits) -> str | None:
        """Runs one statement; a text where Auth cannot take what it got."""
        columns = self.target.usable(step)
        started = time.perf_counter()
        if step.kind in (Kind.RELOAD, Kind.PROVIDERS):
            rows = self.session.sender.read(compose_read(step, self.memory, columns))
            observation.longest = max(observation.longest, time.perf_counter() - started)
            if step.kind is Kind.RELOAD:
                return self._reload(rows, observation, edits)
            providers = [str(row["provider"]) for row in rows]
            self.memory.probes[Probe.PROVIDERS] = providers
            self.memory.probes[Probe.PROVIDER] = providers[0] if providers else None
            return None
        statement, parameters = compose(
            step, self.memory, columns, upsert=step.conflict is None or step.conflict in self.target.unique
        )
        if step.kind is Kind.INSERT and step.table == "users":
            self.ids.append(str(self.memory.probes[Probe.USER_ID]))
        written = self.session.sender.write(statement, parameters, returning=step.returning is not None)
        observation.longest = max(observation.longest, time.perf_counter() - started)
        if step.returning is not None:
            if written.rows == 0:
                return "no row came back: a trigger has suppressed the INSERT"
            self.memory.probes[Probe.REFRESH_TOKEN_ID] = written.returned
        elif step.rows is Rows.ONE and written.rows != 1:
            observation.changes.append(Change(step.label, "1 row", f"{written.rows} rows"))
        return None

    def _users_row(self) -> dict[str, object] | None:
        columns = ("raw_user_meta_data", "raw_app_meta_data")
        rows = self.session.sender.read(Read("users", columns, BY_ID, (self.memory.probes[Probe.USER_ID],)))
        return rows[0] if rows else None

    def _reload(self, rows: list[dict[str, object]], observation: Observing, edits: Edits) -> str | None:
        if not rows:
            return "no user has that id: a trigger has suppressed the INSERT, removed the row or changed its id"
        found = rows[0]
        unreadable = find_unreadable(found)
        if unreadable is not None:
            return unreadable.told
        observation.changes += compare_reload(self.memory, found)
        edits.note(self.memory, found)
        self.memory.reload(found)
        return None

    def _commit(self, index: int, step: Step, observation: Observing) -> bool:
        """Auth's COMMIT: deferred constraints and triggers run now, then those that start deferred are deferred again.

        The triggers run under the role that is set (15) or that queued them (18): the same one here. Naming a
        constraint needs USAGE on its schema, which Auth's role may lack, and fires nothing: the outer role does it.
        """
        from psycopg import Error

        started = time.perf_counter()
        try:
            self.session.sender.write(CHECK_CONSTRAINTS, ())
            observation.longest = max(observation.longest, time.perf_counter() - started)
        except Error as error:
            self._fail(observation, index, "COMMIT", step.commit_failure, error)
            return False
        if self.target.deferred is not None:
            self.session.leave()
            self.connection.execute(self.target.deferred)
            self.session.enter()
        self.requests.commit()
        return True

    def _fail(self, observation: Observing, index: int, label: str, response: Response, error: Error) -> None:
        note_failure(observation, self.session, index, label, error)
        observation.limit = observation.limit or self.requests.doubt(error)
        observation.response = response


def _refuse_to_write(observation: Observing, step: Step) -> None:
    """The statement itself would have been refused in the same words, which name the command alone."""
    assert observation.failed is not None
    said = observation.failed.message.replace("CREATE FUNCTION", step.kind.value)
    observation.failed = replace(observation.failed, message=said)
    observation.limit = None


def note_failure(observation: Observing, session: Session, index: int, label: str, error: Error) -> None:
    """The server's error as the observation's failed step; raised again where it is the loss of the connection."""
    if session.connection.closed or error.sqlstate is None:
        raise error
    diagnosis = error.diag
    context = session.sender.context(error)
    frame = innermost_frame(context)
    message = diagnosis.message_primary or str(error)
    observation.failed = FailedStep(
        index=index,
        statement=label,
        sqlstate=error.sqlstate,
        message=message,
        detail=diagnosis.message_detail,
        hint=diagnosis.message_hint,
        context=shortened(context),
        schema=diagnosis.schema_name,
        table=diagnosis.table_name,
        column=diagnosis.column_name,
        constraint=diagnosis.constraint_name,
        function=None if frame is None else frame.text,
        line=None if frame is None else frame.line,
    )
    took = time.monotonic() - session.sender.started
    # A handler may have turned our lock_timeout into another error (`Attempts._may_hide_a_limit`).
    observation.longest = max(observation.longest, took)
    observation.limit = _our_limit(error, took, session)
    if session.sender.refuses_role(error):
        observation.limit = ROLE_REFUSED
    by = None if session.sender.reached(error) else refuser(session.event_triggers, error)
    if by is not None:
        observation.limit = f"event trigger {by.name} refuses the functions that smoke runs Auth's statements in"


def _our_limit(error: Error, took: float, session: Session) -> str | None:
    """What of how smoke runs the statement is behind the error, None where the target has it from itself.

    `took` is how long the statement ran, in seconds.
    """
    if error.sqlstate == "25006" and not session.sender.reached(error):
        return READ_ONLY
    if (
        error.sqlstate == "57014"
        and error.diag.source_file not in (None, _CANCELS)
        and took * 1000 < session.limits.statement
    ):
        return None
    return OUR_LIMITS.get(error.sqlstate or "")
