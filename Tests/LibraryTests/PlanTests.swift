// The statements of the hot path, and the plans their comments promise.
//
// On a database with enough rows that a wrong plan would be a slow one: four sessions of 2,000
// chunks and a small one, analysed, with vectors of few dimensions padded with zeros so that the test is quick.

import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("Plans")
struct PlanTests {
    private func explain(
        _ statement: Statement, _ arguments: [String], on db: some Queryable
    ) async throws -> String {
        // EXECUTE takes the statement as the server keeps it, with parameters and not constants.
        try await db.script("PREPARE explained AS \(statement.sql)")
        let list = arguments.isEmpty ? "" : " (\(arguments.joined(separator: ", ")))"
        let rows = try await db.query(
            Statement("explain \(statement.name)", "EXPLAIN EXECUTE explained\(list)"))
        try await db.script("DEALLOCATE explained")
        return try rows.map { row throws(PostgresError) -> String in try row.get(0) }
            .joined(separator: "\n")
    }

    private static let fill = """
        INSERT INTO carrel.study_sessions (profile_id, title, embedding_model_id, created_at)
        SELECT p.id, n::text, m.id, now() - n * interval '1 minute'
        FROM carrel.profiles AS p, carrel.embedding_models AS m, generate_series(1, 1000) AS n;

        INSERT INTO carrel.documents
            (session_id, file_name, file_path, file_hash, file_type, file_size_bytes,
             processing_status, created_at)
        SELECT id, n::text, '', repeat(md5(id::text || n), 2), 'pdf', 0, 'COMPLETED',
            now() - n * interval '1 minute'
        FROM (
            SELECT id, row_number() OVER (ORDER BY created_at) AS place
            FROM carrel.study_sessions
            ORDER BY created_at
            LIMIT 5
        ) AS s
        CROSS JOIN LATERAL generate_series(1, CASE WHEN place = 5 THEN 10 ELSE 100 END) AS n;

        INSERT INTO carrel.pages (session_id, document_id, page_number, text_start, text_end)
        SELECT session_id, id, n, 0, 1
        FROM carrel.documents, generate_series(1, 10) AS n;

        INSERT INTO carrel.sections
            (session_id, page_id, section_index, heading_path, content, text_start, text_end)
        SELECT session_id, id, 0, '{}', '', 0, 1 FROM carrel.pages;

        SET max_parallel_maintenance_workers = 0;
        DROP INDEX carrel.chunk_graph_embedding_idx;

        INSERT INTO carrel.document_chunks
            (session_id, document_id, section_id, type, chunk_index, chunk_text, text_start,
             text_end, page_from, page_to, token_count)
        SELECT s.session_id, p.document_id, s.id, 'PARENT', p.page_number * 10, '', 0, 1, 1, 1, 1
        FROM carrel.sections AS s
        JOIN carrel.pages AS p ON p.session_id = s.session_id AND p.id = s.page_id;

        INSERT INTO carrel.document_chunks
            (session_id, document_id, section_id, type, chunk_index, chunk_text, text_start,
             text_end, page_from, page_to, token_count, parent_chunk_id, embedding)
        SELECT session_id, document_id, section_id, 'CHILD', chunk_index + 1,
            'iteration converges ' || chunk_index, 0, 1, 1, 1, 1, id,
            l2_normalize(
                ('[' || random() || ',' || random() || ',' || random() || repeat(',0', 765) || ']')
                ::vector)
        FROM carrel.document_chunks;

        INSERT INTO carrel.chunk_graph (session_id, chunk_id, revision, embedding)
        SELECT session_id, id, revision, embedding::halfvec(768)
        FROM carrel.document_chunks
        WHERE embedding IS NOT NULL;

        UPDATE carrel.study_sessions SET graph_revision = revision;

        INSERT INTO carrel.jobs (session_id, kind, state, finished_at)
        SELECT session_id, 'INGEST', 'SUCCEEDED', now()
        FROM carrel.documents, generate_series(1, 5);

        INSERT INTO carrel.chats (session_id, type)
        SELECT DISTINCT session_id, 'GENERAL'::carrel.chat_type FROM carrel.documents;

        INSERT INTO carrel.messages (session_id, chat_id, role, content, created_at)
        SELECT session_id, id, 'user', '', now() + n * interval '1 second'
        FROM carrel.chats, generate_series(1, 500) AS n;
        """

    @Test("PostgreSQL still chooses the expected plan for every hot statement")
    func plans() async throws {
        try await Fixture.with { f in
            try await withOwner(of: f.pool) { db in
                let definition: String = try await db.query(
                    Statement(
                        "definition",
                        "SELECT pg_get_indexdef('carrel.chunk_graph_embedding_idx'::regclass)")
                ).single()
                try await db.script(Self.fill)
                try await db.script(definition)
                try await db.script("ANALYZE")
            }
            try await f.pool.withTransaction(as: .service) { db in
                let session: UUID = try await db.query(
                    Statement(
                        "large",
                        "SELECT session_id FROM carrel.documents GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
                    )
                ).single()
                let small: UUID = try await db.query(
                    Statement(
                        "small",
                        "SELECT session_id FROM carrel.documents GROUP BY 1 ORDER BY count(*) LIMIT 1"
                    )
                ).single()
                let document: UUID = try await db.query(
                    Statement(
                        "doc", "SELECT id FROM carrel.documents WHERE session_id = $1 LIMIT 1"),
                    session
                ).single()
                let s = "'\(session)'"
                let d = "'\(document)'"
                let vector = "'\(axis(0))'"
                let open = ["NULL", "NULL", "NULL", "NULL", "'{CHILD}'", "NULL", "NULL"]

                func expectPlan(
                    _ statement: Statement, _ arguments: [String], uses: [String],
                    avoids: [String] = ["Seq Scan"],
                    sourceLocation: SourceLocation = #_sourceLocation
                ) async throws {
                    let plan = try await explain(statement, arguments, on: db)
                    for part in uses {
                        #expect(
                            plan.contains(part), "expected \(part):\n\(plan)",
                            sourceLocation: sourceLocation)
                    }
                    for part in avoids {
                        #expect(
                            !plan.contains(part), "unwanted \(part):\n\(plan)",
                            sourceLocation: sourceLocation)
                    }
                }

                try await expectPlan(
                    SessionRepository.selectVersions, ["ARRAY[\(s)::uuid]"],
                    uses: ["study_sessions_pkey"])
                try await expectPlan(
                    SessionRepository.selectValidity, [s],
                    uses: ["Index Scan using study_sessions_pkey"],
                    avoids: ["Seq Scan on study_sessions"])
                try await expectPlan(
                    SessionRepository.selectPage, ["'\(f.profile.id)'", "20", "NULL", "NULL"],
                    uses: ["study_sessions_profile_id_created_at_idx", "Incremental Sort"],
                    avoids: ["Seq Scan on study_sessions"])
                try await expectPlan(
                    DocumentRepository.selectPage, [s, "20", "now()", d],
                    uses: ["documents_session_id_created_at_idx", "Incremental Sort"])
                try await expectPlan(
                    DocumentRepository.selectPending, ["10"], uses: ["documents_pending_idx"])
                try await expectPlan(
                    PageRepository.selectPage, [s, d, "3", "20"],
                    uses: ["pages_page_number_key"])
                try await expectPlan(
                    SectionRepository.selectPage, [s, d, "20", "0", "0"],
                    uses: ["pages_page_number_key", "sections_section_index_key"])
                try await expectPlan(
                    MessageRepository.selectPage,
                    [s, d, "20", "NULL", "NULL"],
                    uses: ["messages_session_id_chat_id_created_at_idx"])

                try await expectPlan(
                    ChunkRepository.selectDocumentPage, [s, d, "NULL", "20", "5", d],
                    uses: ["document_chunks_session_id_document_id_chunk_index_idx"])
                try await expectPlan(
                    ChunkRepository.selectSessionPage, [s, "NULL", "20", d, "5", d],
                    uses: ["document_chunks_session_id_document_id_chunk_index_idx"])
                let ids = "ARRAY[\(Array(repeating: d, count: 10).joined(separator: ", "))]::uuid[]"
                try await expectPlan(
                    ChunkRepository.selectLocated, [s, ids],
                    uses: ["document_chunks_pkey", "sections_pkey", "documents"],
                    avoids: [
                        "Seq Scan on document_chunks", "Seq Scan on sections",
                        "Seq Scan on documents",
                    ])
                try await expectPlan(
                    ChunkRepository.selectChildren, [s, ids],
                    uses: ["document_chunks_session_id_parent_chunk_id_idx"])

                try await expectPlan(
                    ChunkRepository.selectExact, ["'\(small)'", vector, "10"] + open,
                    uses: ["Sort", "Sort Key", "document_chunks_"],
                    avoids: ["Seq Scan"])
                try await db.query(ChunkRepository.setUpHNSW, "100")
                try await expectPlan(
                    ChunkRepository.selectHNSW, [s, vector, "10"] + open,
                    uses: [
                        "Index Scan using chunk_graph_embedding_idx", "Order By: (embedding",
                        "document_chunks_pkey", "document_chunks_session_id_revision_idx",
                    ],
                    avoids: ["Seq Scan", "Hash Join", "Merge Join"])

                // Whether a parent has children is asked of the index, parent by parent.
                try await expectPlan(
                    ReembeddingRepository.selectTexts, [s, d, "NULL", "100", "4194304"],
                    uses: [
                        "document_chunks_pkey", "document_chunks_session_id_parent_chunk_id_idx",
                    ],
                    avoids: ["Seq Scan on document_chunks", "hashed SubPlan"])

                // Known texts are laid beside wanted ones: no text is asked for by itself.
                try await expectPlan(
                    ReembeddingRepository.selectWork, [s, d, d], uses: ["Append"],
                    avoids: ["SubPlan", "WindowAgg"])

                // Whatever the statistics say of the stage, it is asked for one chunk at a time.
                for statement in [
                    ReembeddingRepository.countLacking, ReembeddingRepository.retireRest,
                ] {
                    try await expectPlan(
                        statement, [s, d], uses: ["SubPlan 1", "(chunk_id = c.id)"],
                        avoids: ["Join", "Nested Loop"])
                }
                try await expectPlan(
                    ReembeddingRepository.selectVectors, [s, d, "ARRAY[\(d)::uuid]"],
                    uses: ["(id = ANY", "(chunk_id = c.id)"], avoids: ["Hash", "Merge Join"])

                try await expectPlan(
                    JobRepository.selectByID, [d], uses: ["jobs_id_idx"])
                try await expectPlan(
                    JobRepository.take, ["'{INGEST}'", "'w'", "60"],
                    uses: ["jobs_open_idx", "LockRows"])
            }
        }
    }

    @Test(
        "What changed is found by its revision, also in a session that the statistics do not know")
    func changesOfAStranger() async throws {
        try await Fixture.with { f in
            try await withOwner(of: f.pool) { db in
                try await db.script(Self.fill)
                try await db.script("ANALYZE")
                // As one is that was imported a minute ago.
                try await db.script(
                    """
                    DELETE FROM pg_statistic WHERE starelid = 'carrel.document_chunks'::regclass;
                    """)
            }
            let stored = try await f.document()
            try await f.store(
                (0..<500).map { stored.chunk(parent: nil, index: $0, embedding: nil) })
            try await f.pool.withTransaction(as: .service) { db in
                let plans = [
                    try await explain(
                        SessionRepository.selectChangedPlaces, ["'\(f.session.id)'", "1"], on: db),
                    try await explain(
                        Statement(
                            "changed", ChunkRepository.selectChanged(f.session.id, 1)), [], on: db),
                ]
                for plan in plans {
                    #expect(plan.contains("document_chunks_session_id_revision_idx"), "\(plan)")
                    #expect(!plan.contains("document_chunks_session_id_section_id_idx"), "\(plan)")
                }
            }
        }
    }

    @Test("The index of topics serves the condition it was made for")
    func topicIndex() async throws {
        try await Fixture.with { f in
            let topic = UUID()
            let stored = try await f.document()
            try await f.store(
                (0..<200).map {
                    var chunk = stored.chunk(
                        parent: nil, index: $0, embedding: nil, text: "nothing of the kind")
                    chunk.topicIDs = $0 == 42 ? [topic] : []
                    return chunk
                })
            try await f.pool.withTransaction(as: .service) { db in
                try await db.script("ANALYZE carrel.document_chunks")
                // Two hundred rows fit a sequential scan; the question is whether the index can.
                try await db.script("SET LOCAL enable_seqscan = off")
                let byTopic = Statement(
                    "byTopic",
                    "SELECT chunk_index FROM carrel.document_chunks WHERE related_topic_ids && $1::uuid[]"
                )
                #expect(try await db.query(byTopic, [topic]).single(Int.self) == 42)
                #expect(
                    try await explain(byTopic, ["ARRAY['\(topic)'::uuid]"], on: db)
                        .contains("document_chunks_related_topic_ids_idx"))
            }
        }
    }
}
