import Accounts
import Clouds
import Foundation
import Library
import Postgres
import TestSupport
import Testing

@Suite("The vault of clouds")
struct CloudVaultTests {
    private let access = CloudAccess.s3(
        S3Bucket.Address(
            endpoint: "https://s3.us-east-1.amazonaws.com", region: "us-east-1", bucket: "papers",
            credentials: S3Credentials(accessKey: "AKIA", secretKey: "very hidden")), prefix: "")

    private func profile(_ handle: String, _ pool: Pool) async throws -> UUID {
        try await pool.withConnection(as: .service) { db in
            try await ProfileRepository.create(
                handle: handle, email: "\(handle)@example.org", passwordHash: "!", on: db
            ).id
        }
    }

    @Test("What is stored tells nothing, and opens for its own account and row only")
    func sealed() async throws {
        try await withDatabase(migrated: true) { pool in
            let vault = CloudVault(sealer: Sealer(.unkept()), rule: AddressRule())
            let (ada, bob) = (try await profile("ada", pool), try await profile("bob", pool))
            let (one, other) = try await pool.withConnection(as: .service) { db in
                (
                    try await vault.connect(access, name: "one", profileID: ada, on: db),
                    try await vault.connect(access, name: "other", profileID: bob, on: db)
                )
            }
            #expect(try vault.place(of: one) == "s3://papers/")
            for secret in ["very hidden", "AKIA", "papers"] {
                #expect(one.credentials.firstRange(of: Array(secret.utf8)) == nil)
            }
            #expect(!"\(access)".contains("hidden"))
            try await pool.withTransaction(as: .service) { db in
                try await CloudConnectionRepository.replace(
                    credentials: other.credentials, id: one.id, on: db)
            }
            let swapped = try await pool.withConnection(as: .service) { db in
                try await CloudConnectionRepository.get(id: one.id, profileID: ada, on: db)
            }
            #expect(throws: SealingError.notOpened) { try vault.open(try #require(swapped)) }
        }
    }

    @Test("After a new master key every row is sealed anew, in batches, from wherever it was ended")
    func rotation() async throws {
        let file = try TestDirectory.make("keys-\(UUID().uuidString)") + "/master.keys"
        try await withDatabase(migrated: true) { pool in
            let ring = try KeyRing(file: file)
            let vault = CloudVault(sealer: Sealer(ring), rule: AddressRule())
            for account in 0..<3 {
                let profile = try await profile("account\(account)", pool)
                for number in 0..<5 {
                    _ = try await pool.withConnection(as: .service) { db in
                        try await vault.connect(
                            access, name: "cloud \(number)", profileID: profile, on: db)
                    }
                }
            }
            func reseal(batch: Int) async throws -> Int {
                try await pool.withConnection(as: .service) { connection in
                    var count = 0
                    for column in Resealing.all {
                        count += try await column.run(Sealer(ring), batch: batch, on: connection)
                    }
                    return count
                }
            }
            #expect(try await reseal(batch: 100) == 0)
            #expect(try ring.addKey() == 2)
            // Ended in the middle: what was done stays, and the rest is done by the next.
            let half = Task { try await reseal(batch: 2) }
            half.cancel()
            _ = await half.result
            _ = try await reseal(batch: 4)
            #expect(try await reseal(batch: 100) == 0)
            let left = try await pool.withTransaction(as: .service) { db in
                try await CloudConnectionRepository.lockOthers(
                    thanHeader: Sealer(ring).newestHeader, limit: 100, on: db)
            }
            #expect(left.isEmpty)
            let one = try await pool.withConnection(as: .service) { db -> CloudConnection? in
                let profile = try await ProfileRepository.getByHandle("account1", on: db)
                return try await CloudConnectionRepository.list(
                    profileID: try #require(profile).id, limit: 1, on: db
                ).first
            }
            #expect(try vault.place(of: try #require(one)) == "s3://papers/")
        }
    }
}
