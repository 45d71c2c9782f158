"""The flows that a finding names, beside those in which Auth's own statements really run the line at fault.

Every condition guards one trigger. First its body gives a warning, and Auth's flows are replayed on the server: what
warns there would fail there. Then the body writes to a table that does not exist, and the scan has to name those flows.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from psycopg.errors import Diagnostic

from tests.conftest import FreshDatabase
from tests.rules.judging import judged_case, run_flows
from tests.smoke.conftest import connect
from trigger_audit.auth import FLOWS, flow_named
from trigger_audit.auth.steps import Flow
from trigger_audit.smoke.catalog import look_at_target
from trigger_audit.smoke.memory import Memory
from trigger_audit.smoke.model import Outcome
from trigger_audit.smoke.payloads import Probes, payloads_of
from trigger_audit.smoke.replay import Replay
from trigger_audit.smoke.requests import Requests, look_at_shared
from trigger_audit.smoke.session import Limits, Session, look_at_server


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition over NEW and OLD, and the events that it is looked at for.

    `beyond` are flows that the scan names though the server did not run the line in them: where the value is not known.
    """

    events: str
    condition: str
    beyond: frozenset[str] = frozenset()


def guard(events: str, condition: str, *beyond: str) -> Guard:
    return Guard(events, condition, frozenset(beyond))


# What a provider sends may have changed since, and may be what is there already.
FROM_PROVIDER = ("oauth-again", "oauth-first")
# Auth writes its own copy back: the same, unless a trigger has edited the column in between.
WRITTEN_BACK = (
    "admin-create", "admin-update", *FROM_PROVIDER, "signup-autoconfirm", "signup-email", "signup-otp", "signup-phone",
    "verify-email-change", "verify-magic-link", "verify-phone", "verify-signup",
)  # fmt: skip
# The provider is any that the project has; what app metadata an administrator or a trigger adds is not known either.
ANY_KEY = (
    "admin-create", "invite", "oauth-first", "signup-autoconfirm", "signup-email", "signup-otp", "signup-phone",
)  # fmt: skip
GUARDS = (
    guard("UPDATE", "old.email_confirmed_at is null and new.email_confirmed_at is not null"),
    guard("UPDATE", "old.email_confirmed_at is distinct from new.email_confirmed_at"),
    guard("UPDATE OF email_confirmed_at", "new.email_confirmed_at is not null"),
    guard("UPDATE", "old.confirmed_at is null and new.confirmed_at is not null"),
    guard("UPDATE", "old.confirmed_at is distinct from new.confirmed_at"),
    guard("UPDATE OF confirmed_at", "true"),
    guard("UPDATE", "old.phone_confirmed_at is null and new.phone_confirmed_at is not null"),
    guard("UPDATE", "old.email is distinct from new.email"),
    guard("UPDATE", "old.email <> new.email"),
    guard("UPDATE OF email", "true"),
    guard("UPDATE OF email, phone", "old.email is distinct from new.email or old.phone is distinct from new.phone"),
    guard("UPDATE", "old.phone is distinct from new.phone"),
    guard("UPDATE", "old.last_sign_in_at is null and new.last_sign_in_at is not null"),
    guard("UPDATE", "old.last_sign_in_at is distinct from new.last_sign_in_at"),
    guard("UPDATE OF last_sign_in_at", "true"),
    guard("UPDATE", "old.raw_user_meta_data is distinct from new.raw_user_meta_data", *FROM_PROVIDER),
    guard("UPDATE", "old.raw_user_meta_data <> new.raw_user_meta_data", *FROM_PROVIDER),
    guard("UPDATE OF raw_user_meta_data", "true"),
    guard("UPDATE", "old.raw_app_meta_data is distinct from new.raw_app_meta_data", *WRITTEN_BACK),
    guard("UPDATE OF raw_app_meta_data", "new.raw_app_meta_data ->> 'provider' = 'email'", *FROM_PROVIDER),
    guard("UPDATE", "old.encrypted_password is distinct from new.encrypted_password"),
    guard("UPDATE", "old.encrypted_password <> new.encrypted_password"),
    guard("UPDATE", "new.banned_until is not null"),
    guard("UPDATE", "old.banned_until is distinct from new.banned_until"),
    guard("UPDATE", "old.deleted_at is null and new.deleted_at is not null"),
    guard("UPDATE", "new.deleted_at is null"),
    guard("UPDATE", "new.is_anonymous"),
    guard("UPDATE", "old.is_anonymous is distinct from new.is_anonymous"),
    guard("UPDATE", "old.role is distinct from new.role"),
    guard("UPDATE", "new.role = 'authenticated' and old.role = ''"),
    guard("UPDATE", "old.confirmation_token = '' and new.confirmation_token <> ''"),
    guard("UPDATE", "old.confirmation_token is distinct from new.confirmation_token"),
    guard("UPDATE", "old.recovery_token is distinct from new.recovery_token"),
    guard("UPDATE", "old.email_change is distinct from new.email_change"),
    guard("UPDATE", "old.email_change_token_new <> '' and new.email_change_token_new = ''"),
    guard("UPDATE", "old.updated_at <> new.updated_at"),
    guard("UPDATE", "old.* is distinct from new.*"),
    guard("INSERT", "new.email is not null"),
    guard("INSERT", "new.email is null"),
    guard("INSERT", "new.phone is not null"),
    guard("INSERT", "new.is_anonymous"),
    guard("INSERT", "not new.is_anonymous"),
    guard("INSERT", "new.email_confirmed_at is not null"),
    guard("INSERT", "new.email_confirmed_at is null"),
    guard("INSERT", "new.role = 'authenticated'"),
    guard("INSERT", "new.encrypted_password = ''"),
    guard("INSERT", "new.raw_user_meta_data ->> 'full_name' is null"),
    guard("INSERT", "new.raw_user_meta_data ->> 'full_name' is not null"),
    guard("INSERT", "new.raw_app_meta_data ->> 'provider' = 'google'"),
    guard("INSERT", "new.raw_app_meta_data ->> 'provider' = 'github'", "oauth-first"),
    guard("INSERT", "new.raw_app_meta_data ->> 'provider' <> 'email'"),
    guard("INSERT", "new.raw_app_meta_data ->> 'provider' is null"),
    guard("INSERT", "new.raw_app_meta_data ->> 'role' = 'admin'", *ANY_KEY),
    guard(
        "UPDATE",
        "old.raw_app_meta_data ->> 'provider' is distinct from new.raw_app_meta_data ->> 'provider'",
        *FROM_PROVIDER, "admin-update", "verify-email-change", "verify-magic-link",
    ),
    guard("UPDATE", "new.recovery_token <> ''"),
    guard("INSERT", "new.invited_at is not null"),
    guard("DELETE", "old.email is not null"),
    guard("DELETE", "old.deleted_at is null"),
    guard("INSERT OR UPDATE", "tg_op = 'INSERT'"),
    guard("INSERT OR UPDATE", "tg_op = 'UPDATE' and new.email is distinct from old.email"),
    guard("INSERT OR UPDATE", "tg_op = 'INSERT' or new.email is distinct from old.email"),
    guard("INSERT OR UPDATE OR DELETE", "tg_op = 'DELETE'"),
    guard("INSERT OR UPDATE", "new.email_confirmed_at is not null"),
)  # fmt: skip


def placed() -> list[tuple[str, Guard, str]]:
    """Every guard as WHEN and as IF, with a trigger's name: WHEN knows no TG_OP, and names no row that may lack."""
    found = []
    for number, each in enumerate(GUARDS):
        for timing in ("BEFORE", "AFTER"):
            found.append((f"{timing.lower()}_if_{number}", each, timing))
            generated = timing == "BEFORE" and ("new.confirmed_at" in each.condition or "new.*" in each.condition)
            if "tg_op" not in each.condition and not generated:
                found.append((f"{timing.lower()}_when_{number}", each, timing))
    return found


def script(statement: str) -> str:
    """All triggers; $name in the statement is the trigger's name."""
    parts = []
    for name, each, timing in placed():
        inside = statement.replace("$name", name)
        when = ""
        if "_if_" in name:
            inside = f"IF {each.condition} THEN {inside} END IF;"
        else:
            when = f" WHEN ({each.condition})"
        result = "NULL" if timing == "AFTER" else "OLD" if each.events == "DELETE" else "NEW"
        result = "coalesce(NEW, OLD)" if timing == "BEFORE" and "OR DELETE" in each.events else result
        parts.append(
            f"CREATE OR REPLACE FUNCTION public.{name}() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS "
            f"$$ BEGIN {inside} RETURN {result}; END $$;\n"
            f"CREATE OR REPLACE TRIGGER {name} {timing} {each.events} ON auth.users FOR EACH ROW{when} "
            f"EXECUTE FUNCTION public.{name}();\n"
        )
    return "".join(parts)


def ways_to(flow: Flow) -> list[tuple[Flow, ...]]:
    """Every series of flows that may lead to this one."""
    return [(*way, start) for start in map(flow_named, flow.starts) for way in ways_to(start)] or [()]


def replayed(database: FreshDatabase) -> dict[str, set[str]]:
    """The flows in which each trigger's line runs, whichever way the user was made and whatever metadata he sends."""
    ran: defaultdict[str, set[str]] = defaultdict(set)
    running: list[str] = []

    def note(message: Diagnostic) -> None:
        ran[message.message_primary or ""].add(running[-1])

    class Named(Replay):
        def run(self, flow: Flow, *, check: bool = True) -> Any:
            running.append(flow.name)
            return super().run(flow, check=check)

    with connect(database) as connection:
        connection.add_notice_handler(note)
        connection.execute("BEGIN")
        session = Session(connection, look_at_server(connection), Limits())
        target = look_at_target(connection, session)
        shared = look_at_shared(connection)
        probes = Probes()
        for flow in FLOWS:
            for payload in payloads_of(flow):
                for before in ways_to(flow):
                    connection.execute("SAVEPOINT flow")
                    session.enter()
                    replay = Named(
                        connection, session, target, Memory(probes.user(payload)), probes.ids, Requests(session, shared)
                    )
                    for part in (*before, flow):
                        assert replay.run(part).failed is None
                    connection.execute("ROLLBACK TO SAVEPOINT flow")
        connection.execute("ROLLBACK")
    return ran


def test_the_flows_named_are_those_that_fail(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(script("RAISE WARNING '$name';"))
    ran = replayed(fresh_database)
    fresh_database.apply(script("INSERT INTO public.missing (id) VALUES (1);"))
    _, findings = judged_case(fresh_database)
    named: dict[str, set[str]] = {}
    for finding in findings:
        if finding.rule == "TA101":
            for path in finding.paths:
                named.setdefault(path.trigger or "", set()).update(path.flows)
    wrong = []
    for name, each, _ in placed():
        told = named.get(name, set())
        missing, beyond = ran[name] - told, told - ran[name]
        if missing or beyond != each.beyond:
            wrong.append(f"{name} {each.events} [{each.condition}]: missing {sorted(missing)}, beyond {sorted(beyond)}")
    assert not wrong, "\n".join(wrong)


def test_a_trigger_that_raises_fails_in_the_flows_named(fresh_database: FreshDatabase) -> None:
    """The same with the whole of smoke, and what the finding says of it."""
    condition = "old.email_confirmed_at is null and new.email_confirmed_at is not null"
    trigger = (
        "CREATE OR REPLACE FUNCTION public.welcome() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS "
        "$$ BEGIN {} RETURN NULL; END $$;"
        "CREATE OR REPLACE TRIGGER welcome AFTER UPDATE ON auth.users FOR EACH ROW "
        f"WHEN ({condition}) EXECUTE FUNCTION public.welcome();"
    )
    fresh_database.apply(trigger.format("RAISE EXCEPTION 'x';"))
    failing = {result.flow for result in run_flows(fresh_database, None) if result.outcome is Outcome.FAIL}
    fresh_database.apply(trigger.format("INSERT INTO public.missing (id) VALUES (1);"))
    _, findings = judged_case(fresh_database)
    [finding] = [found for found in findings if found.rule == "TA101"]
    assert (
        failing == set(finding.paths[0].flows) == {"signup-autoconfirm", "oauth-first", "admin-create", "verify-signup"}
    )
    for flow in failing:
        assert flow in finding.why
