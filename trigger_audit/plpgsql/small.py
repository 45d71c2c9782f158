"""The statements that begin with a word of PL/pgSQL's own: RETURN, RAISE, PERFORM, EXECUTE, OPEN and the like."""

from __future__ import annotations

from collections.abc import Callable

from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.conditions import check_condition
from trigger_audit.plpgsql.cursor import Cursor, at_words, is_name
from trigger_audit.plpgsql.embedded import read_targets
from trigger_audit.plpgsql.lexer import Token, identifier
from trigger_audit.plpgsql.tree import Fragment, SyntaxProblem

_LEVELS = frozenset({"debug", "log", "info", "notice", "warning", "exception"})
_CURRENT_ITEMS = frozenset({"row_count", "pg_context", "pg_routine_oid"})
_STACKED_ITEMS = frozenset(
    "returned_sqlstate column_name constraint_name pg_datatype_name message_text table_name schema_name "
    "pg_exception_detail pg_exception_hint pg_exception_context".split()
)
_OPTIONS = frozenset({"message", "detail", "hint", "errcode", "column", "constraint", "datatype", "table", "schema"})


def read_small(cursor: Cursor, start: int) -> tree.Statement | None:
    """The statement, or None where the word begins none of these."""
    reader = _READERS.get(cursor.token.word)
    return reader(cursor, start) if reader is not None else None


def _list(cursor: Cursor, *ends: str) -> tuple[Fragment, ...]:
    """Expressions with commas between, up to one of the ends."""
    stop = at_words(",", *ends)
    found = [cursor.until(stop, missing=ends[-1])]
    while cursor.take(","):
        found.append(cursor.until(stop, missing=ends[-1]))
    return tuple(found)


def _return(cursor: Cursor, start: int) -> tree.Statement:
    cursor.expect("return")
    if cursor.take("next"):
        value = None if cursor.sees(";") else cursor.until(at_words(";"), missing=";")
        cursor.expect(";")
        return tree.ReturnNext(value, cursor.span_from(start))
    if cursor.take("query"):
        if cursor.take("execute"):
            command = cursor.until(at_words("using", ";"), missing=";")
            parameters = _list(cursor, ";") if cursor.take("using") else ()
            cursor.expect(";")
            return tree.ReturnQuery(command, True, parameters, cursor.span_from(start))
        query = cursor.until(at_words(";"), missing=";")
        cursor.expect(";")
        return tree.ReturnQuery(query, False, (), cursor.span_from(start))
    value = None if cursor.sees(";") else cursor.until(at_words(";"), missing=";")
    cursor.expect(";")
    return tree.Return(value, cursor.span_from(start))


def _raise(cursor: Cursor, start: int) -> tree.Raise:
    cursor.expect("raise")
    if cursor.take(";"):
        return tree.Raise("exception", None, None, (), (), True, cursor.span_from(start))
    level = cursor.next().word if cursor.token.kind == "word" and cursor.token.word in _LEVELS else "exception"
    condition: str | None = None
    message: str | None = None
    parameters: tuple[Fragment, ...] = ()
    if cursor.token.kind == "string":
        message = cursor.string()
        if cursor.take(","):
            parameters = _list(cursor, "using", ";")
        _check_placeholders(message, len(parameters), cursor.tokens[start].start)
    elif cursor.take("sqlstate"):
        condition = f"sqlstate {cursor.sqlstate()}"
    elif not cursor.sees("using"):
        condition = check_condition(cursor.name(), others=False)
    options: list[tuple[str, Fragment]] = []
    if cursor.take("using"):
        while True:
            option = cursor.name()
            if option.word not in _OPTIONS:
                raise SyntaxProblem(f'unrecognized RAISE statement option "{option.text}"', option.start)
            if not cursor.take("=") and not cursor.take(":="):
                raise cursor.problem()
            options.append((option.word, cursor.until(at_words(",", ";"), missing=";")))
            if not cursor.take(","):
                break
    cursor.expect(";")
    return tree.Raise(level, condition, message, parameters, tuple(options), False, cursor.span_from(start))


def _check_placeholders(message: str, parameters: int, offset: int) -> None:
    """check_raise_parameters: as many `%` as parameters, `%%` being a literal one."""
    wanted = message.replace("%%", "").count("%")
    if parameters > wanted:
        raise SyntaxProblem("too many parameters specified for RAISE", offset)
    if parameters < wanted:
        raise SyntaxProblem("too few parameters specified for RAISE", offset)


def _perform(cursor: Cursor, start: int) -> tree.Perform:
    cursor.expect("perform")
    query = cursor.until(at_words(";"), missing=";", empty_allowed=True)
    word = cursor.tokens[start]
    end = max(word.end, query.span.end) if query.text else word.end
    # PERFORM is one letter longer than SELECT: the blank keeps every offset.
    text = "SELECT " + cursor.text[word.end : end]
    cursor.expect(";")
    return tree.Perform(Fragment(text, tree.Span(word.start, end)), cursor.span_from(start))


def _execute(cursor: Cursor, start: int) -> tree.Execute:
    cursor.expect("execute")
    command = cursor.until(at_words("into", "using", ";"), missing=";")
    into: tuple[str, ...] = ()
    strict = False
    parameters: tuple[Fragment, ...] = ()
    while True:
        if not into and cursor.take("into"):
            strict = cursor.take("strict")
            into = read_targets(cursor)
        elif not parameters and cursor.take("using"):
            parameters = _list(cursor, "into", ";")
        else:
            break
    cursor.expect(";")
    return tree.Execute(command, into, strict, parameters, cursor.span_from(start))


def _diagnostics(cursor: Cursor, start: int) -> tree.GetDiagnostics:
    cursor.expect("get")
    stacked = cursor.take("stacked")
    if not stacked:
        cursor.take("current")
    cursor.expect("diagnostics")
    items = []
    while True:
        (target,) = _one_target(cursor)
        if not cursor.take("=") and not cursor.take(":="):
            raise cursor.problem()
        item = cursor.name()
        if item.word not in (_STACKED_ITEMS if stacked else _CURRENT_ITEMS):
            raise SyntaxProblem(_wrong_item(item, stacked), item.start)
        items.append((target, item.word))
        if not cursor.take(","):
            break
    cursor.expect(";")
    return tree.GetDiagnostics(stacked, tuple(items), cursor.span_from(start))


def _wrong_item(item: Token, stacked: bool) -> str:
    if item.word in _STACKED_ITEMS | _CURRENT_ITEMS:
        kind = "STACKED" if stacked else "CURRENT"
        return f"diagnostics item {item.word.upper()} is not allowed in GET {kind} DIAGNOSTICS"
    return f'unrecognized GET DIAGNOSTICS item at or near "{item.text}"'


def _one_target(cursor: Cursor) -> tuple[str]:
    start = cursor.at
    cursor.name()
    while cursor.take("."):
        cursor.name()
    return (cursor.fragment(start, cursor.at).text,)


def _open(cursor: Cursor, start: int) -> tree.Open:
    cursor.expect("open")
    name = identifier(cursor.name())
    arguments: Fragment | None = None
    query: Fragment | None = None
    parameters: tuple[Fragment, ...] = ()
    dynamic = False
    if cursor.take("("):
        arguments = cursor.until(at_words(")"), missing=")")
        cursor.expect(")")
    else:
        # PostgreSQL takes NO without SCROLL too.
        scrolls = cursor.take("no", "scroll") or cursor.take("no") or cursor.take("scroll")
        if scrolls or cursor.sees("for"):
            cursor.expect("for")
            dynamic = cursor.take("execute")
            query = cursor.until(at_words(*(("using", ";") if dynamic else (";",))), missing=";")
            if dynamic and cursor.take("using"):
                parameters = _list(cursor, ";")
    cursor.expect(";")
    return tree.Open(name, arguments, query, dynamic, parameters, cursor.span_from(start))


def _fetch(cursor: Cursor, start: int) -> tree.Fetch:
    is_move = cursor.next().word == "move"
    begin = cursor.at
    cursor.until(at_words("into", ";"), missing=";")
    _check_direction(cursor, begin)
    name = identifier(cursor.tokens[cursor.at - 1])
    into: tuple[str, ...] = ()
    if not is_move:
        cursor.expect("into")
        into = read_targets(cursor)
    cursor.expect(";")
    return tree.Fetch(name, is_move, into, cursor.span_from(start))


def _check_direction(cursor: Cursor, begin: int) -> None:
    """The cursor alone, or a direction, FROM or IN, and the cursor. Without FROM there is no direction but a name."""
    direction, last = cursor.tokens[begin : cursor.at - 1], cursor.tokens[cursor.at - 1]
    if not is_name(last):
        raise cursor.problem(last)
    if not direction:
        return
    if not _is_from(direction[-1]):
        raise SyntaxProblem(f'expected FROM or IN at or near "{last.text[:60]}"', last.start)
    depth = 0
    for token in direction[:-1]:
        depth += (token.text == "(") - (token.text == ")")
        if _is_from(token) and not depth:
            raise cursor.problem(direction[-1])
    words = [token.word for token in direction[:-1] if token.kind == "word"]
    alone = words[:1] in (["next"], ["prior"], ["first"], ["last"], ["all"]) or words[:2] in (
        ["forward", "all"],
        ["backward", "all"],
    )
    if alone and len(direction) - 1 > (2 if words[0] in ("forward", "backward") else 1):
        raise cursor.problem(direction[1])
    if words in (["absolute"], ["relative"]) and len(direction) == 2:
        raise SyntaxProblem("missing expression", direction[-1].start)


def _is_from(token: Token) -> bool:
    return token.kind == "word" and token.word in ("from", "in")


def _close(cursor: Cursor, start: int) -> tree.Close:
    cursor.expect("close")
    name = identifier(cursor.name())
    cursor.expect(";")
    return tree.Close(name, cursor.span_from(start))


def _exit(cursor: Cursor, start: int) -> tree.Exit:
    is_exit = cursor.next().word == "exit"
    label = None
    if cursor.token.kind in ("word", "quoted") and not cursor.sees("when"):
        label = identifier(cursor.next())
    condition = cursor.until(at_words(";"), missing=";") if cursor.take("when") else None
    cursor.expect(";")
    return tree.Exit(is_exit, label, condition, cursor.span_from(start))


def _assert(cursor: Cursor, start: int) -> tree.Assert:
    cursor.expect("assert")
    condition = cursor.until(at_words(",", ";"), missing=";")
    message = cursor.until(at_words(";"), missing=";") if cursor.take(",") else None
    cursor.expect(";")
    return tree.Assert(condition, message, cursor.span_from(start))


def _null(cursor: Cursor, start: int) -> tree.Null:
    cursor.expect("null")
    cursor.expect(";")
    return tree.Null(cursor.span_from(start))


def _transaction(cursor: Cursor, start: int) -> tree.Transaction:
    kind = cursor.next().word
    if cursor.take("and"):
        cursor.take("no")
        cursor.expect("chain")
    cursor.expect(";")
    return tree.Transaction(kind, cursor.span_from(start))


_READERS: dict[str, Callable[[Cursor, int], tree.Statement]] = {
    "return": _return,
    "raise": _raise,
    "perform": _perform,
    "execute": _execute,
    "get": _diagnostics,
    "open": _open,
    "fetch": _fetch,
    "move": _fetch,
    "close": _close,
    "exit": _exit,
    "continue": _exit,
    "assert": _assert,
    "null": _null,
    "commit": _transaction,
    "rollback": _transaction,
}
