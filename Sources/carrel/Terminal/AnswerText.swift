// An answer as people read it.

import Foundation

/// The hits of a search and what it took, as lines no wider than the terminal.
struct AnswerText {
    let lines: [String]

    /// `snippet`: how many lines of each passage are shown.
    init(_ answer: SearchShape, width: Int, snippet: Int = 2) {
        let hits = answer.hits.flatMap { hit in
            [Self.head(hit).cut(to: width)] + Self.wrapped(hit.text, width: width, lines: snippet)
        }
        lines = (hits.isEmpty ? ["nothing near enough"] : hits) + [Self.foot(answer.meta)]
    }

    // 1  0.7312  fhs-3.0.pdf, p. 18 · 3 The Root Filesystem › 3.9 /lib
    private static func head(_ hit: HitShape) -> String {
        let score = String(format: "%.4f", hit.score)
        let place = "\(hit.document.fileName), \(pages(hit.pages))"
        let section = hit.section.joined(separator: " › ")
        return "\(hit.rank)  \(score)  \(place)" + (section.isEmpty ? "" : " · \(section)")
    }

    private static func pages(_ pages: [Int]) -> String {
        guard let first = pages.first, let last = pages.last else { return "no page" }
        return first == last ? "p. \(first)" : "pp. \(first)–\(last)"
    }

    private static func wrapped(_ text: String, width: Int, lines: Int) -> [String] {
        let indent = "           "
        var rows: [String] = []
        var row = ""
        let words = text.split(whereSeparator: \.isWhitespace)
        for (index, word) in words.enumerated() {
            if !row.isEmpty, indent.count + row.count + 1 + word.count > width {
                guard rows.count + 1 < lines else {
                    return rows + [(indent + row + " …").cut(to: width)]
                }
                rows.append(indent + row)
                row = ""
            }
            row += (row.isEmpty ? "" : " ") + word
            if index == words.count - 1 { rows.append((indent + row).cut(to: width)) }
        }
        return rows
    }

    // sql-exact (proven), 412 of 412 chunks examined, 8.10 ms: embed 7.20, candidates 0.61
    private static func foot(_ meta: MetaShape) -> String {
        let stages = order(meta.tookUs.keys)
            .filter { meta.tookUs[$0]! >= 1 }
            .map { String(format: "\($0) %.2f", meta.tookUs[$0]! / 1000) }
            .joined(separator: ", ")
        let kind = meta.certificate.map { " (\($0.kind))" } ?? ""
        return "   \(meta.plan)\(kind), \(meta.examined) of \(meta.sessionChunks) chunks examined, "
            + String(format: "%.2f ms: ", meta.serverMilliseconds) + stages
    }

    /// The stages as a query passes them; unknown ones last.
    private static func order(_ stages: some Sequence<String>) -> [String] {
        let path = ["queue", "embed", "scan", "candidates", "rerank", "fuse", "expand", "encode"]
        return stages.sorted {
            (path.firstIndex(of: $0) ?? path.count, $0) < (
                path.firstIndex(of: $1) ?? path.count, $1
            )
        }
    }
}
