import Foundation
import Ingestion
import Library
import Postgres
import Server
import Testing

@Suite("Every method leaves one entry in the audit log, or none")
struct AuditSweepTests {
    private let registry = Set(ProtocolDescription.methods.map(\.name))

    @Test("Each method is said to do the one or the other")
    func classified() {
        let both = AuditClassification.one.union(AuditClassification.none)
        #expect(registry.subtracting(both).isEmpty, "not classified")
        #expect(both.subtracting(registry).isEmpty, "no such methods")
        #expect(AuditClassification.one.isDisjoint(with: AuditClassification.none))
    }

    @Test("Each method does as it is said to when it succeeds")
    func swept() async throws {
        try await withServer(registration: true) { test in
            let worker = Task { await test.ingestor.run() }
            var walk = AuditWalk(test)
            let result: Result<Void, any Error>
            do { result = .success(try await walk.walk()) } catch { result = .failure(error) }
            worker.cancel()
            await worker.value
            try result.get()
            #expect(walk.violations.isEmpty, "\(walk.violations.joined(separator: "\n"))")
            #expect(registry.subtracting(walk.walked).isEmpty, "the walk does not call them")
            let chain = try await test.pool.withConnection(as: .service) {
                try await AuditRepository.verify(on: $0)
            }
            #expect(chain.findings.isEmpty)
        }
    }
}
