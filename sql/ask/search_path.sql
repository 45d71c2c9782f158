-- Purpose: the search path of the questions that follow, until the savepoint is rolled back to.
-- Minimum server version: 14
SELECT pg_catalog.set_config('search_path', %(search_path)s, true);
