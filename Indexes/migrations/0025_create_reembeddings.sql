-- Another embedding model for a session that is searched meanwhile.

-- A paused job is QUEUED and passed over by those who look for work.
ALTER TABLE carrel.jobs
    ADD COLUMN is_paused boolean NOT NULL DEFAULT false
        CONSTRAINT jobs_paused_is_queued CHECK (NOT is_paused OR state = 'QUEUED');

-- A session goes to one model at a time.
CREATE UNIQUE INDEX jobs_open_reembedding_key
    ON carrel.jobs (session_id)
    WHERE kind = 'REEMBED' AND state IN ('QUEUED', 'RUNNING');

-- What is beside the job of one re-embedding. terms say what its gate asks, verdict what that found,
-- stopped_because why it waits for somebody.
--
-- Its vectors are in reembedding_vectors under stage_id, and those they replaced under retired_id until
-- retained_until: taking a switch back is another re-embedding, whose stage_id is the retired_id of the
-- first, so that nothing is embedded again. Where neither is needed any more, it is cleared.
CREATE TABLE carrel.reembeddings (
    session_id uuid NOT NULL,
    job_id uuid NOT NULL,
    from_model_id uuid NOT NULL REFERENCES carrel.embedding_models,
    to_model_id uuid NOT NULL REFERENCES carrel.embedding_models,
    stage_id uuid NOT NULL,
    retired_id uuid NOT NULL DEFAULT gen_random_uuid(),
    takes_back uuid,
    terms jsonb NOT NULL DEFAULT '{}',
    verdict jsonb,
    stopped_because text,
    embedded bigint NOT NULL DEFAULT 0,
    reused bigint NOT NULL DEFAULT 0,
    embed_microseconds bigint NOT NULL DEFAULT 0,
    stage_microseconds bigint NOT NULL DEFAULT 0,
    switch_microseconds bigint NOT NULL DEFAULT 0,
    switched_at timestamptz,
    retained_until timestamptz,
    is_cleared boolean NOT NULL DEFAULT false,
    PRIMARY KEY (session_id, job_id),
    CONSTRAINT reembeddings_other_model CHECK (from_model_id <> to_model_id),
    CONSTRAINT reembeddings_retained_is_switched
        CHECK ((switched_at IS NULL) = (retained_until IS NULL)),
    FOREIGN KEY (session_id, job_id)
        REFERENCES carrel.jobs (session_id, id) ON DELETE CASCADE
);
-- citus: SELECT create_distributed_table('carrel.reembeddings', 'session_id', colocate_with => 'carrel.study_sessions');

-- Vectors beside those that are searched: on their way in, or kept after they were replaced.
--
-- No key leads to document_chunks: it would have to be found by chunk, and the primary key is the only
-- index, so that rows are written as fast as they come. A row whose chunk is gone is never looked at; a
-- chunk that came back under its id with another text is told by the digest of the text.
CREATE TABLE carrel.reembedding_vectors (
    session_id uuid NOT NULL REFERENCES carrel.study_sessions ON DELETE CASCADE,
    job_id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    text_md5 uuid NOT NULL,
    is_given boolean NOT NULL DEFAULT false,
    embedding vector(768) NOT NULL
        CONSTRAINT reembedding_vectors_embedding_is_unit
            CHECK (abs(vector_norm(embedding) - 1) <= 1e-3),
    PRIMARY KEY (session_id, job_id, chunk_id)
) WITH (toast_tuple_target = 8160);
-- citus: SELECT create_distributed_table('carrel.reembedding_vectors', 'session_id', colocate_with => 'carrel.study_sessions');

-- Chunks whose text the model refuses for good.
CREATE TABLE carrel.reembedding_failures (
    session_id uuid NOT NULL,
    job_id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (session_id, job_id, chunk_id),
    FOREIGN KEY (session_id, job_id)
        REFERENCES carrel.reembeddings (session_id, job_id) ON DELETE CASCADE
);
-- citus: SELECT create_distributed_table('carrel.reembedding_failures', 'session_id', colocate_with => 'carrel.study_sessions');

-- Whether the vector came from outside and not from the model: then it is not lent to equal texts.
ALTER TABLE carrel.document_chunks
    ADD COLUMN is_given boolean NOT NULL DEFAULT false;

-- The chunks of a text, to find a vector that was made of it before. Digests only find; texts are
-- compared.
CREATE INDEX document_chunks_session_id_text_md5_idx
    ON carrel.document_chunks (session_id, (md5(chunk_text)::uuid));

ALTER TABLE carrel.reembeddings ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.reembeddings TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = reembeddings.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.reembeddings TO carrel_service USING (true);

ALTER TABLE carrel.reembedding_vectors ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.reembedding_vectors TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = reembedding_vectors.session_id
            AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.reembedding_vectors TO carrel_service USING (true);

ALTER TABLE carrel.reembedding_failures ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.reembedding_failures TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = reembedding_failures.session_id
            AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.reembedding_failures TO carrel_service USING (true);

-- down
DROP INDEX carrel.document_chunks_session_id_text_md5_idx;

ALTER TABLE carrel.document_chunks
    DROP COLUMN is_given;

DROP TABLE carrel.reembedding_failures;

DROP TABLE carrel.reembedding_vectors;

DROP TABLE carrel.reembeddings;

DROP INDEX carrel.jobs_open_reembedding_key;

ALTER TABLE carrel.jobs
    DROP COLUMN is_paused;
