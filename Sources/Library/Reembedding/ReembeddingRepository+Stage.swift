// Vectors on their way in: which chunks have none yet, and storing them.
//
// The unit is the family, a parent with all its children: its own vector is made of theirs, so they
// are staged together.

package import Postgres
package import FoundationEssentials

/// A chunk whose vector is wanted.
package struct WantedChunk: Sendable, Equatable {
    package let id: UUID
    /// Nil for parents, and only for them.
    package let parentID: UUID?
    /// Empty for a parent with children: nobody embeds it.
    package let text: String
    /// Identifies the text of this chunk, also where `text` is empty.
    package let digest: UUID
}

/// A vector for a chunk, as it was when its text was read.
package struct StagedVector: Sendable {
    package var chunkID: UUID
    package var digest: UUID
    /// 768 numbers of unit length.
    package var vector: [Float]
    /// Whether it came from outside.
    package var isGiven: Bool

    package init(chunkID: UUID, digest: UUID, vector: [Float], isGiven: Bool = false) {
        self.chunkID = chunkID
        self.digest = digest
        self.vector = vector
        self.isGiven = isGiven
    }
}

extension ReembeddingRepository {
    /// Families with a chunk that is not staged, beginning after a chunk, in the order of ids; at least
    /// one while there is any, and no more once they hold `limit` chunks. Parents come before their
    /// children, children in reading order. `last` is where to go on.
    ///
    /// Families with a text that was refused are passed over.
    package static func wanted(
        of run: Reembedding, after: UUID?, limit: Int, on db: some Queryable
    ) async throws -> (chunks: [WantedChunk], last: UUID?) {
        let rows = try await db.query(
            selectWanted, run.sessionID, run.stageID, run.jobID, after, limit)
        let chunks = try rows.map { row in
            WantedChunk(
                id: try row.get(0), parentID: try row.get(1), text: try row.get(2),
                digest: try row.get(3))
        }
        return (chunks, try rows.first?.get(4))
    }

    /// Stores vectors, in the place of what is staged for the same chunks. Returns how many rows that
    /// wrote: of vectors that are there already, none.
    ///
    /// - Throws: a `PostgresError` with `check_violation` for a vector that is not of unit length.
    @discardableResult
    package static func stage(
        _ vectors: [StagedVector], sessionID: UUID, stageID: UUID, on transaction: Transaction
    ) async throws -> Int {
        if vectors.isEmpty { return 0 }
        try await transaction.script(makeRoom)
        try await transaction.copyIn(
            into: "pg_temp.arriving_vectors",
            columns: ["chunk_id", "text_md5", "is_given", "embedding"]
        ) { rows in
            for vector in vectors {
                try await rows.row(
                    vector.chunkID, vector.digest, vector.isGiven, PostgresVector(vector.vector))
            }
        }
        return try await transaction.execute(insertArriving, sessionID, stageID)
    }

    /// The vectors staged for some chunks, of the texts they have now.
    package static func staged(
        _ chunks: [UUID], sessionID: UUID, stageID: UUID, on db: some Queryable
    ) async throws -> [UUID: [Float]] {
        var found: [UUID: [Float]] = [:]
        for row in try await db.query(selectVectors, sessionID, stageID, chunks) {
            var vector: [Float] = []
            try row.appendVector(1, to: &vector)
            found[try row.get(0)] = vector
        }
        return found
    }

    /// How many vectors are staged for chunks that are there.
    package static func countStaged(
        sessionID: UUID, stageID: UUID, on db: some Queryable
    ) async throws -> Int {
        try await db.query(selectStaged, sessionID, stageID).single()
    }

    /// Keeps the vectors of now, of the next `limit` chunks after one, as those that will be replaced.
    /// Returns the last chunk looked at; nil when there was none.
    package static func retire(
        sessionID: UUID, retiredID: UUID, after: UUID?, limit: Int, on db: some Queryable
    ) async throws -> UUID? {
        try await db.query(insertRetired, sessionID, retiredID, after, limit)[0].get(0)
    }
}

extension ReembeddingRepository {
    /// Whether the vector of a chunk `c` is in the stage $2.
    ///
    /// A value, not EXISTS: that would become a join, and of a stage that was filled since the last ANALYZE
    /// the planner believes that it has one row, which is then looked through for every chunk.
    static let isStaged = """
        coalesce(
            (
                SELECT v.text_md5
                FROM carrel.reembedding_vectors AS v
                WHERE v.session_id = c.session_id
                    AND v.job_id = $2
                    AND v.chunk_id = c.id
            ) = md5(c.chunk_text)::uuid,
            false)
        """

    // Plan: Index Scan using document_chunks_pkey from the cursor on, for each row the stage by its
    // key, until there are enough.
    package static let selectWanted = Statement(
        "reembedding.selectWanted",
        """
        WITH lacking AS MATERIALIZED (
            SELECT c.id, coalesce(c.parent_chunk_id, c.id) AS family
            FROM carrel.document_chunks AS c
            WHERE c.session_id = $1
                AND c.id > coalesce($4, '00000000-0000-0000-0000-000000000000'::uuid)
                AND NOT \(isStaged)
                AND NOT EXISTS (
                    SELECT
                    FROM carrel.reembedding_failures AS f
                    JOIN carrel.document_chunks AS refused
                        ON refused.session_id = $1 AND refused.id = f.chunk_id
                    WHERE f.session_id = $1
                        AND f.job_id = $3
                        AND coalesce(refused.parent_chunk_id, refused.id)
                            = coalesce(c.parent_chunk_id, c.id)
                )
            ORDER BY c.id
            LIMIT greatest($5 / 4, 1)
        ),
        sized AS MATERIALIZED (
            SELECT l.id, l.family,
                sum(
                    CASE
                        WHEN l.is_first THEN 1 + (
                            SELECT count(*)
                            FROM carrel.document_chunks AS x
                            WHERE x.session_id = $1 AND x.parent_chunk_id = l.family
                        )
                        ELSE 0
                    END
                ) OVER (ORDER BY l.id) AS size
            FROM (
                SELECT id, family,
                    row_number() OVER (PARTITION BY family ORDER BY id) = 1 AS is_first
                FROM lacking
            ) AS l
        ),
        taken AS MATERIALIZED (
            SELECT id, family
            FROM sized
            WHERE size <= greatest($5, (SELECT min(size) FROM sized))
        ),
        families AS MATERIALIZED (
            SELECT DISTINCT family FROM taken
        )
        SELECT c.id, c.parent_chunk_id, c.chunk_text, c.digest,
            (SELECT id FROM taken ORDER BY id DESC LIMIT 1)
        FROM (
            SELECT p.id, p.parent_chunk_id,
                CASE
                    WHEN EXISTS (
                        SELECT
                        FROM carrel.document_chunks AS x
                        WHERE x.session_id = $1 AND x.parent_chunk_id = p.id
                    ) THEN ''
                    ELSE p.chunk_text
                END AS chunk_text,
                md5(p.chunk_text)::uuid AS digest, p.id AS family, p.chunk_index
            FROM families
            JOIN carrel.document_chunks AS p ON p.session_id = $1 AND p.id = families.family
            UNION ALL
            SELECT x.id, x.parent_chunk_id, x.chunk_text, md5(x.chunk_text)::uuid,
                x.parent_chunk_id, x.chunk_index
            FROM families
            JOIN carrel.document_chunks AS x
                ON x.session_id = $1 AND x.parent_chunk_id = families.family
        ) AS c
        ORDER BY c.family, c.parent_chunk_id IS NOT NULL, c.chunk_index, c.id
        """)

    /// Made once per connection and emptied before each use; by whoever came first, for every role the
    /// connection may be used in.
    private static let makeRoom = """
        DO $$ BEGIN
            IF to_regclass('pg_temp.arriving_vectors') IS NULL THEN
                CREATE TEMPORARY TABLE arriving_vectors (
                    chunk_id uuid,
                    text_md5 uuid,
                    is_given boolean,
                    embedding vector
                ) WITH (toast_tuple_target = 8160) ON COMMIT DELETE ROWS;
                GRANT ALL ON pg_temp.arriving_vectors TO PUBLIC;
            END IF;
        END $$;
        TRUNCATE pg_temp.arriving_vectors;
        """

    // In one order, so that two who stage the same chunks wait for each other and not in a circle.
    private static let insertArriving = Statement(
        "reembedding.stage",
        """
        INSERT INTO carrel.reembedding_vectors AS v
            (session_id, job_id, chunk_id, text_md5, is_given, embedding)
        SELECT $1, $2, chunk_id, text_md5, is_given, embedding
        FROM pg_temp.arriving_vectors
        ORDER BY chunk_id
        ON CONFLICT (session_id, job_id, chunk_id) DO UPDATE
            SET text_md5 = excluded.text_md5,
                is_given = excluded.is_given,
                embedding = excluded.embedding
            WHERE v.text_md5 <> excluded.text_md5 OR v.embedding <> excluded.embedding
        """)

    // Plan: document_chunks_pkey, then the stage by its key; LIMIT keeps it from becoming another join (isStaged).
    package static let selectVectors = Statement(
        "reembedding.selectVectors",
        """
        SELECT c.id, staged.embedding
        FROM carrel.document_chunks AS c
        CROSS JOIN LATERAL (
            SELECT v.embedding
            FROM carrel.reembedding_vectors AS v
            WHERE v.session_id = c.session_id
                AND v.job_id = $2
                AND v.chunk_id = c.id
                AND v.text_md5 = md5(c.chunk_text)::uuid
            LIMIT 1
        ) AS staged
        WHERE c.session_id = $1 AND c.id = ANY($3)
        """)

    private static let selectStaged = Statement(
        "reembedding.countStaged",
        """
        SELECT count(*)
        FROM carrel.document_chunks AS c
        WHERE c.session_id = $1 AND \(isStaged)
        """)

    // The rows of a batch are those of the chunks' primary key from the cursor on.
    private static let insertRetired = Statement(
        "reembedding.retire",
        """
        WITH batch AS MATERIALIZED (
            SELECT c.id, md5(c.chunk_text)::uuid AS digest, c.is_given, c.embedding
            FROM carrel.document_chunks AS c
            WHERE c.session_id = $1
                AND c.id > coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid)
            ORDER BY c.id
            LIMIT $4
        ),
        kept AS (
            INSERT INTO carrel.reembedding_vectors AS v
                (session_id, job_id, chunk_id, text_md5, is_given, embedding)
            SELECT $1, $2, id, digest, is_given, embedding
            FROM batch
            WHERE embedding IS NOT NULL
            ON CONFLICT (session_id, job_id, chunk_id) DO UPDATE
                SET text_md5 = excluded.text_md5,
                    is_given = excluded.is_given,
                    embedding = excluded.embedding
                WHERE v.text_md5 <> excluded.text_md5 OR v.embedding <> excluded.embedding
        )
        SELECT (SELECT id FROM batch ORDER BY id DESC LIMIT 1)
        """)
}
