// After a master key was added.

import Accounts
import Clouds
import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("Sealing anew")
struct ResealingTests {
    private let first = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    private let second = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="

    @Test("What older keys have sealed is sealed with the newest, once, and opens as before")
    func rotation() async throws {
        let before = Sealer(try KeyRing(parsing: first))
        let after = Sealer(try KeyRing(parsing: "1:\(first),2:\(second)"))
        try await withDatabase(migrated: true) { pool in
            let ids = try await pool.withTransaction(as: .service) { db in
                var ids: [UUID] = []
                for (number, sealer) in [before, before, after].enumerated() {
                    let profile = try await ProfileRepository.create(
                        handle: "p\(number)", email: "p\(number)@example.org", passwordHash: "!",
                        on: db)
                    let place = SealedPlace(.totpSecret, of: profile.id, row: profile.id)
                    let secret = try sealer.seal([UInt8(number)], at: place)
                    _ = try await ProfileRepository.prepareTotp(
                        secret: secret, id: profile.id, on: db)
                    ids.append(profile.id)
                }
                return ids
            }
            try await pool.withConnection(as: .service) { connection in
                for expected in [2, 0] {
                    var count = 0
                    for column in Resealing.all {
                        count += try await column.run(after, on: connection)
                    }
                    #expect(count == expected)
                }
                for (number, id) in ids.enumerated() {
                    let account = try await ProfileRepository.getForLogin(id: id, on: connection)
                    let sealed = try #require(account?.totpSecret)
                    #expect(sealed.starts(with: after.newestHeader))
                    let place = SealedPlace(.totpSecret, of: id, row: id)
                    #expect(try after.open(sealed, at: place) == [UInt8(number)])
                }
            }
        }
    }

    @Test("Everything that is sealed is sealed anew: no kind of it is left under an old key")
    func everyPurpose() async throws {
        let before = Sealer(try KeyRing(parsing: first))
        let after = Sealer(try KeyRing(parsing: "1:\(first),2:\(second)"))
        try await withDatabase(migrated: true) { pool in
            let (profile, session) = try await pool.withTransaction(as: .service) { db in
                let profile = try await ProfileRepository.create(
                    handle: "ada", email: "ada@example.org", passwordHash: "!", on: db
                ).id
                _ = try await ProfileRepository.prepareTotp(
                    secret: try before.seal(
                        [7], at: SealedPlace(.totpSecret, of: profile, row: profile)),
                    id: profile, on: db)
                _ = try await CloudVault(sealer: before, rule: AddressRule()).connect(
                    .http(WebAccess(url: "https://example.org/")),
                    name: "web", profileID: profile, on: db)
                return (profile, try await Self.account(of: profile, before, on: db))
            }
            try await pool.withConnection(as: .service) { connection in
                for round in [1, 0] {
                    for column in Resealing.all {
                        let count = try await column.run(after, on: connection)
                        #expect(count == round, "\(column.name)")
                    }
                }
            }
            let sealed = try await pool.withTransaction(as: .service) { db in
                try await AccountNumberRepository.lockOthers(
                    thanHeader: [0, 0, 0], limit: 10, on: db)
            }
            let number = try #require(sealed.first)
            #expect(number.profileID == profile && number.sessionID == session)
            #expect(number.sealed.starts(with: after.newestHeader))
            let place = SealedPlace.accountNumber(number.id, in: session, of: profile)
            #expect(try after.open(number.sealed, at: place) == Array("CH9300762011".utf8))
        }
    }

    /// A session of the account with a borrower who has one account number; the session's id.
    private static func account(
        of profile: UUID, _ sealer: Sealer, on db: Transaction
    ) async throws -> UUID {
        let model = try await EmbeddingModelRepository.register(
            NewEmbeddingModel(
                name: "m", revision: "1", nativeDimension: 8, pooling: "mean", provider: "test"),
            on: db)
        let session = try await SessionRepository.create(
            profileID: profile, title: "Loans", modelID: model.id, on: db
        ).id
        let borrower = try await BorrowerRepository.create(
            sessionID: session, name: "Ada", ssnHash: nil, address: nil,
            confidence: Hundredths(100), on: db)
        let id = UUID()
        _ = try await AccountNumberRepository.create(
            sessionID: session, id: id, borrowerID: borrower.id,
            sealed: try sealer.seal(
                Array("CH9300762011".utf8),
                at: .accountNumber(id, in: session, of: profile)),
            lastFour: "2011", kind: .bank, on: db)
        return session
    }
}
