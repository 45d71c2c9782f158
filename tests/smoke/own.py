"""Runs the user's own statements, and SQL of a shop for them whose triggers lead from table to table."""

from __future__ import annotations

import psycopg

from trigger_audit.opening import TargetInfo
from trigger_audit.pipeline import SmokeOptions, SmokeResult
from trigger_audit.smoke.model import FlowResult, Mail, Payload
from trigger_audit.smoke.script import read_script
from trigger_audit.statements import smoke_statements

INFO = TargetInfo("database", "test", "", "postgres")


def run(
    conninfo: str,
    script: str,
    as_role: str | None = None,
    *,
    allow_side_effects: bool = False,
    allow_locks: bool = True,
    unmask: bool = True,
) -> SmokeResult:
    options = SmokeOptions(allow_side_effects=allow_side_effects, allow_locks=allow_locks, unmask=unmask)
    with psycopg.connect(conninfo, prepare_threshold=None) as connection:
        result = smoke_statements(connection, INFO, read_script("own.sql", script), options, as_role=as_role)
        assert not connection.closed
    assert result.report.rolled_back, result.report.not_verified
    return result


def flow(result: SmokeResult) -> FlowResult:
    (found,) = result.report.flows
    assert (found.flow, found.payload, found.latent) == ("statement", Payload.GIVEN, False)
    assert (found.response, found.mail, found.escalations, found.without_header) == (None, Mail.NONE, (), None)
    return found


def culprits(result: SmokeResult) -> list[tuple[str, str]]:
    return [(culprit.kind, culprit.name) for culprit in flow(result).culprits]


def rows(conninfo: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def trigger(name: str, table: str, body: str, when: str = "AFTER UPDATE", *, more: str = "") -> str:
    """A trigger whose function's body has its first line on line 3."""
    return f"""
CREATE FUNCTION shop.{name}() RETURNS trigger LANGUAGE plpgsql {more} AS $$
BEGIN
{body}
END $$;
CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION shop.{name}();
"""


SHOP = """
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, status text NOT NULL DEFAULT 'new', n int NOT NULL DEFAULT 0);
CREATE TABLE shop.items (order_id int REFERENCES shop.orders DEFERRABLE INITIALLY DEFERRED, n int);
CREATE TABLE shop.stock (n int CHECK (n >= 0));
CREATE TABLE shop.log (what text NOT NULL);
INSERT INTO shop.orders (id) VALUES (1), (2);
INSERT INTO shop.items VALUES (1, 1);
INSERT INTO shop.stock VALUES (5);
"""

# orders -> items -> stock -> log, which fails.
DEEP = (
    SHOP
    + trigger("harmless", "shop.orders", "  NEW.n := NEW.n + 1;\n  RETURN NEW;", "BEFORE INSERT OR UPDATE")
    + trigger("to_items", "shop.orders", "  UPDATE shop.items SET n = n + 1 WHERE order_id = NEW.id;\n  RETURN NEW;")
    + trigger("to_stock", "shop.items", "  UPDATE shop.stock SET n = n - 1;\n  RETURN NEW;")
    + trigger("to_log", "shop.stock", "  INSERT INTO shop.log VALUES (NULL);\n  RETURN NEW;")
)
PAY = "UPDATE shop.orders SET status = 'paid' WHERE id = 1;"


def apply(conninfo: str, text: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(text.encode())
