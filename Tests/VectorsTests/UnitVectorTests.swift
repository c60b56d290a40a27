import Testing
import Vectors

@Suite("A vector at the edge")
struct UnitVectorTests {
    func norm(_ values: [Float]) -> Double {
        values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    @Test("A vector of the wrong length is refused, naming both lengths")
    func length() {
        #expect(throws: VectorError.dimensionMismatch(expected: 768, got: 384)) {
            try UnitVector(normalizing: Array(repeating: 1, count: 384))
        }
        #expect(throws: VectorError.dimensionMismatch(expected: 768, got: 769)) {
            try UnitVector(padding: Array(repeating: 1, count: 769))
        }
    }

    @Test("A number that is not finite is refused, naming its element", arguments: [0, 5, 383])
    func finite(element: Int) {
        for bad in [Float.nan, .infinity, -.infinity] {
            var values = Array(repeating: Float(1), count: 384)
            values[element] = bad
            #expect(throws: VectorError.notFinite(element: element)) {
                try UnitVector(padding: values)
            }
        }
    }

    @Test("A zero vector is refused, naming no element")
    func zero() {
        #expect(throws: VectorError.zeroVector) {
            try UnitVector(normalizing: Array(repeating: -0.0, count: 768))
        }
        #expect(throws: VectorError.zeroVector) { try UnitVector(padding: []) }
    }

    @Test(
        "Any finite magnitude comes out at unit length",
        arguments: [
            Float.leastNonzeroMagnitude, 0x1p-140, 1e-20, 1, 1e20, 1e30, .greatestFiniteMagnitude,
        ])
    func magnitude(scale: Float) throws {
        let full = try UnitVector(normalizing: Array(repeating: scale, count: 768))
        #expect(abs(norm(full.values) - 1) < 2e-6)
        #expect(abs(full.values[767] - Float(1 / 768.0.squareRoot())) < 1e-7)
        let single = try UnitVector(padding: [0, -scale])
        #expect(single.values[1] == -1)
    }

    @Test("Padding keeps every inner product")
    func padding() throws {
        var random = SplitMix64(seed: 4)
        let a = random.floats(384)
        let b = random.floats(384)
        let cosine = Kernels.current.dot(a, b) / (norm(a) * norm(b))
        let padded = try Kernels.current.dot(
            UnitVector(padding: a).values, UnitVector(padding: b).values)
        #expect(abs(cosine - padded) < 1e-6)
    }
}
