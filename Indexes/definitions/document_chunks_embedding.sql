-- Nearest chunks by meaning: pgvector's HNSW over cosine distance.
--
-- It serves the sessions that are too large, or not resident, for an exact scan. One index spans
-- all sessions, so a search walks it iteratively (hnsw.iterative_scan = strict_order) until enough
-- rows of its own session have passed the WHERE clause: a plain scan with ef_search = 40 found 68
-- of 100 neighbours in a session that is a fifth of the table, and 6 of 100 in a fiftieth.
--
-- vector_cosine_ops  Vectors are of unit length, so cosine, inner product and Euclid agree on the
--                    order; cosine is the one whose distance is 1 minus what the wire calls score.
-- m = 16             Links per node and layer, twice that on the ground (Malkov and Yashunin,
--                    arXiv 1603.09320, §4.1: 5 to 48, more for higher recall and dimension). Text
--                    embeddings have an intrinsic dimension of a few dozen, for which 16 suffices:
--                    what recall lacks, ef_search buys at query time, where it is not paid by
--                    every insert. A node costs 3 KB of vector and 0.2 KB of links.
-- ef_construction    64, four times m: the smallest breadth at which each node finds its m best
--   = 64             links reliably. Inserts happen with the index in place, one search of this
--                    breadth for each row, so it sets the rate at which chunks can be stored.
CREATE INDEX document_chunks_embedding_idx
    ON carrel.document_chunks
    USING hnsw (embedding vector_cosine_ops)
    WITH (m = 16, ef_construction = 64);
