-- Stand-in for pg_hashids: ids are distinct and can be decoded; they do not look like the real ones.

CREATE FUNCTION id_encode(
    number bigint, salt text DEFAULT NULL, min_length integer DEFAULT 0, alphabet text DEFAULT NULL
) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_catalog.lpad($1::text, pg_catalog.length($1::text) OPERATOR(pg_catalog.+) coalesce($3, 0), '0')
$$;
CREATE FUNCTION id_encode(
    numbers bigint[], salt text DEFAULT NULL, min_length integer DEFAULT 0, alphabet text DEFAULT NULL
) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.array_to_string($1, 'x')$$;
CREATE FUNCTION id_decode(
    hash text, salt text DEFAULT NULL, min_length integer DEFAULT 0, alphabet text DEFAULT NULL
) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.string_to_array($1, 'x')::bigint[]$$;
CREATE FUNCTION id_decode_once(
    hash text, salt text DEFAULT NULL, min_length integer DEFAULT 0, alphabet text DEFAULT NULL
) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.split_part($1, 'x', 1)::bigint$$;
