"""Triggers that raise no error but change, suppress or remove rows: what the client reads, and whether letters work.

Smoke does not tell these as Auth does, on purpose:

* Errors that could be our own limits (55P03, 40P01) make a flow skipped, even if a trigger raises them.
* An address with something on both sides of an @ counts as one that takes mail; Auth's mailer or the mail server may
  refuse it ("a@b@c").
* A phone number that a trigger removes: what happens to a text message to nobody depends on the provider.
* A time after the year 9999 in a row that Auth answers with: all is written and sent, and the answer is 500, for its
  JSON has no such years. Smoke says that the time is there.
* A password hash that Auth cannot read stops a change of password too, with its raw error.
* Someone whose confirmation a trigger takes back gets, for a magic link, the mail of a sign-up: Auth sends another
  letter than smoke has in mind, but sends it.
* A letter with a code for a user who is not found any more at the next request counts as lost: its verification starts
  from another user.
"""

from __future__ import annotations

import psycopg
import pytest

from tests.conformance.acting import ACTS, Scene, Stage
from tests.conformance.breaking import broken, meddling, predicted, seen_by_client, smoke
from tests.conformance.judging import apply, set_scene
from trigger_audit.auth import FLOWS, flow_named
from trigger_audit.smoke.model import Mail, Outcome

SIGNUPS = ["signup-email", "signup-phone", "anonymous", "oauth-first", "invite", "admin-create"]
SIGNUP_LETTERS = ["signup-email", "signup-phone", "invite"]
LETTERS = [*SIGNUP_LETTERS, "magic-link", "email-change"]
"""Without those that send the same statements as another."""

SESSION = "BEFORE UPDATE OF last_sign_in_at ON auth.users"
INSERT = "BEFORE INSERT ON auth.users"
UPDATE = "BEFORE UPDATE ON auth.users"
TOKEN = "BEFORE UPDATE OF confirmation_token ON auth.users"

MEDDLING = {
    "update-returns-null": (
        meddling("RETURN NULL;", UPDATE),
        [*SIGNUPS, "magic-link", "email-change", "verify-signup"],
    ),
    "update-returns-old": (meddling("RETURN OLD;", UPDATE), LETTERS),
    "confirms-at-insert": (meddling("NEW.email_confirmed_at := now(); RETURN NEW;", INSERT), SIGNUPS),
    "confirms-with-the-token": (meddling("NEW.email_confirmed_at := now(); RETURN NEW;", TOKEN), SIGNUP_LETTERS),
    "takes-the-confirmation-back": (
        meddling("NEW.email_confirmed_at := NULL; RETURN NEW;", UPDATE),
        ["verify-signup", "signup-autoconfirm", "oauth-first", "admin-create"],
    ),
    "insert-returns-null": (meddling("RETURN NULL;", INSERT), SIGNUPS),
    "removes-the-user": (
        meddling("DELETE FROM auth.users WHERE id = NEW.id; RETURN NEW;", "AFTER INSERT ON auth.users"),
        SIGNUPS,
    ),
    "changes-the-id": (meddling("NEW.id := gen_random_uuid(); RETURN NEW;", INSERT), SIGNUPS),
    "rewrites-the-address": (meddling("NEW.email := 'x' || NEW.email; RETURN NEW;", INSERT), SIGNUPS),
    "sets-role-null": (meddling("NEW.role := NULL; RETURN NEW;", "BEFORE INSERT OR UPDATE ON auth.users"), SIGNUPS),
    "metadata-is-a-list": (meddling("NEW.raw_app_meta_data := '[]'; RETURN NEW;", INSERT), SIGNUPS),
    "metadata-is-null": (meddling("NEW.raw_user_meta_data := NULL; RETURN NEW;", INSERT), SIGNUPS),
    "clears-tokens": (
        meddling("NEW.confirmation_token := ''; NEW.recovery_token := ''; RETURN NEW;", UPDATE),
        [name for name in LETTERS if name != "email-change"],
    ),
    "forgets-the-time": (meddling("NEW.confirmation_sent_at := NULL; RETURN NEW;", TOKEN), SIGNUP_LETTERS),
    "backdates": (
        meddling("NEW.confirmation_sent_at := now() - interval '3 days'; RETURN NEW;", TOKEN),
        SIGNUP_LETTERS,
    ),
    "dates-at-infinity": (meddling("NEW.confirmation_sent_at := 'infinity'; RETURN NEW;", TOKEN), SIGNUP_LETTERS),
    "removes-one-time-tokens": (
        meddling(
            "DELETE FROM auth.one_time_tokens WHERE user_id = NEW.user_id; RETURN NEW;",
            "AFTER INSERT ON auth.one_time_tokens",
        ),
        LETTERS,
    ),
    "bans": (meddling("NEW.banned_until := now() + interval '1 day'; RETURN NEW;", INSERT), SIGNUPS),
    "bans-for-ever": (meddling("NEW.banned_until := 'infinity'; RETURN NEW;", INSERT), SIGNUPS),
    "changes-the-audience": (meddling("NEW.aud := 'other'; RETURN NEW;", INSERT), SIGNUP_LETTERS),
    "changes-the-instance": (meddling("NEW.instance_id := gen_random_uuid(); RETURN NEW;", INSERT), SIGNUP_LETTERS),
    "suppresses-identities": (meddling("RETURN NULL;", "BEFORE INSERT ON auth.identities"), SIGNUPS),
    "suppresses-sessions": (
        meddling("RETURN NULL;", "BEFORE INSERT ON auth.sessions"),
        ["login", "verify-signup", "anonymous", "signup-autoconfirm", "oauth-first"],
    ),
    "suppresses-refresh-tokens": (
        meddling("RETURN NULL;", "BEFORE INSERT ON auth.refresh_tokens"),
        ["login", "refresh-token", "anonymous", "oauth-first"],
    ),
    "suppresses-deletion": (meddling("RETURN NEW;", "BEFORE DELETE ON auth.users"), ["delete-user", "soft-delete"]),
}


@pytest.mark.parametrize("name", MEDDLING)
def test_meddling(stage: Stage, name: str) -> None:
    statements, flows = MEDDLING[name]
    codes = {flow: ACTS[flow](stage) for flow in flows}
    links = {flow: ACTS[flow](stage) for flow in flows if flow_named(flow).mails and not flow_named(flow).texted}
    differences = []
    with broken(stage.database, statements):
        results = smoke(stage.database, flows)
        for flow, scene in codes.items():
            seen = seen_by_client(stage, scene)
            if seen != predicted(results[flow]):
                differences.append(f"{flow}: Auth {seen}, smoke {predicted(results[flow])}")
            elif seen.letters:
                works = not stage.redeem(flow, scene, link=False).failed
                if flow in links:
                    assert seen_by_client(stage, links[flow]).letters
                    works = works and not stage.redeem(flow, links[flow], link=True).failed
                if works != (results[flow].mail is Mail.SENT):
                    differences.append(
                        f"{flow}: the letter {'works' if works else 'is refused'}, smoke {results[flow]}"
                    )
    assert differences == []


@pytest.mark.parametrize(
    "assignment",
    [
        "email_confirmed_at := NULL",
        "encrypted_password := NULL",
        "encrypted_password := ''",
        "encrypted_password := '$2a$10$' || repeat('x', 53)",
        "encrypted_password := '$argon2id$x'",
        "encrypted_password := 'x'",
        "encrypted_password := '$2a$99$' || repeat('x', 53)",
    ],
)
def test_a_log_in_that_is_refused(project: Stage, assignment: str) -> None:
    apply(project, meddling(f"NEW.{assignment}; RETURN NEW;", SESSION))
    result = smoke(project.database, ["login"])["login"]
    assert result.outcome is Outcome.FAIL
    who = project.confirmed()  # has logged in once, and the trigger has fired
    assert seen_by_client(project, Scene(who, (lambda: project.log_in(who),))) == predicted(result)


@pytest.mark.parametrize(
    "statements",
    [
        meddling("NEW.revoked := true; RETURN NEW;", "BEFORE INSERT ON auth.refresh_tokens"),
        meddling(
            "DELETE FROM auth.refresh_tokens WHERE user_id = NEW.id::text; RETURN NEW;",
            "AFTER UPDATE OF last_sign_in_at ON auth.users",
        ),
    ],
    ids=["revoked", "removed"],
)
def test_a_refresh_token_that_is_lost(project: Stage, statements: str) -> None:
    apply(project, statements)
    results = smoke(project.database, ["login", "refresh-token"])
    for name, result in results.items():
        assert (name, seen_by_client(project, ACTS[name](project))) == (name, predicted(result))
    assert [result.outcome for result in results.values()] == [Outcome.ALTERED, Outcome.FAIL]


LOST = {
    "address": (meddling("NEW.email := 'x' || NEW.email; RETURN NEW;", INSERT), ["login", "magic-link", "recovery"]),
    "address-on-confirming": (
        meddling(
            "NEW.email := 'x' || NEW.email; RETURN NEW;",
            "BEFORE UPDATE OF email_confirmed_at ON auth.users",
        ),
        ["login", "magic-link", "recovery"],
    ),
    "audience": (meddling("NEW.aud := 'other'; RETURN NEW;", INSERT), ["login", "magic-link", "recovery"]),
    "instance": (
        meddling("NEW.instance_id := gen_random_uuid(); RETURN NEW;", INSERT),
        ["login", "magic-link", "recovery", "delete-user", "soft-delete"],
    ),
    "provider-id": (
        meddling("NEW.provider_id := 'x' || NEW.user_id; RETURN NEW;", "BEFORE INSERT ON auth.identities"),
        ["oauth-first", "oauth-again"],
    ),
    "identity": (
        meddling(
            "DELETE FROM auth.identities WHERE user_id = NEW.id; RETURN NEW;",
            "AFTER UPDATE OF email_confirmed_at ON auth.users",
        ),
        ["oauth-first", "oauth-again"],
    ),
    "expired-session": (
        meddling("NEW.not_after := now() - interval '1 day'; RETURN NEW;", "BEFORE INSERT ON auth.sessions"),
        ["login", "refresh-token", "email-change"],
    ),
    "new-session": (
        meddling(
            "DELETE FROM auth.sessions WHERE id = NEW.session_id; RETURN NEW;",
            "AFTER INSERT OR UPDATE ON auth.mfa_amr_claims",
        ),
        ["login", "verify-signup", "signup-autoconfirm", "oauth-first", "anonymous", "verify-magic-link"],
    ),
    "session-of-the-token": (
        meddling("NEW.session_id := NULL; RETURN NEW;", "BEFORE INSERT ON auth.refresh_tokens"),
        ["login", "refresh-token", "email-change"],
    ),
}
"""What hides a user from look-ups, and the flows that look."""


@pytest.mark.parametrize("name", LOST)
def test_who_is_not_found_any_more(project: Stage, name: str) -> None:
    statements, flows = LOST[name]
    apply(project, statements)
    results = smoke(project.database, flows)
    seen = {flow: seen_by_client(project, set_scene(project, flow, results[flow])) for flow in flows}
    assert seen == {flow: predicted(results[flow]) for flow in flows}
    assert {result.outcome for result in results.values()} - {Outcome.PASS}


SOUND = {
    "now": """
    CREATE TABLE public.logins (user_id uuid, at timestamptz DEFAULT now(), PRIMARY KEY (user_id, at));
    """
    + meddling(
        "INSERT INTO public.logins (user_id) VALUES (NEW.id); RETURN NEW;",
        "AFTER UPDATE OF last_sign_in_at ON auth.users",
    ),
    "temporary-table": meddling(
        "CREATE TEMP TABLE ctx ON COMMIT DROP AS SELECT NEW.id; RETURN NEW;",
        "AFTER UPDATE OF last_sign_in_at ON auth.users",
    ),
    "parameter": meddling(
        "IF current_setting('app.seen', true) = 'yes' THEN RAISE EXCEPTION 'again'; END IF;"
        " PERFORM set_config('app.seen', 'yes', true); RETURN NEW;",
        "AFTER UPDATE OF last_sign_in_at ON auth.users",
    ),
}
"""What works where each request has a transaction of its own."""


@pytest.mark.parametrize("name", SOUND)
def test_requests_of_their_own(project: Stage, name: str) -> None:
    apply(project, SOUND[name])
    flows = ["login", "verify-magic-link", "refresh-token", "oauth-again"]
    results = smoke(project.database, flows)
    assert {result.outcome for result in results.values()} == {Outcome.PASS}
    for flow in flows:
        assert (flow, seen_by_client(project, ACTS[flow](project))) == (flow, predicted(results[flow]))


def test_a_trigger_that_ends_all_writing(project: Stage) -> None:
    apply(
        project,
        meddling(
            "SET LOCAL transaction_read_only = on; RETURN NEW;", "AFTER UPDATE OF confirmation_token ON auth.users"
        ),
    )
    result = smoke(project.database, ["signup-email"])["signup-email"]
    assert result.outcome is Outcome.FAIL
    assert seen_by_client(project, ACTS["signup-email"](project)) == predicted(result)


FOLLOWING = [flow.name for flow in FLOWS if flow.starts]


def _spoil(stage: Stage, assignment: str) -> None:
    with psycopg.connect(stage.database.conninfo(), prepare_threshold=None) as connection:
        connection.execute(f"UPDATE auth.users SET {assignment}".encode())


def test_a_banned_user(stage: Stage) -> None:
    """Wherever Auth looks at banned_until before it goes on."""
    flows = [name for name in FOLLOWING if not name.startswith("verify-")]
    scenes = {name: ACTS[name](stage) for name in flows}
    with broken(stage.database, meddling("NEW.banned_until := now() + interval '1 day'; RETURN NEW;", SESSION)):
        _spoil(stage, "banned_until = now() + interval '1 day'")
        results = smoke(stage.database, flows)
        for name, scene in scenes.items():
            assert (name, seen_by_client(stage, scene)) == (name, predicted(results[name]))
    refused = {name for name, result in results.items() if result.outcome is Outcome.FAIL}
    assert refused == {name for name in flows if flow_named(name).banned is not None}
    _spoil(stage, "banned_until = NULL")
