-- Chunks of a topic: an inverted index from topic id to chunks, for related_topic_ids && '{…}'.
--
-- The default array_ops; topic ids are unique over all sessions, so one entry's rows lie in one
-- session although session_id is not part of the index. fastupdate stays on (default): most chunks
-- have no topic when they are stored, so the pending list hardly grows, and assigning topics
-- writes many rows of few keys, which the list was made for.
CREATE INDEX document_chunks_related_topic_ids_idx
    ON carrel.document_chunks
    USING gin (related_topic_ids);
