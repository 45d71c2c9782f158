"""A small schema, trigger functions on it, and what the server complains of: everything is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from trigger_audit.analysis.bodies import read_body
from trigger_audit.analysis.model import Complaint
from trigger_audit.analysis.questions.model import Job
from trigger_audit.ask.names import NameAnswers, ask_names
from trigger_audit.catalog.load import load_catalog
from trigger_audit.catalog.model import Catalog, Function

SCHEMA = """\
set check_function_bodies = off;
create type public.plan as enum ('free', 'pro');
create type public.pair as (a int, b text);
create table public.profiles (
  id uuid primary key, email text, full_name varchar(20), plan public.plan, visits int default 0,
  tags text[], extra jsonb
);
create table public.orders (order_id int, id uuid, email text);
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A trigger function's DECLARE section and statements, and the complaints expected: (SQLSTATE, text at the span).

    `table` is the trigger's. `peer` says why plpgsql_check sees something else ('' where it must agree).
    """

    name: str
    body: str
    expected: tuple[tuple[str, str], ...] = ()
    table: str = "public.profiles"
    setup: str = ""
    path: tuple[str, ...] = ("public",)
    when: str = "before insert"
    level: str = "row"
    referencing: str = ""
    unasked: str = ""
    peer: str = ""

    @property
    def source(self) -> str:
        return self.body if self.body.lstrip().startswith(("<<", "declare", "#")) else f"begin {self.body} end"


def make(connection: psycopg.Connection[Any], case: Case) -> None:
    """The schema, the case's objects, and the function `public.f()` with its trigger `t`."""
    connection.execute(SCHEMA.encode())
    if case.setup:
        connection.execute(case.setup.encode())
    function = f"create function public.f() returns trigger language plpgsql as $body$\n{case.source}$body$"
    trigger = f"create trigger t {case.when} on {case.table} {case.referencing} for each {case.level}"
    connection.execute(f"{function};\n{trigger} execute function public.f()".encode())


@contextmanager
def made(conninfo: str, case: Case) -> Iterator[tuple[psycopg.Connection[Any], Catalog]]:
    """A connection in whose transaction the case stands."""
    with psycopg.connect(conninfo, prepare_threshold=None) as connection:
        try:
            make(connection, case)
            yield connection, load_catalog(connection)
        finally:
            connection.rollback()


def function_named(catalog: Catalog, name: str) -> Function:
    (found,) = [function for function in catalog.functions.values() if f"{function.schema}.{function.proname}" == name]
    return found


def job_of(catalog: Catalog, name: str = "public.f", path: tuple[str, ...] = ("public",)) -> Job:
    """The function as its first trigger runs it, or on its own."""
    function = function_named(catalog, name)
    table = next((catalog.tables[one.table] for one in catalog.triggers if one.function == function.oid), None)
    return Job(read_body(function), table, path)


def ask_one(
    connection: psycopg.Connection[Any], catalog: Catalog, job: Job
) -> tuple[tuple[Complaint, ...], NameAnswers]:
    answers = ask_names(connection, catalog, [job])
    return answers.complaints.get(job.key, ()), answers


def told(job: Job, complaints: tuple[Complaint, ...]) -> tuple[tuple[str, str], ...]:
    assert job.facts.body is not None
    source = job.facts.body.source
    return tuple((found.sqlstate, source.slice(found.span)) for found in complaints)
