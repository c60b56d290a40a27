-- What changed in a session since a revision, found by number: a cache that holds revision r reads
-- the rows written after r and the documents removed after r, and nothing else.

-- revision is the session's revision that last wrote the row. Rows from before this column belong
-- to revision 0, which every cache reads in whole.
ALTER TABLE carrel.document_chunks
    ADD COLUMN revision bigint NOT NULL DEFAULT 0
        CONSTRAINT document_chunks_revision_not_negative CHECK (revision >= 0);

CREATE INDEX document_chunks_session_id_revision_idx
    ON carrel.document_chunks (session_id, revision);

-- A document that took chunks with it when it was deleted. One row a deletion, 60 bytes, for as
-- long as the session lives: a cache may have been away for any time.
CREATE TABLE carrel.removed_documents (
    session_id uuid NOT NULL REFERENCES carrel.study_sessions ON DELETE CASCADE,
    revision bigint NOT NULL
        CONSTRAINT removed_documents_revision_positive CHECK (revision > 0),
    document_id uuid NOT NULL,
    removed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, revision, document_id)
);
-- citus: SELECT create_distributed_table('carrel.removed_documents', 'session_id', colocate_with => 'carrel.study_sessions');

-- down
DROP TABLE carrel.removed_documents;

ALTER TABLE carrel.document_chunks
    DROP COLUMN revision;
