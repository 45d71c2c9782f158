"""Our tree and libpg_query's, brought to one shape: (kind, line, what it says, statements inside)."""

from __future__ import annotations

import itertools
import re
from typing import Any

from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.cursor import Cursor
from trigger_audit.plpgsql.lexer import tokenise
from trigger_audit.plpgsql.tree import Body, Fragment

Shape = tuple[Any, ...]

_CASE = re.compile(r'^"__Case__Variable_\d+__" IN \((.*)\)$', re.DOTALL)
_LEVELS = {14: "debug", 15: "log", 17: "info", 18: "notice", 19: "warning", 21: "exception"}
_OPTIONS = ("errcode", "message", "detail", "hint", "column", "constraint", "datatype", "table", "schema")


def _words(text: str) -> tuple[str, ...]:
    """An SQL text without what white space and comments it has."""
    return tuple(token.text for token in tokenise(text)[0])


def _said(fragment: Fragment | None) -> tuple[str, ...] | None:
    return None if fragment is None else _words(fragment.text)


def _all(fragments: tuple[Fragment, ...]) -> tuple[Any, ...]:
    return tuple(_said(fragment) for fragment in fragments)


def line_of(body: Body, statement: tree.Statement) -> int:
    """The line that PostgreSQL gives a statement: of BEGIN for a block, of the loop's keyword behind its label."""
    if isinstance(statement, tree.Block):
        return body.source.place(_begin(body, statement))[0]
    start = statement.span.start
    if getattr(statement, "label", None) is not None and not isinstance(statement, tree.Exit):
        tokens, _ = tokenise(body.source.slice(statement.span))
        start += next(second.start for first, second in itertools.pairwise(tokens) if first.text == ">>")
    return body.source.place(start)[0]


def _begin(body: Body, block: tree.Block) -> int:
    start = block.declarations[-1].span.end if block.declarations else block.span.start
    cursor = Cursor(body.source.text[start : block.span.end])
    while not cursor.sees("begin"):
        cursor.next()
    return start + cursor.token.start


def our_shape(body: Body) -> Shape:
    return _ours(body, body.block)


def _list(body: Body, statements: tuple[tree.Statement, ...]) -> Shape:
    # PostgreSQL keeps no NULL statements.
    return tuple(_ours(body, statement) for statement in statements if not isinstance(statement, tree.Null))


def _ours(body: Body, statement: tree.Statement) -> Shape:
    def inside(statements: tuple[tree.Statement, ...] | None) -> Shape:
        return _list(body, statements or ())

    line = line_of(body, statement)
    match statement:
        case tree.Block(label=label):
            handlers = tuple(
                (tuple(c.removeprefix("sqlstate ") for c in handler.conditions), inside(handler.body))
                for handler in statement.handlers
            )
            return "block", line, label, inside(statement.body), handlers
        case tree.If():
            branches = tuple(
                (body.source.place(branch.span.start)[0], _said(branch.condition), inside(branch.body))
                for branch in statement.branches
            )
            return "if", line, branches, inside(statement.otherwise)
        case tree.Case():
            branches = tuple(
                (body.source.place(branch.span.start)[0], _said(branch.condition), inside(branch.body))
                for branch in statement.branches
            )
            otherwise = statement.otherwise
            return "case", line, _said(statement.subject), branches, otherwise is not None, inside(otherwise)
        case tree.Loop(label=label):
            return "loop", line, label, inside(statement.body)
        case tree.While(label=label):
            return "while", line, label, _said(statement.condition), inside(statement.body)
        case tree.ForInteger(label=label):
            bounds = _said(statement.lower), _said(statement.upper), _said(statement.step)
            return "fori", line, label, statement.reverse, bounds, inside(statement.body)
        case tree.ForQuery(label=label):
            return "fors", line, label, _said(statement.query), inside(statement.body)
        case tree.ForExecute(label=label):
            said = _said(statement.command), _all(statement.parameters)
            return "dynfors", line, label, said, inside(statement.body)
        case tree.ForCursor(label=label):
            return "forc", line, label, inside(statement.body)
        case tree.ForEach(label=label):
            return "foreach_a", line, label, statement.slice, _said(statement.array), inside(statement.body)
        case tree.Exit(label=label):
            return "exit", line, label, statement.is_exit, _said(statement.condition)
        case tree.Return():
            return "return", line, _said(statement.value)
        case tree.ReturnNext():
            return "return_next", line, _said(statement.value)
        case tree.ReturnQuery():
            return "return_query", line, statement.dynamic, _said(statement.query), _all(statement.parameters)
        case tree.Raise():
            options = tuple((name, _said(value)) for name, value in statement.options)
            condition = (statement.condition or "").removeprefix("sqlstate ") or None
            return "raise", line, statement.level, condition, _all(statement.parameters), options
        case tree.Assert():
            return "assert", line, _said(statement.condition), _said(statement.message)
        case tree.Assign():
            text = body.source.text[statement.target_span.start : statement.value.span.end]
            return "assign", line, _words(text)
        case tree.Sql():
            return "execsql", line, _said(statement.sql), bool(statement.into), statement.strict
        case tree.Perform():
            return "perform", line, _said(statement.query)
        case tree.Call():
            return "call", line, _said(statement.sql)
        case tree.Execute():
            command, parameters = _said(statement.command), _all(statement.parameters)
            return "dynexecute", line, command, bool(statement.into), statement.strict, parameters
        case tree.GetDiagnostics():
            return "getdiag", line, statement.stacked, tuple(kind for _, kind in statement.items)
        case tree.Open():
            query = None if statement.query is None else _said(statement.query)
            return "open", line, statement.dynamic, query, _all(statement.parameters)
        case tree.Fetch():
            return "fetch", line, statement.is_move
        case tree.Close():
            return "close", line
        case tree.Transaction():
            return statement.kind, line
        case tree.Null():
            raise AssertionError("left out above")


def their_shape(function: dict[str, Any]) -> Shape:
    """libpg_query's PLpgSQL_function, without what PostgreSQL adds: a last RETURN and a block to hold it."""
    action = function["PLpgSQL_function"]["action"]["PLpgSQL_stmt_block"]
    if "lineno" not in action:
        (action,) = (found["PLpgSQL_stmt_block"] for found in action["body"] if "PLpgSQL_stmt_block" in found)
    return _theirs("PLpgSQL_stmt_block", action)


def _query(node: dict[str, Any] | None) -> tuple[str, ...] | None:
    return None if node is None else _words(node["PLpgSQL_expr"]["query"])


def _queries(nodes: list[dict[str, Any]] | None) -> tuple[Any, ...]:
    return tuple(_query(node) for node in nodes or ())


def _their_list(nodes: list[dict[str, Any]] | None) -> Shape:
    found = []
    for node in nodes or ():
        ((kind, content),) = node.items()
        if kind == "PLpgSQL_stmt_return" and "lineno" not in content:
            continue  # PostgreSQL's own addition
        found.append(_theirs(kind, content))
    return tuple(found)


def _theirs(kind: str, node: dict[str, Any]) -> Shape:
    kind = kind.removeprefix("PLpgSQL_stmt_")
    line = node["lineno"]
    label = node.get("label")
    body = node.get("body")
    match kind:
        case "block":
            handlers = []
            for one in node.get("exceptions", {}).get("PLpgSQL_exception_block", {}).get("exc_list", ()):
                handler = one["PLpgSQL_exception"]
                names = tuple(c["PLpgSQL_condition"]["condname"] for c in handler["conditions"])
                handlers.append((names, _their_list(handler.get("action"))))
            return kind, line, label, _their_list(body), tuple(handlers)
        case "if":
            branches = [(line, _query(node["cond"]), _their_list(node.get("then_body")))]
            for one in node.get("elsif_list", ()):
                branch = one["PLpgSQL_if_elsif"]
                branches.append((branch["lineno"], _query(branch["cond"]), _their_list(branch.get("stmts"))))
            return kind, line, tuple(branches), _their_list(node.get("else_body"))
        case "case":
            whens = tuple(
                (when["lineno"], _when(when["expr"]), _their_list(when.get("stmts")))
                for when in (one["PLpgSQL_case_when"] for one in node["case_when_list"])
            )
            have_else = node.get("have_else", False)
            return kind, line, _query(node.get("t_expr")), whens, have_else, _their_list(node.get("else_stmts"))
        case "loop":
            return kind, line, label, _their_list(body)
        case "while":
            return kind, line, label, _query(node["cond"]), _their_list(body)
        case "fori":
            bounds = _query(node["lower"]), _query(node["upper"]), _query(node.get("step"))
            return kind, line, label, node.get("reverse", False), bounds, _their_list(body)
        case "fors":
            return kind, line, label, _query(node["query"]), _their_list(body)
        case "dynfors":
            said = _query(node["query"]), _queries(node.get("params"))
            return kind, line, label, said, _their_list(body)
        case "forc":
            return kind, line, label, _their_list(body)
        case "foreach_a":
            return kind, line, label, node.get("slice", 0), _query(node["expr"]), _their_list(body)
        case "exit":
            return kind, line, label, node.get("is_exit", False), _query(node.get("cond"))
        case "return" | "return_next":
            return kind, line, _query(node.get("expr"))
        case "return_query":
            dynamic = "dynquery" in node
            query = _query(node["dynquery" if dynamic else "query"])
            return kind, line, dynamic, query, _queries(node.get("params"))
        case "raise":
            options = tuple(
                (_OPTIONS[option.get("opt_type", 0)], _query(option["expr"]))
                for option in (one["PLpgSQL_raise_option"] for one in node.get("options", ()))
            )
            level = _LEVELS[node["elog_level"]]
            return kind, line, level, node.get("condname"), _queries(node.get("params")), options
        case "assert":
            return kind, line, _query(node["cond"]), _query(node.get("message"))
        case "assign":
            return kind, line, _query(node["expr"])
        case "execsql":
            return kind, line, _query(node["sqlstmt"]), node.get("into", False), node.get("strict", False)
        case "perform" | "call":
            return kind, line, _query(node["expr"])
        case "dynexecute":
            into, strict = node.get("into", False), node.get("strict", False)
            return kind, line, _query(node["query"]), into, strict, _queries(node.get("params"))
        case "getdiag":
            items = tuple(one["PLpgSQL_diag_item"]["kind"].lower() for one in node["diag_items"])
            return kind, line, node.get("is_stacked", False), items
        case "open":
            dynamic = "dynquery" in node
            query = _query(node.get("dynquery" if dynamic else "query"))
            return kind, line, dynamic, query, _queries(node.get("params"))
        case "fetch":
            return kind, line, node.get("is_move", False)
        case _:
            return kind, line


def _when(node: dict[str, Any]) -> tuple[str, ...] | None:
    query: str = node["PLpgSQL_expr"]["query"]
    found = _CASE.match(query)
    return _words(found[1] if found else query)


def fragments(body: Body) -> list[tuple[Fragment, bool]]:
    """Every embedded text, and whether it is a whole statement (else an expression)."""
    found: list[tuple[Fragment, bool]] = []

    def expressions(*given: Fragment | None) -> None:
        found.extend((fragment, False) for fragment in given if fragment is not None)

    cursors: set[str] = set()
    for statement in tree.walk(body.block):
        match statement:
            case tree.Block():
                cursors |= {one.name for one in statement.declarations if isinstance(one, tree.CursorDeclaration)}
                for declaration in statement.declarations:
                    if isinstance(declaration, tree.Declaration):
                        expressions(declaration.default)
                    elif isinstance(declaration, tree.CursorDeclaration):
                        found.append((declaration.query, True))
            case tree.If():
                expressions(*(branch.condition for branch in statement.branches))
            case tree.Case():
                expressions(statement.subject, *(branch.condition for branch in statement.branches))
            case tree.While() | tree.Exit():
                expressions(statement.condition)
            case tree.ForInteger():
                expressions(statement.lower, statement.upper, statement.step)
            case tree.ForQuery():
                found.append((statement.query, True))
            case tree.ForExecute() | tree.Execute():
                expressions(statement.command, *statement.parameters)
            case tree.ForEach():
                expressions(statement.array)
            case tree.ForCursor():
                expressions(statement.arguments)
                if statement.cursor not in cursors:
                    found.append((Fragment(statement.cursor, statement.span), True))  # a query then, and a wrong one
            case tree.Return() | tree.ReturnNext():
                expressions(statement.value)
            case tree.ReturnQuery():
                found.append((statement.query, not statement.dynamic))
                expressions(*statement.parameters)
            case tree.Raise():
                expressions(*statement.parameters, *(value for _, value in statement.options))
            case tree.Assert():
                expressions(statement.condition, statement.message)
            case tree.Assign():
                expressions(Fragment(statement.target, statement.target_span), statement.value)
            case tree.Sql() | tree.Call():
                found.append((statement.sql, True))
            case tree.Perform():
                found.append((statement.query, True))
            case tree.Open():
                expressions(statement.arguments, *statement.parameters)
                if statement.query is not None:
                    found.append((statement.query, not statement.dynamic))
            case tree.Fetch():
                expressions(_count(body, statement))
            case _:
                pass
    return found


def _count(body: Body, statement: tree.Fetch) -> Fragment | None:
    """The expression of FETCH ABSOLUTE expression FROM cursor and the like, which the tree leaves out."""
    tokens, _ = tokenise(body.source.slice(statement.span))
    ends = [index for index, token in enumerate(tokens) if token.word in ("from", "in")]
    start = 2 if tokens[1].word in ("absolute", "relative", "forward", "backward") else 1
    if not ends or start >= ends[0] or tokens[start].word in ("next", "prior", "first", "last", "all"):
        return None
    text = body.source.slice(statement.span)[tokens[start].start : tokens[ends[0]].start]
    return Fragment(text, statement.span)
