"""The README says what the tool says."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.cli.running import run
from tests.conftest import FreshDatabase
from trigger_audit.rules.registry import all_rules

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"


def rule_table() -> str:
    metas = [rule.meta for rule in all_rules()]
    rows = "".join(f"| {meta.code} | {meta.name} | {meta.severity} | {meta.summary} |\n" for meta in metas)
    return f"<!-- rules -->\n| code | name | severity | finds |\n|---|---|---|---|\n{rows}<!-- /rules -->"


def test_the_table_of_rules_is_that_of_the_registry() -> None:
    """UPDATE_GOLDEN=1 writes it anew."""
    text = README.read_text(encoding="utf-8")
    if os.environ.get("UPDATE_GOLDEN"):
        text = re.sub(r"<!-- rules -->.*<!-- /rules -->", lambda _: rule_table(), text, flags=re.DOTALL)
        README.write_text(text, encoding="utf-8")
    assert rule_table() in text


def test_the_first_screen_is_real_output() -> None:
    text = README.read_text(encoding="utf-8")
    scan, smoke = re.findall(r"```console\n\$ trigger-audit \w+ supabase/\n(.*?)```", text, re.DOTALL)
    folder = ROOT / "sql" / "examples" / "broken"
    assert scan in run("scan", "supabase/", "--select", "TA101", cwd=folder).out
    flows = ("--flow", "signup-email", "--flow", "login")
    assert smoke in run("smoke", "supabase/", *flows, cwd=folder).out


ORDERS = """
create table public.orders (id int primary key, status text not null, customer uuid);
create table public.order_history (order_id int references orders, status text not null, changed_by uuid not null);
insert into public.orders values (1, 'new', null);
create function public.keep_history() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into public.order_history (order_id, status, changed_by) values (new.id, new.status, auth.uid());
  return new;
end $$;
create trigger keep_history after update on public.orders for each row execute function public.keep_history();
"""


def test_the_example_of_a_statement_is_real_output(tmp_path: Path, fresh_database: FreshDatabase) -> None:
    text = README.read_text(encoding="utf-8")
    ((statement, arguments, shown),) = re.findall(
        r"\$ cat pay.sql\n(.*?)\$ trigger-audit smoke \"\$DATABASE_URL\" (.*?)\n(.*?)```", text, re.DOTALL
    )
    fresh_database.apply(ORDERS)
    (tmp_path / "pay.sql").write_text(statement)
    assert shown in run("smoke", fresh_database.conninfo(), *arguments.split(), cwd=tmp_path).out


def test_the_options_in_the_table_exist() -> None:
    named = set(re.findall(r"`(--[a-z-]+)", README.read_text(encoding="utf-8")))
    known = run("scan", "--help").out + run("smoke", "--help").out + run("--help").out
    assert {option for option in named if option not in known} == set()
