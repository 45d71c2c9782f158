"""Whether the real Auth does what smoke said of a flow, on a project whose triggers stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg

from tests.conformance.acting import ACTS, Scene, Stage, signup_twin
from tests.conformance.breaking import predicted, seen_by_client
from trigger_audit.smoke.model import FlowResult, Mail

SCENES: dict[str, Callable[[Stage], Scene]] = {**ACTS, "signup-email/duplicate": signup_twin}

VERIFICATIONS = {
    "signup-email": "verify-signup",
    "signup-otp": "verify-signup",
    "invite": "verify-signup",
    "signup-phone": "verify-phone",
    "magic-link": "verify-magic-link",
    "recovery": "verify-magic-link",
    "email-change": "verify-email-change",
}
"""The flow that uses what a flow has sent."""

LINKED = {"signup-otp", "recovery", "invite"}
"""Where the link is used, elsewhere it is the code: others send the same statements."""


def apply(project: Stage, sql: str) -> None:
    """As the developer's role, in one transaction that is committed."""
    with psycopg.connect(project.database.conninfo("postgres"), prepare_threshold=None) as connection:
        connection.execute(sql.encode())


def set_scene(project: Stage, name: str, result: FlowResult) -> Scene:
    """A user to go on with as smoke had one: that it could not make in the usual way stands in the result's reason."""
    reason = result.reason or ""
    # A user of an administrator has no session, which smoke does not need for a flow but a request does.
    if "made with triggers off" in reason or "the user of admin-create" in reason:
        with _triggers_off(project):
            return SCENES[name](project)
    return SCENES[name](replace(project, self_confirmed="the user of signup-autoconfirm" in reason))


@contextmanager
def _triggers_off(project: Stage) -> Iterator[None]:
    with psycopg.connect(project.database.conninfo(), autocommit=True, prepare_threshold=None) as connection:
        tables = connection.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
        yield
        for (table,) in tables:
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER".encode())


def difference(project: Stage, name: str, scene: Scene, results: dict[str, FlowResult]) -> str | None:
    """Where Auth does not do what smoke said: in its answer, in sending a letter, in taking what that holds."""
    seen, result = seen_by_client(project, scene), results[name]
    if seen != predicted(result):
        return f"{name}: Auth {seen}, smoke {predicted(result)}"
    if not seen.letters or name not in VERIFICATIONS:
        return None
    verification = results[VERIFICATIONS[name]]
    lost = result.mail is Mail.SENT_TOKEN_LOST
    reply = project.redeem(name, scene, link=name in LINKED)
    if lost and not reply.failed:
        # Code and link are looked up in different places, and a lost one may be lost in either.
        another = set_scene(project, name, result)
        assert seen_by_client(project, another) == seen
        reply = project.redeem(name, another, link=name not in LINKED)
    # Of two confirmations this is the first, which starts no session.
    stopped = name != "email-change" and verification.failed_step is not None
    if reply.failed != (lost or stopped):
        return f"{name}: the letter gets {reply}, smoke {result.mail}, {verification.failed_step}"
    return None
