"""Bodies with one fault each, by SQLSTATE and by kind of statement."""

from __future__ import annotations

from tests.ask.asked import Case

FAULTS = (
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
