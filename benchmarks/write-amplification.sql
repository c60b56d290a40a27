-- What replacing all vectors of a session costs where HNSW is concerned, three ways (docs/decisions/0021).
-- Needs PostgreSQL 16 with pgvector 0.7 or later, and an empty database:
--
--     psql DATABASE --no-psqlrc --quiet --variable rows=10000 --file benchmarks/write-amplification.sql
--
-- in place: the index stands on the chunks, and their vectors are updated.
-- beside:   a table like the chunks is filled, indexed, and renamed into their place.
-- ours:     the chunks carry no graph; a table of its own follows, 64 rows a transaction (0015).
--
-- New vectors are staged in a table without an index beforehand, each way; that is not counted.

\set ON_ERROR_STOP on
\pset footer off
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE course (
    step text,
    at timestamptz,
    lsn pg_lsn,
    graph_bytes bigint,
    heap_bytes bigint
);

CREATE FUNCTION mark(step text, heap regclass, graph text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO course
    SELECT mark.step, clock_timestamp(), pg_current_wal_insert_lsn(),
        coalesce(pg_relation_size(to_regclass(graph)), 0), pg_table_size(heap)
$$;

-- Vectors in 128 clusters: a centre and two directions drawn from many, so that no two are equal.
SELECT setseed(0.5) \g /dev/null
CREATE UNLOGGED TABLE directions AS
SELECT n, array_agg(random_normal())::real[]::vector(768) AS v
FROM generate_series(0, 2047) AS n, generate_series(1, 768)
GROUP BY n;
CREATE INDEX ON directions (n);

CREATE UNLOGGED TABLE given AS
SELECT i AS n, md5('chunk ' || i)::uuid AS id, repeat(md5(i::text) || ' ', 26) AS chunk_text,
    l2_normalize(c.v + a.v + b.v) AS old, l2_normalize(d.v + b.v + a.v) AS new
FROM generate_series(0, :rows - 1) AS i
JOIN directions AS c ON c.n = i % 128
JOIN directions AS d ON d.n = i / 7 % 128
JOIN directions AS a ON a.n = 128 + i % 960
JOIN directions AS b ON b.n = 1088 + i / 960 % 960;
CREATE UNIQUE INDEX ON given (id);
ANALYZE given;

CREATE TABLE chunks (
    session_id uuid NOT NULL,
    id uuid NOT NULL,
    document_id uuid NOT NULL,
    chunk_text text NOT NULL,
    revision bigint NOT NULL,
    embedding vector(768) NOT NULL,
    PRIMARY KEY (session_id, id)
) WITH (toast_tuple_target = 8160);
CREATE INDEX ON chunks (session_id, document_id);
CREATE INDEX ON chunks (session_id, revision);
CREATE INDEX ON chunks (session_id, (md5(chunk_text)::uuid));

INSERT INTO chunks
SELECT md5('session')::uuid, id, md5('document ' || n / 256)::uuid, chunk_text, 1, old
FROM given
ORDER BY n;

CREATE TABLE in_place (LIKE chunks INCLUDING ALL);
INSERT INTO in_place SELECT * FROM chunks;
CREATE TABLE graph (
    session_id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    revision bigint NOT NULL,
    embedding halfvec(768) NOT NULL,
    PRIMARY KEY (session_id, chunk_id)
);
INSERT INTO graph SELECT session_id, id, revision, embedding::halfvec(768) FROM chunks;
SET maintenance_work_mem = '512MB';
CREATE INDEX in_place_hnsw ON in_place USING hnsw ((embedding::halfvec(768)) halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 64);
CREATE INDEX graph_hnsw ON graph USING hnsw (embedding halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 64);
VACUUM ANALYZE chunks, in_place, graph;

-- In place.
CHECKPOINT;
SELECT mark('in place: rows and graph, one transaction', 'in_place', 'in_place_hnsw') \g /dev/null
DO $$
DECLARE
    last uuid := '00000000-0000-0000-0000-000000000000';
    count integer;
BEGIN
    LOOP
        WITH batch AS MATERIALIZED (
            SELECT id, new FROM given WHERE id > last ORDER BY id LIMIT 1000
        ), moved AS (
            UPDATE in_place AS c SET embedding = batch.new, revision = 2
            FROM batch
            WHERE c.session_id = md5('session')::uuid AND c.id = batch.id
            RETURNING c.id
        )
        SELECT count(*), (SELECT id FROM batch ORDER BY id DESC LIMIT 1) INTO count, last FROM moved;
        EXIT WHEN count = 0;
    END LOOP;
END $$;
SELECT mark('', 'in_place', 'in_place_hnsw') \g /dev/null
DROP TABLE in_place;

-- Beside.
CHECKPOINT;
CREATE TABLE beside (LIKE chunks INCLUDING ALL);
SELECT mark('beside: rows', 'beside', NULL) \g /dev/null
INSERT INTO beside
SELECT c.session_id, c.id, c.document_id, c.chunk_text, 2, g.new
FROM chunks AS c
JOIN given AS g ON g.id = c.id;
SELECT mark('', 'beside', NULL), mark('beside: graph', 'beside', 'beside_hnsw') \g /dev/null
CREATE INDEX beside_hnsw ON beside USING hnsw ((embedding::halfvec(768)) halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 64);
SELECT mark('', 'beside', 'beside_hnsw') \g /dev/null
DROP TABLE beside;

-- Ours.
CHECKPOINT;
SELECT mark('ours: rows, one transaction', 'chunks', NULL) \g /dev/null
DO $$
DECLARE
    last uuid := '00000000-0000-0000-0000-000000000000';
    count integer;
BEGIN
    LOOP
        WITH batch AS MATERIALIZED (
            SELECT id, new FROM given WHERE id > last ORDER BY id LIMIT 1000
        ), moved AS (
            UPDATE chunks AS c SET embedding = batch.new, revision = 2
            FROM batch
            WHERE c.session_id = md5('session')::uuid AND c.id = batch.id
            RETURNING c.id
        )
        SELECT count(*), (SELECT id FROM batch ORDER BY id DESC LIMIT 1) INTO count, last FROM moved;
        EXIT WHEN count = 0;
    END LOOP;
END $$;
SELECT mark('', 'chunks', NULL), mark('ours: graph, afterwards', 'graph', 'graph_hnsw') \g /dev/null
DO $$
DECLARE
    last uuid := '00000000-0000-0000-0000-000000000000';
    count integer;
BEGIN
    LOOP
        WITH batch AS MATERIALIZED (
            SELECT session_id, id, revision, embedding
            FROM chunks
            WHERE session_id = md5('session')::uuid AND id > last
            ORDER BY id
            LIMIT 64
        ), added AS (
            INSERT INTO graph AS g
            SELECT session_id, id, revision, embedding::halfvec(768) FROM batch
            ON CONFLICT (session_id, chunk_id)
                DO UPDATE SET revision = excluded.revision, embedding = excluded.embedding
            RETURNING g.chunk_id
        )
        SELECT count(*), (SELECT id FROM batch ORDER BY id DESC LIMIT 1) INTO count, last FROM added;
        EXIT WHEN count = 0;
        COMMIT;
    END LOOP;
END $$;
SELECT mark('', 'graph', 'graph_hnsw') \g /dev/null

SELECT step, round(seconds::numeric, 1) AS seconds, round((:rows / seconds)::numeric) AS "rows/s",
    round(wal / 1e6) AS "WAL MB", round(wal / :rows) AS "WAL bytes/row",
    round(heap_before / 1e6) AS "table MB before", round(heap_after / 1e6) AS "after",
    round(graph_before / 1e6) AS "graph MB before", round(graph_after / 1e6) AS "after"
FROM (
    SELECT step, at, extract(epoch FROM lead(at) OVER w - at) AS seconds,
        lead(lsn) OVER w - lsn AS wal, heap_bytes AS heap_before,
        lead(heap_bytes) OVER w AS heap_after, graph_bytes AS graph_before,
        lead(graph_bytes) OVER w AS graph_after
    FROM course
    WINDOW w AS (ORDER BY at)
) AS steps
WHERE step <> ''
ORDER BY at;
