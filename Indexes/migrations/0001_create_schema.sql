-- The ground: the schema, pgvector, and the table that remembers what was applied.
--
-- The extension stays when everything of ours is taken down: other schemas of the database may use
-- it. Its schema is named because the search path begins with "$user", and a role called carrel
-- would put it into our own.

CREATE SCHEMA IF NOT EXISTS carrel;

CREATE EXTENSION IF NOT EXISTS vector SCHEMA public;

CREATE TABLE carrel.schema_migrations (
    number integer PRIMARY KEY CHECK (number > 0),
    name text NOT NULL,
    sha256 char(64) NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    applied_at timestamptz NOT NULL DEFAULT now(),
    applied_by text NOT NULL DEFAULT current_user
);
-- citus: SELECT create_reference_table('carrel.schema_migrations');

-- down
DROP TABLE carrel.schema_migrations;

-- Refused by PostgreSQL, and rightly, while somebody else's objects live here.
DROP SCHEMA carrel;
