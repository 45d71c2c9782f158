"""Auth finds a user by what the client has, not by an id: who cannot be found so is not known to the next request."""

from __future__ import annotations

import pytest

from tests.smoke.conftest import Run, by_flow
from trigger_audit.smoke.model import Change, Mail, Outcome


def on(table: str, body: str, when: str) -> str:
    return f"""
    CREATE FUNCTION public.meddles() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
    BEGIN
      {body}
      RETURN NEW;
    END $$;
    CREATE TRIGGER meddles {when} ON auth.{table} FOR EACH ROW EXECUTE FUNCTION public.meddles();
    """


ADDRESS = on("users", "NEW.email := 'x' || NEW.email;", "BEFORE INSERT")
INSTANCE = on("users", "NEW.instance_id := gen_random_uuid();", "BEFORE INSERT")
REVOKED = on("refresh_tokens", "NEW.revoked := true;", "BEFORE INSERT")
REMOVED = on("refresh_tokens", "DELETE FROM auth.refresh_tokens WHERE id = NEW.id;", "AFTER INSERT")
WITHOUT_SESSION = on("refresh_tokens", "NEW.session_id := NULL;", "BEFORE INSERT")
ENDED = on("mfa_amr_claims", "DELETE FROM auth.sessions WHERE id = NEW.session_id;", "AFTER INSERT OR UPDATE")
ENDED_LATER = """
CREATE FUNCTION public.meddles() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
  DELETE FROM auth.sessions WHERE id = NEW.session_id;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER meddles AFTER INSERT ON auth.mfa_amr_claims DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION public.meddles();
"""
"""At COMMIT."""
EXPIRED = on("sessions", "NEW.not_after := now() - interval '1 day';", "BEFORE INSERT")
EXPIRES = on("sessions", "NEW.not_after := now() + interval '1 day';", "BEFORE INSERT")
PROVIDER_ID = on("identities", "NEW.provider_id := 'x' || NEW.user_id;", "BEFORE INSERT")


@pytest.mark.parametrize(
    ("sql", "flow", "status", "message", "told"),
    [
        (ADDRESS, "login", 400, "Invalid login credentials", "no user is found by the address "),
        (INSTANCE, "login", 400, "Invalid login credentials", "no user is found by the address "),
        (INSTANCE, "delete-user", 404, "User not found", "no user has that id and an instance_id of zeros"),
        (
            REVOKED,
            "refresh-token",
            400,
            "Invalid Refresh Token: Already Used",
            "auth.refresh_tokens.revoked is true",
        ),
        (
            REMOVED,
            "refresh-token",
            400,
            "Invalid Refresh Token: Refresh Token Not Found",
            "no row of auth.refresh_tokens has the token",
        ),
        (
            WITHOUT_SESSION,
            "refresh-token",
            400,
            "Invalid Refresh Token: No Valid Session Found",
            "no row of auth.sessions has the token's session_id",
        ),
        (
            EXPIRED,
            "refresh-token",
            400,
            "Invalid Refresh Token: Session Expired",
            "auth.sessions.not_after lies in the past",
        ),
        (
            ENDED_LATER,
            "update-user",
            403,
            "Session from session_id claim in JWT does not exist",
            "no row of auth.sessions has the session's id",
        ),
    ],
)
def test_who_is_not_found_is_refused(smoke: Run, sql: str, flow: str, status: int, message: str, told: str) -> None:
    result = by_flow(smoke(sql, [flow]))[flow]
    assert result.outcome is Outcome.FAIL
    assert result.response is not None
    assert (result.response.status, result.response.message) == (status, message)
    assert result.failed_step is not None
    assert (result.failed_step.index, result.failed_step.sqlstate) == (0, None)
    assert result.failed_step.message.startswith(told)


def test_an_innocent_constraint_is_not_met(smoke: Run) -> None:
    """The session is gone, and its tokens with it: no statement runs that would miss them."""
    result = by_flow(smoke(ENDED_LATER, ["refresh-token"]))["refresh-token"]
    assert result.failed_step is not None
    assert (result.failed_step.statement, result.failed_step.constraint) == ("SELECT auth.refresh_tokens", None)


def test_a_session_that_is_gone_at_once(smoke: Run) -> None:
    """Auth reads it in the same request, for the access token."""
    result = by_flow(smoke(ENDED, ["login"]))["login"]
    assert result.outcome is Outcome.FAIL
    assert result.failed_step is not None
    assert result.failed_step.statement == "SELECT auth.sessions"
    assert result.response is not None
    assert result.response.message == "error generating jwt token"


def test_a_session_that_ends_one_day(smoke: Run) -> None:
    assert by_flow(smoke(EXPIRES, ["refresh-token"]))["refresh-token"].outcome is Outcome.PASS


def test_a_recovery_for_nobody(smoke: Run) -> None:
    """Auth says that all is well, so that nobody learns who has an account."""
    result = by_flow(smoke(ADDRESS, ["recovery"]))["recovery"]
    assert (result.outcome, result.mail) == (Outcome.ALTERED, Mail.SKIPPED)
    assert [(change.what, change.found) for change in result.changes] == [("auth.users, looked up by email", "no row")]
    assert result.response is not None
    assert result.response.status == 200


def test_a_magic_link_for_an_address_that_an_identity_has(smoke: Run) -> None:
    """Auth takes it for a repeated sign-up, which gets no mail: its identity has the address that the client gave."""
    once = "IF NEW.email_confirmed_at IS NOT NULL THEN NEW.email := 'x' || NEW.email; END IF;"
    result = by_flow(smoke(on("users", once, "BEFORE UPDATE OF email_confirmed_at"), ["magic-link"]))["magic-link"]
    assert (result.outcome, result.mail) == (Outcome.ALTERED, Mail.SKIPPED)


def test_a_magic_link_for_an_address_that_nobody_has(smoke: Run) -> None:
    """The identity has been given the address that the trigger has written: for Auth this is a new user. But the
    trigger writes the same again."""
    result = by_flow(smoke(ADDRESS, ["magic-link"]))["magic-link"]
    assert (result.outcome, result.mail) == (Outcome.FAIL, Mail.NOT_SENT)
    assert result.failed_step is not None
    assert (result.failed_step.sqlstate, result.failed_step.statement) == ("23505", "INSERT auth.users")


def test_a_magic_link_for_an_address_that_only_an_index_knows(smoke: Run) -> None:
    """Auth signs up whom it does not find, and the unique index on the address stands against it."""
    result = by_flow(smoke(INSTANCE, ["magic-link"]))["magic-link"]
    assert (result.outcome, result.mail) == (Outcome.FAIL, Mail.NOT_SENT)
    assert result.failed_step is not None
    assert (result.failed_step.sqlstate, result.failed_step.statement) == ("23505", "INSERT auth.users")
    assert result.response is not None
    assert result.response.message == "Database error saving new user"


def test_an_identity_that_is_not_found_again(smoke: Run) -> None:
    """Auth links a second one, to the user with the address."""
    found = by_flow(smoke(PROVIDER_ID, ["oauth-first", "oauth-again"]))
    assert found["oauth-first"].outcome is Outcome.ALTERED
    again = found["oauth-again"]
    assert again.outcome is Outcome.FAIL
    assert again.failed_step is not None
    assert (again.failed_step.sqlstate, again.failed_step.statement) == ("23505", "INSERT auth.identities")
    assert again.response is not None
    assert again.response.message == "Error creating identity"


def test_an_identity_that_is_gone_is_linked_anew(smoke: Run) -> None:
    removes = on("users", "DELETE FROM auth.identities WHERE user_id = NEW.id;", "AFTER UPDATE OF email_confirmed_at")
    again = by_flow(smoke(removes, ["oauth-again"]))["oauth-again"]
    assert again.failed_step is None
    assert again.outcome is Outcome.ALTERED
    assert [change.found for change in again.changes] == ["no row"]


def test_an_identity_that_a_trigger_removes(smoke: Run) -> None:
    removes = on("users", "DELETE FROM auth.identities WHERE user_id = NEW.id;", "AFTER UPDATE OF confirmation_token")
    result = by_flow(smoke(removes, ["signup-email"]))["signup-email"]
    assert result.outcome is Outcome.ALTERED
    assert result.changes == (Change("auth.identities, looked up by provider_id", "<uuid>", "no row"),)
