"""Which version of Auth the target's tables are of, and what is to be said where that cannot be told exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql

from trigger_audit.auth.versions import NEWEST, OLDEST, Span, span_of
from trigger_audit.auth.wording import CHANGES, as_of, in_doubt
from trigger_audit.resources import read_sql
from trigger_audit.smoke.model import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trigger_audit.auth.messages import Response
    from trigger_audit.auth.steps import Flow
    from trigger_audit.smoke.model import FailedStep
    from trigger_audit.smoke.sending import Sender

_SETTLES = "--auth-version says which it is"


def look_at_version(sender: Sender, tables: Iterable[Mapping[str, Any]]) -> Span:
    """By Auth's newest migration; `tables` are the rows of smoke/columns.sql, asked as the same role.

    Any version where the role cannot read the table: row security is on, so that it would look empty.
    """
    for table in tables:
        if table["table_name"] == "schema_migrations":
            if "version" not in table["columns"] or not table["readable"] or table["row_security"]:
                break
            [[newest]] = sender.texts(sql.SQL(read_sql("smoke/auth_version.sql")), None)
            return span_of(newest)
    return Span()


def answers(
    flow: Flow, response: Response | None, failed: FailedStep | None, versions: Span
) -> tuple[Answer, Answer | None]:
    """What the client gets (`response` in that version's words; None: all went well).

    And what it would get without the header X-Supabase-Api-Version, where that is another answer.
    """
    told = as_of(response or flow.success, flow.name, versions)
    if failed is None:
        return _answer(told), None
    usual, opened = told.answer(failed.message, failed.sqlstate), told.opened(failed.message, failed.sqlstate)
    return _answer(usual), None if opened is None or opened == usual else _answer(opened)


def _answer(response: Response) -> Answer:
    return Answer(response.status, response.error_code, response.message)


def version_gaps(versions: Span) -> tuple[str, ...]:
    """One line where the version leaves open what Auth answers."""
    if versions == Span():
        return (
            "auth.schema_migrations does not say which version of Auth this is: "
            f"the answers are those of {CHANGES[0][0]} and later; {_SETTLES}",
        )
    if versions.before(OLDEST):
        return (f"Auth is {versions}: the answers are those of {OLDEST}",)
    if versions.first is not None and versions.first > NEWEST:
        return (f"Auth {versions.first} is newer than what is known here: the answers are those of {NEWEST}",)
    doubts = in_doubt(versions)
    if not doubts:
        return ()
    changed = " and ".join(map(str, doubts))
    return (f"Auth is {versions}: of the answers that {changed} changed, those since are shown; {_SETTLES}",)
