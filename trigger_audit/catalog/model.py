"""The immutable snapshot of pg_catalog that everything above works on.

Objects are found by oid, because names are ambiguous and functions overloaded; `name` of each is what people read,
`schema.table` or `schema.function(argument types)`, unquoted parts as PostgreSQL stores them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trigger_audit.catalog.naming import quoted


@dataclass(frozen=True, slots=True)
class Schema:
    oid: int
    name: str
    owner: str


@dataclass(frozen=True, slots=True)
class Role:
    """`member_of` holds the roles whose rights this one may use, transitively (INHERIT respected), itself included.

    `settings` are those that a session of this role starts with: its own in this database before its own before those
    of the database before those of all roles (process_settings in PostgreSQL's postinit.c).
    """

    name: str
    superuser: bool
    bypass_rls: bool
    inherit: bool
    member_of: frozenset[str]
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Type:
    """`kind` is pg_type.typtype: b base, c composite, d domain, e enum, p pseudo, r range, m multirange.

    `base` is the type under a domain; `labels` those of an enum in order; `relation` the table of a composite type.
    `default` is the DEFAULT of a domain (or of a base type), `checks` are a domain's constraint definitions.
    `element` is the type of an array's elements.
    """

    oid: int
    schema: str
    name: str
    kind: str
    not_null: bool
    base: int | None
    labels: tuple[str, ...]
    relation: int | None
    default: str | None = None
    checks: tuple[str, ...] = ()
    element: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """`type_name` is format_type's text; `type_oid` its oid; `length` n of varchar(n)/char(n), in characters.

    `identity` is '', a(lways) or d(efault); `generated` is '', s(tored) or v(irtual).
    `default` is the DEFAULT expression's text, else that of its domain, None without one or when generated.
    `length` looks through domains. `not_null` is the column's own: a domain's stands in its `Type`.
    """

    name: str
    number: int
    type_oid: int
    type_name: str
    type_modifier: int
    length: int | None
    not_null: bool
    default: str | None
    identity: str
    generated: str

    @property
    def has_default(self) -> bool:
        """Whether PostgreSQL fills the column when an INSERT leaves it out."""
        return self.default is not None or bool(self.identity) or bool(self.generated)


@dataclass(frozen=True, slots=True)
class Index:
    """`columns` are the key columns in order, None for an expression; `expressions` are the texts of those."""

    name: str
    unique: bool
    primary: bool
    exclusion: bool
    valid: bool
    immediate: bool
    columns: tuple[str | None, ...]
    expressions: tuple[str, ...]
    predicate: str | None
    definition: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """`kind` is pg_constraint.contype: c check, f foreign key, n not null, p primary, u unique, x exclusion, t trigger.

    `on_delete`, `on_update`: a no action, r restrict, c cascade, n set null, d set default ('' for other kinds).
    `enforced` is false for NOT ENFORCED (18+). Rows of kind n exist on 18+ only and are not loaded: the column's
    `not_null` says it on every version.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    references: int | None
    referenced_columns: tuple[str, ...]
    on_delete: str
    on_update: str
    deferrable: bool
    initially_deferred: bool
    validated: bool
    definition: str
    enforced: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """`command` is r select, a insert, w update, d delete, * all; an empty `roles` means PUBLIC."""

    name: str
    permissive: bool
    command: str
    roles: tuple[str, ...]
    using: str | None
    with_check: str | None

    def is_for(self, role: Role) -> bool:
        """Whether it is one for the role, or for one whose rights it may use."""
        return not self.roles or not role.member_of.isdisjoint(self.roles)


@dataclass(frozen=True, slots=True)
class Table:
    """`kind` is pg_class.relkind. `rows` is reltuples (-1: never counted)."""

    oid: int
    schema: str
    relation: str
    kind: str
    owner: str
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...]
    constraints: tuple[Constraint, ...]
    policies: tuple[Policy, ...]
    row_security: bool
    force_row_security: bool
    rows: float
    partition_of: int | None
    foreign_server: str | None = None
    by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.relation}"

    @property
    def sql(self) -> str:
        """The name as SQL must write it."""
        return quoted(self.schema, self.relation)

    def holds_back(self, role: Role) -> bool:
        """Whether its row security applies to the role.

        Superusers and roles with BYPASSRLS pass it by, and so does its owner unless it is forced (check_enable_rls in
        PostgreSQL's rls.c).
        """
        if not self.row_security or role.superuser or role.bypass_rls:
            return False
        return self.force_row_security or self.owner not in role.member_of


@dataclass(frozen=True, slots=True)
class Function:
    """`kind` is pg_proc.prokind: f function, p procedure, a aggregate, w window.

    `identity_arguments` are the types of the input arguments as format_type writes them, separated by ", ".
    `arguments` are (name or '', type oid) of the input arguments in order; `returns` is the result type's oid.
    `settings` are the SET clauses in order. `source` is prosrc, or pg_get_function_sqlbody's text for BEGIN ATOMIC
    (then `atomic` is true: its names are bound already). `variadic`: the last argument takes any number of values.
    `outputs` counts the OUT arguments, which a CALL of a procedure lists too.
    """

    oid: int
    schema: str
    proname: str
    identity_arguments: str
    kind: str
    language: str
    source: str
    atomic: bool
    arguments: tuple[tuple[str, int], ...]
    defaults: int
    returns: int
    returns_set: bool
    returns_trigger: bool
    owner: str
    security_definer: bool
    settings: tuple[tuple[str, str], ...]
    volatility: str
    strict: bool
    variadic: bool = False
    outputs: int = 0

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        listed = self.outputs if self.kind == "p" else 0
        most = len(self.arguments) + listed
        return most - self.defaults <= count and (count <= most or self.variadic)

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.proname}({self.identity_arguments})"

    @property
    def sql(self) -> str:
        """The signature as SQL must write it."""
        return f"{quoted(self.schema, self.proname)}({self.identity_arguments})"

    @property
    def search_path(self) -> tuple[str, ...] | None:
        """The schemas of its SET search_path clause as written (`$user` kept); None without one, () when empty."""
        for key, value in self.settings:
            if key == "search_path":
                return split_search_path(value)
        return None


@dataclass(frozen=True, slots=True)
class Trigger:
    """`events` in the order INSERT, UPDATE, DELETE, TRUNCATE; `columns` those of UPDATE OF; `when` the condition.

    `enabled` is origin, disabled, replica or always. `order` counts from 1 per table, timing, level and event
    (the smallest over its events), as PostgreSQL fires them: by name.
    """

    oid: int
    name: str
    table: int
    function: int
    timing: str
    events: tuple[str, ...]
    level: str
    columns: tuple[str, ...]
    when: str | None
    enabled: str
    constraint: bool
    deferrable: bool
    initially_deferred: bool
    old_table: str | None
    new_table: str | None
    arguments: tuple[str, ...]
    order: int

    @property
    def fires(self) -> bool:
        """Whether it fires in an ordinary session (session_replication_role = origin)."""
        return self.enabled in ("origin", "always")


@dataclass(frozen=True, slots=True)
class Catalog:
    """One consistent snapshot.

    Extension-owned tables, functions and triggers are left out (but for a table that carries a user's trigger, and a
    function that a user's trigger calls: `triggers` refer to nothing that is missing); partitions' clones are folded
    into their parent's.

    `schemas`, `tables`, `functions` and `triggers` are those outside pg_catalog and information_schema (a trigger's
    function may be pg_catalog's). A foreign key may reference an extension's table, which `tables` lacks.
    `settings` are those that every role's session starts with here (ALTER DATABASE, ALTER ROLE ALL).
    `triggers` are in firing order per table. `extensions` maps name to schema. `platform` is supabase or postgres.
    """

    server_version: str
    server_version_num: int
    database: str
    user: str
    platform: str
    schemas: Mapping[str, Schema]
    roles: Mapping[str, Role]
    types: Mapping[int, Type]
    tables: Mapping[int, Table]
    functions: Mapping[int, Function]
    triggers: tuple[Trigger, ...]
    extensions: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)
    triggers_by_table: Mapping[int, tuple[Trigger, ...]] = field(init=False, repr=False, compare=False)
    tables_by_name: Mapping[tuple[str, str], Table] = field(init=False, repr=False, compare=False)
    functions_by_name: Mapping[tuple[str, str], tuple[Function, ...]] = field(init=False, repr=False, compare=False)
    referencing: Mapping[int, tuple[tuple[Table, Constraint], ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_table: dict[int, list[Trigger]] = {}
        for trigger in self.triggers:
            by_table.setdefault(trigger.table, []).append(trigger)
        functions: dict[tuple[str, str], list[Function]] = {}
        for function in self.functions.values():
            functions.setdefault((function.schema, function.proname), []).append(function)
        referencing: dict[int, list[tuple[Table, Constraint]]] = {}
        for table in self.tables.values():
            for constraint in table.constraints:
                if constraint.kind == "f" and constraint.references is not None:
                    referencing.setdefault(constraint.references, []).append((table, constraint))
        set_field = object.__setattr__
        set_field(self, "triggers_by_table", {oid: tuple(found) for oid, found in by_table.items()})
        set_field(self, "tables_by_name", {(table.schema, table.relation): table for table in self.tables.values()})
        set_field(self, "functions_by_name", {key: tuple(found) for key, found in functions.items()})
        set_field(self, "referencing", {oid: tuple(found) for oid, found in referencing.items()})

    def table(self, schema: str | None, relation: str, search_path: tuple[str, ...]) -> Table | None:
        """The user's table that a name means under a search path, or None. pg_catalog's own are not in the snapshot."""
        for candidate in (schema,) if schema is not None else search_path:
            found = self.tables_by_name.get((candidate, relation))
            if found is not None:
                return found
        return None

    @property
    def sources(self) -> dict[str, str]:
        """What the functions do, by signature."""
        return {function.name: function.source for function in self.functions.values()}

    def trigger_name(self, trigger: Trigger) -> str:
        """`schema.table.trigger`."""
        return f"{self.tables[trigger.table].name}.{trigger.name}"


def split_search_path(value: str) -> tuple[str, ...]:
    """The schema names of a search_path setting: lower-cased unless quoted, empty ones dropped."""
    names: list[str] = []
    rest = value
    while rest.strip():
        rest = rest.lstrip()
        if rest.startswith('"'):
            end = 1
            while True:
                end = rest.find('"', end)
                if end < 0:
                    end = len(rest)
                    break
                if rest[end : end + 2] != '""':
                    break
                end += 2
            names.append(rest[1:end].replace('""', '"'))
            rest = rest[end + 1 :].lstrip().removeprefix(",")
        else:
            name, _, rest = rest.partition(",")
            names.append(name.strip().lower())
    return tuple(name for name in names if name)
