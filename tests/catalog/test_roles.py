"""Roles: whose rights each may use, and the settings its sessions start with."""

from __future__ import annotations

import psycopg

from tests.catalog.conftest import Server, load

ROLES = {
    "catalog_a": "BYPASSRLS",
    "catalog_b": "IN ROLE catalog_a",
    "catalog_c": "IN ROLE catalog_b",
    "catalog_n": "NOINHERIT IN ROLE catalog_c",
    "catalog_below_n": "IN ROLE catalog_n",
}


def test_rights_are_inherited_as_the_server_says(server: Server) -> None:
    """pg_has_role(..., 'USAGE') is the server's own word for "may use its rights without SET ROLE"."""
    with server.roles(**ROLES), server.database("") as conninfo:
        catalog = load(conninfo)
        with psycopg.connect(conninfo) as connection:
            answers = connection.execute(
                "SELECT m.rolname, r.rolname FROM pg_roles m, pg_roles r"
                " WHERE NOT m.rolsuper AND pg_has_role(m.oid, r.oid, 'USAGE')"
            ).fetchall()
    expected: dict[str, set[str]] = {}
    for member, role in answers:
        expected.setdefault(member, set()).add(role)
    assert {name: set(role.member_of) for name, role in catalog.roles.items() if not role.superuser} == expected
    assert catalog.roles["catalog_c"].member_of == {"catalog_a", "catalog_b", "catalog_c"}
    assert catalog.roles["catalog_below_n"].member_of == {"catalog_below_n", "catalog_n"}
    assert catalog.roles["catalog_a"].bypass_rls
    assert not catalog.roles["catalog_n"].inherit


def test_a_grant_decides_on_its_own_from_16_on(server: Server) -> None:
    with server.roles(catalog_a="", catalog_b=""), server.database("") as conninfo:
        with psycopg.connect(conninfo) as connection:
            option = "WITH INHERIT FALSE" if connection.info.server_version >= 160000 else ""
            connection.execute(f"GRANT catalog_a TO catalog_b {option}".encode())
        inherited = "catalog_a" in load(conninfo).roles["catalog_b"].member_of
    assert inherited is not bool(option)


def test_the_databases_owner_is_a_pg_database_owner(server: Server) -> None:
    with server.roles(catalog_a=""), server.database("", "OWNER catalog_a") as conninfo:
        assert load(conninfo).roles["catalog_a"].member_of == {"catalog_a", "pg_database_owner"}


def test_settings_by_precedence(server: Server) -> None:
    with server.roles(catalog_a="LOGIN", catalog_b=""), server.database("") as conninfo:
        with psycopg.connect(conninfo) as connection:
            database = connection.info.dbname
            connection.execute(
                f"""
                ALTER DATABASE {database} SET search_path = app, public;
                ALTER DATABASE {database} SET statement_timeout = '2min';
                ALTER ROLE catalog_a SET search_path = "Odd, = one", auth;
                ALTER ROLE catalog_a SET lock_timeout = '1s';
                ALTER ROLE catalog_a IN DATABASE {database} SET lock_timeout = '2s';
                """.encode()
            )
        catalog = load(conninfo)
    assert catalog.database == database
    assert catalog.settings == {"search_path": "app, public", "statement_timeout": "2min"}
    assert catalog.roles["catalog_a"].settings == {
        "search_path": '"Odd, = one", auth',
        "statement_timeout": "2min",
        "lock_timeout": "2s",
    }
    assert catalog.roles["catalog_b"].settings == catalog.settings


def test_whom_row_security_holds_back(server: Server) -> None:
    """As row_security_active() says of each role, and as the rows that each one sees tell of the policies."""
    roles = {
        "catalog_owner_of_rows": "", "catalog_heir": "IN ROLE catalog_owner_of_rows",
        "catalog_apart": "NOINHERIT IN ROLE catalog_owner_of_rows", "catalog_passes": "BYPASSRLS",
        "catalog_root": "SUPERUSER", "catalog_group": "", "catalog_one": "IN ROLE catalog_group",
    }  # fmt: skip
    script = """
        CREATE TABLE off (); CREATE TABLE used (); CREATE TABLE forced ();
        ALTER TABLE used ENABLE ROW LEVEL SECURITY;
        ALTER TABLE forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        ALTER TABLE off OWNER TO catalog_owner_of_rows; ALTER TABLE used OWNER TO catalog_owner_of_rows;
        ALTER TABLE forced OWNER TO catalog_owner_of_rows;
        CREATE POLICY of_group ON forced TO catalog_group USING (true);
        INSERT INTO forced DEFAULT VALUES;
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC; GRANT USAGE ON SCHEMA public TO PUBLIC;
    """
    with server.roles(**roles), server.database(script) as conninfo:
        catalog = load(conninfo)
        tables = [catalog.tables_by_name["public", name] for name in ("off", "used", "forced")]
        forced = tables[2]
        with psycopg.connect(conninfo, autocommit=True) as connection:
            for name in roles:
                role = catalog.roles[name]
                connection.execute(f"SET ROLE {name}".encode())
                active = [
                    connection.execute("SELECT row_security_active(%s::oid)", (t.oid,)).fetchone() for t in tables
                ]
                assert [(table.holds_back(role),) for table in tables] == active, name
                seen = connection.execute("SELECT EXISTS (SELECT FROM forced)").fetchone()
                passes = any(policy.is_for(role) for policy in forced.policies)
                assert (not forced.holds_back(role) or passes,) == seen, name
                connection.execute("RESET ROLE")
