"""Where a cascade starts: at a trigger of an audited table, or at statements sent by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_audit.catalog.model import Table, Trigger

if TYPE_CHECKING:
    from trigger_audit.analysis.sessions import Session
    from trigger_audit.auth.model import Firing
    from trigger_audit.catalog.model import Function


@dataclass(frozen=True, slots=True)
class Root:
    """`session` is the one whose statement fires the trigger, `firings` those of Auth that may."""

    trigger: Trigger
    table: Table
    event: str
    firings: tuple[Firing, ...]
    session: Session


@dataclass(frozen=True, slots=True)
class Script:
    """Statements sent by hand in a session, as the body of a function that stands at the head of every way."""

    function: Function
    session: Session


def root_of(script: Script) -> Root:
    """No trigger of any table fires a script: the ones in here are in no catalog."""
    trigger = Trigger(
        0, "", 0, script.function.oid, "AFTER", ("INSERT",), "STATEMENT", (), None, "origin", False, False, False, None,
        None, (), 1,
    )  # fmt: skip
    nowhere = Table(0, "", "", "r", script.session.role, (), (), (), (), False, False, -1, None)
    return Root(trigger, nowhere, "INSERT", (), script.session)
