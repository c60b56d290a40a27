// A step of the schema's history, read from a file `NNNN_verb_noun.sql`: the way up, a line
// `-- down`, the way down.

internal import Crypto
internal import Indexes

/// One migration. Its hash is that of the whole file: changing a comment is changing history.
package struct Migration: Sendable, Equatable {
    package let number: Int
    package let name: String
    package let up: String
    package let down: String
    /// SHA-256 of the file, lower hex.
    package let sha256: String

    /// Every migration of this program, oldest first.
    package static let all: [Migration] = Indexes.migrations.map {
        Migration(fileName: $0.name, text: $0.text)
    }

    /// - Precondition: the name is `NNNN_…` and the text has a line `-- down`.
    package init(fileName: String, text: String) {
        let parts = fileName.split(separator: "_", maxSplits: 1)
        guard parts.count == 2, parts[0].utf8.count == 4, let number = Int(parts[0]) else {
            preconditionFailure("a migration is named NNNN_verb_noun, got \(fileName)")
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let border = lines.firstIndex(of: "-- down") else {
            preconditionFailure("\(fileName) has no line '-- down'")
        }
        self.number = number
        name = String(parts[1])
        up = lines[..<border].joined(separator: "\n")
        down = lines[(border + 1)...].joined(separator: "\n")
        sha256 = SHA256.hash(data: Array(text.utf8)).hexadecimal
    }

    /// The way up as it is run. Lines that begin with `-- citus: ` are comments to PostgreSQL and
    /// statements to Citus, where a table must be distributed right after it is created: later,
    /// its foreign keys would stand in the way.
    ///
    /// Row-level security is left out there: Citus refuses subqueries in the policies of distributed
    /// tables (docs/decisions/0016).
    func statements(onCitus: Bool) -> String {
        guard onCitus else { return up }
        return up.replacing("\n-- citus: ", with: "\n")
            .replacing(
                /(?m)^(CREATE POLICY|ALTER TABLE \S+ ENABLE ROW LEVEL SECURITY)[^;]*;/, with: "")
    }
}

extension Sequence<UInt8> {
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
