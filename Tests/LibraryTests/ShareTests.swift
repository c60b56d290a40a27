import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("Shares")
struct ShareTests {
    private struct Setting {
        let fixture: Fixture
        let document: Document
        let reader: Profile

        func visible() async throws -> [UUID] {
            try await fixture.pool.withConnection(as: .service) {
                try await ShareRepository.visibleDocuments(
                    sessionID: fixture.session.id, to: reader.id, credential: nil, on: $0)
            }
        }

        @discardableResult
        func share(_ recipient: ShareRecipient, until expiresAt: Date? = nil) async throws -> Share
        {
            try await fixture.pool.withTransaction(as: .service) {
                try await ShareRepository.create(
                    sessionID: fixture.session.id, documentID: document.id, to: recipient,
                    expiresAt: expiresAt, on: $0)
            }
        }
    }

    private func withSetting(_ body: (Setting) async throws -> Void) async throws {
        try await Fixture.with { fixture in
            let document = try await fixture.document().document
            _ = try await fixture.document()
            let reader = try await fixture.pool.withConnection(as: .service) {
                try await ProfileRepository.create(
                    handle: "reader", email: "r@localhost", passwordHash: "!", on: $0)
            }
            try await body(Setting(fixture: fixture, document: document, reader: reader))
        }
    }

    @Test("A share is to one: an account or a group, once for each document")
    func recipients() async throws {
        try await withSetting { s in
            await expectRefusal(.checkViolation, by: "shares_to_one") {
                try await s.fixture.sql(
                    """
                    INSERT INTO carrel.shares (session_id, document_id)
                    SELECT session_id, id FROM carrel.documents
                    """)
            }
            try await s.share(.profile(s.reader.id))
            await #expect(throws: LibraryError.self) { try await s.share(.profile(s.reader.id)) }
            await expectRefusal(.foreignKeyViolation) { try await s.share(.profile(UUID())) }
            await expectRefusal(.foreignKeyViolation) { try await s.share(.group(UUID())) }
            #expect(try await s.visible() == [s.document.id])
        }
    }

    @Test("What has expired is not visible, and can be shared anew under its id")
    func expiry() async throws {
        try await withSetting { s in
            let first = try await s.share(
                .profile(s.reader.id), until: Date(timeIntervalSinceNow: -1))
            #expect(try await s.visible().isEmpty)
            let second = try await s.share(
                .profile(s.reader.id), until: Date(timeIntervalSinceNow: 3_600))
            #expect(second.id == first.id)
            #expect(try await s.visible() == [s.document.id])
        }
    }

    @Test("By account and by group at once it is visible once, and stays while one of them holds")
    func twoWays() async throws {
        try await withSetting { s in
            let direct = try await s.share(.profile(s.reader.id))
            let group = try await s.fixture.pool.withConnection(as: .service) { db in
                let id = try await GroupRepository.create(
                    name: "readers", ownerID: s.fixture.profile.id, on: db)
                let isNew = try await GroupRepository.addMember(s.reader.id, to: id, on: db)
                #expect(isNew)
                let again = try await GroupRepository.addMember(s.reader.id, to: id, on: db)
                #expect(!again)
                return id
            }
            try await s.share(.group(group))
            #expect(try await s.visible() == [s.document.id])
            let revoked = try await s.fixture.pool.withConnection(as: .service) {
                try await ShareRepository.revoke(
                    sessionID: s.fixture.session.id, id: direct.id, on: $0)
            }
            #expect(revoked == s.document.id)
            #expect(try await s.visible() == [s.document.id])
            let left = try await s.fixture.pool.withConnection(as: .service) {
                try await GroupRepository.removeMember(s.reader.id, from: group, on: $0)
            }
            #expect(left)
            #expect(try await s.visible().isEmpty)
        }
    }

    @Test("Document, recipient, group: whichever goes takes its shares with it")
    func cascades() async throws {
        for end in [
            "DELETE FROM carrel.documents", "DELETE FROM carrel.profiles WHERE handle = 'reader'",
            "DELETE FROM carrel.study_sessions",
        ] {
            try await withSetting { s in
                try await s.share(.profile(s.reader.id))
                try await s.fixture.sql(end)
                #expect(try await s.fixture.count("shares") == 0, "\(end)")
            }
        }
    }

    @Test("A group outlives who made it, and its name is taken once")
    func owners() async throws {
        try await withSetting { s in
            let group = try await s.fixture.pool.withConnection(as: .service) { db in
                let id = try await GroupRepository.create(
                    name: "readers", ownerID: s.reader.id, on: db)
                await #expect(throws: LibraryError.self) {
                    try await GroupRepository.create(
                        name: "readers", ownerID: s.fixture.profile.id, on: db)
                }
                return id
            }
            try await s.fixture.sql("DELETE FROM carrel.profiles WHERE handle = 'reader'")
            try await s.fixture.pool.withConnection(as: .service) { db in
                let left = try await GroupRepository.get(id: group, visibleTo: nil, on: db)
                #expect(left?.name == "readers" && left?.ownerID == nil)
                #expect(
                    try await GroupRepository.get(
                        id: group, visibleTo: s.fixture.profile.id, on: db) == nil)
            }
        }
    }

    @Test("For the recipient the database has the shared document's rows, to read, and no other's")
    func fence() async throws {
        try await withSetting { s in
            let tables = ["documents", "pages", "sections", "document_chunks", "study_sessions"]
            for stored in [
                try await s.fixture.document(), try await s.fixture.document(),
            ] {
                try await s.fixture.store(stored.chunks(children: 2))
            }
            func seen() async throws -> [Int] {
                try await s.fixture.pool.withConnection(as: .account(s.reader.id)) { db in
                    var counts: [Int] = []
                    for table in tables {
                        counts.append(
                            try await db.query(
                                Statement("seen", "SELECT count(*) FROM carrel.\(table)")
                            ).single())
                    }
                    return counts
                }
            }
            #expect(try await seen() == [0, 0, 0, 0, 0])
            let share = try await s.share(.profile(s.reader.id))
            // One document with one page and one section; it has no chunks, the others' are hidden.
            #expect(try await seen() == [1, 1, 1, 0, 1])
            let changed = try await s.fixture.pool.withConnection(as: .account(s.reader.id)) {
                try await $0.query(
                    Statement("rename", "UPDATE carrel.documents SET file_name = 'mine'")
                ).affected
            }
            #expect(changed == 0)
            _ = try await s.fixture.pool.withConnection(as: .service) {
                try await ShareRepository.revoke(
                    sessionID: s.fixture.session.id, id: share.id, on: $0)
            }
            #expect(try await seen() == [0, 0, 0, 0, 0])
        }
    }
}
