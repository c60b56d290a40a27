// Spherical k-means: rows of unit length, each sorted to the nearest of k directions (Dhillon and
// Modha, "Concept Decompositions for Large Sparse Text Data Using Clustering", Machine Learning 42,
// 2001), begun as k-means++ begins (Arthur and Vassilvitskii, SODA 2007).

/// Rows sorted to directions.
package struct Clustering: Sendable {
    /// Directions of unit length, `[k × d]`.
    package let centroids: Block
    /// The nearest direction of each row; of equally near ones the first.
    package let assignment: [Int]
    /// The cosine of each row to that direction.
    package let similarities: [Float]
    /// The cosine of each row to the second nearest; −1 when there is only one direction.
    package let runnersUp: [Float]

    /// What k-means makes large: the mean of `similarities`.
    package var cohesion: Double {
        similarities.reduce(0) { $0 + Double($1) } / Double(max(1, similarities.count))
    }
}

package enum KMeans {
    /// Rows that are multiplied at once: a tile of products stays in the second-level cache.
    private static let tile = 256

    /// At most `k` clusters of the rows; fewer only when fewer rows differ.
    ///
    /// The same rows, k and seed give the same clustering on one machine. It stops when no row moves
    /// any more, or after so many rounds.
    ///
    /// - Complexity: O(n·k·d) a round, all of it in BLAS.
    /// - Precondition: at least one row, rows of unit length, `k > 0`.
    package static func cluster(
        _ rows: Block, k: Int, seed: UInt64, rounds: Int = 50
    ) -> Clustering {
        precondition(rows.count > 0 && k > 0, "\(k) clusters of \(rows.count) rows")
        BLAS.pinToOneThread()
        var found = assign(rows, to: seeds(rows, k, seed))
        for _ in 0..<rounds {
            let moved = assign(rows, to: means(rows, found))
            let isSettled = moved.assignment == found.assignment
            found = moved
            if isSettled { break }
        }
        return found
    }

    /// Each row sorted to the nearest of the given directions.
    package static func assign(_ rows: Block, to centroids: Block) -> Clustering {
        precondition(
            rows.dimension == centroids.dimension && centroids.count > 0,
            "rows of \(rows.dimension), \(centroids.count) directions of \(centroids.dimension)")
        let k = centroids.count
        var assignment = [Int](repeating: 0, count: rows.count)
        var similarities = [Float](repeating: 0, count: rows.count)
        var runnersUp = [Float](repeating: -1, count: rows.count)
        var products = [Float](repeating: 0, count: tile * k)
        for start in stride(from: 0, to: rows.count, by: tile) {
            let count = min(tile, rows.count - start)
            unsafe rows.withUnsafeRows { row in
                unsafe centroids.withUnsafeRows { centroid in
                    unsafe products.withUnsafeMutableBufferPointer { products in
                        unsafe BLAS.gemm(
                            transposeB: true, m: count, n: k, k: rows.dimension,
                            a: row + start * rows.dimension, b: centroid,
                            c: products.baseAddress!)
                    }
                }
            }
            for row in 0..<count {
                var best = row * k
                var second: Float = -1
                for at in row * k + 1..<(row + 1) * k {
                    if products[at] > products[best] {
                        second = products[best]
                        best = at
                    } else {
                        second = max(second, products[at])
                    }
                }
                runnersUp[start + row] = second
                assignment[start + row] = best - row * k
                similarities[start + row] = products[best]
            }
        }
        return Clustering(
            centroids: centroids, assignment: assignment, similarities: similarities,
            runnersUp: runnersUp)
    }

    /// k-means++: the first row at random, each further one with a chance that grows with its distance
    /// from the nearest before it. 1 − cosine is half the squared distance of unit vectors.
    private static func seeds(_ rows: Block, _ k: Int, _ seed: UInt64) -> Block {
        var random = SplitMix64(seed: seed)
        var chosen = [Int.random(in: 0..<rows.count, using: &random)]
        var distances = [Float](repeating: .infinity, count: rows.count)
        while chosen.count < min(k, rows.count) {
            let last = rows.row(chosen[chosen.count - 1])
            let products = products(rows, last)
            for row in distances.indices {
                // Rounding leaves equal rows a little apart; they are no second cluster.
                let distance = 1 - products[row]
                distances[row] = min(distances[row], distance < 1e-6 ? 0 : distance)
            }
            let total = distances.reduce(0) { $0 + Double($1) }
            guard total > 0 else { break }
            var left = Double.random(in: 0..<total, using: &random)
            let next = distances.indices.first {
                left -= Double(distances[$0])
                return left < 0
            }
            chosen.append(next ?? distances.lastIndex { $0 > 0 }!)
        }
        return Block(count: chosen.count, dimension: rows.dimension) { elements in
            for (place, row) in chosen.enumerated() {
                for (column, value) in rows.row(row).enumerated() {
                    elements[place * rows.dimension + column] = value
                }
            }
        }
    }

    /// The direction of each cluster's sum. A cluster without rows, or whose rows cancel out, begins
    /// again at the row that is worst placed.
    private static func means(_ rows: Block, _ found: Clustering) -> Block {
        let (k, d) = (found.centroids.count, rows.dimension)
        var sums = [Float](repeating: 0, count: k * d)
        for start in stride(from: 0, to: rows.count, by: tile) {
            let count = min(tile, rows.count - start)
            // The sum as a product: a row of `members` says by a 1 where its row belongs.
            var members = [Float](repeating: 0, count: count * k)
            for row in 0..<count { members[row * k + found.assignment[start + row]] = 1 }
            unsafe rows.withUnsafeRows { row in
                unsafe sums.withUnsafeMutableBufferPointer { sums in
                    unsafe BLAS.gemm(
                        transposeA: true, m: k, n: d, k: count, a: members,
                        b: row + start * d, beta: 1, c: sums.baseAddress!)
                }
            }
        }
        let norms = (0..<k).map { cluster in
            sums[cluster * d..<(cluster + 1) * d]
                .reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        }
        let lost = norms.indices.filter { norms[$0] < 1e-6 }
        let worst: [Int] = lost.isEmpty ? [] : found.worstPlaced(lost.count)
        return Block(count: k, dimension: d) { elements in
            for cluster in 0..<k {
                for column in 0..<d {
                    let at = cluster * d + column
                    elements[at] = Float(Double(sums[at]) / norms[cluster])
                }
            }
            for (cluster, row) in zip(lost, worst) {
                for (column, value) in rows.row(row).enumerated() {
                    elements[cluster * d + column] = value
                }
            }
        }
    }

    /// The cosine of every row to one direction.
    private static func products(_ rows: Block, _ direction: [Float]) -> [Float] {
        var products = [Float](repeating: 0, count: rows.count)
        unsafe rows.withUnsafeRows { row in
            unsafe products.withUnsafeMutableBufferPointer { products in
                unsafe BLAS.gemv(
                    rows: rows.count, columns: rows.dimension, a: row, x: direction,
                    y: products.baseAddress!)
            }
        }
        return products
    }
}

extension Clustering {
    /// The rows farthest from their directions.
    fileprivate func worstPlaced(_ count: Int) -> [Int] {
        let worstFirst = similarities.indices.sorted {
            (similarities[$0], $0) < (similarities[$1], $1)
        }
        return Array(worstFirst.prefix(count))
    }
}
