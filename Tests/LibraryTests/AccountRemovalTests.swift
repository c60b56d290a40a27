// An account's rows, in every table there is.

import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("The rows of an account")
struct AccountRemovalTests {
    private func counts(
        _ accounts: TwoAccounts, of account: TwoAccounts.Account
    ) async throws -> [String: Int] {
        try await accounts.pool.withConnection(as: .service) { db in
            var counts: [String: Int] = [:]
            for table in accounts.tables where table.name != "audit_log" {
                counts[table.name] = try await db.query(
                    Statement(
                        "rows of \(table.name)",
                        "SELECT count(*) FROM carrel.\(table.name) WHERE \(table.key) = $1"),
                    account.key(table)
                ).single()
            }
            return counts
        }
    }

    @Test("go with it, from every table; another account's stay, and so does the audit log")
    func everyTable() async throws {
        try await TwoAccounts.with { accounts in
            let others = try await counts(accounts, of: accounts.b)
            #expect(try await counts(accounts, of: accounts.a).values.allSatisfy { $0 > 0 })
            let remains = try await accounts.pool.withTransaction(as: .service) { db in
                try await ProfileRepository.delete(id: accounts.a.profile, on: db)
            }
            #expect(remains.sessions == [accounts.a.session])
            // An ingestion and a re-embedding.
            #expect(remains.jobs.count == 2)
            #expect(try await counts(accounts, of: accounts.a).values.allSatisfy { $0 == 0 })
            #expect(try await counts(accounts, of: accounts.b) == others)
            let entries = try await accounts.pool.withConnection(as: .service) { db in
                try await AuditRepository.list(actor: accounts.a.profile, limit: 10, on: db)
            }
            #expect(entries.map(\.action) == ["test"])
            let noted: Int = try await accounts.pool.withConnection(as: .service) { db in
                try await db.query(
                    Statement("noted", "SELECT count(*) FROM carrel.unclaimed_blobs")
                ).single()
            }
            #expect(noted == 1)
        }
    }
}
