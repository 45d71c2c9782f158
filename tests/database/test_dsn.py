"""URLs of every kind, and what is said of those that cannot be read."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from trigger_audit.database.dsn import Dsn, looks_like_dsn, parse_dsn
from trigger_audit.errors import UsageError

FULL = {"host": "h", "port": "5433", "user": "u", "dbname": "d", "password": "p@ss"}


@pytest.mark.parametrize(
    ("text", "conninfo"),
    [
        ("postgresql://u:p%40ss@h:5433/d", FULL),
        ("postgres://u:p%40ss@h:5433/d", FULL),
        ("POSTGRES://u:p%40ss@h:5433/d", FULL),
        ("  'postgres://u:p%40ss@h:5433/d'\n", FULL),
        ("pgsql://u:p%40ss@h:5433/d", FULL),
        ("postgresql+psycopg2://u:p%40ss@h:5433/d", FULL),
        ("postgresql+asyncpg://u:p%40ss@h:5433/d", FULL),
        ("postgresql+psycopg://u:p%40ss@h:5433/d", FULL),
        ("jdbc:postgresql://h:5433/d?user=u&password=p%40ss", FULL),
        ("jdbc:postgresql://u:p%40ss@h:5433/d", FULL),
        ("host=h port=5433 user=u dbname=d password=p@ss", FULL),
        ("host = h  port=5433 user=u dbname=d password = 'p@ss'", FULL),
        ("dbname=d", {"dbname": "d"}),
        ("jdbc:postgresql:d", {"host": "localhost", "dbname": "d"}),
        ("postgresql://", {}),
        ("postgresql://h", {"host": "h"}),
        ("postgresql://u@h/d", {"host": "h", "user": "u", "dbname": "d"}),
        ("postgresql://u:@h/d", {"host": "h", "user": "u", "dbname": "d"}),
        ("postgresql:///d?host=/tmp", {"host": "/tmp", "dbname": "d"}),
        ("postgresql://%2Ftmp/d", {"host": "/tmp", "dbname": "d"}),
        ("host=/tmp dbname=d", {"host": "/tmp", "dbname": "d"}),
        ("postgresql://u@[2001:db8::1]:5433/d", {"host": "2001:db8::1", "port": "5433", "user": "u", "dbname": "d"}),
        ("postgresql://[fe80::1%25eth0]/d", {"host": "fe80::1%eth0", "dbname": "d"}),
        ("postgresql://a:1,b:2/d", {"host": "a,b", "port": "1,2", "dbname": "d"}),
        ("postgresql://a,b:2/d?target_session_attrs=any",
         {"host": "a,b", "port": ",2", "dbname": "d", "target_session_attrs": "any"}),
        ("service=prod", {"service": "prod"}),
        ("postgresql:///?service=prod&passfile=/x", {"service": "prod", "passfile": "/x"}),
        ("postgresql://h/d?sslmode=verify-full&sslrootcert=/ca",
         {"host": "h", "dbname": "d", "sslmode": "verify-full", "sslrootcert": "/ca"}),
        ("postgresql://h/d?ssl=true", {"host": "h", "dbname": "d", "sslmode": "require"}),
        ("postgresql://h/d?ssl=false", {"host": "h", "dbname": "d", "sslmode": "prefer"}),
        ("postgresql://h/d?ssl=verify-ca", {"host": "h", "dbname": "d", "sslmode": "verify-ca"}),
        ("postgresql://h/d?ssl=true&sslmode=verify-full", {"host": "h", "dbname": "d", "sslmode": "verify-full"}),
        ("postgresql://h/d?sslmode=no-verify", {"host": "h", "dbname": "d", "sslmode": "require"}),
        ("jdbc:postgresql://h/d?ApplicationName=a+b", {"host": "h", "dbname": "d", "application_name": "a b"}),
        ("postgresql://h/d?application_name=a+b", {"host": "h", "dbname": "d", "application_name": "a+b"}),
        ("postgresql://h/d?application_name=me@x", {"host": "h", "dbname": "d", "application_name": "me@x"}),
        ("postgresql://h/d@x", {"host": "h", "dbname": "d@x"}),
        ("postgresql://h/d?options=reference%3Dabc", {"host": "h", "dbname": "d", "options": "reference=abc"}),
        ("host=/s hostaddr='' options='' dbname=d", {"host": "/s", "hostaddr": "", "options": "", "dbname": "d"}),
        ("postgresql://h/d?client_encoding=latin1&replication=database", {"host": "h", "dbname": "d"}),
        ("postgresql://u:your-super-secret-and-long-postgres-password@h",
         {"host": "h", "user": "u", "password": "your-super-secret-and-long-postgres-password"}),
    ],
)  # fmt: skip
def test_forms(text: str, conninfo: dict[str, str]) -> None:
    assert parse_dsn(text).conninfo() == conninfo


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("p@ss", "p@ss"),
        ("p@ss/w#rd?", "p@ss/w#rd?"),
        ("a/b", "a/b"),
        ("12/34", "12/34"),
        ("a?b", "a?b"),
        ("?a", "?a"),
        ("a#b", "a#b"),
        ("a:b:c", "a:b:c"),
        ("100%", "100%"),
        ("%zz", "%zz"),
        ("%41?", "A?"),
        ("[real]", "[real]"),
        ("a b", "a b"),
        ("@@@", "@@@"),
        ("pässwört", "pässwört"),
    ],
)
def test_unencoded_passwords(written: str, password: str) -> None:
    for tail in ("h:5432/db", "h/db?sslmode=require", "[::1]:5432/db"):
        dsn = parse_dsn(f"postgresql://u:{written}@{tail}")
        assert dsn.password == password
        assert (dsn.user, dsn.database) == ("u", "db")
        assert dsn.host in ("h", "::1")
        assert not any(password in note for note in dsn.notes)


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("postgres://u:hush@h/db@x", "in more than one way", "@ is %40"),
        ("postgres://u:hush@ss?a=b@h/db", "in more than one way", "? is %3F"),
        ("postgres://u:12/hush@h", "in more than one way", "/ is %2F"),
        ("postgres://u:hush%40@x@h/db", "in part only", "@ is %40"),
        ("postgres://u:hush%40%@h/db", "a bare %", "% is %25"),
        ("postgres://u:hush%00@h/db", "%00", ""),
        ("postgres://u:hush%ff@h/db", "not UTF-8", ""),
        ("postgres://u:hush@h:99999/db", "port 99999", ""),
        ("postgres://u:hush@h:port/db", "cannot be read", "%40"),
        ("postgres://u:hush@h/a/b", "cannot be read", "%2F"),
        ("postgres://u%x:hush@h/db", "user name", "%25"),
        ("postgres://u:[YOUR-PASSWORD]@h/db", "placeholder [YOUR-PASSWORD]", "without brackets"),
        ("postgres://u:<password>@h/db", "placeholder <password>", "without brackets"),
        ("postgres://u:your-password@h/db", "placeholder", "dashboard"),
        ("postgres://u:hush@db.[YOUR-PROJECT-REF].supabase.co/db", "placeholder [YOUR-PROJECT-REF]", "replace it"),
        ("host=db.[PROJECT-REF].supabase.co password=hush", "placeholder [PROJECT-REF]", "replace it"),
        ("host=h password=[YOUR-PASSWORD]", "placeholder", "without brackets"),
        ("mysql://u:hush@h/db", "mysql:// is no PostgreSQL URL", "postgresql://"),
        ("mysql+pymysql://u:hush@h/db", "mysql+pymysql:// is no PostgreSQL URL", "postgresql://"),
        ("jdbc:mysql://h/db?password=hush", "mysql:// is no PostgreSQL URL", "postgresql://"),
        ("https://abc.supabase.co", "https:// is no PostgreSQL URL", "postgresql://"),
        ("prisma+postgres://accelerate/?api_key=hush", "Prisma's own proxy", "DIRECT_URL"),
        ("postgres:/u:hush@h/db", "mistyped", "postgresql://"),
        ("postgresql//u:hush@h/db", "mistyped", "postgresql://"),
        ("", "empty", "set"),
        ("''", "empty", "set"),
        ("postgres://u:hush@h/\ndb", "line break", "one line"),
        ("host=h password=a hush dbname=d", "after password=...", "single quotes"),
        ("host=h password=a hush=b", "unknown key after password=...", "single quotes"),
        ("host=h password='hush", "closing quote after password='", ""),
        ("u:hush@h/db", "neither", "postgresql://"),
    ],
)
def test_refusals(text: str, message: str, remedy: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_dsn(text)
    error = caught.value
    assert message in error.message
    assert remedy in (error.remedy or "")
    assert "hush" not in f"{error.message} {error.remedy} {error!r}"
    assert "\n" not in error.message


def test_dropped_parameters_are_noted() -> None:
    dsn = parse_dsn(
        "postgresql://u:hush@h/d?schema=public&pgbouncer=true&connection_limit=1&sslaccept=strict&sslcert=x"
    )
    assert dsn.conninfo() == {"host": "h", "user": "u", "dbname": "d", "password": "hush"}
    assert len(dsn.notes) == 1
    assert "schema, pgbouncer, connection_limit, sslaccept, sslcert" in dsn.notes[0]


def test_no_secret_in_a_repr() -> None:
    dsn = parse_dsn("postgresql://u:hu%20sh@h/d?sslpassword=hush&oauth_client_secret=hush")
    assert dsn.password == "hu sh"
    shown = f"{dsn!r} {dsn} {dsn.name} {dsn.login} {dsn.parameters} {dsn.notes}"
    assert not any(secret in shown for secret in ("hush", "hu sh", "hu%20sh"))
    assert set(dsn.secret_texts()) == {"hu sh", "hush", "hu%20sh"}


def test_the_local_projects_password_hides_nothing() -> None:
    dsn = parse_dsn("postgresql://postgres:postgres@127.0.0.1:54322/postgres")
    assert dsn.secret_texts() == ()
    assert dsn.login == "postgres@127.0.0.1:54322/postgres"


@pytest.mark.parametrize(
    ("text", "name", "login"),
    [
        ("postgresql://u:p@h:5433/d", "h/d", "u@h:5433/d"),
        ("postgresql://u@h", "h/u", "u@h:5432/u"),
        ("postgresql://u@[::1]/d", "::1/d", "u@[::1]:5432/d"),
        ("postgresql:///d?host=/tmp", "/tmp/d", "/tmp/d"),
        ("postgresql://u@a,b:3/d", "a,b/d", "u@a:5432,b:3/d"),
        ("host=a,b port=7 dbname=d", "a,b/d", "a:7,b:7/d"),
        ("service=prod", "service prod", "service prod"),
        ("dbname=d", "localhost/d", "localhost:5432/d"),
    ],
)
def test_names(text: str, name: str, login: str) -> None:
    dsn = parse_dsn(text)
    assert (dsn.name, dsn.login) == (name, login)


@pytest.mark.parametrize(
    ("text", "is_dsn"),
    [
        ("postgresql://h", True),
        ("mysql://h", True),
        ("jdbc:postgresql:d", True),
        ("postgres:/h", True),
        ("postgresql//h", True),
        ("host=h", True),
        ("dbname = d", True),
        ("supabase", False),
        ("./supabase/migrations", False),
        ("postgres.sql", False),
        ("postgres", False),
        ("postgres/migrations", False),
        ("a=b.sql", False),
        ("-", False),
    ],
)
def test_what_is_meant_as_a_database(text: str, is_dsn: bool) -> None:
    assert looks_like_dsn(text) is is_dsn


_TEXT = st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(user=_TEXT, password=_TEXT, database=_TEXT)
def test_encoded_urls_are_read_as_libpq_reads_them(user: str, password: str, database: str) -> None:
    url = f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@h:5433/{quote(database, safe='')}"
    assert parse_dsn(url).conninfo() == conninfo_to_dict(url)


@given(user=_TEXT, password=_TEXT, database=_TEXT)
def test_conninfo_is_read_as_libpq_reads_it(user: str, password: str, database: str) -> None:
    text = make_conninfo(user=user, password=password, dbname=database)
    assert parse_dsn(text).conninfo() == {"user": user, "password": password, "dbname": database}


@given(_TEXT)
def test_an_unencoded_password_is_read_right_or_refused(password: str) -> None:
    dsn = _parsed(f"postgresql://u:{password}@h:5432/db")
    if dsn is not None:
        assert (dsn.host, dsn.database) == ("h", "db")
        assert dsn.password in (password, unquote(password))


@given(_TEXT)
def test_a_refusal_does_not_show_the_password(password: str) -> None:
    # A second @ and a path make it ambiguous, whatever the password is.
    with pytest.raises(UsageError) as caught:
        parse_dsn(f"postgresql://u:{password}hush@h/hush@i")
    assert "hush" not in f"{caught.value.message} {caught.value.remedy}"


def _parsed(text: str) -> Dsn | None:
    try:
        return parse_dsn(text)
    except UsageError:
        return None
