"""Which files of statements are run, and where the refused ones are at fault."""

from __future__ import annotations

import pytest

from trigger_audit.errors import UsageError
from trigger_audit.smoke.script import OwnStatement, Target, read_script


def only(text: str) -> OwnStatement:
    (statement,) = read_script("f.sql", text).statements
    return statement


def test_statements_in_order_with_what_they_write() -> None:
    script = read_script(
        "f.sql",
        """-- first a helper
SELECT set_config('request.jwt.claims', '{"sub": ";"}', true);;
INSERT INTO shop."Orders" VALUES (1, $$;$$), (2, E'\\';');
/* a comment; */ WITH gone AS (DELETE FROM items RETURNING *), kept AS (SELECT 1)
  UPDATE ONLY orders SET n = 1 FROM gone;
MERGE INTO a.b USING c ON true WHEN MATCHED THEN DELETE;
DELETE FROM x""",
    )
    assert [(found.line, found.kind, found.targets, found.rows) for found in script.statements] == [
        (2, "SELECT", (), None),
        (3, "INSERT", (Target("INSERT", "shop", "Orders"),), 2),
        (4, "UPDATE", (Target("UPDATE", None, "orders"), Target("DELETE", None, "items")), None),
        (6, "MERGE", (Target("MERGE", "a", "b"),), None),
        (7, "DELETE", (Target("DELETE", None, "x"),), None),
    ]
    for found in script.statements:
        assert script.text[found.start :].startswith(found.text)
        assert not found.text.endswith(";")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("INSERT INTO t VALUES (1), (2), (3)", 3),
        ("INSERT INTO t DEFAULT VALUES", 1),
        ("WITH a AS (SELECT 1) INSERT INTO t VALUES ((SELECT * FROM a))", 1),
        ("INSERT INTO t VALUES (1) RETURNING id", 1),
        ("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", None),
        ("INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET n = 1", None),
        ("INSERT INTO t VALUES (1), (2) LIMIT 1", None),
        ("INSERT INTO t VALUES (1), (2) OFFSET 1", None),
        ("INSERT INTO t VALUES (1) UNION VALUES (1)", None),
        ("INSERT INTO t SELECT 1", None),
        ("UPDATE t SET n = 1", None),
    ],
)
def test_how_many_rows_an_insert_gives(text: str, rows: int | None) -> None:
    assert only(text).rows == rows


BAD = {
    "UPDATE t SET n = 1;\nDROP TABLE t": "line 2: DROP TABLE ...",
    "BEGIN; UPDATE t SET n = 1; COMMIT": "line 1: BEGIN ...",
    "UPDATE t SET n = 1;\n\n-- done\nCOMMIT": "line 4: COMMIT ...",
    "TRUNCATE t": "TRUNCATE t ...",
    "DO $$ BEGIN UPDATE t SET n = 1; END $$": "DO $$ ...",
    "CALL p()": "CALL p() ...",
    "EXPLAIN ANALYZE UPDATE t SET n = 1": "EXPLAIN ANALYZE ...",
    "PREPARE p AS UPDATE t SET n = 1": "PREPARE p ...",
    "COPY t FROM stdin;\n1\n\\.\n": "COPY t ...",
    "COPY (UPDATE t SET n = 1 RETURNING 1) TO PROGRAM 'id'": "COPY (UPDATE ...",
    "SET ROLE postgres": "SET ROLE ...",
    "LOCK t": "LOCK t ...",
    "CREATE TABLE u AS SELECT 1": "CREATE TABLE ...",
    "SELECT 1 INTO u": "SELECT 1 ...",
    "SELECT 1 INTO u UNION SELECT 2": "SELECT 1 ...",
    "WITH d AS (DELETE FROM t RETURNING *) SELECT * INTO u FROM d": "WITH d ...",
    "\\set x 1\nUPDATE t SET n = 1": "line 1: a command of psql's",
    "UPDATE t SET n = 1;\n\\! id": "line 2: a command of psql's",
    "UPDATE t SET n = 1 \\gexec": "line 1: a command of psql's",
    "UPDATE t SET n = $1": "has a parameter",
    "UPDATE t SET n = (SELECT array_agg(x + $2) FROM u)": "has a parameter",
    "UPDATE t\nSET name = 'ü',\n  n = = 1": 'line 3: syntax error at or near "="',
    "UPDATE t SET n = 1; é": 'line 1: syntax error at or near "é"',
    "UPDATE t SET n = 'open": "line 1: unterminated quoted string",
    "UPDATE t SET n = 1 + " + "(" * 50_000 + "1" + ")" * 50_000: "line 1: ",
    "UPDATE t SET n = \0": "line 1: ",
    "SELECT 1": "no statement that writes",
    "-- nothing": "no statement that writes",
    "": "no statement that writes",
}


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_anything_else_is_a_usage_error_of_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_script("f.sql", text)
    assert BAD[text] in str(caught.value)
    assert str(caught.value).startswith("f.sql ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_what_is_shown_of_a_hostile_file_is_plain() -> None:
    for text in ("\x1b[31mDROP\x1b[0m TABLE t", 'DROP "\u202e\x1b[2J" t', "UPDATE t SET \x1b[2J = = 1"):
        with pytest.raises(UsageError) as caught:
            read_script("f\x1b[2J.sql", text)
        assert "\x1b" not in str(caught.value)
        assert "\u202e" not in str(caught.value)
