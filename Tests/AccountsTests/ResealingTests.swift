// After a master key was added.

import Accounts
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
}
