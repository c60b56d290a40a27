internal import Foundation

/// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014).
///
/// Written out here because the benchmarks are a package of their own: they measure the program and
/// share none of its arithmetic.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    private var spare: Float?

    /// Streams of the same seed are independent of each other, so that row 7 is the same whether or
    /// not row 6 was made.
    init(seed: UInt64, stream: UInt64 = 0) {
        state = seed &* 0xD6E8_FEB8_6659_FD93 &+ stream &* 0x9E37_79B9_7F4A_7C15
        _ = next()
        state ^= stream &* 0xBF58_476D_1CE4_E5B9
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Mean 0, variance 1, by Box and Muller's transform.
    mutating func gaussian() -> Float {
        if let spare {
            self.spare = nil
            return spare
        }
        let radius = (-2 * log(Double(next() >> 11 | 1) * 0x1p-53)).squareRoot()
        let angle = 2 * .pi * Double(next() >> 11) * 0x1p-53
        spare = Float(radius * sin(angle))
        return Float(radius * cos(angle))
    }
}
