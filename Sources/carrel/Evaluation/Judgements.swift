// Which passages answer which question, as people judged it: the `qrels` of TREC.

/// The judgements of a collection: for every question, the passages and how relevant each is.
///
/// A relevance above zero means relevant; its size is the gain of nDCG (`trec_eval`'s default). A
/// passage without a judgement counts as not relevant.
package struct Judgements: Sendable {
    package private(set) var relevance: [String: [String: Int]] = [:]

    package init() {}

    /// Reads lines `query<TAB>document<TAB>relevance`, the first of which may be a header, or the four
    /// columns of TREC (`query iteration document relevance`).
    ///
    /// - Throws: `FileProblem` naming the line.
    package init(reading text: String, file: String) throws(FileProblem) {
        for (index, line) in text.split(whereSeparator: \.isNewline).enumerated() {
            let columns = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
            if index == 0, Int(columns.last ?? "") == nil { continue }
            guard columns.count == 3 || columns.count == 4,
                let grade = Int(columns[columns.count - 1])
            else {
                throw FileProblem(
                    file: file, line: index + 1,
                    reason: "expected query, document and an integer relevance")
            }
            judge(String(columns[0]), String(columns[columns.count - 2]), grade)
        }
    }

    package mutating func judge(_ query: String, _ document: String, _ grade: Int) {
        relevance[query, default: [:]][document] = grade
    }

    /// The questions with at least one relevant passage; the others say nothing about a ranking.
    package func isJudged(_ query: String) -> Bool {
        relevance[query]?.values.contains { $0 > 0 } ?? false
    }
}

/// A file that could not be read as what it should be.
package struct FileProblem: Error, CustomStringConvertible, Sendable {
    package let file: String
    package var line: Int?
    package let reason: String

    package var description: String {
        line.map { "\(file), line \($0): \(reason)" } ?? "\(file): \(reason)"
    }
}
