-- Purpose: the functions and procedures of users, and whatever function a user's trigger calls, whoever owns that.
--   types and modes cover all arguments (NULL: proargtypes says it, all of them input).
--   An atomic body (BEGIN ATOMIC, RETURN expression) has no source text of its own; the server writes one.
-- Minimum server version: 14
SELECT p.oid::bigint AS oid,
       n.nspname::text AS schema,
       p.proname::text AS name,
       pg_catalog.oidvectortypes(p.proargtypes) AS identity_arguments,
       p.prokind::text AS kind,
       l.lanname::text AS language,
       CASE
           WHEN p.prosqlbody IS NULL THEN p.prosrc
           ELSE COALESCE(pg_catalog.pg_get_function_sqlbody(p.oid), '')
       END AS source,
       p.prosqlbody IS NOT NULL AS atomic,
       COALESCE(p.proallargtypes, p.proargtypes::pg_catalog.oid[])::bigint[] AS types,
       p.proargmodes::text[] AS modes,
       p.proargnames AS names,
       p.pronargdefaults::integer AS defaults,
       p.prorettype::bigint AS returns,
       p.proretset AS returns_set,
       p.prorettype = 'pg_catalog.trigger'::pg_catalog.regtype AS returns_trigger,
       p.proowner::bigint AS owner,
       p.prosecdef AS security_definer,
       p.proconfig AS settings,
       p.provolatile::text AS volatility,
       p.proisstrict AS strict
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
 WHERE (
       n.nspname NOT LIKE 'pg\_%'
       AND n.nspname <> 'information_schema'
       AND NOT EXISTS (
           SELECT
             FROM pg_catalog.pg_depend AS e
            WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
              AND e.objid = p.oid
              AND e.objsubid = 0
              AND e.deptype = 'e'
       )
   )
    OR p.oid IN (
       SELECT g.tgfoid
         FROM pg_catalog.pg_trigger AS g
        WHERE NOT g.tgisinternal
          AND g.tgparentid = 0
   )
 ORDER BY n.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes);
