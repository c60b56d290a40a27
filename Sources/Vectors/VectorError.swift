/// Why a vector, or the memory for many, was refused.
package enum VectorError: Error, Sendable, Equatable {
    case dimensionMismatch(expected: Int, got: Int)
    /// NaN or infinite, at this index.
    case notFinite(element: Int)
    /// Every element is zero: there is no direction to search in.
    case zeroVector
    case allocation(bytes: Int)
    /// The processor, or the library for it, does not multiply so.
    case noProduct(Arithmetic)
    /// Whoever began a long computation did not want it any more.
    case abandoned
}

extension VectorError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .dimensionMismatch(let expected, let got):
            "a vector of \(expected) numbers was expected, got \(got)"
        case .notFinite(let element): "element \(element) of the vector is not a finite number"
        case .zeroVector: "every element of the vector is zero, so it has no direction"
        case .allocation(let bytes): "no memory for \(bytes) bytes of vectors"
        case .noProduct(let arithmetic):
            "this processor, or its library, has no matrix product in \(arithmetic.rawValue)"
        case .abandoned: "the computation was given up"
        }
    }
}
