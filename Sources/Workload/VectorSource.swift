// What a benchmark stores and asks: real vectors from a file, or seeded ones.

internal import Foundation

/// Rows of length 1 in 768 dimensions, the same ones every time.
public struct VectorSource: Sendable {
    /// How many numbers a row has.
    public static let dimension = 768

    /// Names the vectors in a session's title, so that a stored set is found again.
    public let name: String
    /// How many there are.
    public let rows: Int
    private let row: @Sendable (Int) throws(WorkloadError) -> [Float]

    /// Row `index`, of length 1.
    ///
    /// - Parameter index: counted from 0.
    /// - Returns: 768 numbers.
    /// - Throws: when the file holds a row of zeros.
    public func vector(_ index: Int) throws(WorkloadError) -> [Float] { try row(index) }

    /// The rows of a NumPy file, lifted to 768 dimensions (``Lift``).
    ///
    /// - Parameter file: where it is; its width is a multiple of 16, at most 768.
    /// - Throws: what is wrong with the file.
    public init(file: String) throws(WorkloadError) {
        let vectors = try VectorFile(file)
        guard vectors.dimension <= Self.dimension, vectors.dimension % 16 == 0 else {
            throw WorkloadError(
                "\(file): expected a width of at most 768 and a multiple of 16, "
                    + "got \(vectors.dimension)")
        }
        let lift = vectors.dimension == Self.dimension ? nil : Lift(from: vectors.dimension)
        name = "\(URL(filePath: file).lastPathComponent) \(vectors.count)x\(vectors.dimension)"
        rows = vectors.count
        row = { index throws(WorkloadError) in
            let row = vectors.row(index)
            return try unit(lift?.apply(row) ?? row)
        }
    }

    /// Seeded vectors in clusters, as texts about a number of subjects are: the centre of the
    /// cluster plus as much noise, so that two rows of one subject have a cosine of about 0.5.
    ///
    /// - Parameters:
    ///   - seed: fixes the clusters; sources of one seed are about the same subjects.
    ///   - part: 0 for what is stored, another number for questions, which are near the stored
    ///     rows but not among them.
    public init(clustered seed: UInt64, part: UInt64 = 0) {
        name = "clustered \(seed)"
        rows = .max
        let centres = (0..<Self.clusters).map { cluster in
            Self.gaussian(SeededRandom(seed: seed, stream: UInt64(cluster)))
        }
        row = { index throws(WorkloadError) in
            var random = SeededRandom(seed: seed &+ 1 &+ part, stream: UInt64(index))
            let centre = centres[Int.random(in: 0..<Self.clusters, using: &random)]
            return try unit(zip(centre, Self.gaussian(random)).map { $0 + $1 })
        }
    }

    private static let clusters = 128

    private static func gaussian(_ random: SeededRandom) -> [Float] {
        var random = random
        return (0..<dimension).map { _ in random.gaussian() }
    }
}
