-- What topics mean, as vectors: a chunk is related to its topics by the statement that stores it.
-- And one general chat a session.

-- Row 0 is the title's vector, the others the subtopics'. Made by the model of that id: vectors of
-- another than the session's relate nothing.
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
-- citus: SELECT create_distributed_table('carrel.topic_vectors', 'session_id', colocate_with => 'carrel.study_sessions');

-- A session that has several general chats keeps the oldest, with the messages of all.
UPDATE carrel.messages AS m
SET chat_id = kept.id
FROM carrel.chats AS c
JOIN (
    SELECT DISTINCT ON (session_id) session_id, id
    FROM carrel.chats
    WHERE type = 'GENERAL'
    ORDER BY session_id, created_at, id
) AS kept ON kept.session_id = c.session_id
WHERE m.session_id = c.session_id
    AND m.chat_id = c.id
    AND c.type = 'GENERAL'
    AND c.id <> kept.id;

UPDATE carrel.chats AS c
SET is_started = true
WHERE NOT c.is_started
    AND EXISTS (
        SELECT FROM carrel.messages AS m WHERE m.session_id = c.session_id AND m.chat_id = c.id
    );

DELETE FROM carrel.chats AS c
USING carrel.chats AS older
WHERE older.session_id = c.session_id
    AND older.type = 'GENERAL'
    AND c.type = 'GENERAL'
    AND (older.created_at, older.id) < (c.created_at, c.id);

CREATE UNIQUE INDEX chats_general_key
    ON carrel.chats (session_id)
    WHERE type = 'GENERAL';

-- down
DROP INDEX carrel.chats_general_key;

DROP TABLE carrel.topic_vectors;
