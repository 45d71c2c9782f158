"""Every row that smoke writes lies within what `auth` says that triggers see: the same steps, looked at twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.smoke.conftest import Database, connect
from trigger_audit.auth import FLOWS, Nullability, RowState, firings
from trigger_audit.auth.steps import Flow, Step
from trigger_audit.smoke.catalog import look_at_target
from trigger_audit.smoke.memory import Memory
from trigger_audit.smoke.model import Payload
from trigger_audit.smoke.payloads import Probes
from trigger_audit.smoke.replay import Observing, Replay
from trigger_audit.smoke.requests import Requests, look_at_shared
from trigger_audit.smoke.session import Limits, Session, look_at_server
from trigger_audit.smoke.ways import flows_before

if TYPE_CHECKING:
    from trigger_audit.smoke.checks import Edits

RECORD = """
    CREATE TABLE public.seen (place bigint GENERATED ALWAYS AS IDENTITY, tab text, event text, old jsonb, new jsonb);
    CREATE FUNCTION public.record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      INSERT INTO public.seen (tab, event, old, new)
      VALUES (TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, TG_OP,
              CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
      RETURN NULL;
    END $$;
    DO $$
    DECLARE t text;
    BEGIN
      FOREACH t IN ARRAY ARRAY['users', 'identities', 'sessions', 'refresh_tokens', 'one_time_tokens',
                               'audit_log_entries', 'mfa_amr_claims'] LOOP
        EXECUTE format('CREATE TRIGGER record AFTER INSERT OR UPDATE OR DELETE ON auth.%I
                        FOR EACH ROW EXECUTE FUNCTION public.record()', t);
      END LOOP;
    END $$;
    GRANT ALL ON public.seen TO supabase_auth_admin;
"""


class Watched(Replay):
    """Takes what the triggers saw after each statement."""

    rows: list[tuple[str, int, str, str, Any, Any]]

    def _execute(self, step: Step, observation: Observing, edits: Edits) -> str | None:
        refused = super()._execute(step, observation, edits)
        index = next(i for i, other in enumerate(observation.flow.steps, start=1) if other is step)
        cursor = self.connection.execute("DELETE FROM public.seen RETURNING tab, event, old, new")
        self.rows += [(observation.flow.name, index, *row) for row in cursor.fetchall()]
        return refused


def outside(state: RowState, row: dict[str, Any]) -> list[str]:
    """The columns whose value the state rules out."""
    wrong = []
    for column, known in state.items():
        value = row[column]
        if known.nullability is Nullability.NEVER and value is None:
            wrong.append(f"{column} is NULL")
        if known.nullability is Nullability.ALWAYS and value is not None:
            wrong.append(f"{column} is {value!r}")
        if known.value is not None and value is not None:
            text = known.value.strip("'")
            found = value if isinstance(value, str) else json.dumps(value)
            if found != text:
                wrong.append(f"{column} is {found!r}, not {text!r}")
    return wrong


@pytest.fixture
def recorded(fresh_database: Database) -> list[tuple[str, int, str, str, Any, Any]]:
    seen: list[tuple[str, int, str, str, Any, Any]] = []
    with connect(fresh_database) as connection:
        connection.execute(RECORD.encode())
        connection.execute("BEGIN")
        session = Session(connection, look_at_server(connection), Limits())
        target = look_at_target(connection, session)
        probes = Probes()
        for flow in FLOWS:
            for payload in (Payload.BARE, Payload.FULL) if flow.signs_up else (Payload.BARE,):
                seen += watch(connection, session, target, probes, flow, payload)
        connection.execute("ROLLBACK")
    return seen


def watch(
    connection: Any, session: Session, target: Any, probes: Probes, flow: Flow, payload: Payload
) -> list[tuple[str, int, str, str, Any, Any]]:
    connection.execute("SAVEPOINT flow")
    requests = Requests(session, look_at_shared(connection))
    session.enter()
    replay = Watched(connection, session, target, Memory(probes.user(payload)), probes.ids, requests)
    replay.rows = []
    if payload is Payload.DUPLICATE:
        before: tuple[Flow, ...] = (flow,)
    else:
        before = flows_before(flow, flow.starts[0]) if flow.starts else ()
    for part in (*before, flow):
        observation = replay.run(part)
        assert observation.failed is None
    connection.execute("ROLLBACK TO SAVEPOINT flow")
    return [row for row in replay.rows if row[0] == flow.name]


def test_every_row_lies_within_its_state(recorded: list[tuple[str, int, str, str, Any, Any]]) -> None:
    known = {(f.flow, f.step): f for f in firings()}
    wrong: list[str] = []
    met = set()
    for flow, step, table, event, old, new in recorded:
        firing = known[flow, step]
        if (firing.table, firing.event) != (table, event):
            assert firing.event == "DELETE", "only a deletion reaches other tables, by foreign keys"
            continue
        met.add((flow, step))
        for state, row in ((firing.old, old), (firing.new, new)):
            assert (state is None) == (row is None)
            if state is not None:
                wrong += [f"{flow} step {step} {table}: {text}" for text in outside(state, row)]
                if table == "auth.users":
                    assert state.keys() == row.keys()
    assert wrong == []
    written = {(f.flow, f.step) for f in firings() if f.event != "DELETE"}
    assert written <= met
