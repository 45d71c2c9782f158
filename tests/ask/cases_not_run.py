"""Bodies whose statements do not run as they stand: asking about them naively brings false complaints."""

from __future__ import annotations

from tests.ask.asked import Case

NOT_RUN = (
    Case(
        "temporary table",
        "create temp table t1 (a int); insert into t1 values (1); perform a from t1; return new;",
        unasked="made by the function itself",
        peer="a false 42P01",
    ),
    Case(
        "temporary table of a query",
        "create temporary table t1 as select 1 as a; insert into t1 values (1); return new;",
        unasked="made by the function itself",
        peer="a false 42P01",
    ),
    Case(
        "test by to_regclass",
        "if to_regclass('public.nope') is not null then insert into public.nope values (1); end if; return new;",
        unasked="a test has found it",
        peer="a false 42P01",
    ),
    Case(
        "early exit by to_regclass",
        (
            "if to_regclass('public.nope') is null then return new; end if; insert into public.nope values (1); "
            "return new;"
        ),
        unasked="a test has found it",
        peer="a false 42P01",
    ),
    Case(
        "test by information_schema",
        (
            "if exists (select from information_schema.tables where table_name = 'nope') then insert into "
            "public.nope values (1); end if; return new;"
        ),
        unasked="a test has found it",
        peer="a false 42P01",
    ),
    Case(
        "test kept in a variable",
        (
            "declare there boolean; begin select exists (select from pg_catalog.pg_class where relname = 'nope') "
            "into there; if there then insert into public.nope values (1); end if; return new; end"
        ),
        unasked="a test has found it",
        peer="a false 42P01",
    ),
    Case(
        "test by FOUND",
        (
            "perform 1 from pg_class where relname = 'nope'; if not found then return new; end if; insert into "
            "public.nope values (1); return new;"
        ),
        unasked="a test has found it",
        peer="a false 42P01",
    ),
    Case(
        "test does not excuse other faults",
        (
            "if to_regclass('public.profiles') is not null then insert into public.profiles (id) values ('x'); end "
            "if; return new;"
        ),
        (("22P02", "'x'"),),
    ),
    Case(
        "handler for missing tables",
        (
            "begin insert into public.nope values (1); exception when undefined_table then null; end; insert into "
            "public.gone values (1); return new;"
        ),
        (("42P01", "public.gone"),),
        unasked="a test has found it",
        peer="a false 42P01",
    ),
    Case(
        "WHEN OTHERS excuses nothing",
        "begin insert into public.nope values (1); exception when others then null; end; return new;",
        (("42P01", "public.nope"),),
    ),
    Case(
        "branch for another table",
        (
            "if tg_table_name = 'orders' then perform new.order_id; elsif tg_table_name in ('profiles', 'x') then "
            "perform new.email, new.nope; else perform new.gone; end if; return new;"
        ),
        (("42703", "new.nope"),),
        peer="does not look at TG_TABLE_NAME",
    ),
    Case(
        "early exit for another table",
        (
            "if tg_table_schema || '.' || tg_table_name <> 'public.orders' then return new; end if; perform "
            "new.order_id; return new;"
        ),
        peer="does not look at TG_TABLE_NAME",
    ),
    Case(
        "CASE for another table",
        "case tg_table_name when 'orders' then perform new.order_id; else null; end case; return new;",
        peer="does not look at TG_TABLE_NAME",
    ),
    Case(
        "search_path set in the body",
        (
            "set local search_path = pg_catalog; perform 1 from profiles; perform set_config('search_path', "
            "'public', true); perform 1 from profiles; return new;"
        ),
        (("42P01", "profiles"),),
        peer="does not follow search_path",
    ),
    Case(
        "search_path set to what is not constant",
        "perform set_config('search_path', new.email, true); perform 1 from nope; return new;",
        unasked="only the run tells",
        peer="does not follow search_path",
    ),
    Case(
        "transition table",
        (
            "insert into orders (id) select id from fresh; with x as (select * from fresh) update orders set email "
            "= x.email from x; if exists (select 1 from fresh where nope) then null; end if; return null;"
        ),
        (("42703", "nope"),),
        when="after insert",
        level="statement",
        referencing="referencing new table as fresh",
        peer="wants the table's name given",
    ),
)
