// A judged collection on disk: passages, questions, and which answers which.

import Crypto
import Foundation

/// A folder laid out as corpus.jsonl {"id","title","text"}, queries.jsonl {"id","text"}, qrels.tsv and,
/// for sessions of their own, sessions.tsv (session<TAB>group) with a "group" in both files.
package struct Collection: Sendable {
    package struct Passage: Sendable {
        package let id: String
        package let text: String
        package let group: String?
    }
    package struct Question: Sendable, Decodable {
        package let id: String
        package let text: String
        package let group: String?
    }

    package let name: String
    package let passages: [Passage]
    /// Passages without any text, which have no embedding and are left out.
    package let emptyPassages: Int
    package let questions: [Question]
    package let judgements: Judgements
    /// Which groups make a session, in the order of sessions.tsv; empty without that file.
    package let sessions: [(name: String, groups: Set<String>)]
    /// Changes whenever a passage does; tells a load that is already there.
    package let fingerprint: String

    private struct Line: Decodable {
        let id: String
        let title: String?
        let text: String
        let group: String?
    }

    package init(folder: String, qrels: String = "qrels.tsv") throws {
        name = URL(filePath: folder).lastPathComponent
        let corpus = try Self.contents("\(folder)/corpus.jsonl")
        let lines = try JSONLines.decode(Line.self, from: corpus, file: "corpus.jsonl")
        // As in the reference figures: title, a space, text; blanks at the ends removed.
        let all = lines.map { line in
            let text = "\(line.title ?? "") \(line.text)"
                .trimmingCharacters(in: .whitespacesAndNewlines)
            return Passage(id: line.id, text: text, group: line.group)
        }
        passages = all.filter { !$0.text.isEmpty }
        emptyPassages = all.count - passages.count
        questions = try JSONLines.decode(
            Question.self, from: try Self.contents("\(folder)/queries.jsonl"), file: "queries.jsonl"
        )
        judgements = try Judgements(
            reading: String(decoding: try Self.contents("\(folder)/\(qrels)"), as: UTF8.self),
            file: qrels)
        sessions = Self.sessions(
            (try? Self.contents("\(folder)/sessions.tsv")).map {
                String(decoding: $0, as: UTF8.self)
            })
        fingerprint = SHA256.hash(data: corpus).prefix(6)
            .map { String(format: "%02x", $0) }.joined()
    }

    private static func contents(_ path: String) throws -> Data {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure("there is no \(path)")
        }
        return data
    }

    private static func sessions(_ text: String?) -> [(name: String, groups: Set<String>)] {
        var sessions: [(name: String, groups: Set<String>)] = []
        for line in (text ?? "").split(whereSeparator: \.isNewline).dropFirst() {
            let columns = line.split(separator: "\t").map(String.init)
            guard columns.count == 2 else { continue }
            if sessions.last?.name == columns[0] {
                sessions[sessions.count - 1].groups.insert(columns[1])
            } else {
                sessions.append((columns[0], [columns[1]]))
            }
        }
        return sessions
    }
}
