// Vectors that know where in its document a text stands.

internal import Vectors

enum StructuredVectors {
    /// How much a division weighs beside the parent's own vector. With 0 the twelve chapters of a
    /// novel melt into its characters; with 2 clusters follow chapters where there are any, and two
    /// chapters about one thing still meet.
    static let weight: Float = 2

    /// Each row drawn towards the mean of its division; rows without one stay as they are.
    static func block(_ rows: Block, divisions: [Int?]) -> Block {
        let count = (divisions.compactMap { $0 }.max() ?? -1) + 1
        var means = [[Float]](
            repeating: [Float](repeating: 0, count: rows.dimension), count: count)
        for (row, division) in divisions.enumerated() {
            guard let division else { continue }
            for (column, value) in rows.row(row).enumerated() { means[division][column] += value }
        }
        means = means.map(unit)
        return Block(count: rows.count, dimension: rows.dimension) { elements in
            for row in 0..<rows.count {
                var values = rows.row(row)
                if let division = divisions[row] {
                    for column in values.indices {
                        values[column] += weight * means[division][column]
                    }
                    values = unit(values)
                }
                for (column, value) in values.enumerated() {
                    elements[row * rows.dimension + column] = value
                }
            }
        }
    }

    /// Scaled to unit length; zeros stay zeros.
    private static func unit(_ values: [Float]) -> [Float] {
        let norm = values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        return norm > 0 ? values.map { Float(Double($0) / norm) } : values
    }
}
