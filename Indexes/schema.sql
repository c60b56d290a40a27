-- The whole schema as it is now, to read: what Indexes/migrations/ make, in one piece.
--
-- History is in the migrations; a test applies both and compares the two catalogs. On Citus run
-- `carrel migrate up` rather than this file: it distributes each table as it creates it.

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

-- Who may ask: accounts, the keys programs use, and the answers remembered for retries.

CREATE TYPE carrel.account_role AS ENUM ('USER', 'ADMIN');

-- Both a study profile and a vault user.
--
-- A second factor is set up once its first code was accepted: until then totp_last_step is NULL.
-- totp_failures counts wrong codes since the last right one; a code is charged before it is compared,
-- so that no number of attempts at once gets past the bound.
CREATE TABLE carrel.profiles (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    handle text NOT NULL CONSTRAINT profiles_handle_key UNIQUE,
    email text NOT NULL,
    password_hash text NOT NULL,
    totp_secret_enc bytea,
    totp_last_step bigint,
    role carrel.account_role NOT NULL DEFAULT 'USER',
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    totp_failures integer NOT NULL DEFAULT 0
        CONSTRAINT profiles_totp_failures_bounded CHECK (totp_failures BETWEEN 0 AND 20),
    CONSTRAINT profiles_totp_step_of_secret
        CHECK (totp_last_step IS NULL OR totp_secret_enc IS NOT NULL)
);

-- Two spellings of one mailbox are one account; the spelling given is kept.
CREATE UNIQUE INDEX profiles_email_key ON carrel.profiles (lower(email));

-- How many bytes of files an account may keep, and how many it keeps.

-- What may not be exceeded is the growth: a limit may be set below the usage, and then documents can
-- still be deleted, one after another, until it is met. So this is a trigger where a CHECK of
-- used_bytes <= limit_bytes would refuse both.
CREATE TABLE carrel.quotas (
    profile_id uuid PRIMARY KEY REFERENCES carrel.profiles ON DELETE CASCADE,
    limit_bytes bigint NOT NULL DEFAULT 104857600
        CONSTRAINT quotas_limit_bytes_not_negative CHECK (limit_bytes >= 0),
    used_bytes bigint NOT NULL DEFAULT 0
        CONSTRAINT quotas_used_bytes_not_negative CHECK (used_bytes >= 0)
);

CREATE FUNCTION carrel.refuse_beyond_quota() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION 'expected at most % bytes, got %', NEW.limit_bytes, NEW.used_bytes
        USING ERRCODE = 'check_violation',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'used_bytes',
            CONSTRAINT = 'quotas_within_limit';
END;
$$;

CREATE TRIGGER quotas_within_limit
    BEFORE UPDATE OF used_bytes ON carrel.quotas
    FOR EACH ROW
    WHEN (NEW.used_bytes > OLD.used_bytes AND NEW.used_bytes > NEW.limit_bytes)
    EXECUTE FUNCTION carrel.refuse_beyond_quota();

-- A key of 256 random bits is found by its SHA-256: no salt is needed, because there is nothing
-- to guess, and the lookup takes the same time whichever key was asked for.
--
-- session_id has no foreign key: accounts are reference tables on Citus and cannot point at a
-- distributed table. A key bound to a session that is gone opens nothing.
CREATE TABLE carrel.api_keys (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    profile_id uuid NOT NULL REFERENCES carrel.profiles ON DELETE CASCADE,
    name text NOT NULL,
    key_hash bytea NOT NULL CONSTRAINT api_keys_key_hash_key UNIQUE
        CONSTRAINT api_keys_key_hash_is_sha256 CHECK (octet_length(key_hash) = 32),
    scopes text[] NOT NULL,
    session_id uuid,
    last_used_at timestamptz,
    expires_at timestamptz,
    revoked boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT api_keys_name_key UNIQUE (profile_id, name)
);

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

-- For the sweep of what is older than a day.
CREATE INDEX login_attempts_last_at_idx ON carrel.login_attempts (last_at);

-- What a creating method answered, kept 24 hours so that a retry gets the same answer.
CREATE TABLE carrel.idempotency_keys (
    profile_id uuid NOT NULL REFERENCES carrel.profiles ON DELETE CASCADE,
    key text NOT NULL
        CONSTRAINT idempotency_keys_key_length CHECK (octet_length(key) BETWEEN 1 AND 64),
    method text NOT NULL,
    response jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (profile_id, key)
);

-- For the sweep of what is older than 24 hours.
CREATE INDEX idempotency_keys_created_at_idx ON carrel.idempotency_keys (created_at);

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

-- revision rises with every write that changes what a search could return, in the same
-- transaction; chunk_count is the number of rows of document_chunks. Both are kept by the
-- statements that write chunks (ChunkRepository, DocumentRepository), not by triggers: a trigger
-- that writes another table cannot run on the shards of a distributed one.
--
-- Rows written up to graph_revision are in chunk_graph; -1 when none are. removed_documents names every
-- removal after removals_after: a cache whose snapshot is older reads the session in whole.
--
-- authority says how often entrance to the account was taken back: a key revoked, a login ended, the
-- account deactivated. A server that has checked a key or login in full remembers this number with it; while
-- the session's row still says the same, one row read by its key vouches for all of it.
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
    updated_at timestamptz NOT NULL DEFAULT now(),
    graph_revision bigint NOT NULL DEFAULT -1
        CONSTRAINT study_sessions_graph_revision_known CHECK (graph_revision BETWEEN -1 AND revision),
    removals_after bigint NOT NULL DEFAULT 0
        CONSTRAINT study_sessions_removals_after_known CHECK (removals_after BETWEEN 0 AND revision),
    authority bigint NOT NULL DEFAULT 0
);

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
CREATE TRIGGER study_sessions_status_moves
    BEFORE UPDATE OF status ON carrel.study_sessions
    FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION carrel.refuse_status_move();

-- Folders: a tree in each session, and the place of a document in it.

-- A folder takes its folders with it when it is deleted, never its documents.
CREATE TABLE carrel.folders (
    session_id uuid NOT NULL REFERENCES carrel.study_sessions ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    parent_id uuid,
    name text NOT NULL
        CONSTRAINT folders_name_length CHECK (octet_length(name) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, id),
    CONSTRAINT folders_name_key UNIQUE NULLS NOT DISTINCT (session_id, parent_id, name),
    CONSTRAINT folders_not_in_itself CHECK (parent_id <> id),
    FOREIGN KEY (session_id, parent_id)
        REFERENCES carrel.folders (session_id, id) ON DELETE CASCADE
);

-- Walks from the new parent to the root and refuses to meet the folder itself.
--
-- Two moves at once could each be right by what they see and make a cycle together. So moves of one
-- session take turns, by a lock that lasts to the end of the transaction; what the walk reads is
-- what the one before has committed. FOR SHARE is for stricter isolation levels, whose snapshot is older
-- than the lock: there a folder moved meanwhile fails the statement.
--
-- It reads only its own table, under the name it has there, so it may run on a shard.
CREATE FUNCTION carrel.refuse_folder_cycle() RETURNS trigger
    LANGUAGE plpgsql AS
$$
DECLARE
    above uuid := NEW.parent_id;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('carrel.folders'), hashtext(NEW.session_id::text));
    WHILE above IS NOT NULL LOOP
        IF above = NEW.id THEN
            RAISE EXCEPTION 'a folder cannot be moved into itself or below itself'
                USING ERRCODE = 'check_violation',
                    SCHEMA = TG_TABLE_SCHEMA,
                    TABLE = TG_TABLE_NAME,
                    COLUMN = 'parent_id',
                    CONSTRAINT = 'folders_no_cycle';
        END IF;
        EXECUTE format(
            'SELECT parent_id FROM %I.%I WHERE session_id = $1 AND id = $2 FOR SHARE',
            TG_TABLE_SCHEMA, TG_TABLE_NAME)
            INTO above USING NEW.session_id, above;
    END LOOP;
    RETURN NEW;
END;
$$;

-- A folder that is new has nothing below it, so only moving can close a circle.
CREATE TRIGGER folders_no_cycle
    BEFORE UPDATE OF parent_id ON carrel.folders
    FOR EACH ROW
    WHEN (OLD.parent_id IS DISTINCT FROM NEW.parent_id)
    EXECUTE FUNCTION carrel.refuse_folder_cycle();

-- Document → page → section. All offsets count Unicode scalars of documents.content_text and are
-- half open, start..<end.

CREATE TYPE carrel.processing_status AS ENUM ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED');

-- Duplicates are told per session on purpose: a global rule would tell one account what another
-- has uploaded. file_path is a key of the blob store, never the name the user gave.
CREATE TABLE carrel.documents (
    session_id uuid NOT NULL REFERENCES carrel.study_sessions ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    folder_id uuid,
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
    CONSTRAINT documents_folder_id_fkey FOREIGN KEY (session_id, folder_id)
        REFERENCES carrel.folders (session_id, id) ON DELETE SET NULL (folder_id),
    CONSTRAINT documents_content_length_is_length
        CHECK (
            content_text IS NULL
            OR (content_length IS NOT NULL AND content_length = char_length(content_text))
        )
);

CREATE INDEX documents_session_id_created_at_idx ON carrel.documents (session_id, created_at);

CREATE INDEX documents_session_id_folder_id_idx ON carrel.documents (session_id, folder_id);

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

-- What a session is about, and what is said about it.

CREATE TYPE carrel.chat_type AS ENUM ('GENERAL', 'TOPIC');

CREATE TABLE carrel.topics (
    session_id uuid NOT NULL REFERENCES carrel.study_sessions ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    title text NOT NULL,
    subtopics text[] NOT NULL DEFAULT '{}',
    order_index integer NOT NULL,
    is_completed boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, id),
    CONSTRAINT topics_title_key UNIQUE (session_id, title),
    -- Deferrable, so that two topics can change places in one transaction.
    CONSTRAINT topics_order_index_key UNIQUE (session_id, order_index) DEFERRABLE
);

CREATE TABLE carrel.document_topics (
    session_id uuid NOT NULL,
    document_id uuid NOT NULL,
    topic_id uuid NOT NULL,
    PRIMARY KEY (session_id, document_id, topic_id),
    FOREIGN KEY (session_id, document_id)
        REFERENCES carrel.documents (session_id, id) ON DELETE CASCADE,
    FOREIGN KEY (session_id, topic_id)
        REFERENCES carrel.topics (session_id, id) ON DELETE CASCADE
);

-- The other direction: the documents of a topic, and the cascade from it.
CREATE INDEX document_topics_session_id_topic_id_idx
    ON carrel.document_topics (session_id, topic_id);

-- What a topic means: row 0 is the title's vector, the others the subtopics'. A chunk is related to
-- topics by the statement that stores it. Vectors of another model than the session's relate nothing.
CREATE TABLE carrel.topic_vectors (
    session_id uuid NOT NULL,
    topic_id uuid NOT NULL,
    place integer NOT NULL
        CONSTRAINT topic_vectors_place_not_negative CHECK (place >= 0),
    embedding_model_id uuid NOT NULL,
    embedding vector(768) NOT NULL,
    PRIMARY KEY (session_id, topic_id, place),
    FOREIGN KEY (session_id, topic_id)
        REFERENCES carrel.topics (session_id, id) ON DELETE CASCADE
) WITH (toast_tuple_target = 8160);

CREATE TABLE carrel.chats (
    session_id uuid NOT NULL REFERENCES carrel.study_sessions ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    type carrel.chat_type NOT NULL,
    topic_id uuid,
    is_started boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, id),
    -- One chat per topic; the general one, whose topic is NULL, has an index of its own.
    CONSTRAINT chats_topic_id_key UNIQUE (session_id, topic_id),
    CONSTRAINT chats_type_says_topic CHECK ((type = 'TOPIC') = (topic_id IS NOT NULL)),
    FOREIGN KEY (session_id, topic_id)
        REFERENCES carrel.topics (session_id, id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX chats_general_key
    ON carrel.chats (session_id)
    WHERE type = 'GENERAL';

-- cited_chunk_ids are no foreign keys: a message outlives the chunks it cites.
CREATE TABLE carrel.messages (
    session_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    chat_id uuid NOT NULL,
    role text NOT NULL
        CONSTRAINT messages_role CHECK (role IN ('user', 'assistant', 'system')),
    content text NOT NULL,
    cited_chunk_ids uuid[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, id),
    FOREIGN KEY (session_id, chat_id)
        REFERENCES carrel.chats (session_id, id) ON DELETE CASCADE
);

CREATE INDEX messages_session_id_chat_id_created_at_idx
    ON carrel.messages (session_id, chat_id, created_at);

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
--
-- revision is the session's revision that last wrote the row: a cache that holds revision r reads
-- the rows written after r. is_given says that the vector came from outside and not from the model:
-- then it is not lent to equal texts.
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
    revision bigint NOT NULL DEFAULT 0
        CONSTRAINT document_chunks_revision_not_negative CHECK (revision >= 0),
    is_given boolean NOT NULL DEFAULT false,
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

-- The retrieval index of this table, explained in Indexes/definitions/. Words are indexed in memory.
CREATE INDEX document_chunks_related_topic_ids_idx
    ON carrel.document_chunks
    USING gin (related_topic_ids);

-- What changed since a revision.
CREATE INDEX document_chunks_session_id_revision_idx
    ON carrel.document_chunks (session_id, revision);

-- The chunks of a text, to find a vector that was made of it before. Digests only find; texts are
-- compared.
CREATE INDEX document_chunks_session_id_text_md5_idx
    ON carrel.document_chunks (session_id, (md5(chunk_text)::uuid));

-- A document that took chunks with it when it was deleted. One row a deletion, 60 bytes, for a week
-- at least: the next deletion in the session takes older rows away and notes it in removals_after.
CREATE TABLE carrel.removed_documents (
    session_id uuid NOT NULL REFERENCES carrel.study_sessions ON DELETE CASCADE,
    revision bigint NOT NULL
        CONSTRAINT removed_documents_revision_positive CHECK (revision > 0),
    document_id uuid NOT NULL,
    removed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, revision, document_id)
);

-- The graph of vectors, beside the chunks: filled after they were stored, and only for sessions that
-- need it. revision is that of the chunk's row when it was copied: a chunk written again is copied
-- again.
CREATE TABLE carrel.chunk_graph (
    session_id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    revision bigint NOT NULL,
    embedding halfvec(768) NOT NULL,
    PRIMARY KEY (session_id, chunk_id),
    FOREIGN KEY (session_id, chunk_id)
        REFERENCES carrel.document_chunks (session_id, id) ON DELETE CASCADE
);

CREATE INDEX chunk_graph_embedding_idx
    ON carrel.chunk_graph
    USING hnsw (embedding halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 64);

-- Work that outlives the process doing it.

CREATE TYPE carrel.job_kind AS ENUM ('INGEST', 'REEMBED', 'ASSIGN_TOPICS', 'IMPORT');

CREATE TYPE carrel.job_state AS ENUM ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED');

-- A worker holds a job by a lease that it renews; when the worker dies the lease runs out and the
-- next one takes the job, from the last step that was finished. A paused job is QUEUED and passed over
-- by those who look for work.
CREATE TABLE carrel.jobs (
    session_id uuid NOT NULL REFERENCES carrel.study_sessions ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    kind carrel.job_kind NOT NULL,
    document_id uuid,
    state carrel.job_state NOT NULL DEFAULT 'QUEUED',
    progress_done bigint NOT NULL DEFAULT 0,
    progress_total bigint NOT NULL DEFAULT 0,
    attempt integer NOT NULL DEFAULT 0,
    lease_owner text,
    lease_expires_at timestamptz,
    payload jsonb NOT NULL DEFAULT '{}',
    error_message text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    is_paused boolean NOT NULL DEFAULT false
        CONSTRAINT jobs_paused_is_queued CHECK (NOT is_paused OR state = 'QUEUED'),
    PRIMARY KEY (session_id, id),
    CONSTRAINT jobs_running_is_leased
        CHECK ((state = 'RUNNING') = (lease_owner IS NOT NULL AND lease_expires_at IS NOT NULL)),
    CONSTRAINT jobs_ended_is_dated
        CHECK ((state IN ('SUCCEEDED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)),
    CONSTRAINT jobs_progress CHECK (progress_done >= 0 AND progress_total >= 0 AND attempt >= 0),
    FOREIGN KEY (session_id, document_id)
        REFERENCES carrel.documents (session_id, id) ON DELETE CASCADE
);

-- A client names a job by its id alone.
CREATE INDEX jobs_id_idx ON carrel.jobs (id);

CREATE INDEX jobs_session_id_document_id_idx ON carrel.jobs (session_id, document_id);

-- The queue: what waits or runs, oldest first. Ended jobs, nearly all of them, are not in it.
CREATE INDEX jobs_open_idx ON carrel.jobs (created_at)
    WHERE state IN ('QUEUED', 'RUNNING');

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

-- Who may read what is not his: groups of accounts, and documents shared to an account or a group.

-- owner_id is who looks after it: the account that made it, NULL when that is gone.
CREATE TABLE carrel.groups (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL
        CONSTRAINT groups_name_key UNIQUE
        CONSTRAINT groups_name_length CHECK (octet_length(name) BETWEEN 1 AND 255),
    owner_id uuid REFERENCES carrel.profiles ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX groups_owner_id_idx ON carrel.groups (owner_id);

CREATE TABLE carrel.group_members (
    group_id uuid NOT NULL REFERENCES carrel.groups ON DELETE CASCADE,
    profile_id uuid NOT NULL REFERENCES carrel.profiles ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (group_id, profile_id)
);

-- The groups of an account.
CREATE INDEX group_members_profile_id_idx ON carrel.group_members (profile_id);

CREATE TYPE carrel.share_permission AS ENUM ('READ');

-- A share holds from the moment it is committed until it is deleted or expires_at has come. Nothing
-- remembers it: every request of a recipient reads this table.
CREATE TABLE carrel.shares (
    session_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    document_id uuid NOT NULL,
    recipient_id uuid REFERENCES carrel.profiles ON DELETE CASCADE,
    group_id uuid REFERENCES carrel.groups ON DELETE CASCADE,
    permission carrel.share_permission NOT NULL DEFAULT 'READ',
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    PRIMARY KEY (session_id, id),
    CONSTRAINT shares_to_one CHECK (num_nonnulls(recipient_id, group_id) = 1),
    CONSTRAINT shares_recipient_id_key UNIQUE (session_id, document_id, recipient_id),
    CONSTRAINT shares_group_id_key UNIQUE (session_id, document_id, group_id),
    FOREIGN KEY (session_id, document_id)
        REFERENCES carrel.documents (session_id, id) ON DELETE CASCADE
);

CREATE INDEX shares_recipient_id_idx ON carrel.shares (recipient_id);

CREATE INDEX shares_group_id_idx ON carrel.shares (group_id);

-- What was done, by whom and from where: entries are added and never changed, each one bound by its
-- hash to the one before it.

-- A text as it is hashed: its length in bytes, then the bytes; four bytes of ones for NULL. So no two
-- different rows run together into the same bytes.
CREATE FUNCTION carrel.audit_field(value text) RETURNS bytea
    LANGUAGE sql STABLE
    RETURN coalesce(
        int4send(octet_length(convert_to(value, 'UTF8'))) || convert_to(value, 'UTF8'),
        '\xffffffff'::bytea
    );

-- SHA-256 of the previous entry's hash and of all columns, as text, in this order. Time is in
-- microseconds since 1970. `carrel audit verify` computes the same in the program.
CREATE FUNCTION carrel.audit_entry_hash(
    previous_hash bytea,
    id bigint,
    at timestamptz,
    actor_id uuid,
    action text,
    target_type text,
    target_id uuid,
    session_id uuid,
    ip inet,
    request_id text,
    metadata jsonb
) RETURNS bytea
    LANGUAGE sql STABLE
    RETURN sha256(
        previous_hash
        || carrel.audit_field(id::text)
        || carrel.audit_field((extract(epoch FROM at) * 1000000)::bigint::text)
        || carrel.audit_field(actor_id::text)
        || carrel.audit_field(action)
        || carrel.audit_field(target_type)
        || carrel.audit_field(target_id::text)
        || carrel.audit_field(session_id::text)
        || carrel.audit_field(ip::text)
        || carrel.audit_field(request_id)
        || carrel.audit_field(metadata::text)
    );

-- No foreign keys: the log outlives accounts, sessions and what else it names. actor_id is the account
-- that acted; where an authentication failed, the account it was tried for, if there is one.
--
-- Numbers have no gap, because audit_head deals them: a number that is missing was deleted.
CREATE TABLE carrel.audit_log (
    id bigint PRIMARY KEY
        CONSTRAINT audit_log_id_positive CHECK (id >= 1),
    at timestamptz NOT NULL,
    actor_id uuid,
    action text NOT NULL,
    target_type text,
    target_id uuid,
    session_id uuid,
    ip inet,
    request_id text,
    metadata jsonb NOT NULL DEFAULT '{}',
    previous_hash bytea NOT NULL
        CONSTRAINT audit_log_previous_hash_is_sha256 CHECK (octet_length(previous_hash) = 32),
    entry_hash bytea NOT NULL
        CONSTRAINT audit_log_entry_hash_is_sha256 CHECK (octet_length(entry_hash) = 32)
);

CREATE INDEX audit_log_actor_id_at_idx ON carrel.audit_log (actor_id, at);

CREATE INDEX audit_log_session_id_at_idx ON carrel.audit_log (session_id, at);

CREATE INDEX audit_log_at_idx ON carrel.audit_log USING brin (at);

-- The end of the chain, one row. Who adds an entry updates it first and so waits for whoever is adding
-- one: the chain has no forks. It is updated for ever, so its page keeps room for new versions.
CREATE TABLE carrel.audit_head (
    is_one boolean PRIMARY KEY DEFAULT true
        CONSTRAINT audit_head_is_one CHECK (is_one),
    id bigint NOT NULL,
    previous_hash bytea NOT NULL,
    entry_hash bytea NOT NULL
) WITH (fillfactor = 10);

-- The first entry follows 32 zero bytes.
INSERT INTO carrel.audit_head (id, previous_hash, entry_hash)
VALUES (0, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'));

-- Who may do what. carrel_migrate owns every table and is the only one to alter them; it runs the
-- migrations, this one too. The server logs in as carrel_app and does its own work, across accounts, as
-- carrel_service (0015). Neither of them can create or alter anything.
--
-- The roles belong to the whole server, so they are made before the first migration and not by one:
-- Sources/Library/Migrations/Roles.swift.
--
-- What a later migration creates needs no grant: the default privileges see to it, for tables and for
-- sequences. A table with fewer rights than these takes some back, right after it is created, as the
-- last statements here do.

GRANT USAGE ON SCHEMA carrel TO carrel_app, carrel_service;

GRANT SELECT, INSERT, UPDATE, DELETE
    ON ALL TABLES IN SCHEMA carrel
    TO carrel_app, carrel_service;

GRANT USAGE, SELECT
    ON ALL SEQUENCES IN SCHEMA carrel
    TO carrel_app, carrel_service;

ALTER DEFAULT PRIVILEGES IN SCHEMA carrel
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO carrel_app, carrel_service;

ALTER DEFAULT PRIVILEGES IN SCHEMA carrel
    GRANT USAGE, SELECT ON SEQUENCES TO carrel_app, carrel_service;

REVOKE INSERT, UPDATE, DELETE ON carrel.schema_migrations FROM carrel_app, carrel_service;

REVOKE UPDATE, DELETE ON carrel.audit_log FROM carrel_app, carrel_service;

REVOKE INSERT, DELETE ON carrel.audit_head FROM carrel_app, carrel_service;

-- The second fence: rows of others cannot be seen, whatever a statement forgets to say. The first is that
-- every statement names its session (docs/decisions/0016).
--
-- A connection asks on behalf of an account, which the setting carrel.profile_id names, or in the role
-- carrel_service for the process itself. With neither, carrel_app sees nothing. The owner of the tables
-- is bound by no policy, which migrations and functions of SECURITY DEFINER rely on.
--
-- A new table with a session_id or a profile_id needs three statements like those below, or
-- FenceTests fail:
--
--     ALTER TABLE carrel.notes ENABLE ROW LEVEL SECURITY;
--     CREATE POLICY owner ON carrel.notes TO carrel_app
--         USING (EXISTS (
--             SELECT FROM carrel.study_sessions AS s
--             WHERE s.id = notes.session_id AND s.profile_id = (SELECT carrel.asking_profile())
--         ));
--     CREATE POLICY service ON carrel.notes TO carrel_service USING (true);
--
-- with USING (profile_id = (SELECT carrel.asking_profile())) in the second for what belongs to the
-- account itself. Written like this nothing is computed for each row: the account is read once a
-- statement, and PostgreSQL looks the session up by its key where few rows are expected, else collects
-- the account's sessions into a hash once. WITH CHECK is the same as USING unless it is given.
--
-- Policies add up. What is shared is opened by one more, beside these, for reading only:
--
--     CREATE POLICY lent ON carrel.documents FOR SELECT TO carrel_app USING (…);
--
-- on documents, pages, sections, document_chunks and chunk_graph by document, and on study_sessions for
-- the sessions they lie in. A policy that reads a table whose own policies read back ends in "infinite
-- recursion": read shares through a function of SECURITY DEFINER. (`owner` above names profile_id
-- itself, so sessions that become visible by being shared do not open their other documents.)
--
-- On Citus these statements are left out (Migration.statements): it refuses subqueries in policies on
-- distributed tables.

-- The account that asks; NULL when none does. After a commit a setting reads as empty, not as NULL.
CREATE FUNCTION carrel.asking_profile() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('carrel.profile_id', true), '')::uuid;

ALTER TABLE carrel.profiles ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.profiles TO carrel_app
    USING (id = (SELECT carrel.asking_profile()));

CREATE POLICY service ON carrel.profiles TO carrel_service USING (true);

ALTER TABLE carrel.api_keys ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.api_keys TO carrel_app
    USING (profile_id = (SELECT carrel.asking_profile()));

CREATE POLICY service ON carrel.api_keys TO carrel_service USING (true);

ALTER TABLE carrel.idempotency_keys ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.idempotency_keys TO carrel_app
    USING (profile_id = (SELECT carrel.asking_profile()));

CREATE POLICY service ON carrel.idempotency_keys TO carrel_service USING (true);

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

ALTER TABLE carrel.quotas ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.quotas TO carrel_app
    USING (profile_id = (SELECT carrel.asking_profile()));

CREATE POLICY service ON carrel.quotas TO carrel_service USING (true);

ALTER TABLE carrel.study_sessions ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.study_sessions TO carrel_app
    USING (profile_id = (SELECT carrel.asking_profile()));

CREATE POLICY service ON carrel.study_sessions TO carrel_service USING (true);

ALTER TABLE carrel.folders ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.folders TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = folders.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.folders TO carrel_service USING (true);

ALTER TABLE carrel.documents ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.documents TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = documents.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.documents TO carrel_service USING (true);

ALTER TABLE carrel.pages ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.pages TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = pages.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.pages TO carrel_service USING (true);

ALTER TABLE carrel.sections ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.sections TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = sections.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.sections TO carrel_service USING (true);

ALTER TABLE carrel.topics ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.topics TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = topics.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.topics TO carrel_service USING (true);

ALTER TABLE carrel.topic_vectors ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.topic_vectors TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = topic_vectors.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.topic_vectors TO carrel_service USING (true);

ALTER TABLE carrel.document_topics ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.document_topics TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = document_topics.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.document_topics TO carrel_service USING (true);

ALTER TABLE carrel.chats ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.chats TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = chats.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.chats TO carrel_service USING (true);

ALTER TABLE carrel.messages ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.messages TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = messages.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.messages TO carrel_service USING (true);

ALTER TABLE carrel.document_chunks ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.document_chunks TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = document_chunks.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.document_chunks TO carrel_service USING (true);

ALTER TABLE carrel.chunk_graph ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.chunk_graph TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = chunk_graph.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.chunk_graph TO carrel_service USING (true);

ALTER TABLE carrel.removed_documents ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.removed_documents TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = removed_documents.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.removed_documents TO carrel_service USING (true);

ALTER TABLE carrel.jobs ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.jobs TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = jobs.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.jobs TO carrel_service USING (true);

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

-- An account adds what it did itself and reads that. audit_head says nothing of anybody.
ALTER TABLE carrel.audit_log ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.audit_log TO carrel_app
    USING (actor_id = (SELECT carrel.asking_profile()));

CREATE POLICY service ON carrel.audit_log TO carrel_service USING (true);

-- The second fence (0014): an account sees the shares of its sessions and what groups it is in.
ALTER TABLE carrel.shares ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.shares TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.study_sessions AS s
        WHERE s.id = shares.session_id AND s.profile_id = (SELECT carrel.asking_profile())
    ));

CREATE POLICY service ON carrel.shares TO carrel_service USING (true);

ALTER TABLE carrel.group_members ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.group_members TO carrel_app
    USING (profile_id = (SELECT carrel.asking_profile()));

CREATE POLICY service ON carrel.group_members TO carrel_service USING (true);

-- What is shared to the account that asks. By the right of the tables' owner: policies below ask it, and
-- what it reads has policies of its own.
CREATE FUNCTION carrel.shared_documents() RETURNS TABLE (session_id uuid, document_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = '' AS
$$
    SELECT s.session_id, s.document_id
    FROM carrel.shares AS s
    WHERE (s.expires_at IS NULL OR s.expires_at > clock_timestamp())
        AND (
            s.recipient_id = carrel.asking_profile()
            OR s.group_id IN (
                SELECT m.group_id
                FROM carrel.group_members AS m
                WHERE m.profile_id = carrel.asking_profile()
            )
        )
$$;

-- For reading, and only the documents' own rows. chunk_graph stays closed: searches of recipients do
-- not walk it. Whose rows they are anyway never asks: the first policy has answered then.
CREATE POLICY lent ON carrel.study_sessions FOR SELECT TO carrel_app
    USING (id IN (SELECT x.session_id FROM carrel.shared_documents() AS x));

CREATE POLICY lent ON carrel.documents FOR SELECT TO carrel_app
    USING (
        (session_id, id) IN (
            SELECT x.session_id, x.document_id FROM carrel.shared_documents() AS x
        )
    );

CREATE POLICY lent ON carrel.pages FOR SELECT TO carrel_app
    USING (
        (session_id, document_id) IN (
            SELECT x.session_id, x.document_id FROM carrel.shared_documents() AS x
        )
    );

CREATE POLICY lent ON carrel.sections FOR SELECT TO carrel_app
    USING (EXISTS (
        SELECT FROM carrel.pages AS p
        WHERE p.session_id = sections.session_id
            AND p.id = sections.page_id
            AND (p.session_id, p.document_id) IN (
                SELECT x.session_id, x.document_id FROM carrel.shared_documents() AS x
            )
    ));

CREATE POLICY lent ON carrel.document_chunks FOR SELECT TO carrel_app
    USING (
        (session_id, document_id) IN (
            SELECT x.session_id, x.document_id FROM carrel.shared_documents() AS x
        )
    );

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

-- Keys of the blob store that no document holds: bytes on their way in, and bytes to be removed.
CREATE TABLE carrel.unclaimed_blobs (
    key text PRIMARY KEY,
    sweep_after timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX unclaimed_blobs_sweep_after_idx ON carrel.unclaimed_blobs (sweep_after);

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

ALTER TABLE carrel.cloud_connections ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.cloud_connections TO carrel_app
    USING (profile_id = (SELECT carrel.asking_profile()));

CREATE POLICY service ON carrel.cloud_connections TO carrel_service USING (true);
