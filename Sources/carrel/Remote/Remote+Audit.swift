// The audit log, as the command reads it.

import CarrelClient
import Foundation

struct AuditEntryShape: Codable, Sendable {
    struct Target: Codable, Sendable {
        var type: String
        var id: UUID
    }

    var id: Int
    var at: String
    var actor: UUID?
    var action: String
    var target: Target?
    var session: UUID?
    var ip: String?
    var requestId: String?
    var metadata: [String: String]
    var hash: String
}

extension Remote {
    /// Newest first.
    func auditEntries(
        limit: Int, session: String?, all: Bool
    ) async throws -> [AuditEntryShape] {
        struct Parameters: Encodable {
            let limit: Int
            let session: String?
            let all: Bool
        }
        struct Answer: Decodable { let entries: [AuditEntryShape] }
        let answer: Answer = try await call(
            "audit.list", Parameters(limit: limit, session: session, all: all))
        return answer.entries
    }
}
