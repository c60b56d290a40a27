// Plans, topics and chats as the server tells them.

import Foundation

struct PlanShape: Codable, Sendable {
    struct Evidence: Codable, Sendable {
        var chunks: [String]
        var headings: [String]
        var share: Double
    }
    struct Topic: Codable, Sendable {
        var title: String
        var subtopics: [String]?
        var order: Int?
        var evidence: Evidence?
    }

    var version: Int?
    var topics: [Topic]
}

struct TopicShape: Codable, Sendable {
    var id: UUID
    var title: String
    var subtopics: [String]
    var order: Int
    var completed: Bool
    /// Where they were counted.
    var documents: Int?
    var chunks: Int?
}

struct ChatShape: Codable, Sendable {
    var id: UUID
    var type: String
    var topic: UUID?
    var started: Bool
    var createdAt: String
}

struct MessageShape: Codable, Sendable {
    var id: UUID
    var role: String
    var content: String
    var citedChunks: [String]
    var createdAt: String
}
