-- How a person comes in: failures that are counted, logins, and the tokens that keep one alive.

-- A second factor is set up once its first code was accepted: until then totp_last_step is NULL.
-- totp_failures counts wrong codes since the last right one; a code is charged before it is compared,
-- so that no number of attempts at once gets past the bound.
ALTER TABLE carrel.profiles
    ADD COLUMN totp_failures integer NOT NULL DEFAULT 0
        CONSTRAINT profiles_totp_failures_bounded CHECK (totp_failures BETWEEN 0 AND 20),
    ADD CONSTRAINT profiles_totp_step_of_secret
        CHECK (totp_last_step IS NULL OR totp_secret_enc IS NOT NULL);

-- The account that the first start made looks after the server, as its key always said.
UPDATE carrel.profiles
SET role = 'ADMIN'
WHERE id = (SELECT id FROM carrel.profiles ORDER BY created_at, id LIMIT 1);

-- How often entrance to an account was taken back: a key revoked, a login ended, the account
-- deactivated. A server that has checked a key or login in full remembers this number with it; while the
-- session's row still says the same, one row read by its key vouches for all of it.
ALTER TABLE carrel.study_sessions
    ADD COLUMN authority bigint NOT NULL DEFAULT 0;

-- A login: everything that came of one password. It has one access token at a time, found by its
-- SHA-256, and ends as a whole.
CREATE TABLE carrel.token_families (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    profile_id uuid NOT NULL REFERENCES carrel.profiles ON DELETE CASCADE,
    access_hash bytea NOT NULL CONSTRAINT token_families_access_hash_key UNIQUE
        CONSTRAINT token_families_access_hash_is_sha256 CHECK (octet_length(access_hash) = 32),
    access_expires_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- citus: SELECT create_reference_table('carrel.token_families');

CREATE INDEX token_families_profile_id_idx ON carrel.token_families (profile_id);

-- A refresh token is used once. One that comes again was stolen, or its owner's copy was: the family
-- ends. replaced_by is no foreign key: the successor may go first when an account is deleted.
CREATE TABLE carrel.refresh_tokens (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    profile_id uuid NOT NULL REFERENCES carrel.profiles ON DELETE CASCADE,
    token_hash bytea NOT NULL CONSTRAINT refresh_tokens_token_hash_key UNIQUE
        CONSTRAINT refresh_tokens_token_hash_is_sha256 CHECK (octet_length(token_hash) = 32),
    family_id uuid NOT NULL REFERENCES carrel.token_families ON DELETE CASCADE,
    replaced_by uuid,
    revoked boolean NOT NULL DEFAULT false,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    user_agent text,
    ip inet
);
-- citus: SELECT create_reference_table('carrel.refresh_tokens');

CREATE INDEX refresh_tokens_profile_id_revoked_idx ON carrel.refresh_tokens (profile_id, revoked);

-- The cascade from a family.
CREATE INDEX refresh_tokens_family_id_idx ON carrel.refresh_tokens (family_id);

-- Attempts since the last login that succeeded, by SHA-256 of the name given, whether or not there is
-- such an account: who is told to wait learns nothing from it.
CREATE TABLE carrel.login_attempts (
    name_hash bytea PRIMARY KEY
        CONSTRAINT login_attempts_name_hash_is_sha256 CHECK (octet_length(name_hash) = 32),
    attempts integer NOT NULL
        CONSTRAINT login_attempts_attempts_positive CHECK (attempts > 0),
    last_at timestamptz NOT NULL
);
-- citus: SELECT create_reference_table('carrel.login_attempts');

-- For the sweep of what is older than a day.
CREATE INDEX login_attempts_last_at_idx ON carrel.login_attempts (last_at);

-- What accounts may see of these (0015): their own logins; attempts are the service's alone.
ALTER TABLE carrel.token_families ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.token_families TO carrel_app
    USING (profile_id = (SELECT carrel.asking_profile()));

CREATE POLICY service ON carrel.token_families TO carrel_service USING (true);

ALTER TABLE carrel.refresh_tokens ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.refresh_tokens TO carrel_app
    USING (profile_id = (SELECT carrel.asking_profile()));

CREATE POLICY service ON carrel.refresh_tokens TO carrel_service USING (true);

ALTER TABLE carrel.login_attempts ENABLE ROW LEVEL SECURITY;

CREATE POLICY service ON carrel.login_attempts TO carrel_service USING (true);

-- down
DROP TABLE carrel.login_attempts;

DROP TABLE carrel.refresh_tokens;

DROP TABLE carrel.token_families;

ALTER TABLE carrel.study_sessions
    DROP COLUMN authority;

ALTER TABLE carrel.profiles
    DROP CONSTRAINT profiles_totp_step_of_secret,
    DROP COLUMN totp_failures;
