"""Which trigger is named for what goes wrong, and which is not. Every case runs on a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.smoke.cases import ALTERING, CASES, HANDLING
from tests.smoke.conftest import Database, apply_as_postgres, by_flow
from tests.smoke.proving import prove_on
from trigger_audit.report.culprits import culprit_words, hidden_text
from trigger_audit.report.table import Style
from trigger_audit.smoke.model import FlowResult, Mail, Outcome, SmokeReport

Prove = Callable[..., SmokeReport]


@pytest.fixture
def prove(fresh_database: Database) -> Prove:
    def run(
        sql: str, flows: Sequence[str] | None = None, *, allow_locks: bool = True, unmask: bool = True
    ) -> SmokeReport:
        apply_as_postgres(fresh_database, sql)
        return prove_on(fresh_database, flows, allow_locks=allow_locks, unmask=unmask)

    return run


def triggers(result: FlowResult) -> list[str]:
    return sorted(culprit.name for culprit in result.culprits if culprit.kind == "trigger")


def test_the_middle_one_of_three(prove: Prove) -> None:
    report = prove(*CASES["the-middle-one-of-three"])
    for result in report.flows:
        (culprit,) = result.culprits
        assert (culprit.kind, culprit.name) == ("trigger", "auth.users.b_middle")
        assert culprit.necessary
        assert culprit.sufficient
        assert culprit.group == ()
        assert result.reason is None or result.reason.startswith("starts from")
    assert [(toggle.trigger, toggle.method) for toggle in report.toggles] == [
        ("auth.users.a_profile", "function-noop"),
        ("auth.users.b_middle", "function-noop"),
        ("auth.users.c_last", "function-noop"),
    ]
    assert report.strongest_lock == "RowExclusiveLock"


def test_only_when_the_token_is_written(prove: Prove) -> None:
    result = by_flow(prove(*CASES["only-when-the-token-is-written"]))["signup-email"]
    assert result.mail is Mail.SENT_TOKEN_LOST
    assert triggers(result) == ["auth.users.on_token"]


def test_only_at_commit(prove: Prove) -> None:
    result = by_flow(prove(*CASES["only-at-commit"]))["signup-email"]
    assert result.failed_step is not None
    assert result.failed_step.statement == "COMMIT"
    assert triggers(result) == ["auth.users.late"]


def test_only_on_login(prove: Prove) -> None:
    results = by_flow(prove(*CASES["only-on-login"]))
    assert results["signup-email"].outcome is Outcome.PASS
    assert results["signup-email"].culprits == ()
    assert triggers(results["login"]) == ["auth.users.seen"]


def test_a_foreign_key_that_blocks_the_deletion_is_named_itself(prove: Prove) -> None:
    results = by_flow(prove(*CASES["a-foreign-key-that-blocks-the-deletion"]))
    assert results["signup-email"].outcome is Outcome.PASS
    (culprit,) = results["delete-user"].culprits
    assert (culprit.kind, culprit.name) == ("constraint", "public.notes.notes_owner")


def test_a_trigger_on_a_users_table_that_fails_in_the_deletion(prove: Prove) -> None:
    results = by_flow(prove(*CASES["a-users-table-that-refuses-the-deletion"]))
    assert triggers(results["delete-user"]) == ["public.profiles.keep"]


def test_only_for_phone_and_anonymous(prove: Prove) -> None:
    results = by_flow(prove(*CASES["only-for-phone-and-anonymous"]))
    assert results["signup-email"].outcome is Outcome.PASS
    assert triggers(results["signup-phone"]) == triggers(results["anonymous"]) == ["auth.users.on_new"]


def test_only_for_a_second_user_of_the_same_name(prove: Prove) -> None:
    results = by_flow(prove(*CASES["only-for-a-second-user-of-the-same-name"]))
    assert results["signup-email"].outcome is Outcome.PASS
    twin = results["signup-email/duplicate"]
    assert twin.failed_step is not None
    assert twin.failed_step.sqlstate == "23505"
    assert triggers(twin) == ["auth.users.on_new"]


@pytest.mark.parametrize("case", ALTERING)
def test_what_alters_the_row_is_named(prove: Prove, case: str) -> None:
    result = by_flow(prove(*ALTERING[case]))["signup-email"]
    assert result.outcome in (Outcome.FAIL, Outcome.ALTERED)
    assert triggers(result) == ["auth.users.quiet"]


def test_recursion(prove: Prove) -> None:
    result = by_flow(prove(*CASES["recursion"]))["signup-email"]
    assert result.failed_step is not None
    assert result.failed_step.sqlstate == "54001"
    assert triggers(result) == ["auth.users.again"]


def test_two_culprits(prove: Prove) -> None:
    result = by_flow(prove(*CASES["two-culprits"]))["signup-email"]
    assert triggers(result) == ["auth.users.first", "auth.users.second"]
    assert all(culprit.necessary and culprit.sufficient for culprit in result.culprits)


def test_a_pair_of_which_either_alone_is_harmless(prove: Prove) -> None:
    result = by_flow(prove(*CASES["a-pair"]))["signup-email"]
    assert [(culprit.name, culprit.necessary, culprit.sufficient) for culprit in result.culprits] == [
        ("auth.users.mark", True, False),
        ("auth.users.refuse", True, False),
    ]


def test_a_fault_two_tables_deeper(prove: Prove) -> None:
    result = by_flow(prove(*CASES["two-tables-deeper"]))["signup-email"]
    (culprit,) = result.culprits
    assert culprit.name == "public.stats.deep"
    assert culprit.sufficient


def test_the_one_that_makes_the_parent_row_is_not_named(prove: Prove) -> None:
    result = by_flow(prove(*CASES["one-makes-the-parent-row-the-next-fails"]))["signup-email"]
    assert triggers(result) == ["auth.users.b_child"]


def test_the_one_that_misses_the_culprits_row_is_not_named(prove: Prove) -> None:
    result = by_flow(prove(*CASES["one-fails-the-next-needs-its-parent-row"]))["signup-email"]
    assert triggers(result) == ["auth.users.a_parent"]
    assert result.reason is not None
    assert "perhaps only because they are off" in result.reason


def test_a_shared_function_is_told_apart_by_the_trigger(prove: Prove) -> None:
    report = prove(*CASES["a-shared-function"])
    (culprit,) = by_flow(report)["signup-email"].culprits
    assert (culprit.name, culprit.group) == ("auth.users.bad", ())
    assert {toggle.method for toggle in report.toggles} == {"when-false"}


def test_without_locks_the_group_that_shares_the_function_is_named(prove: Prove) -> None:
    report = prove(*CASES["a-shared-function"], allow_locks=False)
    (culprit,) = by_flow(report)["signup-email"].culprits
    assert {culprit.name, *culprit.group} == {"auth.users.bad", "auth.users.good"}
    assert not culprit.alone
    assert "auth.users.bad" in culprit_words(culprit)
    assert culprit_words(culprit).endswith(
        " (proved: with them off (they share a function) this does not happen, with them alone on it does)"
    )


def test_of_a_group_the_one_that_auths_statement_fired_is_named_first(prove: Prove) -> None:
    report = prove(
        """
CREATE TABLE public.changes (org_id uuid NOT NULL);
CREATE TABLE public.a_projects (id uuid PRIMARY KEY, org_id uuid);
CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
  INSERT INTO public.changes VALUES ((to_jsonb(new) ->> 'org_id')::uuid);
  RETURN new;
END $$;
CREATE FUNCTION public.start() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
  INSERT INTO public.a_projects VALUES (new.id, new.id);
  RETURN new;
END $$;
CREATE TRIGGER a_start AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.start();
CREATE TRIGGER audit_projects AFTER INSERT ON public.a_projects FOR EACH ROW EXECUTE FUNCTION public.audit();
CREATE TRIGGER audit_users AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.audit();
""",
        ["signup-email"],
        allow_locks=False,
    )
    for result in report.flows:
        (culprit,) = result.culprits
        assert (culprit.name, culprit.group) == ("auth.users.audit_users", ("public.a_projects.audit_projects",))
        assert culprit_words(culprit) == (
            "trigger auth.users.audit_users (proved: with it off this does not happen, with it alone on it does; "
            "public.a_projects.audit_projects went off with it, and cannot have been running)"
        )
    assert report.strongest_lock == "RowExclusiveLock"


def test_a_swallowed_error(prove: Prove) -> None:
    report = prove(*CASES["a-swallowed-error"])
    assert all(result.outcome is Outcome.PASS for result in report.flows)
    (error,) = report.hidden_errors
    assert (error.trigger, error.function, error.line) == ("auth.users.quiet", "public.quiet()", 4)
    assert (error.sqlstate, error.flow) == ("42P01", "signup-email")
    assert (error.handler, error.handler_line) == ("public.quiet()", 5)
    words = hidden_text([error], Style(), {}, None)
    assert "hidden by: an exception handler at line 5; signup-email goes through all the same" in words
    assert by_flow(prove("SELECT 1", ["signup-email"], unmask=False))["signup-email"].outcome is Outcome.PASS


@pytest.mark.parametrize("case", HANDLING)
def test_a_handler_that_is_part_of_the_work_is_left_alone(prove: Prove, case: str) -> None:
    report = prove(*HANDLING[case])
    assert by_flow(report)["signup-email"].outcome is Outcome.PASS
    assert report.hidden_errors == ()


_LOGS = """
CREATE FUNCTION public.log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
  BEGIN
    INSERT INTO public.nowhere VALUES (NEW.id);
  EXCEPTION WHEN OTHERS THEN NULL;
  END;
  RETURN NEW;
END $$;
CREATE TABLE public.aside (id uuid);
CREATE TRIGGER aside AFTER INSERT ON public.aside FOR EACH ROW EXECUTE FUNCTION public.log();
CREATE TRIGGER deleted AFTER DELETE ON auth.users FOR EACH ROW EXECUTE FUNCTION public.log();
"""
_ASIDE = """
CREATE FUNCTION public.mark() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN INSERT INTO public.aside VALUES (NEW.id); RETURN NEW; END $$;
CREATE TRIGGER mark AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.mark();
"""
_DIRECT = "CREATE TRIGGER {} AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.log();\n"
SHARED_HANDLERS = {
    "the one that signing up sets off": (_LOGS + _DIRECT.format("created"), "auth.users.created"),
    "the one whose table another trigger writes": (_LOGS + _ASIDE, "public.aside.aside"),
    "nobody, where two fit": (_LOGS + _DIRECT.format("created") + _DIRECT.format("once_more"), ""),
}


@pytest.mark.parametrize("what", SHARED_HANDLERS)
def test_of_those_that_share_a_function_the_one_that_hid_an_error(prove: Prove, what: str) -> None:
    sql, name = SHARED_HANDLERS[what]
    errors = prove(sql, ["signup-email"]).hidden_errors
    assert {error.trigger for error in errors} == {name}
