"""Names asked of real servers, 18 and 15: what is said, where, and that nothing stays behind."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.ask.asked import Case, ask_one, job_of, made, told
from tests.ask.cases_faults import FAULTS
from tests.ask.cases_not_run import NOT_RUN
from tests.ask.cases_variables import VARIABLES

CASES = (*FAULTS, *VARIABLES, *NOT_RUN)


@pytest.fixture(params=["18", "15"])
def server(request: pytest.FixtureRequest) -> str:
    """The conninfo of a running server."""
    running = request.getfixturevalue("sandbox" if request.param == "18" else "postgres15")
    return str(running.conninfo())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_the_server_says(case: Case, server: str) -> None:
    with made(server, case) as (connection, catalog):
        job = job_of(catalog, path=case.path)
        complaints, answers = ask_one(connection, catalog, job)
        assert told(job, complaints) == case.expected
        reasons = [reason for _, _, reason in answers.unasked]
        assert [reason for reason in reasons if case.unasked not in reason] == []
        assert bool(reasons) == bool(case.unasked)


@pytest.mark.parametrize("case", [case for case in CASES if not case.peer], ids=lambda case: case.name)
def test_plpgsql_check_says_the_same(case: Case, request: pytest.FixtureRequest) -> None:
    server = str(request.getfixturevalue("postgres15").conninfo())
    with made(server, case) as (connection, _):
        there = connection.execute("SELECT FROM pg_available_extensions WHERE name = 'plpgsql_check'").fetchone()
        if there is None:
            pytest.skip("plpgsql_check IS NOT INSTALLED (postgresql-15-plpgsql-check): no second opinion on names")
        connection.execute("CREATE EXTENSION plpgsql_check SCHEMA pg_catalog")
        connection.execute("SELECT pg_catalog.set_config('search_path', %s, true)", [", ".join(case.path)])
        rows = connection.execute(
            "SELECT sqlstate FROM plpgsql_check_function_tb('public.f()', %s::regclass, fatal_errors => false) "
            "WHERE level = 'error' AND sqlstate <> '55000'",
            [case.table],
        ).fetchall()
        assert Counter(state for (state,) in rows) == Counter(state for state, _ in case.expected)
