// A parent's vector is made of its children's: no model reads 1,200 tokens anyway.

package import Vectors

package enum ParentVectors {
    /// The mean of unit vectors, scaled to unit length.
    ///
    /// Summed in double, in order, so that the same children give the same bits. Children that
    /// cancel out have no mean direction; then the first child's vector stands for all.
    ///
    /// - Precondition: there is at least one child.
    package static func mean(of children: [[Float]]) -> UnitVector {
        precondition(!children.isEmpty, "a parent without children")
        var sum = [Double](repeating: 0, count: UnitVector.dimension)
        for child in children {
            for index in sum.indices { sum[index] += Double(child[index]) }
        }
        if let mean = try? UnitVector(normalizing: sum.map { Float($0) }) { return mean }
        guard let first = try? UnitVector(normalizing: children[0]) else {
            preconditionFailure("a child without direction")
        }
        return first
    }
}
