"""Bodies and what must be said of them: one or more for each way in which asking the server can go wrong."""

from __future__ import annotations

from tests.ask.asked import Case

_REAL = (
    # Each SQLSTATE, at its exact place.
    Case(
        "missing relation",
        "insert into nope (id) values (new.id); return new;",
        (("42P01", "nope"),),
    ),
    Case(
        "missing relation with a schema",
        "delete from public.nope; return new;",
        (("42P01", "public.nope"),),
    ),
    Case(
        "missing schema",
        "perform nosuch.f(1); return new;",
        (("3F000", "nosuch.f"),),
    ),
    Case(
        "missing function",
        "new.email := gen_nothing('bf'); return new;",
        (("42883", "gen_nothing"),),
    ),
    Case(
        "missing operator",
        "if new.id = 5 then return new; end if; return new;",
        (("42883", "="),),
    ),
    Case(
        "missing type",
        "perform 'x'::nosuch; return new;",
        (("42704", "nosuch"),),
    ),
    Case(
        "missing column of the target",
        "insert into profiles (id, emial) values (new.id, 'x'); return new;",
        (("42703", "emial"),),
    ),
    Case(
        "missing column of an update",
        "update profiles set emial = 'x' where id = new.id; return new;",
        (("42703", "emial"),),
    ),
    Case(
        "missing column read",
        "perform p.emial from profiles p; return new;",
        (("42703", "p.emial"),),
    ),
    Case(
        "field of NEW",
        "insert into profiles (id) values (new.uid); return new;",
        (("42703", "new.uid"),),
    ),
    Case(
        "field of OLD, spaced and quoted",
        'perform old . "Email"; return new;',
        (("42703", 'old . "Email"'),),
    ),
    Case(
        "two errors in two statements",
        "perform new.a; perform new.b; return new;",
        (("42703", "new.a"), ("42703", "new.b")),
    ),
    Case(
        "type mismatch",
        "insert into profiles (id) values (new.email); return new;",
        (("42804", "new.email"),),
    ),
    Case(
        "label that the enum lacks",
        "insert into profiles (id, plan) values (new.id, 'gold'); return new;",
        (("22P02", "'gold'"),),
    ),
    Case(
        "column named twice",
        "insert into profiles (id, id) values (new.id, new.id); return new;",
        (("42701", "id"),),
    ),
    Case(
        "cast that does not exist",
        "perform new.id::int; return new;",
        (("42846", "::"),),
    ),
    Case(
        "ambiguous function",
        "perform two(null); return new;",
        (("42725", "two"),),
        setup=(
            "create function public.two(a text) returns int language sql as 'select 1';create function "
            "public.two(a text, b int default 1) returns int language sql as 'select 1'"
        ),
    ),
    Case(
        "place behind characters of several bytes",
        "perform 'ďéäß🙂', new.nope; return new;",
        (("42703", "new.nope"),),
    ),
    Case(
        "syntax error that check_function_bodies let pass",
        "perform 1 +; return new;",
        (("42601", "perform 1 +"),),
        peer="the whole function is refused when it is compiled, without a list",
    ),
    Case(
        "query without a destination",
        "select 1; return new;",
        (("42601", "select 1"),),
        peer="plpgsql_check says so in a warning of its own state",
    ),
    Case(
        "RETURNING without a destination",
        "delete from orders returning id; return new;",
        (("42601", "delete from orders returning id"),),
        peer="as before",
    ),
    Case(
        "unknown variable",
        "nope := 1; return new;",
        (("42601", "nope"),),
        peer="compile error",
    ),
    # Variables and columns of one name.
    Case(
        "variable and column",
        "declare email text; begin select id into new.id from profiles where email = 'x'; return new; end",
        (("42702", "email"),),
    ),
    Case(
        "variable and column, in VALUES",
        "declare email text; begin insert into profiles (id, email) values (new.id, email); return new; end",
    ),
    Case(
        "variable and column, target of ON CONFLICT",
        (
            "declare id uuid; begin insert into profiles (id) values (new.id) on conflict (id) do nothing; return "
            "new; end"
        ),
        (("42702", "id"),),
    ),
    Case(
        "variable and column, use_column",
        (
            "#variable_conflict use_column\ndeclare email text; begin perform 1 from profiles where email = 'x'; "
            "return new; end"
        ),
    ),
    Case(
        "variable and column, use_variable",
        (
            "#variable_conflict use_variable\ndeclare email text; begin perform 1 from profiles where email = 'x'; "
            "return new; end"
        ),
    ),
    Case(
        "use_column where the variable has another type",
        (
            "#variable_conflict use_column\ndeclare email int; begin perform 1 from profiles where email ~ 'x'; "
            "return new; end"
        ),
    ),
    Case(
        "result column in ORDER BY",
        (
            "declare total int; begin select count(*) as total into total from profiles group by plan order by "
            "total; return new; end"
        ),
    ),
    # Names with dots.
    Case(
        "alias named like a scalar variable",
        "declare p text; begin select p.email into p from profiles p where p.id = new.id; return new; end",
    ),
    Case(
        "label of the function",
        "declare v text; begin v := f.new.email || f.tg_op; return new; end",
    ),
    Case(
        "label of the function does not hold declared variables",
        "declare v text; begin perform f.v; return new; end",
        (("42P01", "f.v"),),
    ),
    Case(
        "label of a block",
        "<<b>> declare v text; begin declare v int; begin v := b.v || 'x'; end; return new; end",
    ),
    Case(
        "inner block hides, and gives back",
        "declare v uuid; begin declare v text; begin v := lower(v); end; perform new.id = v; return new; end",
    ),
    Case(
        "alias",
        "declare fresh alias for new; begin perform fresh.email, fresh.nope; return new; end",
        (("42703", "fresh.nope"),),
    ),
    # Types.
    Case(
        "%ROWTYPE",
        "declare p public.profiles%rowtype; begin p.email := 'x'; p.nope := 'x'; return p; end",
        (("42703", "p.nope"),),
        peer="plpgsql_check words it alike",
    ),
    Case(
        "named composite type",
        "declare p public.pair; begin p.a := 3; p.b := 'x'; perform p.c; p := (1, 'x'); return new; end",
        (("42703", "p.c"),),
    ),
    Case(
        "%TYPE of a column",
        "declare v public.profiles.plan%type; begin v := 'gold'; return new; end",
        (("22P02", "'gold'"),),
    ),
    Case(
        "%TYPE of a variable",
        "declare a public.plan; b a%type; begin b := 'gold'; return new; end",
        (("22P02", "'gold'"),),
    ),
    Case(
        "declared type that is missing",
        "declare v public.nosuch; begin perform v + 1; perform new.nope; return new; end",
        (("42704", "public.nosuch"), ("42703", "new.nope")),
        peer="stops when it compiles",
        unasked="not known",
    ),
    Case(
        "row type that is missing",
        "declare v public.nosuch%rowtype; begin return new; end",
        (("42P01", "public.nosuch"),),
        peer="stops when it compiles",
    ),
    Case(
        "special variables",
        (
            "declare a name; n int; b boolean; begin a := tg_name; a := tg_relname; a := tg_table_name || "
            "tg_table_schema; n := tg_relid; n := tg_nargs; perform lower(tg_op || tg_when || tg_level); perform "
            "tg_argv[0] || 'x'; b := found; return new; end"
        ),
    ),
    Case(
        "SQLSTATE and SQLERRM in handlers alone",
        ("begin perform 1; exception when others then perform sqlerrm || sqlstate; end; perform sqlerrm; return new;"),
        (("42703", "sqlerrm"),),
    ),
    Case(
        "loop's own variable",
        "for i in 1..3 loop perform i + 1; end loop; return new;",
    ),
    Case(
        "JSON built of variables",
        "declare v text; begin new.extra := jsonb_build_object('a', v, 'b', null, 'c', new); return new; end",
    ),
    # NEW and OLD as a whole.
    Case(
        "whole rows",
        (
            "perform to_jsonb(new), to_jsonb(new.*), row(new.*), new is distinct from old, new.* is distinct from "
            "old.*; insert into profiles values (new.*); insert into profiles select new.*; return new;"
        ),
    ),
    Case(
        "OLD in an INSERT trigger",
        "perform old.email; return new;",
    ),
    Case(
        "arrays of NEW",
        (
            "new.tags[1] := 'x'; perform new.tags[1] || new.tags[new.visits]; new.extra['a'] := '1'; new.tags := "
            "'{a,b}'; return new;"
        ),
    ),
    # Records.
    Case(
        "record of INTO",
        ("declare r record; begin select id, email into r from profiles; perform r.email, r.nope; return new; end"),
        (("42703", "r.nope"),),
    ),
    Case(
        "record of FOR",
        (
            "declare r record; begin for r in select email as e, plan from profiles loop perform lower(r.e), "
            "r.plan + 1; insert into orders (email) values (r.id); end loop; return new; end"
        ),
        (("42883", "+"), ("42703", "r.id")),
    ),
    Case(
        "record of RETURNING",
        (
            "declare r record; begin insert into orders (id) values (new.id) returning order_id, id into r; "
            "perform r.order_id + 1, r.nope; return new; end"
        ),
        (("42703", "r.nope"),),
    ),
    Case(
        "record of a row",
        ("declare r record; begin r := new; perform r.email || 'x', r.nope; r := coalesce(new, old); return r; end"),
        (("42703", "r.nope"),),
    ),
    Case(
        "records that follow from one another",
        (
            "declare a record; b record; c record; begin select id, email into a from profiles; select a.email as "
            "mail into b; select b.mail || 'x' as more into c; perform c.more, c.nope; return new; end"
        ),
        (("42703", "c.nope"),),
    ),
    Case(
        "whole record",
        (
            "declare r record; begin select 1 as order_id, id, email into r from profiles; perform to_jsonb(r); "
            "perform r is null, row(r); insert into orders select r.*; insert into orders values (r.*); return "
            "new; end"
        ),
        (("42809", "insert into orders select r.*"), ("42809", "insert into orders values (r.*)")),
    ),
    Case(
        "record of a failed query is no second fault",
        "declare r record; begin select id into r from nope; perform r.anything; return new; end",
        (("42P01", "nope"),),
        unasked="in part",
    ),
    Case(
        "record of unknown shape: only names are believed",
        (
            "declare r record; begin execute new.email into r; perform r.a + r.b; insert into nope values (r.a); "
            "return new; end"
        ),
        (("42P01", "nope"),),
        unasked="in part",
    ),
    Case(
        "record of two shapes",
        (
            "declare r record; begin if new.id is null then select 1 as a into r; else select 'x' as b into r; end "
            "if; perform r.a, r.b; return new; end"
        ),
        unasked="in part",
        peer="takes the last shape",
    ),
    Case(
        "record of one shape in both branches",
        (
            "declare r record; begin if new.id is null then select 1 as a into r; else select 2 as a into r; end "
            "if; perform r.a, r.b; return new; end"
        ),
        (("42703", "r.b"),),
    ),
    Case(
        "fetched record",
        (
            "declare r record; c cursor (u uuid) for select email from profiles where id = u; begin open "
            "c(new.id); fetch c into r; perform r.email, r.nope; close c; return new; end"
        ),
        (("42703", "r.nope"),),
    ),
    Case(
        "cursor loop",
        (
            "declare c cursor (u uuid) for select email from profiles where id = u; begin for r in c(new.id) loop "
            "perform r.email, r.nope; end loop; return new; end"
        ),
        (("42703", "r.nope"),),
    ),
    Case(
        "cursor's own query",
        (
            "declare c cursor (u uuid) for select nope from profiles where id = u; begin open c(new.id); close c; "
            "return new; end"
        ),
        (("42703", "nope"),),
        peer="tells it of OPEN too",
    ),
    Case(
        "refcursor",
        (
            "declare c refcursor; r record; begin open c for select email from profiles; fetch c into r; perform "
            "r.nope; return new; end"
        ),
        (("42703", "r.nope"),),
    ),
    Case(
        "function in FROM",
        (
            "declare k text; v text; r record; begin for k, v in select * from jsonb_each_text(new.extra) loop "
            "perform k || v; end loop; for r in select * from jsonb_each(new.extra) loop perform r.key, r.nope; "
            "end loop; return new; end"
        ),
        (("42703", "r.nope"),),
    ),
    # Assignments.
    Case(
        "literal that the variable refuses",
        "declare p public.plan := 'gold'; n int; begin p := 'free'; n := 'x'; return new; end",
        (("22P02", "'gold'"), ("22P02", "'x'")),
        peer="stops at the default",
    ),
    Case(
        "literal that the field refuses",
        "new.plan := 'gold'; new.plan := 'pro'; return new;",
        (("22P02", "'gold'"),),
    ),
    Case(
        "constant without a cast",
        "new.id := false; return new;",
        (("22P02", "false"),),
    ),
    Case(
        "constants with a cast",
        (
            "declare b boolean := true; n int := 0; t text := 1; f numeric := 1.5; begin n := 1.5; new.visits := "
            "3; new.email := false; return new; end"
        ),
    ),
    Case(
        "target field",
        "new.nope := 1; return new;",
        (("42703", "new.nope"),),
    ),
    Case(
        "target field of INTO",
        "select email into new.nope from profiles; return new;",
        (("42703", "new.nope"),),
    ),
    Case(
        "subscript of a target",
        "new.tags[new.nope] := 'x'; return new;",
        (("42703", "new.nope"),),
    ),
    Case(
        "CASE with a subject",
        "case new.plan when 'free' then null; when 'gold' then null; else null; end case; return new;",
        (("22P02", "'gold'"),),
    ),
    Case(
        "CASE whose subject fails",
        "case new.nope when 'a' then null; else null; end case; return new;",
        (("42703", "new.nope"),),
    ),
    Case(
        "RAISE",
        "raise notice '% %', new.a, new.email using hint = new.b; return new;",
        (("42703", "new.a"), ("42703", "new.b")),
    ),
    Case(
        "ELSIF has its own place",
        "if new.id is null then null; elsif new.nope then null; end if; return new;",
        (("42703", "new.nope"),),
    ),
    Case(
        "loops and conditions",
        (
            "while new.a loop exit when new.b; end loop; foreach new.email in array new.c loop null; end loop; "
            "assert new.d; return new;"
        ),
        (("42703", "new.a"), ("42703", "new.b"), ("42703", "new.c"), ("42703", "new.d")),
    ),
    Case(
        "CALL",
        "call public.nope(1); return new;",
        (("42883", "public.nope"),),
        peer="an internal error beside it",
    ),
    Case(
        "TRUNCATE and LOCK",
        "lock table public.nope; truncate public.orders, public.gone; return new;",
        (("42P01", "public.nope"), ("42P01", "public.gone")),
        peer="does not look into utility statements",
    ),
    # Dynamic SQL.
    Case(
        "constant EXECUTE",
        "execute 'select nope from public.profiles where id = $1' using new.id; return new;",
        (("42703", "nope"),),
    ),
    Case(
        "format of constants",
        "execute format('delete from %I.%I', 'public', 'nope'); return new;",
        (("42P01", "format('delete from %I.%I', 'public', 'nope')"),),
        peer="does not fold format()",
    ),
    Case(
        "parameters of EXECUTE",
        "execute 'select $1 + 1' using new.id; execute new.x; return new;",
        (("42883", "+"), ("42703", "new.x")),
        peer="an internal error beside it",
    ),
    Case(
        "EXECUTE of what is not constant",
        "execute format('delete from %I', new.email); return new;",
    ),
)

_NOT_RUN = (
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

CASES = (*_REAL, *_NOT_RUN)
