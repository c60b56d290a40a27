import Vectors

/// The last step of every embedder: check, zero-pad to 768, normalise, pack.
enum UnitRows {
    /// A block of unit rows out of rows at most 768 wide.
    ///
    /// - Returns: `[n × 768]`, in the order of `rows`.
    /// - Throws: which row cannot be one, and why.
    static func block(_ rows: [[Float]]) throws(EmbeddingError) -> Block {
        var units: [[Float]] = []
        units.reserveCapacity(rows.count)
        for (index, row) in rows.enumerated() {
            do {
                units.append(try UnitVector(padding: row).values)
            } catch {
                throw EmbeddingError(error, text: index)
            }
        }
        do {
            return try Block(rows: units, dimension: UnitVector.dimension)
        } catch {
            throw EmbeddingError(error, text: 0)
        }
    }
}

extension EmbeddingError {
    /// What a vector's fault means for the text it came from.
    init(_ fault: VectorError, text: Int) {
        self =
            switch fault {
            case .dimensionMismatch(let expected, let got):
                .wrongDimension(expected: expected, got: got)
            case .notFinite: .notFinite(text: text)
            case .zeroVector: .zeroVector(text: text)
            case .allocation(let bytes):
                .unavailable(reason: "no memory for \(bytes) bytes", retryAfter: nil)
            case .noProduct: .misconfigured(reason: "\(fault); fp32 and auto work everywhere")
            case .abandoned: .unavailable(reason: fault.description, retryAfter: nil)
            }
    }
}
