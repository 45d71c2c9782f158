-- The time of the transaction (now()) in microseconds since 1970, and its id. Server 14 and later.
SELECT (pg_catalog.date_part('epoch', pg_catalog.date_trunc('second', pg_catalog.now()))::pg_catalog.int8 * 1000000)
         + (pg_catalog.date_part('microseconds', pg_catalog.now())::pg_catalog.int8 % 1000000) AS microseconds,
       pg_catalog.pg_current_xact_id()::pg_catalog.text AS transaction;
