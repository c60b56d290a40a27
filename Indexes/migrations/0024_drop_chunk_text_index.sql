-- No statement reads the inverted index of chunks' words: words are ranked from postings in memory. It took
-- more than half of the time of storing (docs/decisions/0022).

DROP INDEX carrel.document_chunks_chunk_text_idx;

-- down
CREATE INDEX document_chunks_chunk_text_idx
    ON carrel.document_chunks
    USING gin (to_tsvector('english', chunk_text));
