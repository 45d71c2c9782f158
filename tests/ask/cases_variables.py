"""Bodies whose variables, types and records have to be understood."""

from __future__ import annotations

from tests.ask.asked import Case

VARIABLES = (
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
)
