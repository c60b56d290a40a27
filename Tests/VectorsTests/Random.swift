import Vectors

extension SplitMix64 {
    /// Uniform in −1..<1.
    mutating func floats(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float.random(in: -1..<1, using: &self) }
    }

    /// A direction chosen uniformly among those that leave all but `width` elements zero.
    mutating func unitVector(width: Int = UnitVector.dimension) -> UnitVector {
        try! UnitVector(padding: (0..<width).map { _ in Float(nextGaussian()) })
    }

    /// A unit vector at about `distance` from another: 0 gives the same direction.
    mutating func unitVector(near other: UnitVector, distance: Float) -> UnitVector {
        let step = unitVector()
        return try! UnitVector(
            normalizing: zip(other.values, step.values).map { $0 + distance * $1 })
    }
}
