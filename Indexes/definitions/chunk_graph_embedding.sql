-- Nearest chunks by meaning: pgvector's HNSW over cosine distance, on a table of its own.
--
-- It serves large sessions that are not in memory. One index spans all sessions, so a search walks
-- it iteratively (hnsw.iterative_scan = strict_order) until enough rows of its own session have
-- passed the WHERE clause: a plain scan with ef_search = 40 found 68 of 100 neighbours in a session
-- that is a fifth of the table, and 6 of 100 in a fiftieth.
--
-- halfvec_cosine_ops Halves are enough to choose candidates; their scores are taken from the
--                    vectors themselves. Vectors are of unit length, so cosine, inner product and
--                    Euclid agree on the order; cosine is the one whose distance is 1 minus what
--                    the wire calls score.
-- m = 16             Links per node and layer, twice that on the ground (Malkov and Yashunin,
--                    arXiv 1603.09320, §4.1: 5 to 48, more for higher recall and dimension). Text
--                    embeddings have an intrinsic dimension of a few dozen, for which 16 suffices:
--                    what recall lacks, ef_search buys at query time, where it is not paid by
--                    every insert. A node costs 1.5 KB of vector and 0.2 KB of links.
-- ef_construction    64, four times m: the smallest breadth at which each node finds its m best
--   = 64             links reliably. A row costs 3 to 4 ms of processor time, which is why rows come
--                    here after they were stored and not with it (docs/decisions/0015).
CREATE INDEX chunk_graph_embedding_idx
    ON carrel.chunk_graph
    USING hnsw (embedding halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 64);
