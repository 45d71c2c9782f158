"""Walks an expression and says, for each statement of Auth that may run it, whether it can be NULL.

The firings of the site are numbered; `Term.nulls` and `Term.always` are sets of those numbers. A site that no statement
of Auth sets off has the one number -1, under which nothing of NEW is known.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.assumptions import Assumptions
from trigger_audit.analysis.enums import enum_labels
from trigger_audit.analysis.expressions import fold
from trigger_audit.analysis.functions import NEVER_NULL_NODES, STRICT_NODES, is_never_null_call, is_strict_call
from trigger_audit.analysis.nodes import bare, beside, call_of, column_of, is_where, json_step, key_of, literal_text
from trigger_audit.analysis.rows import METADATA, AuthRows
from trigger_audit.analysis.terms import LOOKUP, NOBODY, UNKNOWN, Term, first_of, joined
from trigger_audit.analysis.variables import Variables
from trigger_audit.auth.model import Origin

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Expression, Site
    from trigger_audit.catalog.model import Catalog

_SESSION_CALLS = frozenset({"uid", "jwt", "email", "role"})
_BOOLEAN_TESTS = (exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Exists)
_BOOLEANS = frozenset({"true", "false"})
_CONTROL_ARGUMENTS = (exp.DataType, exp.JSONPath, exp.Var)


class Evaluation:
    """The evaluation of expressions at one site."""

    def __init__(self, site: Site, catalog: Catalog) -> None:
        self._site = site
        self._catalog = catalog
        self._variables = Variables(site)
        self._open: set[str] = set()
        self.universe = frozenset(range(len(site.firings))) or frozenset({-1})
        self._rows = AuthRows(site, self._variables)

    def unreached(self) -> frozenset[int]:
        """The firings in which the site is not reached where the client sends no metadata."""
        firings = NOBODY
        for condition in self._site.statement.conditions:
            if condition.expression.node is not None:
                firings |= self.fails_bare(condition.expression.node, condition.holds, Assumptions())
        return firings

    def assumptions_at(self, expression: Expression) -> Assumptions:
        """What holds where an expression of the statement is evaluated: dominating conditions, and its own WHERE."""
        known = [
            (condition.expression.node, condition.holds)
            for condition in self._site.statement.conditions
            if condition.expression.node is not None
        ]
        for facts in self._site.statement.sql:
            span = facts.fragment.span
            within = span.start <= expression.span.start <= expression.span.end <= span.end
            if not within or "where" not in fold(facts.fragment.text):
                continue
            node = facts.node
            query = node.expression if isinstance(node, exp.Insert) else node
            where = query.args.get("where") if isinstance(query, exp.Select | exp.Update) else None
            if node is not None and where is not None and not is_where(node, expression.node):
                known.append((where.this, True))
        return Assumptions.of(known)

    def term(self, node: exp.Expression, known: Assumptions) -> Term:
        """What is known of a node under assumptions."""
        node = bare(node)
        term = self._plain_term(node, known)
        if not known or isinstance(node, exp.Literal | exp.Null):
            return term
        key = key_of(node)
        if key in known.not_null:
            term = replace(term, nulls=NOBODY, always=NOBODY, sure=True)
        if key in known.confined:
            texts = known.confined[key]
            term = replace(term, constants=texts if term.constants is None else texts & term.constants)
        return term

    def _plain_term(self, node: exp.Expression, known: Assumptions) -> Term:
        if isinstance(node, exp.Null):
            return Term(self.universe, self.universe, "NULL", constants=frozenset(), sure=True)
        column = column_of(node)
        if column is not None:
            return self._column(*column, known)
        if not isinstance(node, exp.Cast) and (text := literal_text(node)) is not None:
            return Term(origins=frozenset({Origin.CONSTANT}), constants=frozenset({text}), sure=True)
        step = json_step(node)
        if step is not None:
            return self._json(step[0], step[1], known)
        call = call_of(node)
        if call is not None:
            return self._call(*call, known)
        match node:
            case exp.Cast():
                return self._cast(node, known)
            case exp.Coalesce():
                return self._first_of([node.this, *node.expressions], known)
            case exp.Greatest() | exp.Least():
                return replace(self._first_of([node.this, *node.expressions], known), document="")
            case exp.Nullif():
                return self._nullif(node, known)
            case exp.Case():
                return self._case(node, known)
            case exp.ConcatWs() | exp.Format():
                return self._led_by_first(node, known)
            case exp.Subquery() | exp.Select():
                query = node.this if isinstance(node, exp.Subquery) else node
                return self._query(query, 0, known) if isinstance(query, exp.Select) else self._derived(node, known)
            case exp.And() | exp.Or():
                return self._connective(node, known)
            case exp.In() | exp.Between():
                left = self.term(node.this, known)
                return replace(self._derived(node, known), nulls=left.nulls, always=left.always, reason=left.reason,
                               constants=_BOOLEANS)  # fmt: skip
        if isinstance(node, NEVER_NULL_NODES):
            term = self._derived(node, known)
            return replace(term, constants=_BOOLEANS if isinstance(node, _BOOLEAN_TESTS) else None, sure=True)
        if isinstance(node, STRICT_NODES):
            return self._strict(node, list(node.iter_expressions()), known)
        return self._derived(node, known)

    # -- leaves

    def _column(self, record: str | None, name: str, known: Assumptions) -> Term:
        if record is None:
            if name in ("new", "old"):
                return Term(record=name)
            if name == "tg_op":
                return Term(constants=frozenset(firing.event for firing in self._site.firings) or None)
            if name == "found":
                return Term(constants=_BOOLEANS)
            return self._variable(name, known)
        if record in ("new", "old"):
            return self._rows.column(record, name)
        return UNKNOWN

    def _variable(self, name: str, known: Assumptions) -> Term:
        if name in self._open:
            return UNKNOWN
        source = self._variables.source_of(name)
        if source is None:
            return UNKNOWN
        self._open.add(name)
        try:
            if source.query is not None:
                term = self._query(source.query, source.position, known, strict=source.strict)
            else:
                assert source.expression is not None
                term = self.term(source.expression, known)
        finally:
            self._open.discard(name)
        if term.reason == "NULL":
            term = replace(term, reason=f"{name}, which is set to NULL,")
        if source.certain:
            return term
        # Where it is not sure that the assignment ran, or ran before, the value may be another one.
        nulls = NOBODY
        for condition in source.unless:
            if condition.expression.node is not None:
                nulls |= self.fails_bare(condition.expression.node, condition.holds, Assumptions())
        reason = f"{name}, which one branch leaves unassigned,"
        return replace(term, nulls=nulls, always=NOBODY, reason=reason, sure=False)

    # -- JSON

    def _json(self, document: exp.Expression, keys: tuple[str | None, ...], known: Assumptions) -> Term:
        base = self.term(document, known)
        if base.record and not base.document and len(keys) >= 1 and keys[0] is not None:  # to_jsonb(NEW) ->> 'email'
            column = self._rows.column(base.record, keys[0])
            return column if len(keys) == 1 else replace(column, constants=None, document="")
        if not base.document:
            return replace(base, constants=None)
        path = ".".join(key if key is not None else "?" for key in keys)
        is_user = base.document == "raw_user_meta_data"
        whole = f"{next(iter(base.keys))}.{path}" if base.keys else path
        term = replace(base, keys=frozenset({whole}) if is_user else frozenset(), constants=None, sure=False)
        if keys[0] is None or base.keys:
            return term
        absent = base.nulls
        always = base.always
        for index in self.universe:
            state = self._rows.document(index, base.record, base.document)
            if state is not None and keys[0] not in state.keys:
                absent |= {index}
                if state.value == "'{}'":
                    always |= {index}
        reason = f"{METADATA[base.document]} {keys[0]}"
        return replace(term, nulls=absent, always=always, reason=reason)

    # -- combinations

    def _call(self, schema: str | None, name: str, arguments: list[exp.Expression], known: Assumptions) -> Term:
        terms = [self.term(argument, known) for argument in arguments]
        if schema == "auth" and name in _SESSION_CALLS and not arguments:
            # Auth sets no request.jwt.*; where the application fires the trigger nothing is known.
            return Term(*self._when_auth_fires(), f"auth.{name}()")
        if name == "current_setting" and len(arguments) == 2:
            setting = literal_text(arguments[0])
            if setting is not None and fold(setting).startswith("request."):
                return Term(*self._when_auth_fires(), f"current_setting('{setting}', true)")
        if name in ("to_jsonb", "to_json", "row_to_json") and len(terms) == 1 and terms[0].record:
            return replace(terms[0], constants=None)
        together = joined(terms)
        if is_strict_call(schema, name):
            return replace(together, sure=False)
        return replace(together, nulls=NOBODY, always=NOBODY, reason="", sure=is_never_null_call(schema, name))

    def _when_auth_fires(self) -> tuple[frozenset[int], frozenset[int]]:
        firings = frozenset(index for index in self.universe if index >= 0)
        return firings, firings

    def _strict(self, node: exp.Expression, children: list[exp.Expression], known: Assumptions) -> Term:
        terms = [self.term(child, known) for child in children if not isinstance(child, _CONTROL_ARGUMENTS)]
        together = joined(terms)
        if isinstance(node, exp.Lower | exp.Upper) and terms and terms[0].constants is not None:
            change = str.lower if isinstance(node, exp.Lower) else str.upper
            return replace(together, constants=frozenset(change(text) for text in terms[0].constants))
        if isinstance(node, exp.Trim) and len(terms) == 1 and terms[0].constants is not None:
            return replace(together, constants=frozenset(text.strip(" ") for text in terms[0].constants))
        if isinstance(node, exp.Collate):
            return terms[0]
        if isinstance(node, exp.Predicate | exp.Not):
            return replace(together, constants=_BOOLEANS)
        return together

    def _derived(self, node: exp.Expression, known: Assumptions) -> Term:
        """Not known to be NULL, but made of its parts."""
        children = [child for child in node.iter_expressions() if not isinstance(child, _CONTROL_ARGUMENTS)]
        together = joined([self.term(child, known) for child in children])
        return replace(together, nulls=NOBODY, always=NOBODY, reason="", sure=False)

    def _cast(self, node: exp.Cast, known: Assumptions) -> Term:
        term = self.term(node.this, known)
        if term.constants is None:
            return replace(term, constants=enum_labels(node.to, self._catalog, self._site.visit.search_path))
        return term

    def _first_of(self, arguments: list[exp.Expression], known: Assumptions) -> Term:
        return first_of([self.term(argument, known) for argument in arguments], self.universe)

    def _nullif(self, node: exp.Nullif, known: Assumptions) -> Term:
        left, right = self.term(node.this, known), self.term(node.expression, known)
        term = replace(left, sure=False, document="", record="")
        if (fallback := beside(node.this, node.expression)) is not None:
            others = self._first_of(fallback, known)
            term = replace(term, nulls=others.nulls, always=others.always, reason=others.reason)
        if left.constants is None or right.constants is None or len(right.constants) != 1 or not right.never_null:
            return term
        if left.constants == right.constants:
            reason = node.sql("postgres")
            return replace(term, nulls=self.universe, always=self.universe, reason=reason, constants=frozenset())
        return replace(term, constants=left.constants - right.constants)

    def _case(self, node: exp.Case, known: Assumptions) -> Term:
        terms: list[Term] = []
        decided: list[Term] = []
        falls_through = self.universe
        why = ""
        beyond = known
        for branch in node.args["ifs"]:
            condition = branch.this
            if node.this is not None:
                condition = exp.EQ(this=node.this.copy(), expression=condition.copy())
            fails, reason = self._may_fail(condition, beyond)
            why = why or reason
            falls_through &= fails
            decided.append(self.term(condition, beyond))
            term = self.term(branch.args["true"], beyond.with_condition(condition, True))
            terms.append(replace(term, nulls=term.nulls - self.fails_bare(condition, True, beyond)))
            beyond = beyond.with_condition(condition, False)
        otherwise = node.args.get("default")
        if otherwise is not None:
            terms.append(self.term(otherwise, beyond))
        nulls, always, reason = NOBODY, self.universe, ""
        constants: frozenset[str] | None = frozenset()
        for term in terms:
            nulls |= term.nulls
            always &= term.always
            if term.nulls:
                reason = reason or ("a CASE with NULL as a result" if term.reason == "NULL" else term.reason)
            constants = None if constants is None or term.constants is None else constants | term.constants
        if otherwise is None and falls_through:
            nulls |= falls_through
            reason = reason or (f"a CASE without ELSE, where {why} is missing," if why else "a CASE without ELSE")
        origins = joined([*terms, *decided])
        sure = otherwise is not None and all(term.sure for term in terms)
        return Term(nulls, always, reason, origins.origins, origins.keys, constants, sure)

    def fails_bare(self, condition: exp.Expression, holds: bool, known: Assumptions) -> frozenset[int]:
        """The firings in which a condition is not what it must be where the client sends no metadata.

        What stands under it is not reached then, so that no claim about that case can be made there.
        """
        condition = bare(condition)
        match condition:
            case exp.And() if holds:
                left, right = condition.this, condition.expression
                return self.fails_bare(left, True, known) | self.fails_bare(right, True, known)
            case exp.Or() if holds:
                left, right = condition.this, condition.expression
                return self.fails_bare(left, True, known) & self.fails_bare(right, True, known)
            case exp.Or():
                left, right = condition.this, condition.expression
                return self.fails_bare(left, False, known) | self.fails_bare(right, False, known)
            case exp.Not() if holds and isinstance(bare(condition.this), exp.Is):
                return self.fails_bare(condition.this, False, known)
            case exp.JSONBContainsTopKey() if holds:
                term = self._json(condition.this, (literal_text(condition.expression),), known)
            case exp.Is() if isinstance(condition.expression, exp.Null):
                if bool(condition.args.get("negate")) != holds:
                    return NOBODY
                term = self.term(condition.this, known)
            case _ if holds:
                term = self.term(condition, known)
            case _:
                return NOBODY
        return term.nulls if term.keys else term.always

    def _may_fail(self, condition: exp.Expression, known: Assumptions) -> tuple[frozenset[int], str]:
        """The firings in which a condition may surely be false or NULL for want of a value, and which."""
        condition = bare(condition)
        match condition:
            case exp.And():
                left, right = self._may_fail(condition.this, known), self._may_fail(condition.expression, known)
                return left[0] | right[0], left[1] or right[1]
            case exp.Or():
                left, right = self._may_fail(condition.this, known), self._may_fail(condition.expression, known)
                return left[0] & right[0], left[1] or right[1]
            case exp.Is() if isinstance(condition.expression, exp.Null) and condition.args.get("negate"):
                term = self.term(condition.this, known)
            case _:
                term = self.term(condition, known)
        return term.nulls, term.reason

    def _led_by_first(self, node: exp.Expression, known: Assumptions) -> Term:
        """concat_ws and format: NULL only where the separator or the format is."""
        children = list(node.iter_expressions())
        first = self.term(children[0], known)
        return replace(
            self._derived(node, known), nulls=first.nulls, always=first.always, reason=first.reason, sure=first.sure
        )

    def _connective(self, node: exp.Expression, known: Assumptions) -> Term:
        """AND, OR: surely NULL where both sides are."""
        left, right = self.term(node.this, known), self.term(node.expression, known)
        return replace(
            joined([left, right]),
            nulls=left.nulls & right.nulls,
            always=left.always & right.always,
            constants=_BOOLEANS,
        )

    def _query(self, query: exp.Select, position: int, known: Assumptions, *, strict: bool = False) -> Term:
        """One column of a query whose first row is taken."""
        if position >= len(query.expressions):
            return UNKNOWN
        value = query.expressions[position]
        value = value.this if isinstance(value, exp.Alias) else value
        where = query.args.get("where")
        inner = known if where is None else known.with_condition(where.this, True)
        if query.args.get("from_") is None and query.args.get("from") is None:
            return self.term(value, inner) if where is None else self._derived(value, inner)
        grouped = query.args.get("group") is not None or query.args.get("having") is not None
        term = replace(self._derived(value, inner), document="", record="")
        if value.find(exp.AggFunc) is not None and not grouped:
            return term
        if strict or known.found or (grouped and value.find(exp.AggFunc) is None and where is None):
            return term
        return replace(term, nulls=self.universe, reason=LOOKUP)
