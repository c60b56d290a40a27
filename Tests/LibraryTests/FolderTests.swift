import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("Folders")
struct FolderTests {
    private func folder(_ name: String, in parent: Folder? = nil, _ fixture: Fixture) async throws
        -> Folder
    {
        try await fixture.pool.withConnection(as: .service) {
            try await FolderRepository.create(
                sessionID: fixture.session.id, name: name, parentID: parent?.id, on: $0)
        }
    }

    private func move(_ folder: Folder, to parent: Folder?, _ fixture: Fixture) async throws {
        _ = try await fixture.pool.withConnection(as: .service) {
            try await FolderRepository.move(
                sessionID: fixture.session.id, id: folder.id, to: parent?.id, on: $0)
        }
    }

    @Test("A name stands once in a folder and once at the root, and again elsewhere")
    func names() async throws {
        try await Fixture.with { fixture in
            let a = try await folder("a", fixture)
            _ = try await folder("a", in: a, fixture)
            await #expect(throws: LibraryError.self) { try await folder("a", fixture) }
            await #expect(throws: LibraryError.self) { try await folder("a", in: a, fixture) }
            let b = try await folder("b", in: a, fixture)
            await expectRefusal(.uniqueViolation, by: "folders_name_key") {
                _ = try await fixture.pool.withConnection(as: .service) {
                    try await FolderRepository.rename(
                        sessionID: fixture.session.id, id: b.id, to: "a", on: $0)
                }
            }
            let c = try await folder("b", fixture)
            await expectRefusal(.uniqueViolation, by: "folders_name_key") {
                try await move(c, to: a, fixture)
            }
        }
    }

    @Test("A folder is moved with all below it, but never below itself")
    func cycles() async throws {
        try await Fixture.with { fixture in
            let a = try await folder("a", fixture)
            let b = try await folder("b", in: a, fixture)
            let c = try await folder("c", in: b, fixture)
            await expectRefusal(.checkViolation, by: "folders_no_cycle") {
                try await move(a, to: c, fixture)
            }
            await expectRefusal(.checkViolation) { try await move(a, to: a, fixture) }
            try await move(b, to: nil, fixture)
            try await move(a, to: c, fixture)
            let parents = try await fixture.pool.withConnection(as: .service) {
                try await FolderRepository.list(
                    sessionID: fixture.session.id, limit: 10, on: $0)
            }.reduce(into: [:]) { $0[$1.name] = $1.parentID }
            #expect(parents == ["a": c.id, "c": b.id])
        }
    }

    @Test("Of two moves at once that close a circle together one is refused", arguments: 0..<20)
    func concurrentMoves(_: Int) async throws {
        try await Fixture.with { fixture in
            let a = try await folder("a", fixture)
            let b = try await folder("b", fixture)
            let below = try await folder("below b", in: b, fixture)
            let results = try await withThrowingTaskGroup(of: Bool.self) { group in
                for (folder, parent) in [(a, below), (b, a)] {
                    group.addTask {
                        do {
                            try await move(folder, to: parent, fixture)
                            return true
                        } catch PostgresError.server(let refusal)
                            where refusal.sqlState == .checkViolation
                        {
                            return false
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.filter { $0 }.count == 1)
        }
    }

    @Test("The second of two moves waits for the first and sees it")
    func interleavedMoves() async throws {
        try await Fixture.with { fixture in
            let a = try await folder("a", fixture)
            let b = try await folder("b", fixture)
            try await fixture.pool.withTransaction(as: .service) { db in
                _ = try await FolderRepository.move(
                    sessionID: fixture.session.id, id: a.id, to: b.id, on: db)
                async let second: Void = expectRefusal(.checkViolation, by: "folders_no_cycle") {
                    try await move(b, to: a, fixture)
                }
                // Until it waits for us, or time enough to have gone wrong.
                for _ in 0..<100 where try await waiting(fixture) == 0 {
                    try await Task.sleep(for: .milliseconds(10))
                }
                try await db.script("COMMIT; BEGIN")
                await second
            }
        }
    }

    private func waiting(_ fixture: Fixture) async throws -> Int {
        try await fixture.pool.withConnection(as: .service) {
            try await $0.query(
                Statement("waiting", "SELECT count(*) FROM pg_locks WHERE NOT granted")
            ).single()
        }
    }

    @Test("A deleted folder takes its folders with it; the documents in them are in none")
    func deletion() async throws {
        try await Fixture.with { fixture in
            let a = try await folder("a", fixture)
            let b = try await folder("b", in: a, fixture)
            let document = try await fixture.document().document
            let session = fixture.session.id
            try await fixture.pool.withConnection(as: .service) { db in
                let moved = try await DocumentRepository.move(
                    sessionID: session, id: document.id, to: b.id, on: db)
                #expect(moved?.folderID == b.id)
                #expect(try await FolderRepository.delete(sessionID: session, id: a.id, on: db))
                let left = try await DocumentRepository.getById(
                    sessionID: session, id: document.id, on: db)
                #expect(left != nil && left?.folderID == nil)
                #expect(left?.sessionID == session)
            }
            #expect(try await fixture.count("folders") == 0)
        }
    }

    @Test("Neither folder nor document can be put into another session's folder")
    func otherSession() async throws {
        try await Fixture.with { fixture in
            let other = try await fixture.anotherSession().id
            let theirs = try await fixture.pool.withConnection(as: .service) {
                try await FolderRepository.create(sessionID: other, name: "x", on: $0)
            }
            let mine = try await folder("mine", fixture)
            let document = try await fixture.document().document
            await expectRefusal(.foreignKeyViolation) { try await move(mine, to: theirs, fixture) }
            await expectRefusal(.foreignKeyViolation) {
                _ = try await folder("x", in: theirs, fixture)
            }
            await expectRefusal(.foreignKeyViolation) {
                _ = try await fixture.pool.withConnection(as: .service) {
                    try await DocumentRepository.move(
                        sessionID: fixture.session.id, id: document.id, to: theirs.id, on: $0)
                }
            }
        }
    }
}
