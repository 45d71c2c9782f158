-- Stand-in for pgcrypto where the server was built without OpenSSL. True: the names and types, digest() and hmac() with
-- md5 and the sha2 family, gen_random_bytes(), gen_random_uuid(). Not true: sha1 is a shortened sha256, crypt() is a digest
-- of salt and password, and what the encrypt and pgp functions return can be read by anyone.

CREATE FUNCTION digest(bytea, text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    CASE pg_catalog.lower($2)
        WHEN 'md5' THEN RETURN pg_catalog.decode(pg_catalog.md5($1), 'hex');
        WHEN 'sha1' THEN RETURN pg_catalog.substr(pg_catalog.sha256($1), 1, 20);
        WHEN 'sha224' THEN RETURN pg_catalog.sha224($1);
        WHEN 'sha256' THEN RETURN pg_catalog.sha256($1);
        WHEN 'sha384' THEN RETURN pg_catalog.sha384($1);
        WHEN 'sha512' THEN RETURN pg_catalog.sha512($1);
        ELSE RAISE EXCEPTION 'Cannot use "%": No such hash algorithm', $2 USING ERRCODE = '22023';
    END CASE;
END
$$;
CREATE FUNCTION digest(text, text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = @extschema@, pg_temp AS $$
BEGIN
    RETURN digest(pg_catalog.convert_to($1, 'UTF8'), $2);
END
$$;

-- RFC 2104: two digests around the key, padded to the digest's block.
CREATE FUNCTION hmac(bytea, bytea, text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = @extschema@, pg_temp AS $$
DECLARE
    block integer := CASE WHEN pg_catalog.lower($3) IN ('sha384', 'sha512') THEN 128 ELSE 64 END;
    key bytea := $2;
    inner_pad bytea;
    outer_pad bytea;
BEGIN
    IF pg_catalog.length(key) > block THEN
        key := digest(key, $3);
    END IF;
    key := key || pg_catalog.decode(pg_catalog.repeat('00', block - pg_catalog.length(key)), 'hex');
    inner_pad := key;
    outer_pad := key;
    FOR i IN 0 .. block - 1 LOOP
        inner_pad := pg_catalog.set_byte(inner_pad, i, pg_catalog.get_byte(key, i) # 54);
        outer_pad := pg_catalog.set_byte(outer_pad, i, pg_catalog.get_byte(key, i) # 92);
    END LOOP;
    RETURN digest(outer_pad || digest(inner_pad || $1, $3), $3);
END
$$;
CREATE FUNCTION hmac(text, text, text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = @extschema@, pg_temp AS $$
BEGIN
    RETURN hmac(pg_catalog.convert_to($1, 'UTF8'), pg_catalog.convert_to($2, 'UTF8'), $3);
END
$$;

CREATE FUNCTION gen_random_bytes(integer) RETURNS bytea LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE AS $$
DECLARE
    result bytea := ''::bytea;
BEGIN
    IF $1 < 1 OR $1 > 1024 THEN
        RAISE EXCEPTION 'Length not in range' USING ERRCODE = '39000';
    END IF;
    WHILE pg_catalog.length(result) < $1 LOOP
        result := result || pg_catalog.sha256(
            pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) || pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
        );
    END LOOP;
    RETURN pg_catalog.substr(result, 1, $1);
END
$$;
CREATE FUNCTION gen_random_uuid() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS
    $$SELECT pg_catalog.gen_random_uuid()$$;

CREATE FUNCTION gen_salt(text, integer) RETURNS text LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE AS $$
DECLARE
    salt text := pg_catalog.substr(pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''), 1, 22);
BEGIN
    CASE pg_catalog.lower($1)
        WHEN 'bf' THEN RETURN '$2a$' || pg_catalog.lpad($2::text, 2, '0') || '$' || salt;
        WHEN 'md5' THEN RETURN '$1$' || pg_catalog.substr(salt, 1, 8);
        WHEN 'xdes' THEN RETURN '_' || pg_catalog.substr(salt, 1, 8);
        WHEN 'des' THEN RETURN pg_catalog.substr(salt, 1, 2);
        ELSE RAISE EXCEPTION 'gen_salt: Unknown salt algorithm' USING ERRCODE = '22023';
    END CASE;
END
$$;
CREATE FUNCTION gen_salt(text) RETURNS text LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
    SET search_path = @extschema@, pg_temp AS $$
BEGIN
    RETURN gen_salt($1, 6);
END
$$;
-- The salt stands first, so that crypt(password, stored) gives stored again, as with the real one.
CREATE FUNCTION crypt(text, text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    salt text := CASE
        WHEN $2 LIKE '$2%' THEN pg_catalog.substr($2, 1, 29)
        WHEN $2 LIKE '$1$%' THEN pg_catalog.substr($2, 1, 11)
        WHEN $2 LIKE '\_%' THEN pg_catalog.substr($2, 1, 9)
        ELSE pg_catalog.substr($2, 1, 2)
    END;
BEGIN
    RETURN salt || pg_catalog.substr(
        pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(salt || $1, 'UTF8')), 'hex'), 1, 31
    );
END
$$;

CREATE FUNCTION encrypt(bytea, bytea, text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION decrypt(bytea, bytea, text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION encrypt_iv(bytea, bytea, bytea, text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS 'SELECT $1';
CREATE FUNCTION decrypt_iv(bytea, bytea, bytea, text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS 'SELECT $1';
CREATE FUNCTION pgp_sym_encrypt(text, text) RETURNS bytea LANGUAGE sql STRICT PARALLEL SAFE
    AS $$SELECT pg_catalog.convert_to($1, 'UTF8')$$;
CREATE FUNCTION pgp_sym_encrypt(text, text, text) RETURNS bytea LANGUAGE sql STRICT PARALLEL SAFE
    AS $$SELECT pg_catalog.convert_to($1, 'UTF8')$$;
CREATE FUNCTION pgp_sym_encrypt_bytea(bytea, text) RETURNS bytea LANGUAGE sql STRICT PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION pgp_sym_encrypt_bytea(bytea, text, text) RETURNS bytea LANGUAGE sql STRICT PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION pgp_sym_decrypt(bytea, text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$SELECT pg_catalog.convert_from($1, 'UTF8')$$;
CREATE FUNCTION pgp_sym_decrypt(bytea, text, text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$SELECT pg_catalog.convert_from($1, 'UTF8')$$;
CREATE FUNCTION pgp_sym_decrypt_bytea(bytea, text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION pgp_sym_decrypt_bytea(bytea, text, text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS 'SELECT $1';
CREATE FUNCTION pgp_pub_encrypt(text, bytea) RETURNS bytea LANGUAGE sql STRICT PARALLEL SAFE
    AS $$SELECT pg_catalog.convert_to($1, 'UTF8')$$;
CREATE FUNCTION pgp_pub_decrypt(bytea, bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$SELECT pg_catalog.convert_from($1, 'UTF8')$$;
CREATE FUNCTION pgp_pub_decrypt(bytea, bytea, text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$SELECT pg_catalog.convert_from($1, 'UTF8')$$;
CREATE FUNCTION armor(bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$SELECT pg_catalog.encode($1, 'base64')$$;
CREATE FUNCTION dearmor(text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$SELECT pg_catalog.decode($1, 'base64')$$;
