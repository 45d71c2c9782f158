"""Hypothesis makes PL/pgSQL bodies of the whole grammar, and breaks them."""

from __future__ import annotations

import re
from itertools import cycle

from hypothesis import strategies as st

Words = tuple[str, ...]

DECLARED = (
    "declare v int ; s text := 'it''s' ; b constant boolean not null default true ; r record ; w record ; "
    "a int[] ; c cursor for select 1 ; p no scroll cursor ( k int , l text ) is select k , l ; q refcursor ; "
    'z text collate "C" = $x$;end$x$ ; "Odd-Name" numeric(10,2) ; y alias for new ; t1 text ;'
)
EXPRESSIONS = (
    "1",
    "v",
    "new.id",
    "( v + 1 ) * 2",
    "a [ 1 ]",
    "'x;y'",
    "E'\\'then'",
    "$q$loop;$q$",
    '"Odd-Name"',
    "coalesce ( new.email , old.email , '' )",
    "( select count ( * ) from t where t.id = new.id )",
    "( case when v > 1 then 2 else 3 end )",
    "new.raw ->> 'key'",
    "v is distinct from 3",
    "exists ( select 1 from t )",
    "array [ 1 , 2 ]",
    "v::text",
    "now ( ) - interval '1 day'",
    "v <@ 3",
    "- 1",
    "not b",
    "id from t where id = 1",
)
LEAVES = (
    "null ;",
    "v := EXPR ;",
    "v = EXPR ;",
    "new.email := EXPR ;",
    "r.x.y := EXPR ;",
    "a [ EXPR ] := EXPR ;",
    '"Odd-Name" := EXPR ;',
    "return EXPR ;",
    "return new ;",
    "return null ;",
    "perform EXPR ;",
    "perform f ( EXPR , 2 ) from t where x = v ;",
    "select EXPR into v ;",
    "select a , b into strict v , s from t where c = EXPR ;",
    "select into r * from t ;",
    "select x from t into v , new.email where x = 1 ;",
    "insert into t ( a , b ) values ( EXPR , 2 ) returning a into v ;",
    "insert into public.t select EXPR on conflict do nothing ;",
    "update t set a = EXPR , b = 'into' where id = new.id returning a into r ;",
    "delete from t where id = EXPR ;",
    "with x as ( insert into t values ( 1 ) returning 1 ) select * into r from x ;",
    "merge into t using u on t.id = u.id when matched then do nothing ;",
    "values ( 1 , 2 ) ;",
    "call proc ( EXPR ) ;",
    "do $d$ begin null; end $d$ ;",
    "create table if not exists tt ( id int ) ;",
    "create function g ( ) returns int begin atomic select 1 ; select case when true then 2 end ; end ;",
    "create rule ru as on insert to t do also ( delete from t ; select 1 ) ;",
    "set local search_path = '' ;",
    "notify chan , 'x' ;",
    "truncate t ;",
    "execute 'select 1' ;",
    "execute format ( 'select %L' , EXPR ) into v using EXPR , 2 ;",
    "execute s using EXPR into strict r ;",
    "execute 'insert into t values ($1)' using EXPR ;",
    "raise ;",
    "raise 'plain' ;",
    "raise notice 'a % b %% c %' , EXPR , v ;",
    "raise exception using errcode = 'P0001' , message = EXPR ;",
    "raise exception 'x' using hint := EXPR , detail = 'y' ;",
    "raise unique_violation using message = EXPR ;",
    "raise warning division_by_zero ;",
    "raise sqlstate '22012' using column = 'c' , constraint = 'd' , table = 't' , schema = 's' , datatype = 'e' ;",
    "raise log 'two'\n'lines%' , EXPR ;",
    "assert EXPR ;",
    "assert EXPR , 'message' ;",
    "get diagnostics v = row_count ;",
    "get current diagnostics v := row_count , s = pg_context ;",
    "get stacked diagnostics s = message_text , z = returned_sqlstate , new.email := pg_exception_detail ;",
    "open c ;",
    "open p ( EXPR , 'b' ) ;",
    "open p ( k := 1 , l := 'x' ) ;",
    "open q for select EXPR ;",
    "open q no scroll for select 1 ;",
    "open q scroll for execute s using EXPR , 2 ;",
    "fetch c into v ;",
    "fetch next from c into r ;",
    "fetch absolute EXPR in c into v , s ;",
    "fetch relative - 1 from q into v ;",
    "move forward all from c ;",
    "move backward 3 in c ;",
    "move c ;",
    "close c ;",
    "commit ;",
    "rollback and no chain ;",
)
IN_LOOPS = ("exit ;", "exit when EXPR ;", "continue ;", "continue when EXPR ;")
IN_LABELLED_BLOCKS = ("exit lab ;", "exit lab when EXPR ;")
IN_LABELLED_LOOPS = ("continue lab ;", "continue lab when EXPR ;")
NESTED = (
    "begin BODY end ;",
    "<< lab >> begin BODY end lab ;",
    "declare v int := EXPR ; i text ; begin BODY end ;",
    "begin BODY exception when others then BODY end ;",
    "begin BODY exception when unique_violation or sqlstate '23503' then BODY when no_data_found then BODY end ;",
    "if EXPR then BODY end if ;",
    "if EXPR then BODY else BODY end if ;",
    "if EXPR then BODY elsif EXPR then BODY elseif EXPR then BODY else BODY end if ;",
    "case when EXPR then BODY when EXPR then BODY end case ;",
    "case EXPR when 1 , 2 then BODY when EXPR then BODY else BODY end case ;",
    "loop BODY end loop ;",
    "<< lab >> loop BODY end loop lab ;",
    "while EXPR loop BODY end loop ;",
    '<< "lab" >> while v < 3 loop BODY end loop lab ;',
    "for i in 1..10 loop BODY end loop ;",
    "for i in reverse v..EXPR by 2 loop BODY end loop ;",
    "<< lab >> for r in select * from t where id = EXPR loop BODY end loop ;",
    "for v , s in select 1 , 2 loop BODY end loop ;",
    "for r in insert into t values ( EXPR ) returning * loop BODY end loop ;",
    "for r in execute s loop BODY end loop ;",
    "<< lab >> for r in execute format ( 'x' ) using EXPR , 2 loop BODY end loop lab ;",
    "for r in c loop BODY end loop ;",
    "for r in p ( 1 , 'x' ) loop BODY end loop ;",
    "foreach v in array a loop BODY end loop ;",
    "<< lab >> foreach a slice 1 in array EXPR loop BODY end loop ;",
)
GAPS = (" ", "\n", "\r\n", "\t ", "\n\n", " -- end; 'x\n", " /* if ; /* then */ */ ", "  ")
# What a broken body may get in the place of a word.
INTRUDERS = (
    "; , ( ) [ ] := = .. . << >> begin end if then else loop case when exception declare into using from in not null "
    "for while return raise execute perform strict v c new 1 'x' elsif by or lab exit table next % $1 \" /* $$"
).split()


# Strings stay whole, also the two that a line break joins.
_WORD = re.compile(r"(?:[^\s']|'(?:[^'\\]|\\.)*'(?:\n(?='))?)+")


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


@st.composite
def _statements(draw: st.DrawFn, depth: int, loop: bool = False, label: str = "") -> Words:
    words: list[str] = []
    for _ in range(draw(st.integers(0, 3 if depth else 2))):
        nests = depth > 0 and draw(st.booleans())
        leaves = LEAVES + (IN_LOOPS if loop else ()) + (IN_LABELLED_BLOCKS if label else ())
        leaves += IN_LABELLED_LOOPS if label == "loop" else ()
        template = draw(st.sampled_from(NESTED if nests else leaves))
        loops = " loop BODY" in template
        inner = ("loop" if loops else "block") if "lab" in template.split(" BODY")[0] else label
        for word in _words(template):
            if word == "EXPR":
                words += _words(draw(st.sampled_from(EXPRESSIONS)))
            elif word == "BODY":
                words += draw(_statements(depth - 1, loop or loops, inner))
            else:
                words.append(word)
    return tuple(words)


@st.composite
def body_words(draw: st.DrawFn) -> Words:
    """The words of a body that PostgreSQL's grammar takes."""
    inside = draw(_statements(3))
    ends = draw(st.sampled_from(("return new ; end", "end", "exception when others then raise ; end ;")))
    options = draw(st.sampled_from(("", "#variable_conflict use_column\n", "\n", "\r\n")))
    start = (options,) if options else ()
    return (*start, *_words(DECLARED), "begin", *inside, *ends.split(" "))


@st.composite
def joined(draw: st.DrawFn, words: st.SearchStrategy[Words]) -> str:
    """Words with white space and comments between them, some in capital letters."""
    gaps = cycle(draw(st.lists(st.sampled_from(GAPS), min_size=1, max_size=7)))
    capital = cycle(draw(st.lists(st.booleans(), min_size=1, max_size=5)))
    parts: list[str] = []
    for word in draw(words):
        # A capital X'..' or E'..' would be another literal; a dollar quote has its case.
        parts.append(word.upper() if next(capital) and word.replace(".", "").isidentifier() else word)
        parts.append(next(gaps))
    return "".join(parts)


@st.composite
def broken_words(draw: st.DrawFn) -> Words:
    """A body with one word dropped, doubled, replaced or put in."""
    words = list(draw(body_words()))
    at = draw(st.integers(0, len(words) - 1))
    match draw(st.sampled_from(("drop", "double", "replace", "insert", "swap"))):
        case "drop":
            del words[at]
        case "double":
            words.insert(at, words[at])
        case "replace":
            words[at] = draw(st.sampled_from(INTRUDERS))
        case "insert":
            words.insert(at, draw(st.sampled_from(INTRUDERS)))
        case _:
            other = min(at + 1, len(words) - 1)
            words[at], words[other] = words[other], words[at]
    return tuple(words)
