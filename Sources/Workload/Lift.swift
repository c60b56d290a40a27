/// Narrow vectors turned into 768 dimensions: padded with zeros, then rotated.
///
/// Neither changes an inner product. The rotation spreads a row over all coordinates, as the rows of
/// a wide model are: half a row of zeros would flatter every engine that codes them one by one.
struct Lift: Sendable {
    /// The images of the first `narrow` unit vectors, side by side: `[768 × narrow]`, row-major.
    private let columns: [Float]
    private let narrow: Int

    private static let seed: UInt64 = 768

    /// A fixed random rotation: Gaussian vectors made orthonormal (modified Gram–Schmidt, twice,
    /// which is as good as Householder; Giraud et al. 2005).
    init(from narrow: Int) {
        var random = SeededRandom(seed: Self.seed)
        var basis: [[Double]] = []
        for _ in 0..<narrow {
            var vector = (0..<VectorSource.dimension).map { _ in Double(random.gaussian()) }
            for _ in 0..<2 {
                for other in basis {
                    let part = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
                    for index in vector.indices { vector[index] -= part * other[index] }
                }
            }
            let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            basis.append(vector.map { $0 / length })
        }
        self.narrow = narrow
        columns = (0..<VectorSource.dimension).flatMap { row in
            basis.map { Float($0[row]) }
        }
    }

    func apply(_ vector: [Float]) -> [Float] {
        precondition(vector.count == narrow, "expected \(narrow) numbers, got \(vector.count)")
        return unsafe columns.withUnsafeBufferPointer { columns in
            unsafe vector.withUnsafeBufferPointer { vector in
                let matrix = columns.baseAddress!
                let x = vector.baseAddress!
                return (0..<VectorSource.dimension).map {
                    unsafe dot(matrix + $0 * narrow, x, count: narrow)
                }
            }
        }
    }
}
