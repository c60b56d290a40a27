-- What is searched: parent chunks, their child chunks, and one unit vector for each.

CREATE TYPE carrel.chunk_type AS ENUM ('PARENT', 'CHILD');

-- The vector is absent or valid. pgvector's cosine distance of a zero vector is NaN, which sorts
-- nowhere sensible; and with unit vectors cosine, inner product and Euclid agree on the order.
--
-- A vector of 3 KB would be moved out of its row into the TOAST table, and computing a distance
-- would fetch it from there in two pieces. With this toast_tuple_target it stays in the row, two rows
-- to a page: an exact scan of 3,000 rows touches 1,500 pages instead of 9,375 and takes a quarter of
-- the time (21 ms against 83 ms, best of 25, PostgreSQL 16.14 on a busy 2-core machine).
--
-- A chunk lies in a document, starts in a section, and a child lies in its parent. The keys are
-- composite, so none of the three can be another session's.
CREATE TABLE carrel.document_chunks (
    session_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    document_id uuid NOT NULL,
    section_id uuid NOT NULL,
    parent_chunk_id uuid,
    type carrel.chunk_type NOT NULL,
    chunk_index integer NOT NULL,
    chunk_text text NOT NULL,
    text_start integer NOT NULL,
    text_end integer NOT NULL,
    page_from integer NOT NULL,
    page_to integer NOT NULL,
    token_count integer NOT NULL,
    embedding vector(768),
    related_topic_ids uuid[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, id),
    CONSTRAINT document_chunks_type_says_parent
        CHECK ((type = 'CHILD') = (parent_chunk_id IS NOT NULL)),
    CONSTRAINT document_chunks_span CHECK (0 <= text_start AND text_start <= text_end),
    CONSTRAINT document_chunks_pages CHECK (1 <= page_from AND page_from <= page_to),
    CONSTRAINT document_chunks_embedding_is_unit
        CHECK (abs(vector_norm(embedding) - 1) <= 1e-3),
    FOREIGN KEY (session_id, document_id)
        REFERENCES carrel.documents (session_id, id) ON DELETE CASCADE,
    FOREIGN KEY (session_id, section_id)
        REFERENCES carrel.sections (session_id, id) ON DELETE CASCADE,
    FOREIGN KEY (session_id, parent_chunk_id)
        REFERENCES carrel.document_chunks (session_id, id) ON DELETE CASCADE
) WITH (toast_tuple_target = 8160);
-- citus: SELECT create_distributed_table('carrel.document_chunks', 'session_id', colocate_with => 'carrel.study_sessions');

-- A document's chunks in reading order; also its cascade.
CREATE INDEX document_chunks_session_id_document_id_chunk_index_idx
    ON carrel.document_chunks (session_id, document_id, chunk_index);

-- The cascades from section and parent; without them deleting a document reads the whole session
-- once per section. The second also finds the children of a hit's parent.
CREATE INDEX document_chunks_session_id_section_id_idx
    ON carrel.document_chunks (session_id, section_id);

CREATE INDEX document_chunks_session_id_parent_chunk_id_idx
    ON carrel.document_chunks (session_id, parent_chunk_id)
    WHERE parent_chunk_id IS NOT NULL;

-- The three retrieval indexes. Every number is explained in Indexes/definitions/.
CREATE INDEX document_chunks_embedding_idx
    ON carrel.document_chunks
    USING hnsw (embedding vector_cosine_ops)
    WITH (m = 16, ef_construction = 64);

CREATE INDEX document_chunks_related_topic_ids_idx
    ON carrel.document_chunks
    USING gin (related_topic_ids);

CREATE INDEX document_chunks_chunk_text_idx
    ON carrel.document_chunks
    USING gin (to_tsvector('english', chunk_text));

-- down
DROP TABLE carrel.document_chunks;

DROP TYPE carrel.chunk_type;
