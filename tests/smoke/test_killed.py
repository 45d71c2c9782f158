"""A run that is ended at any of its statements, in any way, leaves the database as it was, and no session.

TRIGGER_AUDIT_TEST_KILLS says how many places are tried for each way; two are a sample.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.cli.test_interruption import sessions, start, wait_until
from tests.conftest import FreshDatabase
from tests.smoke.wire import Held, dsn, socket_of, wire_to
from trigger_audit.sandbox.binaries import find_binaries

# A function of its own that fails, one that two triggers share (a lock on the table is needed for one alone), handlers
# to be opened, a sequence, a session's advisory lock, and a deferred trigger.
PROJECT = """
    CREATE TABLE public.profiles (
      number serial, id uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE, name text
    );
    CREATE FUNCTION public.a_profile() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS
      $$BEGIN INSERT INTO public.profiles (id) VALUES (NEW.id); RETURN NEW; END$$;
    CREATE TRIGGER a_profile AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.a_profile();
    CREATE FUNCTION public.b_on_token() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'; END$$;
    CREATE TRIGGER b_on_token AFTER UPDATE ON auth.users FOR EACH ROW WHEN (NEW.confirmation_token <> '')
      EXECUTE FUNCTION public.b_on_token();
    CREATE FUNCTION public.c_both() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN IF TG_NAME = 'c_bad' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END$$;
    CREATE TRIGGER c_bad AFTER UPDATE OF last_sign_in_at ON auth.users FOR EACH ROW EXECUTE FUNCTION public.c_both();
    CREATE TRIGGER c_good BEFORE UPDATE ON auth.users FOR EACH ROW EXECUTE FUNCTION public.c_both();
    CREATE FUNCTION public.d_quiet() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN
        PERFORM pg_catalog.pg_advisory_lock(4711);
        BEGIN
          INSERT INTO public.nowhere VALUES (NEW.id);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
        RETURN NEW;
      END$$;
    CREATE TRIGGER d_quiet AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.d_quiet();
    CREATE FUNCTION public.e_late() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
    CREATE CONSTRAINT TRIGGER e_late AFTER INSERT ON auth.users DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION public.e_late();
    INSERT INTO auth.users (id, email) VALUES ('00000000-0000-0000-0000-000000000001', 'kept@example.org');
"""
FLOWS = ("--flow", "signup-email", "--flow", "admin-create", "--flow", "login", "--payload", "bare")
ARGUMENTS = (*FLOWS, "--allow-side-effects")
LOCKS = ("--allow-locks", "--unmask")

CATALOG = """
    select 'function', p.oid::regprocedure::text, md5(p.prosrc), p.prosecdef::text, p.proconfig::text
    from pg_proc as p where p.pronamespace <> 'pg_catalog'::regnamespace
    union all
    select 'trigger', t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text, t.tgparentid::text
    from pg_trigger as t where not t.tgisinternal
    union all
    select 'relation', c.oid::regclass::text, c.relkind::text, c.relhastriggers::text, c.relrowsecurity::text
    from pg_class as c where c.relkind <> 't' and c.relnamespace <> 'pg_toast'::regnamespace
    union all
    select 'user', u.id::text, u.email, u::text, null from auth.users as u
    union all
    select 'profile', p.id::text, p.name, p.number::text, null from public.profiles as p
    order by 1, 2
"""


@dataclass(frozen=True, slots=True)
class State:
    """All that a database holds, sequences aside, and who has an advisory lock in it."""

    dump: str
    catalog: list[tuple[str | None, ...]]
    advisory: int


def state_of(database: FreshDatabase, pg_dump: Path) -> State:
    dumped = subprocess.run(
        [pg_dump, "--dbname", database.conninfo()], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    # The numbers of sequences advance for good; since 2025 a dump holds a key of its own that differs each time.
    dump = re.sub(r"^(SELECT pg_catalog\.setval|\\(un)?restrict ).*$", "", dumped, flags=re.MULTILINE)
    with psycopg.connect(database.conninfo(), autocommit=True) as connection:
        locks = connection.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone()
        assert locks is not None
        return State(dump, connection.execute(CATALOG.encode()).fetchall(), locks[0])


@dataclass(frozen=True, slots=True)
class Whole:
    """A run that nobody disturbs: the state of the database before it, and the number of requests that it makes."""

    before: State
    requests: int


_whole: dict[str, Whole] = {}


def whole_run(database: FreshDatabase, pg_dump: Path) -> Whole:
    """The same for all databases of a server that hold PROJECT. It must be a run in which everything happens."""
    if database.server not in _whole:
        before = state_of(database, pg_dump)
        with wire_to(socket_of(database)) as wire:
            with start("smoke", dsn(database, wire), *ARGUMENTS, *LOCKS) as process:
                out, err = process.communicate(timeout=60)
            assert process.returncode == 1, err
            for expected in ("auth.users.b_on_token", "auth.users.c_bad", "public.d_quiet()", "ShareRowExclusiveLock"):
                assert expected in out
            _whole[database.server] = Whole(before, wire.asked)
        assert state_of(database, pg_dump) == before
    return _whole[database.server]


def kill_at(database: FreshDatabase, pg_dump: Path, way: str, part: float, held: Held) -> None:
    database.apply(PROJECT)
    whole = whole_run(database, pg_dump)
    # The number differs a little from run to run.
    number = max(1, round(0.95 * part * whole.requests))
    with (
        wire_to(socket_of(database), number, held) as wire,
        psycopg.connect(database.conninfo(), autocommit=True, application_name="outside") as outside,
        start("smoke", dsn(database, wire), *ARGUMENTS, *LOCKS) as process,
    ):
        assert wire.reached.wait(30), f"the run has no request number {number}"
        if way == "cut":
            wire.cut()
        elif way == "terminate":
            outside.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'trigger-audit' and datname = current_database()"
            )
        else:
            process.send_signal(signal.Signals[way])
        if way != "SIGKILL":
            time.sleep(0.05)
            wire.release()
        _, err = process.communicate(timeout=30)
        wait_until(lambda: sessions(outside) == 0, 8)
    if way in ("SIGINT", "cut", "terminate"):
        assert process.returncode == 2, err
        assert len([line for line in err.splitlines() if line.startswith("error: ")]) == 1, err
        assert "Traceback" not in err
    assert process.returncode not in (0, 1), err
    assert state_of(database, pg_dump) == whole.before


WAYS = ("SIGKILL", "SIGINT", "SIGTERM", "cut", "terminate")
PLACES = int(os.environ.get("TRIGGER_AUDIT_TEST_KILLS", "1"))
POINTS = [
    (way, round((number + (place + 0.5) / len(WAYS)) / PLACES, 3), (Held.ANSWER, Held.REQUEST)[(number + place) % 2])
    for number in range(PLACES)
    for place, way in enumerate(WAYS)
]


@pytest.mark.parametrize(("way", "part", "held"), POINTS)
def test_on_15(way: str, part: float, held: Held, fresh_database15: FreshDatabase, postgres15_binaries: Path) -> None:
    kill_at(fresh_database15, postgres15_binaries / "pg_dump", way, part, held)


@pytest.mark.extended
@pytest.mark.parametrize(("way", "part"), [("SIGKILL", 0.8), ("SIGINT", 0.4), ("cut", 0.6)])
def test_on_18(way: str, part: float, fresh_database: FreshDatabase) -> None:
    kill_at(fresh_database, find_binaries(None).folder / "pg_dump", way, part, Held.ANSWER)
