-- A session is the wall: every table after this one starts with its id.

CREATE TYPE carrel.session_status AS ENUM (
    'UPLOADING',
    'GENERATING_PLAN',
    'EDITING_PLAN',
    'CHUNKING',
    'ACTIVE',
    'COMPLETED'
);

-- What made the vectors of a session. Narrower models are padded with zeros to 768, which keeps
-- every inner product.
CREATE TABLE carrel.embedding_models (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    revision text NOT NULL,
    native_dimension integer NOT NULL
        CONSTRAINT embedding_models_dimension_fits CHECK (native_dimension BETWEEN 1 AND 768),
    pooling text NOT NULL,
    query_prefix text NOT NULL,
    passage_prefix text NOT NULL,
    weights_sha256 char(64)
        CONSTRAINT embedding_models_weights_is_sha256 CHECK (weights_sha256 ~ '^[0-9a-f]{64}$'),
    provider text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT embedding_models_identity_key UNIQUE (name, revision, provider)
);
-- citus: SELECT create_reference_table('carrel.embedding_models');

-- revision rises with every write that changes what a search could return, in the same
-- transaction; chunk_count is the number of rows of document_chunks. Both are kept by the
-- statements that write chunks (ChunkRepository, DocumentRepository), not by triggers: a trigger
-- that writes another table cannot run on the shards of a distributed one.
CREATE TABLE carrel.study_sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    profile_id uuid NOT NULL REFERENCES carrel.profiles ON DELETE CASCADE,
    title text NOT NULL,
    description text,
    status carrel.session_status NOT NULL DEFAULT 'UPLOADING',
    draft_plan jsonb,
    embedding_model_id uuid NOT NULL REFERENCES carrel.embedding_models,
    revision bigint NOT NULL DEFAULT 0
        CONSTRAINT study_sessions_revision_not_negative CHECK (revision >= 0),
    chunk_count bigint NOT NULL DEFAULT 0
        CONSTRAINT study_sessions_chunk_count_not_negative CHECK (chunk_count >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
-- citus: SELECT create_distributed_table('carrel.study_sessions', 'id');

CREATE INDEX study_sessions_profile_id_created_at_idx
    ON carrel.study_sessions (profile_id, created_at);

-- The way a session goes, from its first file to its last question. The straight line, and three
-- ways beside it: no plan wanted, plan made anew, more documents (also after completion).
CREATE FUNCTION carrel.refuse_status_move() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    IF (OLD.status::text, NEW.status::text) IN (
        ('UPLOADING', 'GENERATING_PLAN'),
        ('GENERATING_PLAN', 'EDITING_PLAN'),
        ('EDITING_PLAN', 'CHUNKING'),
        ('CHUNKING', 'ACTIVE'),
        ('ACTIVE', 'COMPLETED'),
        ('UPLOADING', 'CHUNKING'),
        ('EDITING_PLAN', 'GENERATING_PLAN'),
        ('ACTIVE', 'CHUNKING'),
        ('COMPLETED', 'ACTIVE')
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a session cannot move from % to %', OLD.status, NEW.status
        USING ERRCODE = 'check_violation',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'status',
            CONSTRAINT = 'study_sessions_status_moves';
END;
$$;

-- It reads only the row in hand, so it may run on a shard.
-- citus: SET LOCAL citus.enable_unsafe_triggers TO on;
CREATE TRIGGER study_sessions_status_moves
    BEFORE UPDATE OF status ON carrel.study_sessions
    FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION carrel.refuse_status_move();

-- down
DROP TABLE carrel.study_sessions;

DROP FUNCTION carrel.refuse_status_move();

DROP TABLE carrel.embedding_models;

DROP TYPE carrel.session_status;
