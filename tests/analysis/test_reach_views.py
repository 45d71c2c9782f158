"""Hazards behind views that are read and views that are written."""

from __future__ import annotations

import pytest

from tests.analysis.cascades import prepared
from tests.analysis.test_hazards import found_on, on_sign_up
from tests.analysis.test_reach import DIRECT, IN_BODY, hazards_of
from trigger_audit.analysis.effects import FOREIGN, LOCK
from trigger_audit.sandbox.server import Sandbox

# What is made beside HIDDEN, the statement of the trigger on auth.users, and the hazard's function, line and call.
VIEWS = {
    "view that is read": (
        "create view v as select pg_try_advisory_lock(1) as locked;",
        "perform locked from v;",
        ("view public.v", None, DIRECT),
    ),
    "view behind a view": (
        "create view v as select hidden() as number; create view w as select * from v;",
        "perform number from w;",
        IN_BODY,
    ),
    "view that is written": (
        "alter table profiles add check (hidden(number)); create view v as select * from profiles;",
        "insert into v (id) values (new.id);",
        IN_BODY,
    ),
    "trigger of a view's table": (
        "create function on_profile() returns trigger language plpgsql as $$ begin perform hidden(); return new;"
        " end $$; create trigger t before insert on profiles for each row execute function on_profile();"
        "create view v as select * from profiles;",
        "insert into v (id) values (new.id);",
        IN_BODY,
    ),
    "condition of a view that is written": (
        "create view v as select * from profiles where hidden(number) with check option;",
        "insert into v (id) values (new.id);",
        IN_BODY,
    ),
    "condition of a view behind the one that is changed": (
        "create view v as select * from profiles where hidden(number); create view w as select * from v;",
        "update w set note = '' where id = new.id;",
        IN_BODY,
    ),
    "column of a view that is returned": (
        "create view v as select *, hidden() as more from profiles;",
        "declare a int; begin insert into v (id) values (new.id) returning more into a; end;",
        IN_BODY,
    ),
}


@pytest.mark.parametrize("what", VIEWS)
@pytest.mark.parametrize("major", [15, 18])
def test_finds(sandbox: Sandbox, postgres15: Sandbox, what: str, major: int) -> None:
    more, body, expected = VIEWS[what]
    found = hazards_of(postgres15 if major == 15 else sandbox, more, body)
    assert [(each.function, each.line, each.call, each.effect) for each in found] == [(*expected, LOCK)]


def test_foreign_tables_behind_views_and_partitions(postgres15: Sandbox) -> None:
    more = """
create foreign data wrapper elsewhere; create server elsewhere foreign data wrapper elsewhere;
create foreign table public.far (id int) server elsewhere;
create view public.near as select * from public.far;
create table public.parted (id int) partition by list (id);
create foreign table public.part partition of public.parted default server elsewhere;
"""
    body = "insert into near values (1); update parted set id = 2;"
    with prepared(postgres15.conninfo(), on_sign_up(body, more), "supabase_admin") as connection:
        found = found_on(connection).hazards
    assert [(each.function, each.call, each.effect) for each in found] == [
        ("public.handler()", "UPDATE public.part", FOREIGN),
        ("public.near", "INSERT public.far", FOREIGN),
    ]
