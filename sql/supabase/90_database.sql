-- Settings of the one database that is bootstrapped. They do not come along with CREATE DATABASE ... TEMPLATE,
-- which is why they are no part of the files before.

DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO postgres', current_database());
    EXECUTE format('ALTER DATABASE %I SET search_path = "$user", public, extensions', current_database());
    EXECUTE format('ALTER DATABASE %I SET "app.settings.jwt_secret" = %L', current_database(), 'a secret of no account');
    EXECUTE format('ALTER DATABASE %I SET "app.settings.jwt_exp" = %L', current_database(), '3600');
END
$$;
