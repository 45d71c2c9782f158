"""Who Supabase Auth is in the database, and where its tables stand.

Source: supabase/auth hack/init_postgres.sql and supabase/postgres' initial scripts; both set the search_path on the
role.
"""

ROLE = "supabase_auth_admin"
"""The role that Auth logs in as. It owns the tables, is no superuser, and row security does not bypass it elsewhere."""

SEARCH_PATH = "auth"
"""The role's search_path: neither public nor extensions is on it."""

SCHEMA = "auth"
"""The schema of Auth's tables; Auth itself names them without it."""

INSTANCE_ID = "00000000-0000-0000-0000-000000000000"
"""users.instance_id of every user: each look-up filters by it."""

AUDIENCE = "authenticated"
"""users.aud, and the role that the second statement of every sign-up writes."""

ADMINISTRATOR = "service_role"
"""How the audit log names whoever acts with the service key."""

API_ROLES = ("anon", "authenticated", "service_role")
"""What PostgREST runs a request as; it sets request.jwt.claims first, from which auth.uid() takes the user's id."""

QUEUES = frozenset(("net", "pgmq", "realtime", "cron", "supabase_functions"))
"""Schemas of Supabase's services: a write to their tables is a message on its way out (pg_net, Realtime, webhooks)."""
