"""Whether what sessions of this database are set to start with breaks a flow: the same with PostgreSQL's own values.

ALTER DATABASE ... SET and ALTER ROLE ALL SET come along to our session as they do to Auth's; what a role alone is set
to start with only comes with its own login. Limits, search_path and the like are ours in every replay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from trigger_audit.resources import read_sql
from trigger_audit.smoke.attempts import ChangeRefused
from trigger_audit.smoke.model import By, Culprit
from trigger_audit.smoke.settings import setting

if TYPE_CHECKING:
    from trigger_audit.catalog.model import Catalog
    from trigger_audit.smoke.attempts import Change
    from trigger_audit.smoke.culprits import Fault, Trial
    from trigger_audit.smoke.session import Session

_OURS = frozenset(
    {
        "check_function_bodies",
        "client_connection_check_interval",
        "client_encoding",
        "client_min_messages",
        "event_triggers",
        "idle_in_transaction_session_timeout",
        "lc_messages",
        "lock_timeout",
        "quote_all_identifiers",
        "role",
        "row_security",
        "search_path",
        "session_replication_role",
        "standard_conforming_strings",
        "statement_timeout",
        "transaction_timeout",
    }
)
"""What smoke sets itself, or what limits it."""


def settings_at_fault(
    session: Session, catalog: Catalog, fault: Fault, trial: Callable[[Change], Trial]
) -> tuple[Culprit, ...]:
    """The parameters with whose own value alone the flow goes through without the fault.

    `trial` runs it on a changed target. Those that the login may not set are left as they are.
    """
    login = catalog.roles.get(session.part.role) if session.by is By.LOGIN else None
    names = {name.lower() for name in (*catalog.settings, *(login.settings if login is not None else ()))} - _OURS
    if not names:
        return ()
    rows = session.connection.execute(read_sql("smoke/settings_at_start.sql"), {"names": sorted(names)}).fetchall()
    own = {str(name): str(value) for name, value in rows}
    if len(own) > 1 and not _goes(fault, own, trial):
        return ()
    return tuple(
        Culprit("setting", name, necessary=True, sufficient=False)
        for name, value in own.items()
        if _goes(fault, {name: value}, trial)
    )


def _goes(fault: Fault, values: Mapping[str, str], trial: Callable[[Change], Trial]) -> bool:
    try:
        return trial(partial(_set, values)).is_free_of(fault)
    except ChangeRefused:
        return False


def _set(values: Mapping[str, str], session: Session) -> None:
    session.connection.execute(setting(values))
