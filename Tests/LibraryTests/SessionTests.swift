// Sessions: moves, owners, revisions.

import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("A study session")
struct SessionTests {
    private static let accepted: [SessionStatus: Set<SessionStatus>] = [
        .uploading: [.generatingPlan, .chunking],
        .generatingPlan: [.editingPlan],
        .editingPlan: [.chunking, .generatingPlan],
        .chunking: [.active],
        .active: [.completed, .chunking],
        .completed: [.active],
    ]

    @Test("Every accepted status move is made, and every other refused with a clear message")
    func statusMoves() async throws {
        try await Fixture.with { f in
            try await f.pool.withConnection(as: .service) { db in
                for from in SessionStatus.allCases {
                    for to in SessionStatus.allCases {
                        let id: UUID = try await db.query(
                            Statement(
                                "place",
                                """
                                INSERT INTO carrel.study_sessions
                                    (profile_id, title, embedding_model_id, status)
                                VALUES ($1, 'x', $2, $3)
                                RETURNING id
                                """), f.profile.id, f.model.id, from.rawValue
                        ).single()
                        let isAccepted =
                            from == to || Self.accepted[from, default: []].contains(to)
                        do {
                            let moved = try await SessionRepository.setStatus(
                                to, id: id, profileID: f.profile.id, on: db)
                            #expect(isAccepted, "\(from) to \(to)")
                            #expect(moved.status == to)
                        } catch PostgresError.server(let refusal) {
                            #expect(!isAccepted, "\(from) to \(to)")
                            #expect(refusal.sqlState == .checkViolation)
                            #expect(refusal.constraint == "study_sessions_status_moves")
                            #expect(
                                refusal.message
                                    == "a session cannot move from \(from.rawValue) to \(to.rawValue)"
                            )
                        }
                    }
                }
            }
        }
    }

    @Test("Another account's session is not found, deleted, or moved")
    func owners() async throws {
        try await Fixture.with { f in
            try await f.pool.withTransaction(as: .service) { db in
                let stranger = try await ProfileRepository.create(
                    handle: "stranger", email: "s@localhost", passwordHash: "!", on: db)
                let id = f.session.id
                #expect(
                    try await SessionRepository.get(id: id, profileID: stranger.id, on: db) == nil)
                #expect(
                    try await SessionRepository.delete(id: id, profileID: stranger.id, on: db)
                        == false)
                await #expect(throws: LibraryError.notFound) {
                    try await SessionRepository.setStatus(
                        .chunking, id: id, profileID: stranger.id, on: db)
                }
                #expect(
                    try await SessionRepository.list(profileID: stranger.id, limit: 9, on: db)
                        .isEmpty)
                #expect(
                    try await SessionRepository.get(id: id, profileID: f.profile.id, on: db)
                        == f.session)
            }
        }
    }

    @Test("Sessions are listed newest first, page by page, each once, also those of one instant")
    func listing() async throws {
        try await Fixture.with { f in
            try await f.pool.withConnection(as: .service) { db in
                try await db.query(
                    Statement(
                        "many",
                        """
                        INSERT INTO carrel.study_sessions
                            (profile_id, title, embedding_model_id, created_at)
                        SELECT $1, 'n' || n, $2, now() - (n / 3) * interval '1 minute'
                        FROM generate_series(1, 20) AS n
                        """), f.profile.id, f.model.id)
                var seen: [StudySession] = []
                while true {
                    let page = try await SessionRepository.list(
                        profileID: f.profile.id, limit: 4,
                        before: seen.last.map { TimeCursor(createdAt: $0.createdAt, id: $0.id) },
                        on: db)
                    if page.isEmpty { break }
                    seen += page
                }
                #expect(seen.count == 21)
                #expect(Set(seen.map(\.id)).count == 21)
                #expect(seen.map(\.createdAt) == seen.map(\.createdAt).sorted(by: >))
            }
        }
    }

    @Test("A change raises the revision, and its notification arrives when it is committed")
    func revisionAndNotify() async throws {
        try await Fixture.with { f in
            let listener = try await Connection.open(
                PostgresConfiguration(url: f.pool.configuration.url))
            var notifications = await listener.notifications().makeAsyncIterator()
            try await listener.listen(SessionRepository.channel)

            let stored = try await f.document()
            try await f.store(stored.chunks(children: 2))
            var session = try await f.currentSession()
            #expect(session.revision == 1)
            #expect(session.chunkCount == 3)
            #expect(await notifications.next()?.payload == "\(f.session.id.lower) 1")

            await #expect(throws: CancellationError.self) {
                try await f.pool.withTransaction(as: .service) { db in
                    try await SessionRepository.bumpRevision(id: f.session.id, on: db)
                    throw CancellationError()
                }
            }
            let deleted = try await f.pool.withTransaction(as: .service) { db in
                try await DocumentRepository.delete(
                    sessionID: f.session.id, id: stored.document.id, on: db)
            }
            #expect(deleted?.id == stored.document.id)
            session = try await f.currentSession()
            #expect(session.revision == 2)
            #expect(session.chunkCount == 0)
            #expect(await notifications.next()?.payload == "\(f.session.id.lower) 2")

            _ = try await f.pool.withTransaction(as: .service) { db in
                try await SessionRepository.delete(
                    id: f.session.id, profileID: f.profile.id, on: db)
            }
            #expect(await notifications.next()?.payload == "\(f.session.id.lower) 3")
            await listener.close()
        }
    }

    @Test("Revisions of many sessions are one read; a session that is gone is absent")
    func revisions() async throws {
        try await Fixture.with { f in
            let other = try await f.anotherSession()
            try await f.pool.withConnection(as: .service) { db in
                try await SessionRepository.bumpRevision(id: other.id, addingChunks: 7, on: db)
                let gone = UUID()
                let found = try await SessionRepository.revision(
                    ids: [f.session.id, other.id, gone], on: db)
                #expect(found[f.session.id]?.revision == 0)
                #expect(found[other.id]?.revision == 1)
                #expect(found[other.id]?.chunkCount == 7)
                #expect(found[other.id]?.profileID == f.profile.id)
                #expect(found[other.id]?.modelID == f.model.id)
                #expect(found[gone] == nil)
                await #expect(throws: LibraryError.notFound) {
                    try await SessionRepository.bumpRevision(id: gone, on: db)
                }
            }
        }
    }

    @Test("A model is registered once; another model of its name and revision is a conflict")
    func models() async throws {
        try await Fixture.with { f in
            try await f.pool.withConnection(as: .service) { db in
                let again = try await EmbeddingModelRepository.register(.test, on: db)
                #expect(again == f.model)
                await #expect(throws: LibraryError.self) {
                    try await EmbeddingModelRepository.register(
                        NewEmbeddingModel(
                            name: "test", revision: "1", nativeDimension: 768, pooling: "mean",
                            provider: "hashing"), on: db)
                }
                #expect(try await EmbeddingModelRepository.getByName("test", on: db) == f.model)
            }
            await expectRefusal(.checkViolation, by: "embedding_models_dimension_fits") {
                try await f.sql("UPDATE carrel.embedding_models SET native_dimension = 769")
            }
            await expectRefusal(.foreignKeyViolation) {
                try await f.sql("DELETE FROM carrel.embedding_models")
            }
        }
    }
}

extension UUID {
    var lower: String { uuidString.lowercased() }
}
