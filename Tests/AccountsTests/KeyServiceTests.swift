// API keys on a real database.

import Accounts
import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("API keys")
struct KeyServiceTests {
    private func first(_ pool: Pool) async throws -> KeyService.First {
        try await pool.withTransaction(as: .service) { db in
            try #require(try await KeyService.createFirst(on: db))
        }
    }

    @Test("A secret is ck_ and 43 more characters, and no two are the same")
    func secrets() {
        let secrets = (0..<100).map { _ in Secret.random() }
        #expect(Set(secrets.map(\.text)).count == 100)
        for secret in secrets {
            #expect(secret.text.wholeMatch(of: /ck_[A-Za-z0-9_-]{43}/) != nil)
            #expect(Secret(secret.text) == secret)
            #expect(secret.hash.count == 32)
            #expect("\(secret)" == "ck_…")
        }
        #expect(Secret("") == nil)
        #expect(Secret("ck_short") == nil)
        #expect(Secret(String(repeating: "x", count: 46)) == nil)
    }

    @Test("The first start makes an account and a key; a later one makes nothing")
    func firstStart() async throws {
        try await withDatabase(migrated: true) { pool in
            let first = try await first(pool)
            #expect(first.profile.handle == "owner")
            let again = try await pool.withTransaction(as: .service) {
                try await KeyService.createFirst(on: $0)
            }
            #expect(again == nil)

            let principal = try await pool.withConnection(as: .service) { db in
                try await KeyService.authenticate(first.created.secret.text, on: db)
            }
            #expect(principal.profileID == first.profile.id)
            #expect(principal.handle == "owner")
            #expect(principal.credential == .key(first.created.key.id))
            #expect(principal.scopes == Set(Scope.allCases))
            #expect(principal.boundSession == nil)
        }
    }

    @Test("Of two first starts at once one makes the account")
    func firstStartTwice() async throws {
        try await withDatabase(migrated: true) { pool in
            let made = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await pool.withTransaction(as: .service) {
                            try await KeyService.createFirst(on: $0) != nil
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(made.filter(\.self).count == 1)
        }
    }

    @Test("The secret is not in the database, and its hash is")
    func onlyTheHash() async throws {
        try await withDatabase(migrated: true) { pool in
            let created = try await first(pool).created
            let stored: [UInt8] = try await pool.withConnection(as: .service) { db in
                try await db.query(Statement("hash", "SELECT key_hash FROM carrel.api_keys"))
                    .single()
            }
            #expect(stored == created.secret.hash)
            #expect(stored != Array(created.secret.text.utf8))
        }
    }

    @Test("A key that was never made, is revoked, expired, or of an inactive account is refused")
    func refused() async throws {
        try await withDatabase(migrated: true) { pool in
            let owner = try await first(pool).profile
            try await pool.withConnection(as: .service) { db in
                func expectRefused(_ secret: Secret) async {
                    await #expect(throws: AccountError.unauthenticated) {
                        try await KeyService.authenticate(secret.text, on: db)
                    }
                }
                await expectRefused(Secret.random())

                let revoked = try await KeyService.create(
                    profileID: owner.id, name: "revoked", scopes: [.read], on: db)
                _ = try await KeyService.authenticate(revoked.secret.text, on: db)
                try await db.withTransaction {
                    try await KeyService.revoke(id: revoked.key.id, profileID: owner.id, on: $0)
                }
                await expectRefused(revoked.secret)

                let expired = try await KeyService.create(
                    profileID: owner.id, name: "expired", scopes: [.read],
                    expiresAt: Date(timeIntervalSinceNow: -1), on: db)
                await expectRefused(expired.secret)

                let valid = try await KeyService.create(
                    profileID: owner.id, name: "valid", scopes: [.read],
                    expiresAt: Date(timeIntervalSinceNow: 60), on: db)
                _ = try await KeyService.authenticate(valid.secret.text, on: db)
                try await db.script("UPDATE carrel.profiles SET is_active = false")
                await expectRefused(valid.secret)
            }
        }
    }

    @Test("A key has the scopes it was made with, and the one session it is bound to")
    func scopes() async throws {
        try await withDatabase(migrated: true) { pool in
            let owner = try await first(pool).profile
            let session = UUID()
            let principal = try await pool.withConnection(as: .service) { db in
                let created = try await KeyService.create(
                    profileID: owner.id, name: "reader", scopes: [.read], sessionID: session,
                    on: db)
                return try await KeyService.authenticate(created.secret.text, on: db)
            }
            try principal.require(.read)
            #expect(throws: AccountError.forbidden(.write)) { try principal.require(.write) }
            #expect(principal.mayOpen(session))
            #expect(!principal.mayOpen(UUID()))
        }
    }

    @Test("Using a key is written down, but not more than once a minute")
    func lastUsed() async throws {
        try await withDatabase(migrated: true) { pool in
            let created = try await first(pool).created
            try await pool.withConnection(as: .service) { db in
                func lastUsed() async throws -> Date? {
                    try await KeyService.list(profileID: created.key.profileID, on: db)[0]
                        .lastUsedAt
                }
                #expect(try await lastUsed() == nil)
                _ = try await KeyService.authenticate(created.secret.text, on: db)
                let once = try #require(try await lastUsed())
                _ = try await KeyService.authenticate(created.secret.text, on: db)
                #expect(try await lastUsed() == once)
                try await db.script(
                    "UPDATE carrel.api_keys SET last_used_at = now() - interval '2 minutes'")
                _ = try await KeyService.authenticate(created.secret.text, on: db)
                #expect(try #require(try await lastUsed()) >= once)
            }
        }
    }

    @Test("Keys are listed oldest first; a name is used once; another's key cannot be revoked")
    func listing() async throws {
        try await withDatabase(migrated: true) { pool in
            let owner = try await first(pool).profile
            try await pool.withConnection(as: .service) { db in
                let laptop = try await KeyService.create(
                    profileID: owner.id, name: "laptop", scopes: [.read, .write], on: db)
                await #expect(throws: LibraryError.conflict("a key named laptop exists already")) {
                    try await KeyService.create(
                        profileID: owner.id, name: "laptop", scopes: [.read], on: db)
                }
                await #expect(throws: LibraryError.self) {
                    try await KeyService.create(
                        profileID: owner.id, name: "nothing", scopes: [], on: db)
                }
                #expect(
                    try await KeyService.list(profileID: owner.id, on: db).map(\.name)
                        == ["first", "laptop"])
                #expect(laptop.key.scopes == ["read", "write"])
                await #expect(throws: LibraryError.notFound) {
                    try await db.withTransaction {
                        try await KeyService.revoke(id: laptop.key.id, profileID: UUID(), on: $0)
                    }
                }
            }
        }
    }
}
