/// A random rotation of space, fast: three rounds of random signs and fixed mixing.
///
/// The 1-bit codes (`BitCodes`) need their error spread evenly over all coordinates, whatever the
/// data. A rotation drawn uniformly does that, and costs d² products a vector. Here a round changes
/// the sign of each coordinate at random, multiplies each third of the vector by a Hadamard matrix of
/// 256, and mixes the thirds by a reflection: d·log₂ d sums. One round spreads any vector (Ailon and
/// Chazelle, SIAM J. Comput. 39, 2009); after three nobody has told the result from a uniform rotation's
/// (Andoni et al., NIPS 2015, §3), which RaBitQ's own library uses as well. What was measured of it is in
/// docs/decisions/0023.
///
/// The same seed gives the same bits on every machine.
package struct Rotation: Sendable {
    package static let dimension = UnitVector.dimension
    private static let rounds = 3

    package let seed: UInt64
    /// `[3 × 768]`: ±1/16, which makes the Hadamard matrices orthonormal.
    private let signs: [Float]

    package init(seed: UInt64) {
        self.seed = seed
        var random = SplitMix64(seed: seed)
        let words = (0..<Self.rounds * Self.dimension / 64).map { _ in random.next() }
        signs = words.flatMap { word in
            (0..<64).map { bit in word >> bit & 1 == 0 ? 0.0625 : -0.0625 }
        }
    }

    /// Rotates 768 numbers where they are. No allocation.
    func rotate(at vector: UnsafeMutablePointer<Float>) {
        unsafe signs.withUnsafeBufferPointer { signs in
            unsafe Kernels.current.rotate(at: vector, signs: signs.baseAddress!)
        }
    }

    /// - Precondition: 768 numbers.
    package func rotate(_ vector: inout [Float]) {
        Kernels.current.rotate(&vector, signs: signs)
    }
}
