"""Auth's requests have a transaction each, and here one for all: what ends with each of them, and what cannot end."""

from __future__ import annotations

import pytest

from tests.smoke.conftest import Database, Run, by_flow, connect
from tests.smoke.proving import apply_as_postgres, on_users, prove_on
from trigger_audit.smoke.model import By, FlowResult, Outcome
from trigger_audit.smoke.requests import SAME_TIME, Moment

LOGGING = on_users(
    "logs",
    "  INSERT INTO public.logins (user_id) VALUES (NEW.id);\n  RETURN NEW;",
    "AFTER UPDATE OF last_sign_in_at",
)


def logins(column: str, key: str = "PRIMARY KEY (user_id, at)") -> str:
    return f"CREATE TABLE public.logins (user_id uuid, at {column}, {key});\n{LOGGING}"


def login(smoke: Run, sql: str, role: str = "supabase_admin") -> FlowResult:
    """The log-in of someone who has logged in before."""
    return by_flow(smoke(sql, ["login"], role))["login"]


@pytest.mark.parametrize(
    "column",
    [
        "timestamptz DEFAULT now()",
        "timestamp DEFAULT now()",
        pytest.param("timestamptz(3) DEFAULT now()", marks=pytest.mark.extended),
        "timestamptz(0) DEFAULT now()",
        pytest.param("time DEFAULT CURRENT_TIMESTAMP::time", marks=pytest.mark.extended),
        "timestamptz DEFAULT date_trunc('second', transaction_timestamp())",
        pytest.param("numeric DEFAULT extract(epoch FROM now())", marks=pytest.mark.extended),
        "bigint DEFAULT (extract(epoch FROM now()) * 1000)::bigint",
        pytest.param("text DEFAULT to_char(now(), 'YYYYMMDDHH24MISSUS')", marks=pytest.mark.extended),
        "text DEFAULT 'login at ' || now()",
        "xid8 DEFAULT pg_current_xact_id()",
        pytest.param("bigint DEFAULT txid_current()", marks=pytest.mark.extended),
    ],
)
def test_a_key_that_the_transaction_gives(smoke: Run, column: str) -> None:
    """The row of an earlier request has the same: that says nothing. A user of an administrator has none."""
    result = login(smoke, logins(column))
    assert result.outcome is Outcome.PASS
    assert result.reason is not None
    assert result.reason.startswith("starts from the user of admin-create, because after verify-signup: ")
    assert SAME_TIME in result.reason


def test_nothing_else_is_in_the_way(fresh_database: Database) -> None:
    """Of the whole history that the app keeps nothing fails, and nobody is suspected."""
    apply_as_postgres(fresh_database, logins("timestamptz DEFAULT now()"))
    flows = ["oauth-again", "verify-magic-link", "login", "refresh-token"]
    report = prove_on(fresh_database, flows, "supabase_admin")
    assert {result.outcome for result in report.flows} == {Outcome.PASS}
    assert [result.culprits for result in report.flows] == [()] * 4
    told = by_flow(report)["refresh-token"].reason
    assert told is not None
    assert "because login with bare metadata gives no verdict: " in told


def test_a_key_that_the_server_does_not_tell(smoke: Run) -> None:
    """There is no DETAIL for who may not read the row; then the column's type decides."""
    sql = """
    CREATE TABLE public.logins (at {column} PRIMARY KEY);
    GRANT INSERT ON public.logins TO supabase_auth_admin;
    CREATE FUNCTION public.logs() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO public.logins DEFAULT VALUES;
      RETURN NEW;
    END $$;
    CREATE TRIGGER logs AFTER UPDATE OF last_sign_in_at ON auth.users
      FOR EACH ROW EXECUTE FUNCTION public.logs();
    """
    assert login(smoke, sql.replace("{column}", "timestamptz DEFAULT now()")).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "column", ["date DEFAULT CURRENT_DATE", "timestamptz DEFAULT date_trunc('hour', now())", "int DEFAULT 745"]
)
def test_a_key_that_the_next_request_has_too(smoke: Run, column: str) -> None:
    """Once a day is once a day."""
    result = login(smoke, logins(column))
    assert result.outcome is Outcome.FAIL
    assert result.failed_step is not None
    assert result.failed_step.sqlstate == "23505"


def test_two_rows_of_one_request(smoke: Run) -> None:
    """Auth writes the user five times in one transaction."""
    sql = logins("timestamptz DEFAULT now()").replace("UPDATE OF last_sign_in_at", "INSERT OR UPDATE")
    result = by_flow(smoke(sql, ["signup-email"]))["signup-email"]
    assert result.outcome is Outcome.FAIL
    assert result.failed_step is not None
    assert result.failed_step.sqlstate == "23505"


def test_a_second_user_at_the_same_time(fresh_database: Database) -> None:
    """There is no other way to the first user: so there is no verdict, and no culprit."""
    apply_as_postgres(
        fresh_database,
        "CREATE TABLE public.events (at timestamptz DEFAULT now() PRIMARY KEY);\n"
        + on_users("logs", "  INSERT INTO public.events DEFAULT VALUES;\n  RETURN NEW;"),
    )
    found = by_flow(prove_on(fresh_database, ["signup-email"]))
    assert found["signup-email"].outcome is Outcome.PASS
    twin = found["signup-email/duplicate"]
    assert (twin.outcome, twin.failed_step, twin.culprits) == (Outcome.SKIPPED, None, ())
    assert str(twin.reason).startswith(f"{SAME_TIME} (23505 at INSERT auth.users, in public.logs() line 3")


def test_a_check_that_one_time_is_later(smoke: Run) -> None:
    sql = (
        "CREATE TABLE public.people (id uuid, made timestamptz DEFAULT now(), seen timestamptz, CHECK (seen > made));\n"
        + on_users("makes", "  INSERT INTO public.people VALUES (NEW.id);\n  RETURN NEW;")
        + on_users(
            "sees",
            "  UPDATE public.people SET seen = now() WHERE id = NEW.id;\n  RETURN NEW;",
            "AFTER UPDATE OF last_sign_in_at",
        )
    )
    result = login(smoke, sql)
    assert result.outcome is Outcome.PASS
    assert SAME_TIME in str(result.reason)


def seen(name: str, body: str, *, declare: str = "") -> str:
    return on_users(name, f"{body}\n  RETURN NEW;", "AFTER UPDATE OF last_sign_in_at", declare=declare)


@pytest.fixture
def of_each_kind(database: Database, login: str) -> tuple[Database, str]:
    return database, login


ENDS = {
    "dropped": seen("drops", "  CREATE TEMP TABLE ctx ON COMMIT DROP AS SELECT NEW.id;"),
    "dropped-dynamically": seen(
        "drops_any", "  EXECUTE format('CREATE TEMP TABLE %I ON COMMIT DROP AS SELECT 1', 'of the login');"
    ),
    "emptied": seen(
        "empties",
        "  CREATE TEMPORARY TABLE IF NOT EXISTS counts (n int PRIMARY KEY) ON COMMIT DELETE ROWS;\n"
        "  INSERT INTO counts VALUES (1);",
    ),
    "parameter": seen(
        "sets",
        "  IF current_setting('app.seen', true) = 'yes' THEN RAISE EXCEPTION 'again'; END IF;\n"
        "  PERFORM set_config('app.seen', 'yes', true);",
    ),
    "parameter-of-the-server": seen(
        "sets_more",
        "  IF current_setting('work_mem') = '7MB' THEN RAISE EXCEPTION 'again'; END IF;\n  SET LOCAL work_mem = '7MB';",
    ),
    "cursor": seen("opens", "  OPEN wanted FOR SELECT 1;", declare=" DECLARE wanted refcursor := 'one';"),
}


def test_what_a_commit_ends(of_each_kind: tuple[Database, str]) -> None:
    """By a superuser's login, and by that of a member."""
    database, role = of_each_kind
    apply_as_postgres(database, "".join(ENDS.values()))
    report = prove_on(database, ["login", "signup-autoconfirm"], role)
    assert report.session.by is (By.SET_ROLE if role == "postgres" else By.SESSION_AUTHORIZATION)
    assert {(result.outcome, result.reason) for result in report.flows} == {(Outcome.PASS, None)}


def test_a_table_that_the_login_may_not_drop(smoke: Run) -> None:
    """Auth's own login is not the owner's."""
    result = login(smoke, ENDS["dropped"], "supabase_auth_admin")
    assert result.outcome is Outcome.PASS
    assert "a temporary table of an earlier request is still there" in str(result.reason)


@pytest.mark.parametrize(
    ("sql", "sqlstate"),
    [
        (ENDS["dropped"].replace("ON COMMIT DROP ", ""), "42P07"),
        (ENDS["parameter"].replace("'yes', true", "'yes', false"), "P0001"),
    ],
    ids=["table", "parameter"],
)
def test_what_stays_with_the_connection(smoke: Run, sql: str, sqlstate: str) -> None:
    """Auth has its connections from a pool: the next request on the same one meets it."""
    result = login(smoke, sql)
    assert result.outcome is Outcome.FAIL
    assert result.failed_step is not None
    assert result.failed_step.sqlstate == sqlstate


@pytest.mark.parametrize("role", ["supabase_admin", "supabase_auth_admin"])
def test_a_request_that_ends_all_writing_with_its_last_statement(fresh_database: Database, role: str) -> None:
    """PostgreSQL never lets a transaction write again, and no statement of that request wants to."""
    with connect(fresh_database) as owner:
        owner.execute(
            """
            CREATE FUNCTION public.ends() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              SET LOCAL transaction_read_only = on;
              RETURN NEW;
            END $$;
            CREATE TRIGGER ends AFTER INSERT ON auth.one_time_tokens
              FOR EACH ROW EXECUTE FUNCTION public.ends();
            """
        )
    found = by_flow(prove_on(fresh_database, ["signup-email", "verify-signup"], role))
    confined = role == "supabase_admin"
    assert found["signup-email"].outcome is (Outcome.SKIPPED if confined else Outcome.PASS)
    assert found["verify-signup"].outcome is (Outcome.PASS if confined else Outcome.SKIPPED)


def test_where_a_moment_is_found() -> None:
    moment = Moment(1_700_000_001_250_000, "745")  # 2023-11-14 22:13:21.25 UTC
    for text in (
        "2023-11-14 22:13:21.25+00",
        "2023-11-15 03:58:21.25+05:45",
        "22:13:21",
        "1700000001.25",
        "1700000001250",
        "1700000001250000",
        "20231114221321250000",
        "1700000001",
        "(a, 745)",
    ):
        assert moment.found_in(text) == 1, text
    for text in (
        "2023-11-14 22:13:21.26+00",
        "2023-11-14 22:14:21.25+00",
        "22:13:22",
        "2023-11-14 22:13:00",
        "17000000012",
        "7451",
        "0a745f00-0000-4000-8000-000000000745",
        "2023-11-14",
    ):
        assert moment.found_in(text) == 0, text
    assert moment.found_in("(2023-11-14 22:13:21.25+00, 2023-11-14 22:13:21.25+00)") == 2
