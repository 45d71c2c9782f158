"""A user whom Auth cannot read when the next request comes: what the client reads then."""

from __future__ import annotations

import psycopg
import pytest

from tests.conformance.acting import ACTS, Stage
from tests.conformance.breaking import broken, predicted, seen_by_client, smoke
from trigger_audit.auth import FLOWS

_SPOILT = """
CREATE FUNCTION public.conformance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.{column} := {value};
  RETURN NEW;
END $$;
CREATE TRIGGER conformance BEFORE UPDATE ON auth.users FOR EACH ROW WHEN ({when})
  EXECUTE FUNCTION public.conformance();
"""

# Sign-ups read the row after the role is written, and must come through.
_AFTER_SIGN_UP = "OLD.role <> ''"
_WITH_TOKEN = "NEW.recovery_token <> '' OR NEW.email_change_token_new <> ''"
_BY_TOKEN = ("verify-magic-link", "verify-email-change")
_OTHERS = tuple(flow.name for flow in FLOWS if flow.starts and flow.name not in _BY_TOKEN)

_WORDED = ("oauth-again", "refresh-token")
"""The flows whose answer holds Auth's own words for what it cannot read."""


def _differences(stage: Stage, flows: tuple[str, ...], column: str, value: str, when: str) -> list[str]:
    scenes = {name: ACTS[name](stage) for name in flows}
    with broken(stage.database, _SPOILT.format(column=column, value=value, when=when)):
        results = smoke(stage.database, flows)
        with psycopg.connect(stage.database.conninfo(), autocommit=True, prepare_threshold=None) as connection:
            emails = [scene.who.email for scene in scenes.values()]
            phones = [scene.who.phone for scene in scenes.values()]
            spoilt = connection.execute(
                "UPDATE auth.users SET aud = aud WHERE email = ANY (%s) OR phone = ANY (%s)", (emails, phones)
            )
            assert spoilt.rowcount == len(flows)
        seen = {name: seen_by_client(stage, scene) for name, scene in scenes.items()}
    for name, result in results.items():
        assert result.failed_step is not None, name
        assert (result.failed_step.index, result.failed_step.sqlstate) == (0, None), result
    return [
        f"{name}: Auth {seen[name]}, smoke {predicted(results[name])}"
        for name in flows
        if seen[name] != predicted(results[name])
    ]


@pytest.mark.parametrize(
    ("flows", "when"), [(_OTHERS, _AFTER_SIGN_UP), (_BY_TOKEN, _WITH_TOKEN)], ids=["others", "by token"]
)
def test_a_null_that_auth_cannot_take(stage: Stage, flows: tuple[str, ...], when: str) -> None:
    assert _differences(stage, flows, "reauthentication_token", "NULL", when) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("email_change_confirm_status", "NULL"),
        ("updated_at", "NULL"),
        ("raw_user_meta_data", "'[1]'"),
        ("raw_app_meta_data", "'\"text\"'"),
        ("raw_app_meta_data", "'7.5'"),
        ("raw_app_meta_data", "'true'"),
        ("banned_until", "'infinity'"),
        ("recovery_sent_at", "'-infinity'"),
    ],
)
def test_auths_own_words(stage: Stage, column: str, value: str) -> None:
    assert _differences(stage, _WORDED, column, value, "NEW.last_sign_in_at IS NOT NULL") == []


@pytest.mark.parametrize("address", ["NULL", "''", "'nonsense'"])
@pytest.mark.parametrize("flow", ["signup-email", "signup-otp", "invite"])
def test_a_sign_up_whose_address_is_gone(stage: Stage, flow: str, address: str) -> None:
    """Auth sends to the address in the row that it has read back, and nobody gets anything."""
    scene = ACTS[flow](stage)
    statements = _SPOILT.format(column="email", value=address, when="true").replace("BEFORE UPDATE", "BEFORE INSERT")
    with broken(stage.database, statements):
        result = smoke(stage.database, (flow,))[flow]
        seen = seen_by_client(stage, scene)
    assert seen == predicted(result)
    assert result.failed_step is not None
    assert result.failed_step.statement == "MAIL"
