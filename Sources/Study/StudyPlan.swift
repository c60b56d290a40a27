// A plan of study as it is kept in `draft_plan` and told on the socket: topics with subtopics, in
// order, and what they were seen in.

package import Foundation
package import Library

package struct StudyPlan: Sendable, Equatable, Codable {
    /// Of the shape below; a reader refuses one it does not know.
    package static let currentVersion = 1

    package struct Topic: Sendable, Equatable, Codable {
        package var title: String
        package var subtopics: [String]
        /// From 0.
        package var order: Int
        /// Nil for a topic that a person wrote.
        package var evidence: Evidence?
    }

    package struct Evidence: Sendable, Equatable, Codable {
        /// The parents nearest to the middle of the topic, nearest first.
        package var chunks: [UUID]
        /// The headings it was read under, in reading order, as they are written.
        package var headings: [String]
        /// Of the session's text, 0 to 1.
        package var share: Double
    }

    package var version = StudyPlan.currentVersion
    package var topics: [Topic]

    package init(topics: [Topic]) { self.topics = topics }

    /// The same topics as the session's own would be.
    ///
    /// - Throws: `LibraryError.invalid` naming the topic.
    package func newTopics() throws(LibraryError) -> [NewTopic] {
        var checked: [NewTopic] = []
        for (index, topic) in topics.enumerated() {
            checked.append(
                try NewTopic(
                    title: topic.title, subtopics: topic.subtopics, prefix: "topics[\(index)]."))
        }
        try NewTopic.check(checked)
        return checked
    }

    /// A plan that a person has written. What a topic of the same title was seen in is kept.
    package init(_ topics: [NewTopic], evidenceFrom before: StudyPlan?) {
        self.topics = topics.enumerated().map { order, topic in
            Topic(
                title: topic.title, subtopics: topic.subtopics, order: order,
                evidence: before?.topics.first { $0.title == topic.title }?.evidence)
        }
    }
}

extension StudyPlan {
    /// - Throws: `LibraryError.conflict` when it is no plan of this version.
    package init(json: String) throws(LibraryError) {
        guard let plan = try? JSONDecoder().decode(StudyPlan.self, from: Data(json.utf8)),
            plan.version == Self.currentVersion
        else { throw .conflict("the draft was not written by this version; draft it again") }
        self = plan
    }

    /// The same plan gives the same text.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // Strings, numbers and lists of them: there is nothing that cannot be encoded.
        guard let data = try? encoder.encode(self) else {
            preconditionFailure("an unwritable plan")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
