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
-- citus: SELECT create_distributed_table('carrel.topics', 'session_id', colocate_with => 'carrel.study_sessions');

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
-- citus: SELECT create_distributed_table('carrel.document_topics', 'session_id', colocate_with => 'carrel.study_sessions');

-- The other direction: the documents of a topic, and the cascade from it.
CREATE INDEX document_topics_session_id_topic_id_idx
    ON carrel.document_topics (session_id, topic_id);

CREATE TABLE carrel.chats (
    session_id uuid NOT NULL REFERENCES carrel.study_sessions ON DELETE CASCADE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    type carrel.chat_type NOT NULL,
    topic_id uuid,
    is_started boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, id),
    -- One chat per topic; general chats, whose topic is NULL, are as many as one likes.
    CONSTRAINT chats_topic_id_key UNIQUE (session_id, topic_id),
    CONSTRAINT chats_type_says_topic CHECK ((type = 'TOPIC') = (topic_id IS NOT NULL)),
    FOREIGN KEY (session_id, topic_id)
        REFERENCES carrel.topics (session_id, id) ON DELETE CASCADE
);
-- citus: SELECT create_distributed_table('carrel.chats', 'session_id', colocate_with => 'carrel.study_sessions');

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
-- citus: SELECT create_distributed_table('carrel.messages', 'session_id', colocate_with => 'carrel.study_sessions');

CREATE INDEX messages_session_id_chat_id_created_at_idx
    ON carrel.messages (session_id, chat_id, created_at);

-- down
DROP TABLE carrel.messages;

DROP TABLE carrel.chats;

DROP TABLE carrel.document_topics;

DROP TABLE carrel.topics;

DROP TYPE carrel.chat_type;
