-- What was done, by whom and from where: entries are added and never changed, each one bound by its
-- hash to the one before it.

-- A text as it is hashed: its length in bytes, then the bytes; four bytes of ones for NULL. So no two
-- different rows run together into the same bytes.
CREATE FUNCTION carrel.audit_field(value text) RETURNS bytea
    LANGUAGE sql STABLE
    RETURN coalesce(
        int4send(octet_length(convert_to(value, 'UTF8'))) || convert_to(value, 'UTF8'),
        '\xffffffff'::bytea
    );

-- SHA-256 of the previous entry's hash and of all columns, as text, in this order. Time is in
-- microseconds since 1970. `carrel audit verify` computes the same in the program.
CREATE FUNCTION carrel.audit_entry_hash(
    previous_hash bytea,
    id bigint,
    at timestamptz,
    actor_id uuid,
    action text,
    target_type text,
    target_id uuid,
    session_id uuid,
    ip inet,
    request_id text,
    metadata jsonb
) RETURNS bytea
    LANGUAGE sql STABLE
    RETURN sha256(
        previous_hash
        || carrel.audit_field(id::text)
        || carrel.audit_field((extract(epoch FROM at) * 1000000)::bigint::text)
        || carrel.audit_field(actor_id::text)
        || carrel.audit_field(action)
        || carrel.audit_field(target_type)
        || carrel.audit_field(target_id::text)
        || carrel.audit_field(session_id::text)
        || carrel.audit_field(ip::text)
        || carrel.audit_field(request_id)
        || carrel.audit_field(metadata::text)
    );

-- No foreign keys: the log outlives accounts, sessions and what else it names. actor_id is the account
-- that acted; where an authentication failed, the account it was tried for, if there is one.
--
-- Numbers have no gap, because audit_head deals them: a number that is missing was deleted.
CREATE TABLE carrel.audit_log (
    id bigint PRIMARY KEY
        CONSTRAINT audit_log_id_positive CHECK (id >= 1),
    at timestamptz NOT NULL,
    actor_id uuid,
    action text NOT NULL,
    target_type text,
    target_id uuid,
    session_id uuid,
    ip inet,
    request_id text,
    metadata jsonb NOT NULL DEFAULT '{}',
    previous_hash bytea NOT NULL
        CONSTRAINT audit_log_previous_hash_is_sha256 CHECK (octet_length(previous_hash) = 32),
    entry_hash bytea NOT NULL
        CONSTRAINT audit_log_entry_hash_is_sha256 CHECK (octet_length(entry_hash) = 32)
);
-- citus: SELECT create_reference_table('carrel.audit_log');

CREATE INDEX audit_log_actor_id_at_idx ON carrel.audit_log (actor_id, at);

CREATE INDEX audit_log_session_id_at_idx ON carrel.audit_log (session_id, at);

CREATE INDEX audit_log_at_idx ON carrel.audit_log USING brin (at);

-- The end of the chain, one row. Who adds an entry updates it first and so waits for whoever is adding
-- one: the chain has no forks. It is updated for ever, so its page keeps room for new versions.
CREATE TABLE carrel.audit_head (
    is_one boolean PRIMARY KEY DEFAULT true
        CONSTRAINT audit_head_is_one CHECK (is_one),
    id bigint NOT NULL,
    previous_hash bytea NOT NULL,
    entry_hash bytea NOT NULL
) WITH (fillfactor = 10);
-- citus: SELECT create_reference_table('carrel.audit_head');

-- The first entry follows 32 zero bytes.
INSERT INTO carrel.audit_head (id, previous_hash, entry_hash)
VALUES (0, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'));

-- Where the application's role exists already, tables come with all of DML by default.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'carrel_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON carrel.audit_log FROM carrel_app;
        REVOKE INSERT, DELETE, TRUNCATE ON carrel.audit_head FROM carrel_app;
    END IF;
END;
$$;

-- down
DROP TABLE carrel.audit_head;

DROP TABLE carrel.audit_log;

DROP FUNCTION carrel.audit_entry_hash(
    bytea, bigint, timestamptz, uuid, text, text, uuid, uuid, inet, text, jsonb
);

DROP FUNCTION carrel.audit_field(text);
