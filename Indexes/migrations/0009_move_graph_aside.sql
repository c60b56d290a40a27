-- The graph of vectors moves out of document_chunks into a table of its own, which is filled after
-- the chunks were stored and only for sessions that need it.
--
-- In its place every stored chunk paid 3 to 6 ms for a graph that few searches walk: small sessions
-- are compared row by row, and resident ones are answered from memory.

DROP INDEX carrel.document_chunks_embedding_idx;

-- revision is that of the chunk's row when it was copied: a chunk written again is copied again.
CREATE TABLE carrel.chunk_graph (
    session_id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    revision bigint NOT NULL,
    embedding halfvec(768) NOT NULL,
    PRIMARY KEY (session_id, chunk_id),
    FOREIGN KEY (session_id, chunk_id)
        REFERENCES carrel.document_chunks (session_id, id) ON DELETE CASCADE
);
-- citus: SELECT create_distributed_table('carrel.chunk_graph', 'session_id', colocate_with => 'carrel.study_sessions');

-- Nearest chunks by meaning; the reasons are in definitions/chunk_graph_embedding.sql.
CREATE INDEX chunk_graph_embedding_idx
    ON carrel.chunk_graph
    USING hnsw (embedding halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 64);

-- Rows written up to this revision are in the graph; -1 when none are. Later ones are compared one
-- by one.
ALTER TABLE carrel.study_sessions
    ADD COLUMN graph_revision bigint NOT NULL DEFAULT -1
        CONSTRAINT study_sessions_graph_revision_known CHECK (graph_revision BETWEEN -1 AND revision);

-- down
ALTER TABLE carrel.study_sessions
    DROP COLUMN graph_revision;

DROP TABLE carrel.chunk_graph;

CREATE INDEX document_chunks_embedding_idx
    ON carrel.document_chunks
    USING hnsw (embedding vector_cosine_ops)
    WITH (m = 16, ef_construction = 64);
