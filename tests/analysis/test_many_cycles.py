"""Triggers that all write the table which fires them: followed as far as that takes seconds, and no word kept back."""

from __future__ import annotations

import time

import pytest

from tests.conftest import FreshDatabase
from tests.rules.judging import judged_case
from trigger_audit.pipeline import not_analysed

GUARDED = """
create function public.mark_{0}() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if new.raw_user_meta_data ->> 'k{0}' is distinct from 'v' then
    update auth.users set raw_user_meta_data = raw_user_meta_data || '{{"k{0}": "v"}}' where id = new.id;
  end if;
  return null;
end $$;
create trigger mark_{0} after insert or update on auth.users for each row execute function public.mark_{0}();
"""
ENDLESS = """
create function public.a_first() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  update auth.users set updated_at = now() where id = new.id;
  return null;
end $$;
create trigger a_first after update on auth.users for each row execute function public.a_first();
"""


@pytest.mark.parametrize(("count", "told"), [(3, False), (25, True)])
def test_guarded_triggers_that_write_one_table(fresh_database: FreshDatabase, count: int, told: bool) -> None:
    fresh_database.apply(ENDLESS + "".join(GUARDED.format(number) for number in range(count)))
    started = time.process_time()
    audit, findings = judged_case(fresh_database)
    # Three seconds on a machine at rest; without a bound it was minutes.
    assert time.process_time() - started < 30
    assert [finding.object for finding in findings if finding.rule == "TA403"] == ["public.a_first()"]
    notes = [note for note in not_analysed(audit) if note.reason == "fires triggers in more cycles than are followed"]
    assert bool(notes) is told
    assert all(note.line == 4 and note.object.startswith("public.mark_") for note in notes)
