-- Chunks by their words: an inverted index of lexemes, for to_tsvector('english', chunk_text) @@ ….
--
-- 'english' is the Snowball stemmer with the English stop words. Words of other languages pass
-- through it nearly unchanged and are found as they are written; scoring by language is done in
-- memory, where the language of a session is known. The configuration is named because an index
-- must not depend on default_text_search_config. fastupdate stays on (default): a chunk of 200
-- tokens has about 90 lexemes, and the pending list turns 90 scattered writes into one append.
CREATE INDEX document_chunks_chunk_text_idx
    ON carrel.document_chunks
    USING gin (to_tsvector('english', chunk_text));
