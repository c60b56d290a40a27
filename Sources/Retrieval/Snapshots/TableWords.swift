// The words of a table of chunks, indexed when somebody first asks for them.

package import Lexical
import Synchronization

/// The indexes of one table, one a language. Shared by all snapshots that share the table's columns, so an
/// index outlives catch-ups and tombstones; what is appended is a table of its own.
package final class TableWords: Sendable {
    private let indexes = Mutex<[Language: LexicalIndex]>([:])

    init() {}

    /// The index, if it was made.
    package func index(_ language: Language) -> LexicalIndex? {
        indexes.withLock { $0[language] }
    }

    /// Memory held by all indexes.
    var byteCount: Int { indexes.withLock { $0.values.reduce(0) { $0 + $1.byteCount } } }

    func keep(_ index: LexicalIndex) { indexes.withLock { $0[index.language] = index } }
}

extension SessionSnapshot {
    /// Whether every table holds its words in this language, so that a search need not wait.
    package func hasWords(_ language: Language) -> Bool {
        tables.allSatisfy { $0.count == 0 || $0.columns.words.index(language) != nil }
    }

    /// About what indexing them would take: English passages of 860 bytes have 70 postings of six bytes
    /// each, half of the text, and while they are made as much again.
    func wordBytes(_ language: Language) -> Int {
        tables.reduce(0) {
            $0 + ($1.columns.words.index(language) == nil ? $1.columns.text.count : 0)
        }
    }

    /// Indexes what is not indexed yet.
    ///
    /// - Complexity: about 25 µs a row of 200 tokens. Not for a thread that answers.
    func indexWords(_ language: Language) {
        for table in tables
        where table.count > 0 && table.columns.words.index(language) == nil {
            table.columns.words.keep(table.columns.indexed(language))
        }
    }

    /// The same, what it holds counted anew.
    func recounted() -> SessionSnapshot {
        SessionSnapshot(version: version, model: model, segments: segments)
    }

    private var tables: [RowTable] { segments.flatMap { [$0.children, $0.parents] } }
}
