"""Values: what is claimed, and that PostgreSQL agrees with each claim."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.analysis.sites import OTHER, value
from trigger_audit.auth.model import Origin

PHONELESS = frozenset({"anonymous", "signup-phone"})
EVERY_INSERT = frozenset(
    {"signup-email", "signup-autoconfirm", "signup-otp", "oauth-first", "invite", "admin-create"} | PHONELESS
)
ROLE = "new.raw_user_meta_data ->> 'role'"


@pytest.mark.parametrize(
    ("text", "flows", "reason"),
    [
        ("new.email", PHONELESS, "NEW.email"),
        ("new.\"email\"", PHONELESS, "NEW.email"),
        ("(new).email", PHONELESS, "NEW.email"),
        ("to_jsonb(new) ->> 'email'", PHONELESS, "NEW.email"),
        ("split_part(new.email, '@', 1)", PHONELESS, "NEW.email"),
        ("pg_catalog.lower(new.email)", PHONELESS, "NEW.email"),
        ("'a' || new.email", PHONELESS, "NEW.email"),
        ("new.raw_user_meta_data ->> 'full_name'", EVERY_INSERT, "the metadata key full_name"),
        ("new.raw_user_meta_data -> 'address' ->> 'city'", EVERY_INSERT, "the metadata key address"),
        ("new.raw_user_meta_data #>> '{address,city}'", EVERY_INSERT, "the metadata key address"),
        ("new.raw_user_meta_data['x']", EVERY_INSERT, "the metadata key x"),
        ("jsonb_extract_path_text(new.raw_user_meta_data, 'a', 'b')", EVERY_INSERT, "the metadata key a"),
        ("(new.raw_user_meta_data ->> 'age')::int", EVERY_INSERT, "the metadata key age"),
        ("new.raw_user_meta_data ->> 'sub'", EVERY_INSERT - {"oauth-first"}, "the metadata key sub"),
        ("new.raw_app_meta_data ->> 'provider'", frozenset({"anonymous"}), "the app metadata key provider"),
        ("coalesce(new.raw_user_meta_data ->> 'name', new.email)", PHONELESS, "NEW.email"),
        ("coalesce(new.raw_user_meta_data ->> 'name', 'x')", frozenset(), ""),
        ("concat('a', new.email)", frozenset(), ""),
        ("concat_ws(' ', new.email)", frozenset(), ""),
        ("format('%s', new.email)", frozenset(), ""),
        ("greatest(new.email, 'x')", frozenset(), ""),
        ("greatest(new.email, new.email)", PHONELESS, "NEW.email"),
        ("nullif(new.role, '')", EVERY_INSERT, "NULLIF(new.role, '')"),
        ("old.email", EVERY_INSERT, "OLD.email"),
        ("NULL", EVERY_INSERT, "NULL"),
        ("auth.uid()", EVERY_INSERT, "auth.uid()"),
        ("auth.jwt() ->> 'sub'", EVERY_INSERT, "auth.jwt()"),
        ("nullif(current_setting('request.jwt.claim.sub', true), '')::uuid", EVERY_INSERT,
         "current_setting('request.jwt.claim.sub', true)"),
        ("(SELECT id FROM public.plans WHERE name = 'free')", EVERY_INSERT, "a look-up that may find no row"),
        ("(SELECT count(*) FROM public.plans)", frozenset(), ""),
        ("coalesce((SELECT id FROM public.plans LIMIT 1), 1)", frozenset(), ""),
        ("CASE WHEN new.email IS NOT NULL THEN new.email ELSE 'x' END", frozenset(), ""),
        ("CASE WHEN new.email IS NULL THEN 'x' ELSE new.email END", frozenset(), ""),
        ("CASE WHEN new.email IS NOT NULL THEN 'x' END", PHONELESS, "a CASE without ELSE, where NEW.email is missing,"),
        (f"CASE {ROLE} WHEN 'a' THEN 'b' END", EVERY_INSERT,
         "a CASE without ELSE, where the metadata key role is missing,"),
        ("now()", frozenset(), ""),
        ("new.email IS NULL", frozenset(), ""),
        ("EXISTS (SELECT 1 FROM public.plans)", frozenset(), ""),
        # What is not known is not claimed.
        ("public.slug_of(new.email)", frozenset(), ""),
        ("v_unknown", frozenset(), ""),
        ("p.name", frozenset(), ""),
        ("new.no_such_column", frozenset(), ""),
        ("nullif(new.email, new.phone)", PHONELESS, "NEW.email"),
        ("new.raw_user_meta_data ->> v_key", frozenset(), ""),
    ],
)  # fmt: skip
def test_where_a_value_may_be_null(text: str, flows: frozenset[str], reason: str) -> None:
    found = value(text)
    assert (found.null_in, found.null_reason) == (flows, reason)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("new.email IS NULL", False),
        ("new.email IS NOT NULL", True),
        ("NOT (new.email IS NULL)", True),
        ("new.email IS NULL OR new.email = ''", False),
        ("new.phone = '1' AND new.email IS NOT NULL", True),
        ("coalesce(new.email, '') <> ''", True),
        ("coalesce(new.email, '') = ''", False),
        ("length(new.email) > 3", True),
        ("new.email LIKE '%@corp.com'", True),
        ("lower(new.email) IN ('a', 'b')", True),
        ("nullif(trim(new.email), '') IS NULL", False),
        ("new.email IS DISTINCT FROM NULL", True),
        ("NOT (new.email = '')", True),
    ],
)
def test_conditions_that_rule_null_out(condition: str, holds: bool) -> None:
    assert value("split_part(new.email, '@', 1)", [(condition, holds)]).null_in == frozenset()


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("new.email = ''", False),  # not true: NULL passes
        ("new.email IS NULL AND new.phone IS NULL", False),
        ("new.email IS NOT NULL OR new.phone IS NOT NULL", True),
        ("NOT (new.email = '')", False),
        ("new.email NOT IN ('a', 'b')", False),
        ("coalesce(new.email, 'x') <> ''", True),
        ("new.phone IS NOT NULL", True),
    ],
)
def test_conditions_that_do_not(condition: str, holds: bool) -> None:
    assert "signup-phone" in value("new.email", [(condition, holds)]).null_in


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("new.raw_user_meta_data ->> 'kind' = 'company'", True),
        ("new.raw_user_meta_data ->> 'kind' IS NULL", False),
        ("new.raw_user_meta_data ? 'kind' AND new.raw_user_meta_data ->> 'kind' = 'company'", True),
    ],
)
def test_no_missing_key_is_claimed_where_a_bare_sign_up_does_not_come(condition: str, holds: bool) -> None:
    assert value("new.raw_user_meta_data ->> 'company_name'", [(condition, holds)]).null_in == frozenset()
    text = f"CASE WHEN {condition} THEN new.raw_user_meta_data ->> 'company_name' ELSE 'x' END"
    assert value(text if holds else "'x'").null_in == frozenset()


def test_a_missing_key_is_claimed_where_a_bare_sign_up_comes() -> None:
    for condition, holds in [("new.raw_user_meta_data ->> 'kind' = 'company'", False), ("new.email LIKE '%@x'", True)]:
        found = value("new.raw_user_meta_data ->> 'company_name'", [(condition, holds)])
        assert "signup-email" in found.null_in
    assert "anonymous" not in found.null_in  # NULL LIKE is not true


def test_a_key_that_is_there_is_not_missing() -> None:
    text = "CASE WHEN new.raw_user_meta_data ? 'name' THEN new.raw_user_meta_data ->> 'name' ELSE 'x' END"
    assert value(text).null_in == frozenset()


def test_auth_writes_some_keys_by_a_later_update() -> None:
    later = value("new.raw_user_meta_data ->> 'sub'", event="UPDATE")
    assert "signup-email" in later.null_in  # the UPDATE of role comes first
    assert "oauth-first" not in later.null_in
    assert "verify-signup" not in later.null_in


def test_nothing_is_known_of_rows_that_auth_did_not_write() -> None:
    for text in ("new.email", "new.raw_user_meta_data ->> 'x'", "auth.uid()"):
        found = value(text, table=OTHER)
        assert (found.null_in, found.always_null, found.origins) == (frozenset(), False, frozenset())
    assert value("NULL", table=OTHER).always_null


@pytest.mark.parametrize(
    ("text", "conditions", "constants"),
    [
        ("'member'", [], {"member"}),
        ("'member'::public.user_role", [], {"member"}),
        (f"({ROLE})::public.user_role", [], {"user", "editor"}),
        (f"({ROLE})::user_role", [], {"user", "editor"}),
        (f"coalesce({ROLE}, 'member')", [], None),
        (f"CASE {ROLE} WHEN 'editor' THEN 'editor' ELSE 'user' END", [], {"editor", "user"}),
        (f"CASE WHEN {ROLE} IN ('a', 'b') THEN {ROLE} ELSE 'user' END", [], {"a", "b", "user"}),
        (f"CASE WHEN {ROLE} = 'a' THEN {ROLE} ELSE 'user' END", [], {"a", "user"}),
        (f"CASE WHEN {ROLE} = 'a' THEN 'user' ELSE {ROLE} END", [], None),
        (ROLE, [(f"{ROLE} IN ('a', 'b')", True)], {"a", "b"}),
        (ROLE, [(f"({ROLE})::text = ANY (ARRAY['a', 'b'])", True)], {"a", "b"}),
        (ROLE, [(f"{ROLE} NOT IN ('a', 'b')", False)], {"a", "b"}),
        (ROLE, [(f"{ROLE} IN ('a', v_other)", True)], None),
        (ROLE, [(f"{ROLE} NOT IN ('a', 'b')", True)], None),
        (ROLE, [(f"lower({ROLE}) IN ('a', 'b')", True)], None),
        (f"lower({ROLE})", [(f"lower({ROLE}) IN ('a', 'b')", True)], {"a", "b"}),
        ("upper('a')", [], {"A"}),
        (f"{ROLE} = 'admin'", [], {"true", "false"}),
        ("new.role", [], {""}),
        ("NULL", [], set()),
    ],
)
def test_the_values_it_can_have(text: str, conditions: list[tuple[str, bool]], constants: set[str] | None) -> None:
    assert value(text, conditions).possible_constants == constants


def test_a_constant_is_one_text_that_is_never_null() -> None:
    assert value("'it''s'").constant == "it's"
    assert value("-1").constant == "-1"
    assert value("CASE WHEN new.email IS NOT NULL THEN 'x' END").constant is None
    assert value("new.email").constant is None


def test_what_a_value_derives_from() -> None:
    found = value("coalesce(new.raw_user_meta_data ->> 'name', new.raw_user_meta_data -> 'a' ->> 'b', new.email, 'x')")
    assert found.origins == {Origin.USER_METADATA, Origin.EMAIL, Origin.CONSTANT}
    assert found.metadata_keys == {"name", "a.b"}
    assert value(f"public.f({ROLE})").origins == {Origin.USER_METADATA}
    assert value("new.raw_app_meta_data ->> 'role'").metadata_keys == frozenset()
    chosen = value(f"CASE WHEN {ROLE} = 'admin' THEN 'admin' ELSE 'user' END")
    assert Origin.USER_METADATA in chosen.origins
    assert chosen.metadata_keys == {"role"}


# -- against the server

FIELDS = st.sampled_from(
    ["new.email", "new.raw_user_meta_data ->> 'name'", "'x'", "NULL", "new.raw_app_meta_data ->> 'provider'", "''",
     "new.role", "new.phone"]
)  # fmt: skip


def _texts(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    three = st.tuples(inner, inner, inner)
    return st.one_of(
        two.map(lambda p: f"coalesce({p[0]}, {p[1]})"),
        two.map(lambda p: f"(({p[0]}) || ({p[1]})::text)"),
        two.map(lambda p: f"concat({p[0]}, {p[1]})"),
        two.map(lambda p: f"concat_ws({p[0]}, {p[1]})"),
        two.map(lambda p: f"greatest(({p[0]})::text, {p[1]})"),
        two.map(lambda p: f"nullif(({p[0]})::text, {p[1]})"),
        inner.map(lambda p: f"lower({p})"),
        inner.map(lambda p: f"split_part({p}, '@', 1)"),
        three.map(lambda p: f"CASE WHEN ({p[0]}) IS NOT NULL THEN ({p[0]})::text ELSE ({p[2]})::text END"),
        three.map(lambda p: f"CASE WHEN ({p[0]})::text IS NULL THEN {p[1]} ELSE ({p[0]})::text END"),
        three.map(lambda p: f"CASE WHEN ({p[0]})::text = {p[1]} THEN ({p[2]})::text END"),
        two.map(lambda p: f"CASE ({p[0]})::text WHEN 'x' THEN ({p[1]})::text ELSE 'y' END"),
        two.map(lambda p: f"CASE WHEN coalesce({p[0]}, '') <> '' THEN ({p[0]})::text ELSE ({p[1]})::text END"),
        two.map(lambda p: f"CASE WHEN ({p[0]})::text IN ('a', 'x') THEN ({p[0]})::text ELSE concat({p[1]}) END"),
        two.map(lambda p: f"(({p[0]})::text = {p[1]})::text"),
        two.map(lambda p: f"(({p[0]})::text IS DISTINCT FROM {p[1]})::text"),
    )


TEXTS = st.recursive(FIELDS, _texts, max_leaves=6)

# The rows that two flows' INSERT leaves: an anonymous user, and a bare sign-up by e-mail.
ROWS = {
    "anonymous": "NULL::text AS email, NULL::text AS phone, '{}'::jsonb AS raw_user_meta_data, "
    "'{}'::jsonb AS raw_app_meta_data, '' AS role",
    "signup-email": "'a@b.c' AS email, NULL::text AS phone, '{}'::jsonb AS raw_user_meta_data, "
    "'{\"provider\": \"email\"}'::jsonb AS raw_app_meta_data, '' AS role",
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(TEXTS)
def test_the_server_agrees_about_generated_values(connection: psycopg.Connection[Any], text: str) -> None:
    found = value(text)
    for flow, row in ROWS.items():
        answer = connection.execute(f"SELECT ({text})::text FROM (SELECT {row}) AS new".encode()).fetchone()
        assert answer is not None
        (given_value,) = answer
        if found.always_null:
            assert given_value is None
        if given_value is not None and found.possible_constants is not None:
            assert given_value in found.possible_constants
        if found.constant is not None:
            assert given_value == found.constant
        if not depends_on_more_than_null(text):
            assert (given_value is None) == (flow in found.null_in)


def depends_on_more_than_null(text: str) -> bool:
    """Then NULL is possible in the flow, no more, and possible only where a branch is known to be reached."""
    return "CASE" in text or "nullif" in text
