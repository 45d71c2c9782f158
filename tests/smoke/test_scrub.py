"""Nothing random is reported."""

from __future__ import annotations

import json

from tests.conftest import FreshDatabase
from tests.rules.judging import run_flows
from trigger_audit.report.smoke_json import flow_document
from trigger_audit.smoke.scrub import scrubbed

SQL = """
create table public.profiles (
  id uuid primary key, email text, at timestamptz not null default now(), name text not null
);
create function public.f() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email);
  return new;
end $$;
create trigger t after insert on auth.users for each row execute function public.f();
"""


def test_two_runs_tell_the_same(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(SQL)

    def told() -> str:
        documents = [flow_document(flow) for flow in run_flows(fresh_database, None)]
        return json.dumps([{**document, "milliseconds": 0} for document in documents])

    first = told()
    assert "Failing row contains (<uuid>, trigger-audit-<random>@example.com, <time>, null)" in first
    assert told() == first


def test_ordinary_text_is_left_alone() -> None:
    text = 'null value in column "at" of relation "profiles-2024-01-01" violates not-null constraint (999)'
    assert scrubbed(text) == text


def test_what_a_trigger_writes_in_capitals_is_left_out_too() -> None:
    text = "TRIGGER-AUDIT-B09989AE83E31F90@EXAMPLE.COM of 0F8FAD5B-D9CB-469F-A165-70867728950E"
    assert scrubbed(text) == "TRIGGER-AUDIT-<random>@EXAMPLE.COM of <uuid>"
