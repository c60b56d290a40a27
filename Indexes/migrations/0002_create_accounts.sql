-- Who may ask: accounts, the keys programs use, and the answers remembered for retries.

CREATE TYPE carrel.account_role AS ENUM ('USER', 'ADMIN');

-- Both a study profile and a vault user.
CREATE TABLE carrel.profiles (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    handle text NOT NULL CONSTRAINT profiles_handle_key UNIQUE,
    email text NOT NULL,
    password_hash text NOT NULL,
    totp_secret_enc bytea,
    totp_last_step bigint,
    role carrel.account_role NOT NULL DEFAULT 'USER',
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- citus: SELECT create_reference_table('carrel.profiles');

-- Two spellings of one mailbox are one account; the spelling given is kept.
CREATE UNIQUE INDEX profiles_email_key ON carrel.profiles (lower(email));

-- A key of 256 random bits is found by its SHA-256: no salt is needed, because there is nothing
-- to guess, and the lookup takes the same time whichever key was asked for.
--
-- session_id has no foreign key: accounts are reference tables on Citus and cannot point at a
-- distributed table. A key bound to a session that is gone opens nothing.
CREATE TABLE carrel.api_keys (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    profile_id uuid NOT NULL REFERENCES carrel.profiles ON DELETE CASCADE,
    name text NOT NULL,
    key_hash bytea NOT NULL CONSTRAINT api_keys_key_hash_key UNIQUE
        CONSTRAINT api_keys_key_hash_is_sha256 CHECK (octet_length(key_hash) = 32),
    scopes text[] NOT NULL,
    session_id uuid,
    last_used_at timestamptz,
    expires_at timestamptz,
    revoked boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT api_keys_name_key UNIQUE (profile_id, name)
);
-- citus: SELECT create_reference_table('carrel.api_keys');

-- What a creating method answered, kept 24 hours so that a retry gets the same answer.
CREATE TABLE carrel.idempotency_keys (
    profile_id uuid NOT NULL REFERENCES carrel.profiles ON DELETE CASCADE,
    key text NOT NULL
        CONSTRAINT idempotency_keys_key_length CHECK (octet_length(key) BETWEEN 1 AND 64),
    method text NOT NULL,
    response jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (profile_id, key)
);
-- citus: SELECT create_reference_table('carrel.idempotency_keys');

-- For the sweep of what is older than 24 hours.
CREATE INDEX idempotency_keys_created_at_idx ON carrel.idempotency_keys (created_at);

-- down
DROP TABLE carrel.idempotency_keys;

DROP TABLE carrel.api_keys;

DROP TABLE carrel.profiles;

DROP TYPE carrel.account_role;
