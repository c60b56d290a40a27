// What the benchmark stores and asks: real vectors from a file, or random ones from a seed.

import Foundation
import Vectors

struct VectorSource {
    /// Names the vectors in a session's title, so that a stored set is found again.
    let name: String
    let rows: Int
    private let row: (Int) throws -> UnitVector

    func vector(_ index: Int) throws -> UnitVector { try row(index) }

    /// Rows of a file, widened to 768 with zeros, which changes no cosine.
    init(file: String) throws {
        let vectors = try VectorFile(file)
        name = "\(URL(filePath: file).lastPathComponent) \(vectors.count)x\(vectors.dimension)"
        rows = vectors.count
        row = { try UnitVector(padding: vectors.row($0)) }
    }

    /// Independent Gaussian directions: the hardest case for an index, since all rows are about
    /// equally far from every query.
    init(seed: UInt64) {
        name = "random \(seed)"
        rows = .max
        row = { index in
            var random = SplitMix64(state: seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
            return try UnitVector(
                normalizing: (0..<UnitVector.dimension).map { _ in random.nextGaussian() })
        }
    }
}

/// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014).
struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Box and Muller's transform, one of its two values.
    mutating func nextGaussian() -> Float {
        let radius = Double(next() >> 11 | 1) * 0x1p-53
        let angle = Double(next() >> 11) * 0x1p-53
        return Float((-2 * log(radius)).squareRoot() * cos(2 * .pi * angle))
    }
}
