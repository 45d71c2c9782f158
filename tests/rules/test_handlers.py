"""What handlers do on a server, and what the scan says of the failures around which they stand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.conftest import FreshDatabase
from tests.rules.judging import judged_case, run_flows
from trigger_audit.findings.model import Severity
from trigger_audit.rules.registry import find_rule

TABLES = """
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.failures (what text);
revoke all on public.failures from supabase_auth_admin;
create function public.note(p_what text) returns void language plpgsql as $$
begin
  raise warning '%', p_what;
end;
$$;
grant usage on schema public to supabase_auth_admin;
grant insert on public.profiles to supabase_auth_admin;
"""

FUNCTION = """
create function public.handle_new_user() returns trigger language plpgsql {security} set search_path = '' as $$
declare
  v_text text;
begin
  insert into public.profiles (id, plan) values (new.id, 'free');
  return new;
exception when others then
  {handler}
end;
$$;
create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""


@dataclass(frozen=True, slots=True)
class Handler:
    """`raised` is what the sign-up fails with on the server; None where it passes."""

    statements: str
    raised: str | None
    security: str = "security definer"


HANDLERS = {
    "missing table": Handler("insert into public.no_such_log (what) values (sqlerrm); return new;", "42P01"),
    "missing function": Handler("perform public.no_such_note(sqlerrm); return new;", "42883"),
    "missing column": Handler("insert into public.failures (why) values (sqlerrm); return new;", "42703"),
    "missing name in a condition": Handler("if public.no_such_test() then return null; end if; return new;", "42883"),
    "missing privilege": Handler("insert into public.failures (what) values (sqlerrm); return new;", "42501", ""),
    "in a block of its own": Handler(
        "begin insert into public.no_such_log (what) values (sqlerrm); end; return new;", "42P01"
    ),
    "behind other statements": Handler(
        "v_text := sqlerrm; raise warning '%', v_text; perform public.no_such_note(v_text); return new;", "42883"
    ),
    "without RETURN": Handler("raise warning 'no profile';", "2F005"),
    "works": Handler("perform public.note(sqlerrm); return new;", None),
    "caught once more": Handler(
        "begin insert into public.no_such_log (what) values (sqlerrm); exception when others then null; end;"
        " return new;",
        None,
    ),
    "behind the return": Handler("return new; insert into public.no_such_log (what) values (sqlerrm);", None),
    "in a branch not taken": Handler(
        "if sqlstate = '23505' then insert into public.no_such_log (what) values (sqlerrm); end if; return new;", None
    ),
    "behind a branch that returns": Handler(
        "if sqlstate like '42%' then return new; end if; perform public.no_such_note(sqlerrm); return new;", None
    ),
    "raises what it does not name": Handler("if sqlstate = '23505' then return new; end if; raise;", "42703"),
    "raises in both branches": Handler(
        "if new.email is null then raise; else raise exception 'no profile'; end if;", "P0001"
    ),
    "returns for the very state": Handler("if sqlstate = '42703' then return new; end if; raise;", None),
    "CASE without the state": Handler(
        "case sqlstate when '23505' then return new; when '23503' then return new; end case;", "20000"
    ),
    "CASE with the state": Handler("case sqlstate when '42703' then return new; else raise; end case;", None),
}


@pytest.mark.parametrize("name", HANDLERS)
def test_a_failure_is_hidden_exactly_where_the_flow_passes(name: str, fresh_database: FreshDatabase) -> None:
    """The INSERT names a column that does not exist; the handler decides whether the sign-up fails with that."""
    handler = HANDLERS[name]
    fresh_database.apply(TABLES + FUNCTION.format(security=handler.security, handler=handler.statements))
    _, findings = judged_case(fresh_database)
    (inside,) = [
        finding for finding in findings if finding.rule == "TA103" and finding.place and finding.place.line == 5
    ]
    (flow,) = [flow for flow in run_flows(fresh_database, ["signup-email"]) if flow.payload == "bare"]

    if handler.raised is None:
        assert flow.outcome == "pass", flow
        assert inside.hidden_by == 7
        assert inside.severity is Severity.WARNING
    else:
        assert flow.failed_step is not None, flow
        assert flow.failed_step.sqlstate == handler.raised
        assert inside.hidden_by is None
        assert inside.severity is Severity.ERROR
    assert [finding for finding in findings if finding.rule == "TA302"] == []


CALLER = """
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create function public.make_profile(p_user uuid) returns void language plpgsql set search_path = '' as $$
begin
  insert into public.profiles (id, plan) values (p_user, 'free');
end;
$$;
create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  begin
    perform public.make_profile(new.id);
  exception
    when undefined_column then
      {first}
    when others then
      null;
  end;
  return new;
end;
$$;
create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""


@pytest.mark.parametrize(
    ("first", "raised"),
    [("raise;", "42703"), ("insert into public.no_such_log values (1);", "42P01"), ("raise log 'lost';", None)],
)
def test_the_same_holds_for_the_handlers_of_a_caller(
    first: str, raised: str | None, fresh_database: FreshDatabase
) -> None:
    """What one handler of a block raises, the others of that block do not catch."""
    fresh_database.apply(CALLER.format(first=first))
    _, findings = judged_case(fresh_database)
    (inside,) = [finding for finding in findings if finding.rule == "TA103"]
    (flow,) = [flow for flow in run_flows(fresh_database, ["signup-email"]) if flow.payload == "bare"]
    assert (flow.failed_step and flow.failed_step.sqlstate) == raised
    assert (inside.hidden_by, inside.severity) == ((6, Severity.WARNING) if raised is None else (None, Severity.ERROR))


AUDIT = """
create table public.audit_log (id bigint generated always as identity, entry text);
create function public.note_event() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into public.audit_log (entry) values (tg_op);
  return null;
end;
$$;
create trigger note_event after {event} on auth.users for each row execute function public.note_event();
"""


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("insert", "is optional to the sign-up, yet"),
        ("delete", "is optional to delete-user, yet"),
        ("update of last_sign_in_at", "is optional to login and "),
    ],
)
def test_a_missing_handler_is_told_by_what_fails_with_it(event: str, said: str, fresh_database: FreshDatabase) -> None:
    fresh_database.apply(AUDIT.format(event=event))
    _, findings = judged_case(fresh_database)
    (found,) = [finding for finding in findings if finding.rule == "TA301"]
    assert said in found.message


def test_what_is_named_inside_silences_the_handler(fresh_database: FreshDatabase) -> None:
    """The bad example with a column that is not there: then that is the fault, and the handler only hides it."""
    bad = find_rule("TA302").bad.replace("(id, plan_id)", "(id, plan)")
    fresh_database.apply(bad)
    _, findings = judged_case(fresh_database)
    told = {(found.rule, found.hidden_by) for found in findings if found.severity is not Severity.INFO}
    assert told == {("TA103", 8), ("TA106", 8)}
