"""What triggers see: the states that the steps fold to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trigger_audit.auth import FLOWS, Nullability, Origin, firings, initial_state


def test_a_users_row_is_always_complete() -> None:
    rows = [row for f in firings() if f.table == "auth.users" for row in (f.old, f.new) if row is not None]
    assert rows
    assert {len(row) for row in rows} == {35}


def test_events_have_the_rows_that_a_trigger_gets() -> None:
    for firing in firings():
        assert (firing.old is None) == (firing.event == "INSERT")
        assert (firing.new is None) == (firing.event == "DELETE")
        assert bool(firing.columns) == (firing.event == "UPDATE")
    assert {firing.flow for firing in firings()} == {flow.name for flow in FLOWS}


@pytest.mark.parametrize(
    ("flow", "email", "phone"),
    [
        ("signup-email", Nullability.NEVER, Nullability.ALWAYS),
        ("oauth-first", Nullability.NEVER, Nullability.ALWAYS),
        ("signup-phone", Nullability.ALWAYS, Nullability.NEVER),
        ("anonymous", Nullability.ALWAYS, Nullability.ALWAYS),
    ],
)
def test_insert(flow: str, email: Nullability, phone: Nullability) -> None:
    state = initial_state(flow, 1)
    assert (state["email"].nullability, state["email"].origin) == (email, Origin.EMAIL)
    assert (state["phone"].nullability, state["phone"].origin) == (phone, Origin.PHONE)
    metadata = state["raw_user_meta_data"]
    assert (metadata.nullability, metadata.origin, metadata.value) == (Nullability.NEVER, Origin.USER_METADATA, None)
    assert state["role"].value == "''"
    assert state["confirmation_token"].value == "''"
    assert state["email_confirmed_at"].nullability is Nullability.ALWAYS
    assert state["is_sso_user"].value == "false"
    assert state["id"].origin is Origin.ID


def test_later_statements_build_on_earlier_ones() -> None:
    assert initial_state("signup-email", 2)["role"].value == "'authenticated'"
    token = initial_state("signup-email", 9)["confirmation_token"]
    assert (token.nullability, token.origin, token.value) == (Nullability.NEVER, Origin.GENERATED, None)
    assert initial_state("signup-autoconfirm", 9)["email_confirmed_at"].nullability is Nullability.NEVER


def test_a_flow_that_several_flows_lead_to_starts_from_all_of_them() -> None:
    old = initial_state("delete-user", 2)
    assert old["invited_at"].nullability is Nullability.SOMETIMES
    assert old["email_confirmed_at"].nullability is Nullability.SOMETIMES
    assert old["email"].nullability is Nullability.NEVER


def test_mail_and_message_go_with_the_statement() -> None:
    after_mail = {(f.step, f.table) for f in firings() if f.flow == "signup-email" and f.after_mail}
    assert after_mail == {(9, "auth.users"), (10, "auth.one_time_tokens"), (11, "auth.one_time_tokens")}


def test_a_step_that_only_reads_has_no_state() -> None:
    with pytest.raises(KeyError):
        initial_state("signup-email", 3)
    with pytest.raises(KeyError):
        initial_state("no-such-flow", 1)


def test_what_a_project_enables_is_not_latent() -> None:
    assert {firing.flow for firing in firings() if firing.latent} == {"signup-phone", "anonymous", "verify-phone"}
    enabled = firings(frozenset({"anonymous", "login"}))
    assert {firing.flow for firing in enabled if firing.latent} == {"signup-phone", "verify-phone"}
    assert [replace(firing, latent=False) for firing in enabled] == [replace(f, latent=False) for f in firings()]
