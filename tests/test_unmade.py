"""What statements that were not applied would have made, and what is missing for want of it."""

from __future__ import annotations

import pytest

from trigger_audit.unmade import NotMade, unmade

LOCATION = 'column "location" of relation "profiles" does not exist'
# What was not applied; SQLSTATE, message and name of what is missing; whether it may be for want of that.
CASES = [
    ("create table public.profiles (id uuid, home extensions.geography)", "42P01", "", "public.profiles", True),
    ('create table if not exists "public"."Profiles" (id geography)', "42P01", "", "public.Profiles", True),
    ("create unlogged table profiles (id geography)", "42704", "", "public.profiles", True),
    ("create table public.profiles (id uuid references public.plans)", "42P01", "", "public.plans", False),
    ("create table public.homes (location geography, id uuid)", "42703", LOCATION, "location", False),
    ("alter table public.profiles add column location geography", "42703", LOCATION, "location", True),
    ("alter table public.profiles add column location geography", "42P01", "", "public.profiles", False),
    ("alter table public.users rename to profiles", "42P01", "", "public.profiles", True),
    ("alter table private.profiles set schema public", "42P01", "", "public.profiles", True),
    ("create or replace view public.people as select * from missing", "42P01", "", "people", True),
    ("create or replace view public.people as select * from missing", "42P01", "", "missing", False),
    ("create materialized view people as select 1", "42P01", "", "people", True),
    ("create type public.plan as enum ('free', mad)", "42704", "", "public.plan", True),
    ("create function public.slug(text) returns citex as $$ select make_slug() $$", "42883", "", "slug(text)", True),
    ("create function public.slug(text) returns citex as $$ select make_slug() $$", "42883", "", "make_slug()", False),
    ("create schema private authorization nobody", "3F000", "", "private", True),
    ("do $$ begin create table public.profiles (); perform missing(); end $$", "42P01", "", "profiles", True),
    ("select pgmq.create('welcome')", "42P01", "", "pgmq.welcome", True),
    ("do $$ begin alter publication gone add table plans; end $$", "42P01", "", "plans", False),
    ("do $$ begin create table app.plans (); perform missing(); end $$", "42P01", "", "app.plans", True),
    ("create table app.plans (id geography)", "42P01", "", "plans", True),
    ("select audit.enable_tracking('plans')", "42P01", "", "plans", False),
    ("select public.missing()", "42883", "", "public.missing()", False),
    ("insert into public.profiles values (1)", "42P01", "", "public.profiles", False),
    ("grant select on public.profiles to anon", "42P01", "", "public.profiles", False),
    ("create policy p on public.profiles using (true)", "42P01", "", "public.profiles", False),
    ("create trigger t after insert on public.profiles execute function f()", "42P01", "", "profiles", False),
    ("create index on public.profiles (id)", "42P01", "", "public.profiles", False),
    ("import foreign schema crm from server s into crm", "42P01", "", "crm.contacts", True),
    ("create extension pgmq", "3F000", "", "pgmq", True),
    ("create extension if not exists pg_cron", "42P01", "", "cron.job", True),
    ('create extension "http" with schema "extensions"', "42883", "", "extensions.http_post(text)", True),
    ('create extension "http" with schema "extensions"', "42883", "", "public.http_post(text)", False),
    ("create extension http", "42883", "", "http_post(text)", True),
    ("create extension http", "42883", "", "lower(uuid)", False),
    ("create extension http", "42883", "operator does not exist: uuid = text", "uuid = text", False),
    ("create extension postgis schema gis", "42704", "", "gis.geography", True),
    ("create extension postgis schema gis", "42704", "", "geography", True),
    ("create extension postgis", "42P01", "", "public.profiles", False),
    ("create table public.profiles (id uuid)", "23502", "", "profiles", False),
    ("create", "42P01", "", "public.profiles", False),
    ("alter table", "42P01", "", "", False),
    ("", "42P01", "", "", False),
]


@pytest.mark.parametrize(("statement", "sqlstate", "message", "name", "may"), CASES)
def test_what_may_be_missing_for_want_of_it(statement: str, sqlstate: str, message: str, name: str, may: bool) -> None:
    found = unmade("a.sql", 3, statement)
    missing = NotMade(() if found is None else (found,), frozenset({"lower", "plans"}))
    maker = missing.maker(sqlstate, message, name)
    assert (maker is not None) is may
    if maker is not None:
        assert maker.excuse == "a.sql:3 was not applied, and may have made it"
