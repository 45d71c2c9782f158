"""Statements of PL/pgSQL, as pl_gram.y has them."""

from __future__ import annotations

from dataclasses import dataclass

from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.conditions import check_condition
from trigger_audit.plpgsql.cursor import Cursor, at_words
from trigger_audit.plpgsql.declarations import read_declarations
from trigger_audit.plpgsql.embedded import assignment_follows, read_assignment, read_sql
from trigger_audit.plpgsql.lexer import identifier
from trigger_audit.plpgsql.loops import read_loop
from trigger_audit.plpgsql.small import read_small
from trigger_audit.plpgsql.tree import SyntaxProblem

# Each level takes up to five Python frames, of which there are a thousand.
MAXIMAL_DEPTH = 120
_LOOPS = frozenset({"loop", "while", "for", "foreach"})


@dataclass(frozen=True, slots=True)
class Enclosing:
    """A block or loop around the statement that is being read."""

    label: str | None
    is_loop: bool


class Parser:
    """Reads statements from a cursor; `depth` counts the nesting, which PostgreSQL's stack limits too."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.depth = 0
        self.enclosing: list[Enclosing] = []

    def block(self, start: int, label: str | None) -> tree.Block:
        """[DECLARE ...] BEGIN ... END [label], the label read already; `start` is its first token."""
        cursor = self.cursor
        declarations: tuple[tree.AnyDeclaration, ...] = ()
        if cursor.take("declare"):
            declarations = read_declarations(cursor)
        cursor.expect("begin")
        self.enclosing.append(Enclosing(label, is_loop=False))
        body = self.statements("end", "exception")
        handlers: list[tree.Handler] = []
        if cursor.take("exception"):
            if not cursor.sees("when"):
                raise cursor.problem()
            while cursor.sees("when"):
                handlers.append(self.handler())
        self.enclosing.pop()
        cursor.expect("end")
        self.end_label(label)
        span = cursor.span_from(start)
        return tree.Block(label, declarations, body, tuple(handlers), span)

    def end_label(self, label: str | None) -> None:
        cursor = self.cursor
        if cursor.token.kind not in ("word", "quoted"):
            return
        token = cursor.next()
        if label is None:
            raise SyntaxProblem(f'end label "{identifier(token)}" specified for unlabeled block', token.start)
        if identifier(token) != label:
            raise SyntaxProblem(f'end label "{identifier(token)}" differs from block\'s label "{label}"', token.start)

    def handler(self) -> tree.Handler:
        cursor = self.cursor
        start = cursor.at
        cursor.expect("when")
        conditions = []
        while True:
            token = cursor.name()
            if token.kind == "word" and token.word == "sqlstate":
                conditions.append(f"sqlstate {cursor.sqlstate()}")
            else:
                conditions.append(check_condition(token, others=True))
            if not cursor.take("or"):
                break
        cursor.expect("then")
        body = self.statements("when", "end")
        return tree.Handler(tuple(conditions), body, cursor.span_from(start))

    def statements(self, *ends: str) -> tuple[tree.Statement, ...]:
        """Statements up to one of these words, which is not taken."""
        self.depth += 1
        if self.depth > MAXIMAL_DEPTH:
            raise SyntaxProblem("nested too deeply to be read", self.cursor.token.start)
        found: list[tree.Statement] = []
        while not any(self.cursor.sees(end) for end in ends):
            if self.cursor.token.kind == "end":
                raise self.cursor.problem()
            found.append(self.statement())
        self.depth -= 1
        return tuple(found)

    def statement(self) -> tree.Statement:
        cursor = self.cursor
        start = cursor.at
        label = self.label()
        if cursor.sees("declare") or cursor.sees("begin"):
            found: tree.Statement = self.block(start, label)
            cursor.expect(";")
            return found
        if cursor.token.kind == "word" and cursor.token.word in _LOOPS and not assignment_follows(cursor):
            return read_loop(self, start, label)
        if label is not None:
            raise cursor.problem()
        if cursor.token.kind == "word" and not assignment_follows(cursor):
            if cursor.sees("if"):
                return self.read_if(start)
            if cursor.sees("case"):
                return self.read_case(start)
            small = read_small(cursor, start)
            if small is not None:
                if isinstance(small, tree.Exit):
                    self.check_exit(small)
                return small
        if assignment_follows(cursor):
            return read_assignment(cursor, start)
        return read_sql(cursor, start)

    def repeated(self, label: str | None) -> tuple[tree.Statement, ...]:
        """A loop's statements up to its END."""
        self.enclosing.append(Enclosing(label, is_loop=True))
        body = self.statements("end")
        self.enclosing.pop()
        return body

    def check_exit(self, statement: tree.Exit) -> None:
        """EXIT and CONTINUE need a loop; EXIT can leave a labelled block too.

        An unknown label of EXIT may be the function's own name, which the body does not tell.
        """
        word, at = "EXIT" if statement.is_exit else "CONTINUE", statement.span.start
        if statement.label is None:
            if not any(around.is_loop for around in self.enclosing):
                labelled = ", unless it has a label" if statement.is_exit else ""
                raise SyntaxProblem(f"{word} cannot be used outside a loop{labelled}", at)
        elif not statement.is_exit:
            named = next((one for one in reversed(self.enclosing) if one.label == statement.label), None)
            if named is None:
                wrong = f'there is no label "{statement.label}" attached to any block or loop enclosing this statement'
                raise SyntaxProblem(wrong, at)
            if not named.is_loop:
                raise SyntaxProblem(f'block label "{statement.label}" cannot be used in CONTINUE', at)

    def label(self) -> str | None:
        cursor = self.cursor
        if not cursor.take("<<"):
            return None
        name = identifier(cursor.name())
        cursor.expect(">>")
        return name

    def read_if(self, start: int) -> tree.If:
        cursor = self.cursor
        branches = []
        otherwise: tuple[tree.Statement, ...] | None = None
        cursor.expect("if")
        at = start
        while True:
            condition = cursor.until(at_words("then"), missing="THEN")
            cursor.expect("then")
            body = self.statements("elsif", "elseif", "else", "end")
            branches.append(tree.Branch(condition, body, cursor.span_from(at)))
            at = cursor.at
            if cursor.take("elsif") or cursor.take("elseif"):
                continue
            if cursor.take("else"):
                otherwise = self.statements("end")
            break
        cursor.expect("end")
        cursor.expect("if")
        cursor.expect(";")
        return tree.If(tuple(branches), otherwise, cursor.span_from(start))

    def read_case(self, start: int) -> tree.Case:
        cursor = self.cursor
        cursor.expect("case")
        subject = None
        if not cursor.sees("when"):
            subject = cursor.until(at_words("when"), missing="WHEN")
        branches = []
        while cursor.sees("when"):
            at = cursor.at
            cursor.expect("when")
            condition = cursor.until(at_words("then"), missing="THEN")
            cursor.expect("then")
            body = self.statements("when", "else", "end")
            branches.append(tree.Branch(condition, body, cursor.span_from(at)))
        otherwise = self.statements("end") if cursor.take("else") else None
        cursor.expect("end")
        cursor.expect("case")
        cursor.expect(";")
        if not branches:
            raise SyntaxProblem("CASE needs a WHEN", cursor.tokens[start].start)
        return tree.Case(subject, tuple(branches), otherwise, cursor.span_from(start))
