// Which way to the candidates is cheaper: comparing every row that matches, or walking the graph.
//
// pgvector keeps one graph over all sessions, and a filter is applied to what the walk brings up.
// So its cost does not depend on the size of the session but on its *share* of the table: to
// bring up n rows of a session that owns a tenth of them, it must visit 10·n. The exact scan costs
// the same for each matching row, whatever else is in the table. Small sessions and narrow filters
// are therefore scanned, large ones walked, and the answer to a small one is proven on top.
//
// Measured with PostgreSQL 16.14, pgvector 0.8.5, m = 16, ef_construction = 64, 60,000 vectors of
// real text (shared data `vectors/`, zero-padded to 768), ~860 bytes of text a row, backend CPU time:
//
//     exact, vectors in the row (STORAGE PLAIN)     1.4–1.7 µs a row in session order,
//                                                   2.1–2.8 µs scattered
//     exact, vectors out of line (the default)      4.5–5.3 µs, 5.4–11 µs
//     HNSW, strict order, visited = max(ef, n/share):
//       ef 100, 5.1–7.5 ms; 200, 5.7–9.2 ms; 400, 10.5 ms; 800, 17 ms; so 21–26 µs a visited row
//       n 100 at a share of 1/16 (1,600 visited), 40 ms: 25 µs
//     recall@10 at shares of 1/2, 1/4, 1/8 (100 queries):
//       ef 100  .969 .957 .934      ef 400  .998 .999 .990
//       ef 200  .988 .985 .966      ef 800  .999 1.00 .996

/// How candidates are to be found.
package enum Plan: Sendable, Equatable {
    /// Compare every matching row in SQL and take the nearest `depth`.
    case exact(depth: Int)
    /// Walk pgvector's graph with that list size until `depth` matching rows came up.
    case hnsw(depth: Int, efSearch: Int)

    package var kind: PlanKind {
        switch self {
        case .exact: .exact
        case .hnsw: .hnsw
        }
    }
}

/// What a plan depends on.
package struct PlanInput: Sendable, Equatable {
    package var k: Int
    /// Rows of the session that pass the filter. Too many is safe; too few could hide the graph.
    package var matching: Int
    /// Rows of all sessions in the graph, as far as PostgreSQL's statistics know.
    package var tableRows: Int
    /// Rows of the session that are not in the graph yet and would be compared beside the walk.
    package var pending: Int

    package init(k: Int, matching: Int, tableRows: Int, pending: Int = 0) {
        self.k = k
        self.matching = matching
        self.tableRows = tableRows
        self.pending = pending
    }
}

/// Chooses by a cost in microseconds. A value, so that tests can ask it anything.
package struct Planner: Sendable {
    /// Comparing one matching row.
    package var exactRowCost = 2.2
    /// Bringing up one row from the graph, whether it matches or not.
    package var visitCost = 25.0

    package init() {}

    package func plan(_ input: PlanInput) -> Plan {
        let depth = Self.depth(k: input.k)
        let efSearch = Self.efSearch(k: input.k, share: share(input))
        let visited = max(Double(efSearch), Double(depth) / share(input))
        let exact = Double(input.matching) * exactRowCost
        let walk = visited * visitCost + Double(input.pending) * exactRowCost
        // hnsw.max_scan_tuples (20,000) would end the walk before it has enough rows.
        guard visited <= 20_000, walk < exact else { return .exact(depth: depth) }
        return .hnsw(depth: depth, efSearch: efSearch)
    }

    /// How many candidates are scored exactly for k hits.
    ///
    /// More than k, because pgvector's sums in single precision may order near-equal rows another
    /// way: in real text a few rows lie within its error of the k-th (`ExactSource`).
    static func depth(k: Int) -> Int { k + max(16, k / 10) }

    /// The list size: 400 brings recall@10 to .99, a longer answer needs a list of twice its length,
    /// and below a share of an eighth recall falls off, so the list grows as the share shrinks.
    /// pgvector allows 1,000.
    static func efSearch(k: Int, share: Double) -> Int {
        let wanted = max(400, 2 * depth(k: k))
        return min(1_000, Int(Double(wanted) * max(1, (0.125 / share).squareRoot())))
    }

    /// Stale statistics can know fewer rows than match; a share is never above one.
    private func share(_ input: PlanInput) -> Double {
        let matching = Double(max(1, input.matching))
        return matching / max(matching, Double(input.tableRows))
    }
}
