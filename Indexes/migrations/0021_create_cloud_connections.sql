-- Clouds of an account's own, to import from.

CREATE TYPE carrel.cloud_provider AS ENUM ('S3', 'GCS', 'HTTP');

-- credentials_enc is sealed (AES-256-GCM, a key per account): where the objects are, and the keys to
-- it. FAILED says that the last use was refused.
CREATE TABLE carrel.cloud_connections (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    profile_id uuid NOT NULL REFERENCES carrel.profiles ON DELETE CASCADE,
    provider carrel.cloud_provider NOT NULL,
    name text NOT NULL,
    credentials_enc bytea NOT NULL,
    status text NOT NULL DEFAULT 'ACTIVE'
        CONSTRAINT cloud_connections_status_known CHECK (status IN ('ACTIVE', 'FAILED')),
    last_used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT cloud_connections_name_key UNIQUE (profile_id, name)
);
-- citus: SELECT create_reference_table('carrel.cloud_connections');

ALTER TABLE carrel.cloud_connections ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.cloud_connections TO carrel_app
    USING (profile_id = (SELECT carrel.asking_profile()));

CREATE POLICY service ON carrel.cloud_connections TO carrel_service USING (true);

-- down
DROP TABLE carrel.cloud_connections;

DROP TYPE carrel.cloud_provider;
