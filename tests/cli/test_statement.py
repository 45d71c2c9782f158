"""`trigger-audit smoke --statement` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import run
from tests.conftest import FreshDatabase

SHOP = """
CREATE TABLE public.orders (id int PRIMARY KEY, status text);
INSERT INTO public.orders VALUES (1, 'new');
CREATE TABLE public.audit (what text NOT NULL);
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.audit VALUES (OLD.status || NEW.status);
  RETURN NEW;
END $$;
CREATE TRIGGER note AFTER UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.note();
REVOKE ALL ON public.audit FROM authenticated;
"""
CLEAR = "UPDATE orders SET status = NULL;"


@pytest.fixture
def shop(tmp_path: Path) -> str:
    path = tmp_path / "shop.sql"
    path.write_text(SHOP)
    return str(path)


@pytest.fixture
def clear(tmp_path: Path) -> str:
    path = tmp_path / "clear.sql"
    path.write_text(CLEAR)
    return str(path)


def test_the_culprit_of_an_update(shop: str, clear: str) -> None:
    found = run("smoke", shop, "--statement", clear, fresh=True)
    assert found.code == 1
    assert "culprit: trigger public.orders.note (proved:" in found.out
    assert "public.note() line 3" in found.out
    last = found.out.splitlines()[-1]
    assert last.startswith("1 fail; as postgres (")
    assert last.endswith("; strongest lock on public.orders: RowExclusiveLock; rolled back, nothing left")
    assert run("smoke", shop, "--statement", clear, "--exit-zero").code == 0
    assert run("smoke", shop, "--statement", "-", stdin="UPDATE orders SET status = 'x'").code == 0


def test_on_a_database_of_15_as_a_role(fresh_database15: FreshDatabase, clear: str) -> None:
    fresh_database15.apply(SHOP)
    dsn = fresh_database15.conninfo("postgres")
    found = run("smoke", dsn, "--statement", clear, "--as-role", "authenticated", "--format", "json")
    assert found.code == 1
    document = json.loads(found.out)
    assert document["schema"] == "trigger-audit/smoke/1"
    (flow,) = document["flows"]
    assert (flow["flow"], flow["payload"], flow["latent"], flow["response"]) == ("statement", "given", False, None)
    # The trigger's function has no right of its own to write public.audit.
    assert flow["failed_step"]["sqlstate"] == "42501"
    assert [culprit["name"] for culprit in flow["culprits"]] == ["public.orders.note"]
    assert document["session"]["role"] == "authenticated"
    assert "dead rows" in found.err
    assert run("smoke", dsn, "--statement", clear, "--format", "concise").out.startswith(
        'statement:given: fail 23502 at public.note():3 null value in column "what"'
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--flow", "login"], "--statement and --flow contradict each other"),
        (["--payload", "bare"], "--statement and --payload contradict"),
        (["--metadata", "{}"], "--statement and --metadata contradict"),
        (["--email", "a@example.com"], "--statement and --email contradict"),
        (["--auth-version", "2.158.1"], "--statement and --auth-version contradict"),
        (["--as-role", "nobody"], "there is no role nobody"),
        (["--as-role", ""], "--as-role is empty"),
    ],
)
def test_what_does_not_go_with_a_statement(shop: str, clear: str, arguments: list[str], told: str) -> None:
    found = run("smoke", shop, "--statement", clear, *arguments)
    assert found.code == 2
    assert told in found.error
    assert found.out == ""


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (CLEAR + "\nDROP TABLE orders", "standard input line 2: DROP TABLE ... is no such statement"),
        ("UPDATE orders\nSET status == 1 x", "standard input line 2: syntax error"),
        ("\\d orders", "standard input line 1: a command of psql's"),
        (b"UPDATE orders SET status = '\xff'", "is not UTF-8"),
        ("", "standard input holds no statement that writes"),
    ],
)
def test_what_is_no_statement_to_run(shop: str, statement: str | bytes, told: str) -> None:
    found = run("smoke", shop, "--statement", "-", stdin=statement)
    assert found.code == 2
    assert told in found.error


def test_where_the_statement_is_not_to_be_had(shop: str, tmp_path: Path) -> None:
    for arguments, told in (
        ([shop, "--statement", ""], "--statement is empty"),
        ([shop, "--statement", str(tmp_path)], "a folder is no file"),
        ([shop, "--statement", str(tmp_path / "none.sql")], "cannot be read"),
        ([shop, "--statement", "x" * 300], f"--statement {'x' * 200}...: File name too long"),
        (["-", "--statement", "-"], "standard input (-) can be read only once"),
        ([shop, "--as-role", "anon"], "--as-role goes with --statement"),
    ):
        found = run("smoke", *arguments)
        assert found.code == 2
        assert told in found.error
