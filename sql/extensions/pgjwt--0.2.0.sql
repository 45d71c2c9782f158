-- Stand-in for pgjwt. True: the encoding, header and payload. Not true: signatures; whatever can be decoded is valid.

CREATE FUNCTION url_encode(data bytea) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_catalog.translate(pg_catalog.encode($1, 'base64'), E'+/=\n', '-_')
$$;
CREATE FUNCTION url_decode(data text) RETURNS bytea LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT decode(rpad(translate($1, '-_', '+/'), (length($1) + 3) / 4 * 4, '='), 'base64')
$$;
CREATE FUNCTION algorithm_sign(signables text, secret text, algorithm text) RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = @extschema@, pg_temp AS $$
    SELECT url_encode(pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.concat(signables, secret, algorithm), 'UTF8')))
$$;
CREATE FUNCTION sign(payload json, secret text, algorithm text DEFAULT 'HS256') RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = @extschema@, pg_temp AS $$
    SELECT pg_catalog.concat(signables, '.', algorithm_sign(signables, secret, algorithm))
    FROM (
        SELECT pg_catalog.concat(
            url_encode(pg_catalog.convert_to(pg_catalog.format('{"alg":"%s","typ":"JWT"}', algorithm), 'UTF8')), '.',
            url_encode(pg_catalog.convert_to(payload::text, 'UTF8'))
        ) AS signables
    ) AS parts
$$;
CREATE FUNCTION verify(token text, secret text, algorithm text DEFAULT 'HS256')
    RETURNS TABLE (header json, payload json, valid boolean) LANGUAGE sql IMMUTABLE
    SET search_path = @extschema@, pg_temp AS $$
    SELECT pg_catalog.convert_from(url_decode(pg_catalog.split_part(token, '.', 1)), 'UTF8')::json,
           pg_catalog.convert_from(url_decode(pg_catalog.split_part(token, '.', 2)), 'UTF8')::json,
           true
$$;
CREATE FUNCTION try_cast_double(inp text) RETURNS double precision LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN inp::double precision;
EXCEPTION
    WHEN OTHERS THEN
        RETURN NULL;
END
$$;
