"""A stand-in does nothing outside, but what is judged is the real thing: its calls stay what they are in a project."""

from __future__ import annotations

import pytest

from tests.analysis.cascades import prepared
from tests.analysis.test_hazards import hazards, on_sign_up
from trigger_audit.analysis import effects
from trigger_audit.sandbox.server import Sandbox

_EXTENSIONS = "".join(
    f"create extension {name} with schema extensions;" for name in ("http", "pg_cron", "dblink", "postgres_fdw")
)
_MADE = (
    _EXTENSIONS
    + """
create extension pgmq;
select pgmq.create('jobs');
create server elsewhere foreign data wrapper postgres_fdw options (host 'elsewhere');
create foreign table public.far (id int) server elsewhere;
"""
)
_KEPT = {
    "perform content from http_get('http://x');": ("http_get", effects.REQUEST),
    "perform extensions.http_post('http://x', '{}'::jsonb);": ("extensions.http_post", effects.REQUEST),
    "perform http(null::extensions.http_request);": ("http", effects.REQUEST),
    "perform dblink_exec('host=x', 'delete from t');": ("dblink_exec", effects.REMOTE),
    "perform * from dblink('host=x', 'select 1') as t(a int);": ("dblink", effects.REMOTE),
    "insert into far values (1);": ("INSERT public.far", effects.FOREIGN),
}
# They write a row, which goes with the transaction.
_UNDONE = (
    "perform net.http_post('http://x', '{}'::jsonb);",
    "perform net.http_get('http://x');",
    "perform cron.schedule('a', '* * * * *', 'select 1');",
    "perform pgmq.send('jobs', '{}'::jsonb);",
    "perform vault.create_secret('a', 'b');",
)


@pytest.mark.parametrize("server", ["sandbox", "postgres15"])
def test_calls_that_stay_what_they_are(request: pytest.FixtureRequest, server: str) -> None:
    running: Sandbox = request.getfixturevalue(server)
    for body, (call, effect) in _KEPT.items():
        with prepared(running.conninfo(), on_sign_up(body, _MADE), "supabase_admin") as connection:
            assert [(each.function, each.call, each.effect) for each in hazards(connection)] == [
                ("public.handler()", call, effect)
            ], body


@pytest.mark.parametrize("server", ["sandbox", "postgres15"])
def test_calls_that_a_rollback_undoes(request: pytest.FixtureRequest, server: str) -> None:
    """All of them in one trigger, which also runs: nothing in it misses anything."""
    running: Sandbox = request.getfixturevalue(server)
    with prepared(running.conninfo(), on_sign_up("\n".join(_UNDONE), _MADE), "supabase_admin") as connection:
        assert hazards(connection) == ()
        connection.execute("insert into auth.users (id, email) values (gen_random_uuid(), 'a@example.com')")
        found = connection.execute(
            "select (select count(*) from net.http_request_queue), (select count(*) from cron.job), "
            "(select count(*) from pgmq.q_jobs), (select count(*) from vault.secrets)"
        ).fetchone()
        assert found == (2, 1, 1, 1)
