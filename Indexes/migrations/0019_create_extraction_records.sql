-- What was read out of loan documents, with the place that proves it.
--
-- A social security number is stored as a keyed hash only, an account number sealed: the database
-- alone gives neither away.

CREATE TABLE carrel.borrowers (
    session_id uuid NOT NULL REFERENCES carrel.study_sessions ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    name varchar(255) NOT NULL,
    ssn_hash char(64)
        CONSTRAINT borrowers_ssn_hash_is_sha256 CHECK (ssn_hash ~ '^[0-9a-f]{64}$'),
    address jsonb,
    confidence_score numeric(3,2) NOT NULL
        CONSTRAINT borrowers_confidence_score_range CHECK (confidence_score BETWEEN 0 AND 1),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, id)
);
-- citus: SELECT create_distributed_table('carrel.borrowers', 'session_id', colocate_with => 'carrel.study_sessions');

CREATE INDEX borrowers_session_id_created_at_idx ON carrel.borrowers (session_id, created_at);

-- Who has this number? Asked with the hash of it.
CREATE INDEX borrowers_session_id_ssn_hash_idx
    ON carrel.borrowers (session_id, ssn_hash)
    WHERE ssn_hash IS NOT NULL;

-- numeric holds NaN, which is no amount.
CREATE TABLE carrel.income_records (
    session_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    borrower_id uuid NOT NULL,
    amount numeric(12,2) NOT NULL
        CONSTRAINT income_records_amount_is_number CHECK (amount <> 'NaN'),
    period text NOT NULL
        CONSTRAINT income_records_period
            CHECK (period IN ('annual', 'monthly', 'weekly', 'biweekly')),
    year integer NOT NULL
        CONSTRAINT income_records_year_range CHECK (year BETWEEN 1900 AND 2200),
    source_type varchar(50) NOT NULL,
    employer varchar(255),
    PRIMARY KEY (session_id, id),
    FOREIGN KEY (session_id, borrower_id)
        REFERENCES carrel.borrowers (session_id, id) ON DELETE CASCADE
);
-- citus: SELECT create_distributed_table('carrel.income_records', 'session_id', colocate_with => 'carrel.study_sessions');

CREATE INDEX income_records_session_id_borrower_id_idx
    ON carrel.income_records (session_id, borrower_id);

-- The number is sealed with the account's key; what may be shown stands beside it.
CREATE TABLE carrel.account_numbers (
    session_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    borrower_id uuid NOT NULL,
    number_enc bytea NOT NULL,
    number_last4 char(4) NOT NULL
        CONSTRAINT account_numbers_last4 CHECK (number_last4 ~ '^[0-9A-Z]{4}$'),
    account_type text NOT NULL
        CONSTRAINT account_numbers_type CHECK (account_type IN ('bank', 'loan')),
    PRIMARY KEY (session_id, id),
    FOREIGN KEY (session_id, borrower_id)
        REFERENCES carrel.borrowers (session_id, id) ON DELETE CASCADE
);
-- citus: SELECT create_distributed_table('carrel.account_numbers', 'session_id', colocate_with => 'carrel.study_sessions');

CREATE INDEX account_numbers_session_id_borrower_id_idx
    ON carrel.account_numbers (session_id, borrower_id);

-- Where a record was read: the snippet stands in content_text from text_start to text_end, on that
-- page; the server has looked before it stored the row. chunk_id is the smallest chunk around it.
CREATE TABLE carrel.source_references (
    session_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    borrower_id uuid NOT NULL,
    document_id uuid NOT NULL,
    page_number integer NOT NULL
        CONSTRAINT source_references_page_number_positive CHECK (page_number >= 1),
    section varchar(100),
    snippet text NOT NULL,
    text_start integer NOT NULL,
    text_end integer NOT NULL,
    chunk_id uuid,
    PRIMARY KEY (session_id, id),
    CONSTRAINT source_references_span CHECK (0 <= text_start AND text_start < text_end),
    FOREIGN KEY (session_id, borrower_id)
        REFERENCES carrel.borrowers (session_id, id) ON DELETE CASCADE,
    FOREIGN KEY (session_id, document_id)
        REFERENCES carrel.documents (session_id, id) ON DELETE CASCADE,
    FOREIGN KEY (session_id, document_id, page_number)
        REFERENCES carrel.pages (session_id, document_id, page_number) ON DELETE CASCADE,
    FOREIGN KEY (session_id, chunk_id)
        REFERENCES carrel.document_chunks (session_id, id) ON DELETE SET NULL (chunk_id)
);
-- citus: SELECT create_distributed_table('carrel.source_references', 'session_id', colocate_with => 'carrel.study_sessions');

CREATE INDEX source_references_session_id_borrower_id_idx
    ON carrel.source_references (session_id, borrower_id);

-- The cascades from document, page and chunk.
CREATE INDEX source_references_session_id_document_id_page_number_idx
    ON carrel.source_references (session_id, document_id, page_number);

CREATE INDEX source_references_session_id_chunk_id_idx
    ON carrel.source_references (session_id, chunk_id)
    WHERE chunk_id IS NOT NULL;

ALTER TABLE carrel.borrowers ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.borrowers TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = borrowers.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.borrowers TO carrel_service USING (true);

ALTER TABLE carrel.income_records ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.income_records TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = income_records.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.income_records TO carrel_service USING (true);

ALTER TABLE carrel.account_numbers ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.account_numbers TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = account_numbers.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.account_numbers TO carrel_service USING (true);

ALTER TABLE carrel.source_references ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.source_references TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = source_references.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.source_references TO carrel_service USING (true);

-- down
DROP TABLE carrel.source_references;

DROP TABLE carrel.account_numbers;

DROP TABLE carrel.income_records;

DROP TABLE carrel.borrowers;
