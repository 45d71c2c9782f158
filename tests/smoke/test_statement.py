"""The user's own statements: which trigger is named for what they meet."""

from __future__ import annotations

import pytest

from tests.smoke.own import DEEP, PAY, SHOP, apply, culprits, flow, rows, run, trigger
from trigger_audit.errors import TriggerAuditError
from trigger_audit.report.smoke_json import smoke_document
from trigger_audit.report.smoke_table import smoke_text
from trigger_audit.report.table import Style
from trigger_audit.smoke.model import By, Outcome


@pytest.mark.parametrize("database", ["plain", "plain15"])
def test_a_fault_three_tables_deep(database: str, request: pytest.FixtureRequest) -> None:
    conninfo: str = request.getfixturevalue(database)
    apply(conninfo, DEEP)
    result = run(conninfo, PAY)
    found = flow(result)
    assert found.outcome is Outcome.FAIL
    step = found.failed_step
    assert step is not None
    assert (step.index, step.statement, step.sqlstate) == (1, "UPDATE shop.orders", "23502")
    assert (step.function, step.line) == ("shop.to_log()", 3)
    (culprit,) = found.culprits
    assert (culprit.kind, culprit.name, culprit.group) == ("trigger", "shop.stock.to_log", ())
    assert culprit.necessary
    assert culprit.sufficient
    assert {toggle.method for toggle in result.report.toggles} == {"function-noop"}
    assert result.report.strongest_lock == "RowExclusiveLock"
    assert (result.report.session.role, result.report.session.by) == ("supabase_admin", By.LOGIN)
    assert rows(conninfo, "SELECT status FROM shop.orders ORDER BY id") == [("new",), ("new",)]
    document = smoke_document(result)
    assert document["schema"] == "trigger-audit/smoke/1"
    assert document["rolled_back"] is True
    text = smoke_text(result, Style())
    assert "culprit: trigger shop.stock.to_log" in text
    assert "statement: 1: UPDATE shop.orders" in text
    assert "the app user sees" not in text


def test_of_two_triggers_the_one_at_fault(plain: str) -> None:
    apply(
        plain,
        SHOP
        + trigger("a", "shop.orders", "  INSERT INTO shop.log VALUES ('a');\n  RETURN NEW;")
        + trigger("b", "shop.orders", "  IF NEW.status = 'paid' THEN RAISE 'no'; END IF;\n  RETURN NEW;"),
    )
    assert culprits(run(plain, PAY)) == [("trigger", "shop.orders.b")]
    harmless = run(plain, "UPDATE shop.orders SET status = 'sent'")
    assert (flow(harmless).outcome, flow(harmless).reason, flow(harmless).culprits) == (Outcome.PASS, None, ())


def test_the_statement_that_fails_is_told_by_its_number(plain: str) -> None:
    apply(plain, SHOP + trigger("b", "shop.items", "  RAISE 'no';\n  RETURN NEW;", "BEFORE DELETE"))
    script = (
        "SELECT 1;\nINSERT INTO shop.orders (id) VALUES (3);\nWITH d AS (DELETE FROM shop.items RETURNING 1) SELECT 1"
    )
    step = flow(run(plain, script)).failed_step
    assert step is not None
    assert (step.index, step.statement) == (3, "WITH DELETE shop.items")


def test_what_a_commit_would_check_is_checked(plain: str) -> None:
    apply(plain, SHOP)
    result = run(plain, "DELETE FROM shop.items WHERE false; INSERT INTO shop.items VALUES (99, 1)")
    step = flow(result).failed_step
    assert step is not None
    assert (step.index, step.statement, step.sqlstate) == (2, "COMMIT", "23503")
    assert culprits(result) == [("constraint", "shop.items.items_order_id_fkey")]


def test_a_deferred_trigger(plain: str) -> None:
    text = trigger("late", "shop.orders", "  RAISE 'too late';\n  RETURN NULL;")
    text = text.replace("CREATE TRIGGER", "CREATE CONSTRAINT TRIGGER").replace(
        "FOR EACH", "DEFERRABLE INITIALLY DEFERRED FOR EACH"
    )
    apply(plain, SHOP + text)
    result = run(plain, PAY)
    step = flow(result).failed_step
    assert step is not None
    assert (step.statement, step.sqlstate, step.function) == ("COMMIT", "P0001", "shop.late()")
    assert culprits(result) == [("trigger", "shop.orders.late")]


def test_an_error_of_the_statement_itself_is_nobodys_fault(plain: str) -> None:
    apply(plain, DEEP)
    result = run(plain, "UPDATE shop.orders SET statu = 'paid'")
    found = flow(result)
    assert found.outcome is Outcome.FAIL
    assert found.failed_step is not None
    assert (found.failed_step.sqlstate, found.failed_step.function) == ("42703", None)
    assert found.culprits == ()
    assert found.reason is not None
    assert found.reason.startswith("no trigger is proved to bring about 42703 at UPDATE shop.orders")
    missing = flow(run(plain, "UPDATE nowhere.orders SET a = 1"))
    assert missing.failed_step is not None
    assert (missing.failed_step.statement, missing.failed_step.sqlstate) == ("UPDATE nowhere.orders", "42P01")
    assert missing.culprits == ()


def test_a_statement_that_finds_no_row_passes_with_a_word(plain: str) -> None:
    apply(plain, DEEP)
    found = flow(run(plain, "UPDATE shop.orders SET n = 1 WHERE id = 77; SELECT 1 WHERE false"))
    assert found.outcome is Outcome.PASS
    assert found.reason == "UPDATE shop.orders (statement 1) touched no row"


SUPPRESSED = SHOP + trigger(
    "quiet", "shop.orders", "  IF TG_OP = 'DELETE' THEN RETURN NULL; END IF;\n  RETURN NULL;",
    "BEFORE INSERT OR UPDATE OR DELETE",
)  # fmt: skip


@pytest.mark.parametrize(
    ("script", "what", "expected", "got"),
    [
        ("INSERT INTO shop.orders (id) VALUES (7), (8)", "INSERT shop.orders", "2 rows", "0 rows"),
        ("INSERT INTO shop.orders (id) SELECT 9", "INSERT shop.orders", "1 row", "0 rows"),
        ("UPDATE shop.orders SET n = 1", "UPDATE shop.orders", "2 rows", "0 rows"),
        ("DELETE FROM shop.orders WHERE id = 2", "DELETE shop.orders", "1 row", "0 rows"),
        (
            "MERGE INTO shop.orders AS o USING shop.stock ON o.id = 1 WHEN MATCHED THEN UPDATE SET n = 1",
            "MERGE shop.orders",
            "1 row",
            "0 rows",
        ),
        (
            "DELETE FROM shop.items; DELETE FROM shop.log; INSERT INTO shop.orders (id) VALUES (7)",
            "statement 3: INSERT shop.orders",
            "1 row",
            "0 rows",
        ),
    ],
)
def test_rows_that_a_trigger_suppresses(plain15: str, script: str, what: str, expected: str, got: str) -> None:
    apply(plain15, SUPPRESSED)
    result = run(plain15, script)
    found = flow(result)
    assert found.outcome is Outcome.ALTERED
    assert [(change.what, change.expected, change.found) for change in found.changes] == [(what, expected, got)]
    assert culprits(result) == [("trigger", "shop.orders.quiet")]
    assert "altered statement\n" in smoke_text(result, Style())


def test_what_a_trigger_did_to_an_earlier_statement_is_no_suppression(plain: str) -> None:
    apply(
        plain,
        SHOP + trigger("archive", "shop.orders", "  DELETE FROM shop.stock;\n  RETURN NEW;"),
    )
    found = flow(run(plain, f"{PAY} UPDATE shop.stock SET n = 1"))
    assert (found.outcome, found.reason) == (Outcome.PASS, "UPDATE shop.stock (statement 2) touched no row")


def test_a_hidden_error_is_shown(plain: str) -> None:
    apply(
        plain,
        SHOP
        + trigger(
            "swallow",
            "shop.orders",
            """  BEGIN
    INSERT INTO shop.log VALUES (NULL);
  EXCEPTION WHEN OTHERS THEN NULL;
  END;
  RETURN NEW;""",
        ),
    )
    (hidden,) = run(plain, PAY).report.hidden_errors
    assert (hidden.trigger, hidden.line, hidden.sqlstate) == ("shop.orders.swallow", 4, "23502")
    assert hidden.flow == "statement"
    assert run(plain, PAY, unmask=False).report.hidden_errors == ()


def test_views_partitions_and_functions_lead_to_triggers(plain: str) -> None:
    refuse = "  RAISE 'no';\n  RETURN NEW;"
    apply(
        plain,
        SHOP
        + "CREATE VIEW shop.open AS SELECT * FROM shop.orders WHERE status = 'new';"
        + "CREATE TABLE shop.parted (id int, day int) PARTITION BY LIST (day);"
        + "CREATE TABLE shop.part PARTITION OF shop.parted FOR VALUES IN (1);"
        + "CREATE FUNCTION shop.pay() RETURNS void LANGUAGE sql AS 'UPDATE shop.orders SET n = 1';"
        + trigger("a", "shop.orders", refuse)
        + trigger("b", "shop.part", refuse, "BEFORE INSERT"),
    )
    assert culprits(run(plain, "UPDATE shop.open SET n = 2")) == [("trigger", "shop.orders.a")]
    assert culprits(run(plain, "INSERT INTO shop.parted VALUES (1, 1)")) == [("trigger", "shop.part.b")]
    script = "DELETE FROM shop.log; SELECT shop.pay()"
    assert culprits(run(plain, script)) == [("trigger", "shop.orders.a")]


def test_hazards_of_triggers_and_of_the_statements_stop_the_run(plain: str) -> None:
    apply(plain, SHOP + trigger("lock", "shop.orders", "  PERFORM pg_advisory_lock(1);\n  RETURN NEW;"))
    with pytest.raises(TriggerAuditError, match=r"a statement reaches .* shop.lock\(\) line 3 calls pg_advisory_lock"):
        run(plain, PAY)
    assert flow(run(plain, PAY, allow_side_effects=True)).outcome is Outcome.PASS
    with pytest.raises(TriggerAuditError, match=r"own.sql line 2 calls pg_advisory_lock"):
        run(plain, "DELETE FROM shop.log;\nSELECT pg_advisory_lock(1)")
    assert flow(run(plain, "DELETE FROM shop.orders WHERE id = 2")).outcome is Outcome.PASS


SOME_LOST = {
    "some of an UPDATE": (
        trigger("quiet", "shop.orders", "  IF NEW.id = 1 THEN RETURN NULL; END IF;\n  RETURN NEW;", "BEFORE UPDATE"),
        "UPDATE shop.orders SET status = 'paid'",
        ("UPDATE shop.orders", "2 rows", "1 row"),
    ),
    "some of an INSERT ... SELECT": (
        trigger("quiet", "shop.orders", "  IF NEW.id = 5 THEN RETURN NULL; END IF;\n  RETURN NEW;", "BEFORE INSERT"),
        "INSERT INTO shop.orders (id) SELECT generate_series(5, 9)",
        ("INSERT shop.orders", "5 rows", "4 rows"),
    ),
    "all of the second statement": (
        trigger("quiet", "shop.orders", "  RETURN NULL;", "BEFORE UPDATE"),
        "INSERT INTO shop.stock VALUES (1); UPDATE shop.orders SET status = 'paid' WHERE id = 1",
        ("statement 2: UPDATE shop.orders", "1 row", "0 rows"),
    ),
    "what the first statement has made": (
        trigger("adds", "shop.stock", "  INSERT INTO shop.orders (id) VALUES (7);\n  RETURN NEW;", "AFTER INSERT")
        + trigger("quiet", "shop.orders", "  IF OLD.id = 7 THEN RETURN NULL; END IF;\n  RETURN NEW;", "BEFORE UPDATE"),
        "INSERT INTO shop.stock VALUES (1); UPDATE shop.orders SET status = 'paid'",
        ("statement 2: UPDATE shop.orders", "3 rows", "2 rows"),
    ),
}


@pytest.mark.parametrize("what", SOME_LOST)
def test_rows_that_a_trigger_keeps_from_a_statement(plain: str, what: str) -> None:
    triggers, script, change = SOME_LOST[what]
    apply(plain, SHOP + triggers)
    result = run(plain, script)
    (found,) = flow(result).changes
    assert (found.what, found.expected, found.found) == change
    assert flow(result).outcome is Outcome.ALTERED
    assert culprits(result) == [("trigger", "shop.orders.quiet")]


def test_an_update_that_a_trigger_may_undo_is_told(plain: str) -> None:
    """PostgreSQL counts the row, though it stays as it was."""
    apply(plain, SHOP + trigger("stale", "shop.orders", "  RETURN OLD;", "BEFORE UPDATE"))
    found = flow(run(plain, PAY))
    assert (found.outcome, found.reason) == (
        Outcome.PASS,
        "which values the rows have is not looked at: where shop.orders.stale returns OLD, they keep those they had",
    )


def test_an_error_that_a_handler_hides_where_rows_are_lost_too(plain: str) -> None:
    hides = "  BEGIN INSERT INTO shop.nowhere VALUES (1);\n  EXCEPTION WHEN OTHERS THEN NULL; END;\n  RETURN NEW;"
    apply(
        plain,
        SHOP
        + trigger("hides", "shop.stock", hides, "AFTER INSERT")
        + trigger("quiet", "shop.orders", "  RETURN NULL;", "BEFORE INSERT"),
    )
    result = run(plain, "INSERT INTO shop.stock VALUES (1); INSERT INTO shop.orders (id) VALUES (9);")
    assert flow(result).outcome is Outcome.ALTERED
    (error,) = result.report.hidden_errors
    assert (error.trigger, error.line, error.handler, error.handler_line) == ("shop.stock.hides", 3, "shop.hides()", 4)
