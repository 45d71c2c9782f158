"""Names and bodies beyond ASCII in databases of several encodings: from the catalog to the server and back."""

from __future__ import annotations

import psycopg
import pytest

from tests.catalog.conftest import Server
from trigger_audit.catalog.load import load_catalog
from trigger_audit.database.connect import connect, read_only
from trigger_audit.database.dsn import parse_dsn
from trigger_audit.findings.model import Finding
from trigger_audit.pipeline import examine, judge, not_analysed
from trigger_audit.rules.registry import all_rules
from trigger_audit.sandbox.server import Sandbox

# $1 is a word with letters beyond ASCII; every table but `gone` exists. In SQL_ASCII the bytes of à and Å end in those
# that LATIN1 has its no-break space and its next line at, which are letters to PostgreSQL.
SCRIPT = """
    CREATE TABLE "$1 users" ("$1" integer PRIMARY KEY);
    CREATE TABLE $1 ($1 integer PRIMARY KEY, n integer NOT NULL DEFAULT 0, "t $1" text);
    CREATE FUNCTION f_$1(v_$1 integer) RETURNS integer LANGUAGE sql AS 'SELECT v_$1 + 1';
    CREATE FUNCTION handle_$1() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $body$
    DECLARE
      v_$1 integer := f_$1(NEW."$1"); -- $1
      s text := '$1';
      r_$1 public.$1%ROWTYPE;
      t_$1 $1.$1 % TYPE;
      $1w integer = v_$1;
    BEGIN
      r_$1.$1 := $1w ;
      t_$1 = r_$1.$1
      ;
      SELECT $1 INTO $1w FROM $1 AS $1 WHERE $1 = t_$1;
      INSERT INTO $1 ($1, "t $1") VALUES (v_$1, s || 'x$1') ON CONFLICT ($1) DO UPDATE SET n = excluded.n;
      UPDATE public.$1 SET n = v_$1, "t $1" = '$1 ' || s WHERE $1.$1 = v_$1 AND NEW."$1" IS NOT NULL;
      IF NEW."$1" > 0 AND s <> '$1' THEN
        INSERT INTO gone_$1 (id) VALUES (v_$1);
      END IF;
      RETURN NEW;
    END $body$;
    CREATE TRIGGER "on $1" BEFORE INSERT OR UPDATE OF "$1" ON "$1 users" FOR EACH ROW
      WHEN (NEW."$1" IS NOT NULL) EXECUTE FUNCTION handle_$1('$1');
"""


def scanned(conninfo: str) -> tuple[tuple[Finding, ...], object]:
    with connect(parse_dsn(conninfo)) as connection, read_only(connection):
        audit = examine(connection, tables=(), all_tables=True, as_role=None)
    return judge(audit, all_rules()), not_analysed(audit)


@pytest.mark.parametrize("word", ["grün", "Åé", "voilà", "naïve"])
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "UTF8"])
def test_names_beyond_ascii(sandbox: Sandbox, encoding: str, word: str) -> None:
    server = Server(sandbox.conninfo("supabase_admin"))
    with server.database(SCRIPT.replace("$1", word), encoding=encoding) as conninfo:
        findings, left = scanned(conninfo)
    shown = word.encode().decode("latin-1") if encoding == "SQL_ASCII" else word
    lower = shown.translate({ord(c): c.lower() for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})
    assert left == ()
    assert [(f.rule, f.message) for f in findings if f.rule.startswith("TA1")] == [
        ("TA101", f'relation "gone_{lower}" is not found under search_path public')
    ]
    [finding] = [found for found in findings if found.rule == "TA101"]
    assert finding.place is not None
    assert finding.place.statement == f"gone_{shown}"
    assert (finding.place.line, finding.place.column) == (16, 21)
    assert finding.paths[0].trigger == f"on {shown}"


def test_bytes_without_an_encoding(sandbox: Sandbox) -> None:
    """Bytes of Latin-1 and UTF-8 side by side, in names and bodies: the server refuses to give them out as UTF-8."""
    script = r"""
        DO $$ BEGIN
          EXECUTE E'CREATE TABLE gr\xfc\xdfe (id integer)';
          EXECUTE E'CREATE TABLE "\xc3\xa9 \xff" (id integer)';
          EXECUTE 'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS ' || quote_literal(
            E'BEGIN /* \xe4, \xc3\xa9 */ INSERT INTO gr\xfc\xdfe VALUES (1); INSERT INTO "\xc3\xa9 \xff" VALUES (1);
              INSERT INTO g\xfc VALUES (1); RETURN NEW; END');
          EXECUTE E'CREATE TRIGGER "g\xfc" BEFORE INSERT ON gr\xfc\xdfe FOR EACH ROW EXECUTE FUNCTION f(''\xdf'')';
        END $$;
    """
    server = Server(sandbox.conninfo("supabase_admin"))
    with server.database(script, encoding="SQL_ASCII") as conninfo:
        with psycopg.connect(conninfo) as connection, pytest.raises(psycopg.errors.CharacterNotInRepertoire):
            connection.execute("SELECT prosrc FROM pg_proc WHERE proname = 'f'")
        with connect(parse_dsn(conninfo)) as connection, read_only(connection):
            catalog = load_catalog(connection)
        findings, left = scanned(conninfo)
    [trigger] = catalog.triggers
    assert (trigger.name, trigger.arguments) == ("gü", ("ß",))
    assert catalog.functions[trigger.function].source.startswith("BEGIN /* ä, Ã© */ INSERT INTO grüße VALUES (1);")
    assert catalog.functions[trigger.function].settings == (("search_path", "public"),)
    assert left == ()
    assert [f.message for f in findings if f.rule == "TA101"] == ['relation "gü" is not found under search_path public']
