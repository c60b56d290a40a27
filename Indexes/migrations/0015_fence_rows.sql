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
--     CREATE POLICY shared ON carrel.documents FOR SELECT TO carrel_app USING (…);
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

-- An account adds what it did itself and reads that. audit_head says nothing of anybody.
ALTER TABLE carrel.audit_log ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner ON carrel.audit_log TO carrel_app
    USING (actor_id = (SELECT carrel.asking_profile()));

CREATE POLICY service ON carrel.audit_log TO carrel_service USING (true);

-- down
DROP POLICY service ON carrel.topic_vectors;
DROP POLICY owner ON carrel.topic_vectors;
ALTER TABLE carrel.topic_vectors DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.folders;
DROP POLICY owner ON carrel.folders;
ALTER TABLE carrel.folders DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.quotas;
DROP POLICY owner ON carrel.quotas;
ALTER TABLE carrel.quotas DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.audit_log;
DROP POLICY owner ON carrel.audit_log;
ALTER TABLE carrel.audit_log DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.jobs;
DROP POLICY owner ON carrel.jobs;
ALTER TABLE carrel.jobs DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.removed_documents;
DROP POLICY owner ON carrel.removed_documents;
ALTER TABLE carrel.removed_documents DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.chunk_graph;
DROP POLICY owner ON carrel.chunk_graph;
ALTER TABLE carrel.chunk_graph DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.document_chunks;
DROP POLICY owner ON carrel.document_chunks;
ALTER TABLE carrel.document_chunks DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.messages;
DROP POLICY owner ON carrel.messages;
ALTER TABLE carrel.messages DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.chats;
DROP POLICY owner ON carrel.chats;
ALTER TABLE carrel.chats DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.document_topics;
DROP POLICY owner ON carrel.document_topics;
ALTER TABLE carrel.document_topics DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.topics;
DROP POLICY owner ON carrel.topics;
ALTER TABLE carrel.topics DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.sections;
DROP POLICY owner ON carrel.sections;
ALTER TABLE carrel.sections DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.pages;
DROP POLICY owner ON carrel.pages;
ALTER TABLE carrel.pages DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.documents;
DROP POLICY owner ON carrel.documents;
ALTER TABLE carrel.documents DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.study_sessions;
DROP POLICY owner ON carrel.study_sessions;
ALTER TABLE carrel.study_sessions DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.idempotency_keys;
DROP POLICY owner ON carrel.idempotency_keys;
ALTER TABLE carrel.idempotency_keys DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.api_keys;
DROP POLICY owner ON carrel.api_keys;
ALTER TABLE carrel.api_keys DISABLE ROW LEVEL SECURITY;

DROP POLICY service ON carrel.profiles;
DROP POLICY owner ON carrel.profiles;
ALTER TABLE carrel.profiles DISABLE ROW LEVEL SECURITY;

DROP FUNCTION carrel.asking_profile();
