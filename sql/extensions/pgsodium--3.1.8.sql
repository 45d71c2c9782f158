-- Stand-in for pgsodium: keys are listed, nothing is encrypted.

CREATE TYPE pgsodium.key_status AS ENUM ('default', 'valid', 'invalid', 'expired');
CREATE TYPE pgsodium.key_type AS ENUM (
    'aead-ietf', 'aead-det', 'hmacsha512', 'hmacsha256', 'auth', 'shorthash', 'generichash', 'kdf', 'secretbox',
    'secretstream', 'stream_xchacha20'
);
CREATE TABLE pgsodium.key (
    id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    status pgsodium.key_status DEFAULT 'valid',
    created timestamp with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
    expires timestamp with time zone,
    key_type pgsodium.key_type,
    key_id bigserial,
    key_context bytea DEFAULT '\x7067736f6469756d',
    name text UNIQUE,
    associated_data text DEFAULT 'associated',
    raw_key bytea,
    raw_key_nonce bytea,
    parent_key uuid REFERENCES pgsodium.key (id),
    comment text,
    user_data text
);
CREATE VIEW pgsodium.valid_key AS
    SELECT id, name, status, key_type, key_id, key_context, created, expires, associated_data FROM pgsodium.key;

CREATE FUNCTION pgsodium.create_key(
    key_type pgsodium.key_type DEFAULT 'aead-det', name text DEFAULT NULL, raw_key bytea DEFAULT NULL,
    raw_key_nonce bytea DEFAULT NULL, parent_key uuid DEFAULT NULL, key_context bytea DEFAULT '\x7067736f6469756d',
    expires timestamp with time zone DEFAULT NULL, associated_data text DEFAULT ''
) RETURNS pgsodium.valid_key LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    INSERT INTO pgsodium.key (key_type, name, key_context, expires, associated_data) VALUES ($1, $2, $6, $7, $8)
    RETURNING id, name, status, key_type, key_id, key_context, created, expires, associated_data
$$;
CREATE FUNCTION pgsodium.randombytes_buf(size integer) RETURNS bytea LANGUAGE sql VOLATILE AS $$
    SELECT pg_catalog.substr(pg_catalog.decode(pg_catalog.repeat(pg_catalog.replace(
        pg_catalog.gen_random_uuid()::text, '-', ''), pg_catalog.div(size::numeric, 16)::integer OPERATOR(pg_catalog.+) 1),
        'hex'), 1, size)
$$;
CREATE FUNCTION pgsodium.crypto_aead_det_noncegen() RETURNS bytea LANGUAGE sql VOLATILE
    AS 'SELECT pgsodium.randombytes_buf(16)';
CREATE FUNCTION pgsodium.crypto_aead_det_keygen() RETURNS bytea LANGUAGE sql VOLATILE
    AS 'SELECT pgsodium.randombytes_buf(32)';
CREATE FUNCTION pgsodium.crypto_aead_det_encrypt(message bytea, additional bytea, key_uuid uuid, nonce bytea DEFAULT NULL)
    RETURNS bytea LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION pgsodium.crypto_aead_det_decrypt(message bytea, additional bytea, key_uuid uuid, nonce bytea DEFAULT NULL)
    RETURNS bytea LANGUAGE sql AS 'SELECT $1';

REVOKE ALL ON FUNCTION pgsodium.create_key(
    pgsodium.key_type, text, bytea, bytea, uuid, bytea, timestamp with time zone, text
) FROM PUBLIC;
GRANT USAGE ON SCHEMA pgsodium TO postgres, service_role;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pgsodium TO postgres, service_role;
GRANT SELECT ON pgsodium.key, pgsodium.valid_key TO postgres, service_role;
GRANT ALL ON SEQUENCE pgsodium.key_key_id_seq TO postgres, service_role;
