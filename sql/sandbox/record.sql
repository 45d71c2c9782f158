-- Purpose: a migration's entry in the history.
-- Parameters: version, name
INSERT INTO supabase_migrations.schema_migrations (version, name)
VALUES (%(version)s, %(name)s)
ON CONFLICT DO NOTHING;
