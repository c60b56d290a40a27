// How many topics a content has, and which parents belong to each.

internal import Vectors

/// Parents grouped by likeness, in the order in which a reader meets them.
struct TopicClusters {
    /// Rows of each cluster, ascending.
    let groups: [[Int]]
    /// Rows of each cluster, nearest to its middle first.
    let central: [[Int]]

    /// The most topics that a draft proposes.
    static let most = 24
    /// From this silhouette on the content is taken to have clusters of its own. Chapters give 0.8
    /// and more, a collection of abstracts of one field 0.3.
    static let clear = 0.5
    /// What a larger number of clusters must gain.
    private static let gain = 0.005
    private static let restarts = 4 as UInt64
    private static let seed = 20_261_121 as UInt64

    /// Clusters of unit rows.
    ///
    /// k runs from 3 to a third of the rows, at most 24, and the largest simplified silhouette wins
    /// (Hruschka et al., 2004: distances to centroids instead of to all rows). Where even that is
    /// low there are no clear clusters, and k is the root of half the rows, at most 12.
    ///
    /// Clusters of a single row, or of less than a fiftieth of all, are title pages, licences and
    /// indexes; they make no topic.
    init(vectors rows: Block) {
        let n = rows.count
        let fewest = min(3, n)
        var best = Self.best(rows, k: fewest)
        var score = best.silhouette
        for k in fewest + 1..<max(fewest + 1, min(Self.most, (n + 2) / 3) + 1) {
            let next = Self.best(rows, k: k)
            if next.silhouette > score + Self.gain { (best, score) = (next, next.silhouette) }
        }
        if score < Self.clear, n > 2 * fewest {
            let root = Int((Double(n) / 2).squareRoot().rounded())
            best = Self.best(rows, k: min(max(fewest, root), 12))
        }
        let all = (0..<best.centroids.count).map { cluster in
            (0..<n).filter { best.assignment[$0] == cluster }
        }
        let large = all.filter { $0.count >= (n >= 8 ? 2 : 1) && $0.count * 50 >= n }
        // By the middle of each, so that a stray parent early in the text does not lead.
        groups = (large.isEmpty ? all.filter { !$0.isEmpty } : large).sorted {
            ($0[$0.count / 2], $0[0]) < ($1[$1.count / 2], $1[0])
        }
        central = groups.map { rows in
            rows.sorted { (-best.similarities[$0], $0) < (-best.similarities[$1], $1) }
        }
    }

    private static func best(_ rows: Block, k: Int) -> Clustering {
        var best = KMeans.cluster(rows, k: k, seed: seed)
        for restart in 1..<restarts {
            let next = KMeans.cluster(rows, k: k, seed: seed &+ restart)
            if next.cohesion > best.cohesion { best = next }
        }
        return best
    }
}

extension Clustering {
    /// The mean of (b − a) / max(a, b): a is a row's distance to its own centroid, b to the next.
    var silhouette: Double {
        guard centroids.count > 1 else { return 0 }
        let sum = zip(similarities, runnersUp).reduce(0.0) { sum, pair in
            let (own, next) = (1 - Double(pair.0), 1 - Double(pair.1))
            return sum + (next - own) / max(own, next, 1e-9)
        }
        return sum / Double(similarities.count)
    }
}
