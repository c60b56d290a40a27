import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("The audit log")
struct AuditTests {
    private func record(_ count: Int, on pool: Pool, actor: UUID? = nil) async throws {
        for number in 0..<count {
            try await pool.withTransaction(as: .service) { db in
                try await AuditRepository.record(
                    action: "test.\(number)", actor: actor, target: AuditTarget(.session, UUID()),
                    metadata: ["number": "\(number)"], on: db)
            }
        }
    }

    private func verify(_ pool: Pool, kept: [UInt8]? = nil) async throws -> AuditChain {
        try await pool.withConnection(as: .service) {
            try await AuditRepository.verify(kept: kept, on: $0)
        }
    }

    @Test("Program and database hash every kind of row alike, and the chain holds")
    func hashes() async throws {
        try await withDatabase(migrated: true) { pool in
            #expect(try await verify(pool).findings.isEmpty)
            try await record(3, on: pool)
            try await pool.withTransaction(as: .service) { db in
                try await AuditRepository.record(
                    action: "résumé \u{1F512} \"quoted\"", actor: UUID(),
                    target: AuditTarget(.document, UUID()), session: UUID(),
                    ip: INET("2001:db8::1"), requestID: "c1-7",
                    metadata: ["ä": "ß\\\n", "": "empty", "z": ""], on: db)
                try await AuditRepository.record(
                    action: "", actor: nil, ip: INET("192.0.2.1"), on: db)
            }
            let chain = try await verify(pool)
            #expect(chain.findings.isEmpty)
            #expect(chain.count == 5)
            #expect(chain.last == 5)
            #expect(try await verify(pool, kept: chain.hash).findings.isEmpty)
        }
    }

    @Test("Many writers at once make one chain without a gap")
    func concurrent() async throws {
        try await withDatabase(migrated: true, size: 8) { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { try await record(25, on: pool) } }
                try await group.waitForAll()
            }
            let chain = try await verify(pool)
            #expect(chain.findings.isEmpty)
            #expect(chain.count == 200)
            #expect(chain.last == 200)
        }
    }

    @Test("What is rolled back was not done, and leaves neither entry nor gap")
    func rollback() async throws {
        struct Stop: Error {}
        try await withDatabase(migrated: true) { pool in
            try await record(1, on: pool)
            await #expect(throws: Stop.self) {
                try await pool.withTransaction(as: .service) { db in
                    try await AuditRepository.record(action: "x", actor: nil, on: db)
                    throw Stop()
                }
            }
            try await record(1, on: pool)
            let chain = try await verify(pool)
            #expect(chain.findings.isEmpty)
            #expect(chain.last == 2)
        }
    }

    /// Rewrites entry 3 with a hash that fits it: what somebody would do who knows how it works.
    private static let rehash = """
        UPDATE carrel.audit_log SET actor_id = NULL, action = 'nothing' WHERE id = 3;
        UPDATE carrel.audit_log SET entry_hash = carrel.audit_entry_hash(previous_hash, id, at,
            actor_id, action, target_type, target_id, session_id, ip, request_id, metadata)
        WHERE id = 3
        """

    @Test(
        "Any change is found, whoever made it",
        arguments: [
            ("UPDATE carrel.audit_log SET action = 'innocent' WHERE id = 3", [.edited(3)]),
            ("UPDATE carrel.audit_log SET metadata = '{}' WHERE id = 1", [.edited(1)]),
            ("UPDATE carrel.audit_log SET actor_id = NULL WHERE id = 5", [.edited(5)]),
            (
                "UPDATE carrel.audit_log SET at = at + interval '1 microsecond' WHERE id = 2",
                [.edited(2)]
            ),
            (rehash, [.displaced(4)]),
            ("DELETE FROM carrel.audit_log WHERE id = 1", [.missing(1...1)]),
            ("DELETE FROM carrel.audit_log WHERE id IN (2, 3)", [.missing(2...3)]),
            ("DELETE FROM carrel.audit_log WHERE id > 3", [.tail(last: 3, head: 5)]),
            ("DELETE FROM carrel.audit_log", [.tail(last: 0, head: 5)]),
            ("DELETE FROM carrel.audit_head", [.headMissing]),
            (
                """
                UPDATE carrel.audit_log SET id = 9 WHERE id = 2;
                UPDATE carrel.audit_log SET id = 2 WHERE id = 3;
                UPDATE carrel.audit_log SET id = 3 WHERE id = 9
                """, [.displaced(2), .edited(2), .displaced(3), .edited(3), .displaced(4)]
            ),
        ] as [(String, [AuditFinding])])
    func tampering(change: String, findings: [AuditFinding]) async throws {
        try await withDatabase(migrated: true) { pool in
            try await record(5, on: pool, actor: UUID())
            try await withOwner(of: pool) { try await $0.script(change) }
            #expect(try await verify(pool).findings == findings)
        }
    }

    @Test("A tail cut off together with its head is found only by a hash kept elsewhere")
    func keptHash() async throws {
        try await withDatabase(migrated: true) { pool in
            try await record(3, on: pool)
            let early = try await verify(pool).hash
            try await record(2, on: pool)
            let late = try await verify(pool).hash
            try await withOwner(of: pool) {
                try await $0.script(
                    """
                    DELETE FROM carrel.audit_log WHERE id > 3;
                    UPDATE carrel.audit_head AS h SET id = l.id, entry_hash = l.entry_hash
                    FROM carrel.audit_log AS l WHERE l.id = 3
                    """)
            }
            #expect(try await verify(pool).findings.isEmpty)
            #expect(try await verify(pool, kept: early).findings.isEmpty)
            #expect(try await verify(pool, kept: late).findings == [.keptHashMissing])
        }
    }

    @Test("Without the end of the chain nothing is added, so nothing is done")
    func noHead() async throws {
        try await withDatabase(migrated: true) { pool in
            try await withOwner(of: pool) { try await $0.script("DELETE FROM carrel.audit_head") }
            await #expect(throws: LibraryError.auditLogBroken) { try await record(1, on: pool) }
        }
    }

    @Test("Entries are listed newest first, an account's or all, page after page")
    func listing() async throws {
        try await withDatabase(migrated: true) { pool in
            let (ada, bob) = (UUID(), UUID())
            for _ in 0..<3 {
                try await record(2, on: pool, actor: ada)
                try await record(1, on: pool, actor: bob)
            }
            try await pool.withConnection(as: .service) { db in
                var seen: [Int64] = []
                var cursor: AuditCursor?
                repeat {
                    let page = try await AuditRepository.list(
                        actor: ada, limit: 4, before: cursor, on: db)
                    seen += page.map(\.id)
                    cursor = page.count == 4 ? page.last.map { .init(at: $0.at, id: $0.id) } : nil
                } while cursor != nil
                #expect(seen == [8, 7, 5, 4, 2, 1])
                let all = try await AuditRepository.list(actor: nil, limit: 100, on: db)
                #expect(all.map(\.id) == (1...9).reversed())
                let none = try await AuditRepository.list(
                    actor: nil, session: UUID(), limit: 100, on: db)
                #expect(none.isEmpty)
            }
        }
    }
}
