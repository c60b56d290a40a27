// A topic's words, checked once where they come in.

/// A title and what belongs under it; trimmed, white space folded.
package struct NewTopic: Sendable, Equatable {
    /// Bytes of a title or a subtopic.
    package static let textLimit = 200
    package static let subtopicLimit = 32
    /// Topics of one session, and of one plan.
    package static let sessionLimit = 64

    package let title: String
    package let subtopics: [String]

    /// `prefix` stands before the field that a refusal names: `topics[3].`.
    ///
    /// - Throws: `LibraryError.invalid` for an empty or long text, too many subtopics, or one that
    ///   stands twice.
    package init(
        title: String, subtopics: [String] = [], prefix: String = ""
    ) throws(LibraryError) {
        self.title = try Self.text(title, "\(prefix)title")
        guard subtopics.count <= Self.subtopicLimit else {
            throw .invalid(
                field: "\(prefix)subtopics",
                reason: "expected at most \(Self.subtopicLimit), got \(subtopics.count)")
        }
        var checked: [String] = []
        var seen: Set<String> = []
        for (index, subtopic) in subtopics.enumerated() {
            let field = "\(prefix)subtopics[\(index)]"
            let text = try Self.text(subtopic, field)
            guard seen.insert(text.lowercased()).inserted else {
                throw .invalid(field: field, reason: "stands there already")
            }
            checked.append(text)
        }
        self.subtopics = checked
    }

    /// Checks topics that are to stand side by side.
    ///
    /// - Throws: `LibraryError.invalid` when there are none or too many, or a title stands twice.
    package static func check(_ topics: [NewTopic]) throws(LibraryError) {
        guard (1...sessionLimit).contains(topics.count) else {
            throw .invalid(
                field: "topics", reason: "expected 1 to \(sessionLimit), got \(topics.count)")
        }
        var seen: Set<String> = []
        for (index, topic) in topics.enumerated()
        where !seen.insert(topic.title.lowercased()).inserted {
            throw .invalid(field: "topics[\(index)].title", reason: "stands there already")
        }
    }

    private static func text(_ text: String, _ field: String) throws(LibraryError) -> String {
        let folded = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard (1...textLimit).contains(folded.utf8.count) else {
            throw .invalid(
                field: field,
                reason: "expected 1 to \(textLimit) bytes, got \(folded.utf8.count)")
        }
        return folded
    }
}

extension Topic {
    /// The texts whose vectors say what a topic is about: the title, and each subtopic under it.
    /// A subtopic alone ("History") would be about anything.
    package var texts: [String] { [title] + subtopics.map { "\(title): \($0)" } }
}
