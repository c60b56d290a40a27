/// The right answers: every row compared with the query.
public struct ExactNearest: Sendable {
    /// Two scores nearer than this are a tie: the program ranks by fp32 distances, whose steps near
    /// 1 are half as large, and either of two such rows is a right answer.
    static let tie = 0x1p-22
    /// What a sum of 768 products in fp32 may be wrong by, for rows of length 1; generous.
    private static let doubt: Float = 1e-5

    private let rows: [Float]
    /// How many rows there are.
    public let count: Int

    /// The first rows of a source, held in memory: 3 KiB each.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - source: where from.
    /// - Throws: what ``VectorSource/vector(_:)`` throws.
    public init(_ count: Int, of source: VectorSource) throws(WorkloadError) {
        var rows: [Float] = []
        rows.reserveCapacity(count * VectorSource.dimension)
        for index in 0..<count { rows += try source.vector(index) }
        self.rows = rows
        self.count = count
    }

    /// How many of the answered rows belong to the `k` nearest, of `min(k, count)`.
    ///
    /// fp32 finds the rows in question, fp64 decides between them.
    ///
    /// - Parameters:
    ///   - answered: the row numbers of the answer.
    ///   - query: 768 numbers of length 1.
    ///   - k: how many were asked for.
    /// - Returns: at most `min(k, count)`; a row named twice counts once.
    public func right(_ answered: [Int], for query: [Float], k: Int) -> Int {
        let k = min(k, count)
        let scores = unsafe rows.withUnsafeBufferPointer { rows in
            unsafe query.withUnsafeBufferPointer { query in
                let first = rows.baseAddress!
                let q = query.baseAddress!
                let width = VectorSource.dimension
                return (0..<count).map { unsafe dot(first + $0 * width, q, count: width) }
            }
        }
        let limit = Self.largest(k, of: scores) - Self.doubt
        let exact = scores.indices.filter { scores[$0] >= limit }
            .map { score(of: $0, query) }.sorted(by: >)
        let last = exact[k - 1] - Self.tie
        return min(k, Set(answered).count { $0 < count && score(of: $0, query) >= last })
    }

    private func score(of row: Int, _ query: [Float]) -> Double {
        let start = row * VectorSource.dimension
        return exactDot(rows[start..<start + VectorSource.dimension], query)
    }

    /// The `k`-th largest.
    private static func largest(_ k: Int, of scores: [Float]) -> Float {
        var best: [Float] = []
        for score in scores where best.count < k || score > best[0] {
            // Ascending; k is small, and a row that gets in is rare after the first few hundred.
            if best.count == k { best.removeFirst() }
            best.insert(score, at: best.firstIndex { $0 > score } ?? best.count)
        }
        return best[0]
    }
}
