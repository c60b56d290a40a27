// The parts of the server's answers that the command reads. They print themselves as
// the same JSON under `--json`.

import Foundation

struct SessionShape: Codable, Sendable {
    var id: UUID
    var title: String
    var description: String?
    var status: String
    var model: String
    var revision: Int
    var chunkCount: Int
    var createdAt: String
    var updatedAt: String
}

struct DocumentShape: Codable, Sendable {
    var id: UUID
    var fileName: String
    var fileType: String
    var status: String
    var error: String?
    var pageCount: Int?
    var bytes: Int
    var sha256: String
    var createdAt: String
    var processedAt: String?
}

struct JobShape: Codable, Sendable {
    struct Import: Codable, Sendable {
        struct Failure: Codable, Sendable {
            var object: String
            var code: String
            var reason: String
        }
        var imported: Int
        var duplicates: Int
        var failed: [Failure]
    }

    var id: UUID
    var state: String
    var document: UUID?
    var done: Int
    var total: Int
    var stage: String?
    var error: String?
    /// Of an import from a cloud.
    var `import`: Import?
}

struct HitShape: Codable, Sendable {
    struct Document: Codable, Sendable {
        var id: UUID
        var fileName: String
    }
    struct Child: Codable, Sendable {
        var chunk: UUID
        var score: Double
        var span: [Int]
    }
    struct Parent: Codable, Sendable {
        var chunk: UUID
        var text: String
        var span: [Int]
        var children: [Child]
    }

    var chunk: UUID
    var score: Double
    var rank: Int
    var text: String
    var span: [Int]
    var document: Document
    var pages: [Int]
    var section: [String]
    var parent: Parent?
}

struct MetaShape: Codable, Sendable {
    struct Certificate: Codable, Sendable {
        var kind: String
        var efSearch: Int?
        var missProbability: Double?
    }

    var plan: String
    var certificate: Certificate?
    var examined: Int
    var sessionChunks: Int
    var revision: Int
    var model: String
    /// Microseconds by stage, in the server.
    var tookUs: [String: Double]

    /// What the server spent on the answer, in milliseconds.
    var serverMilliseconds: Double { tookUs.values.reduce(0, +) / 1000 }
}

struct SearchShape: Codable, Sendable {
    var hits: [HitShape]
    var meta: MetaShape
}

/// How a search is to rank; what is nil is left to the server.
struct RankingShape: Codable, Sendable {
    var mode: String?
    var fusion: String?
}

/// What is sent with `search`.
struct SearchParameters: Encodable, Sendable {
    struct Filter: Encodable, Sendable {
        var documents: [UUID]?
        var topics: [UUID]?
        var pages: [Int]?
        var types: [String]?
    }

    var session: String
    var text: String
    var k: Int
    var minScore: Double?
    var expand: String?
    var mode: String?
    var tokenBudget: Int?
    var filter: Filter?
}

struct StatusShape: Codable, Sendable {
    struct Database: Codable, Sendable {
        var version: String
        var pgvector: String
        var migrations: Int
    }
    struct Pool: Codable, Sendable {
        var size: Int
        var idle: Int
        var waiting: Int
    }
    struct Jobs: Codable, Sendable {
        var queued: Int
        var running: Int
    }

    var version: String
    var uptimeSeconds: Double
    var protocolVersion: String
    var database: Database
    var pool: Pool
    var connections: Int
    var inflight: Int
    var jobs: Jobs
    var models: [String]
    var residentBytes: Int
}
