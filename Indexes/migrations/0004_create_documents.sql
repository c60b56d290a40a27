-- Document → page → section. All offsets count Unicode scalars of documents.content_text and are
-- half open, start..<end.

CREATE TYPE carrel.processing_status AS ENUM ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED');

-- Duplicates are told per session on purpose: a global rule would tell one account what another
-- has uploaded. file_path is a key of the blob store, never the name the user gave.
CREATE TABLE carrel.documents (
    session_id uuid NOT NULL REFERENCES carrel.study_sessions ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    file_name text NOT NULL,
    file_path text NOT NULL,
    file_description text,
    file_hash char(64) NOT NULL
        CONSTRAINT documents_file_hash_is_sha256 CHECK (file_hash ~ '^[0-9a-f]{64}$'),
    file_type text NOT NULL,
    file_size_bytes bigint NOT NULL
        CONSTRAINT documents_file_size_not_negative CHECK (file_size_bytes >= 0),
    source_uri text,
    content_text text,
    content_length bigint,
    page_count integer
        CONSTRAINT documents_page_count_not_negative CHECK (page_count >= 0),
    processing_status carrel.processing_status NOT NULL DEFAULT 'PENDING',
    error_message text,
    created_at timestamptz NOT NULL DEFAULT now(),
    processed_at timestamptz,
    PRIMARY KEY (session_id, id),
    CONSTRAINT documents_file_hash_key UNIQUE (session_id, file_hash),
    CONSTRAINT documents_content_length_is_length
        CHECK (
            content_text IS NULL
            OR (content_length IS NOT NULL AND content_length = char_length(content_text))
        )
);
-- citus: SELECT create_distributed_table('carrel.documents', 'session_id', colocate_with => 'carrel.study_sessions');

CREATE INDEX documents_session_id_created_at_idx ON carrel.documents (session_id, created_at);

-- The queue, oldest first; a few rows however many documents there are.
CREATE INDEX documents_pending_idx ON carrel.documents (processing_status, created_at)
    WHERE processing_status = 'PENDING';

CREATE TABLE carrel.pages (
    session_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    document_id uuid NOT NULL,
    page_number integer NOT NULL
        CONSTRAINT pages_page_number_positive CHECK (page_number >= 1),
    text_start integer NOT NULL,
    text_end integer NOT NULL,
    PRIMARY KEY (session_id, id),
    CONSTRAINT pages_page_number_key UNIQUE (session_id, document_id, page_number),
    CONSTRAINT pages_span CHECK (0 <= text_start AND text_start <= text_end),
    FOREIGN KEY (session_id, document_id)
        REFERENCES carrel.documents (session_id, id) ON DELETE CASCADE
);
-- citus: SELECT create_distributed_table('carrel.pages', 'session_id', colocate_with => 'carrel.study_sessions');

-- page_id is the page a section starts on; it may end on a later one.
CREATE TABLE carrel.sections (
    session_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    page_id uuid NOT NULL,
    section_index integer NOT NULL
        CONSTRAINT sections_section_index_not_negative CHECK (section_index >= 0),
    heading text,
    heading_path text[] NOT NULL,
    content text NOT NULL,
    text_start integer NOT NULL,
    text_end integer NOT NULL,
    PRIMARY KEY (session_id, id),
    CONSTRAINT sections_section_index_key UNIQUE (session_id, page_id, section_index),
    CONSTRAINT sections_span CHECK (0 <= text_start AND text_start <= text_end),
    FOREIGN KEY (session_id, page_id)
        REFERENCES carrel.pages (session_id, id) ON DELETE CASCADE
);
-- citus: SELECT create_distributed_table('carrel.sections', 'session_id', colocate_with => 'carrel.study_sessions');

-- down
DROP TABLE carrel.sections;

DROP TABLE carrel.pages;

DROP TABLE carrel.documents;

DROP TYPE carrel.processing_status;
