-- Whether we have a privilege on a role: MEMBER or, from 16 on, SET.
SELECT pg_catalog.pg_has_role(current_user, %(role)s, %(privilege)s);
