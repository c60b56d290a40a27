import Foundation
import Testing
import Vectors

/// Every table against the plain one and, for its formulas, the plain one against Foundation.
@Suite struct TransformerKernelTests {
    /// Around every register width, its multiples, and BERT's own widths.
    private static let lengths = Array(1...70) + [127, 128, 129, 383, 384, 385, 768, 1536]
    private static let seed: UInt64 = 20261121

    private let tables = TransformerKernels.available
    private let plain = TransformerKernels.named("plain")!
    private var random = Random(seed: Self.seed)

    @Test("The plain table is always there, and the best is the current one")
    func tablesAreListed() {
        #expect(tables.last?.name == "plain")
        #expect(tables.first?.name == TransformerKernels.current.name)
        #expect(TransformerKernels.named("abacus") == nil)
    }

    @Test("GELU is within 1e-6 of erf in double, for every table")
    func gelu() {
        let values = stride(from: Float(-30), through: 30, by: 0.003).map { $0 }
        let zeros = [Float](repeating: 0, count: values.count)
        for table in tables {
            var x = values
            unsafe table.biasGELU(&x, bias: zeros, rows: 1, columns: x.count)
            var worst = (error: 0.0, value: Float(0))
            for (value, result) in zip(values, x) {
                let exact = Double(value) / 2 * (1 + erf(Double(value) / 2.0.squareRoot()))
                let error = abs(Double(result) - exact) / max(1, abs(Double(value)))
                if !(error <= worst.error) { worst = (error, value) }
            }
            #expect(worst.error <= 1e-6, "\(table.name): \(worst)")
        }
    }

    @Test("Bias, GELU and norm agree at every length")
    mutating func rowwise() {
        for columns in Self.lengths {
            let rows = 3
            let x = random.floats(rows * columns)
            let y = random.floats(rows * columns)
            let bias = random.floats(columns)
            let gamma = random.floats(columns)
            let beta = random.floats(columns)
            func results(_ table: TransformerKernels) -> [[Float]] {
                var (added, activated, normed, summed) = (x, x, x, x)
                unsafe table.addBias(&added, bias: bias, rows: rows, columns: columns)
                unsafe table.biasGELU(&activated, bias: bias, rows: rows, columns: columns)
                unsafe table.addNorm(
                    &normed, adding: nil, bias: nil, gamma: gamma, beta: beta, epsilon: 1e-5,
                    rows: rows, columns: columns)
                unsafe table.addNorm(
                    &summed, adding: y, bias: bias, gamma: gamma, beta: beta, epsilon: 1e-5,
                    rows: rows, columns: columns)
                return [added, activated, normed, summed]
            }
            let expected = results(plain)
            for table in tables {
                for (mine, theirs) in zip(results(table), expected) {
                    expectClose(mine, theirs, 2e-4, "\(table.name), \(columns) columns")
                }
            }
        }
    }

    @Test("Softmax agrees at every length, far from zero too")
    mutating func softmax() {
        for columns in Self.lengths {
            let x = random.floats(2 * columns).map { $0 * 100 + 1000 }
            var expected = x
            unsafe plain.softmax(&expected, scale: 0.2, rows: 2, columns: columns)
            for table in tables {
                var mine = x
                unsafe table.softmax(&mine, scale: 0.2, rows: 2, columns: columns)
                expectClose(mine, expected, 1e-6, "\(table.name), \(columns) columns")
                #expect(abs(mine.reduce(0, +) - 2) < 1e-4)
            }
        }
    }

    @Test("Attention agrees at every length and head width")
    mutating func attention() {
        for width in [8, 24, 32, 64] {
            for length in Array(1...70) + [127, 128, 129, 256] {
                let stride = 3 * width + 5
                let rows = random.floats(length * stride)
                func result(_ table: TransformerKernels) -> [Float] {
                    var out = [Float](repeating: 7, count: length * (width + 1))
                    var scratch = [Float](
                        repeating: 9,
                        count: TransformerKernels.attentionScratch(length: length, width: width))
                    unsafe rows.withUnsafeBufferPointer {
                        let q = $0.baseAddress!
                        unsafe table.attention(
                            q: q, k: q + width, v: q + 2 * width, stride: stride, length: length,
                            width: width, scale: 0.3, out: &out, outStride: width + 1,
                            scratch: &scratch)
                    }
                    return out
                }
                let expected = result(plain)
                for table in tables {
                    expectClose(
                        result(table), expected, 2e-5, "\(table.name), \(length) × \(width)")
                }
            }
        }
    }
}

/// Products with packed weights against the sum written out.
@Suite struct MatrixProductTests {
    /// oneDNN multiplies bf16 with AVX-512 only; elsewhere it says that it has no such product.
    static let multipliesBF16 = refusalOfBF16() != .noProduct(.bf16)

    static func refusalOfBF16() -> VectorError? {
        do throws(VectorError) {
            _ = try unsafe MatrixProduct(
                weights: [1], outputs: 1, inputs: 1, arithmetic: .bf16, library: .oneDNN)
            return nil
        } catch {
            return error
        }
    }

    #if arch(x86_64)
        /// In a process of its own, where oneDNN has not looked at the processor yet.
        @Test("bf16 without AVX-512 is refused as a product that is missing, not for memory")
        func missingProduct() async {
            await #expect(processExitsWith: .success) {
                unsafe setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1)
                let refusal = try #require(MatrixProductTests.refusalOfBF16())
                #expect(refusal == .noProduct(.bf16))
                #expect(
                    refusal.description
                        == "this processor, or its library, has no matrix product in bf16")
            }
        }
    #endif

    @Test(
        "Every library multiplies any number of rows",
        arguments: [
            (MatrixLibrary.blas, Arithmetic.fp32, Float(1e-4)), (.oneDNN, .fp32, 1e-4),
            (.oneDNN, .bf16, 0.2),
        ])
    func products(library: MatrixLibrary, arithmetic: Arithmetic, tolerance: Float) throws {
        guard arithmetic != .bf16 || Self.multipliesBF16 else { return }
        var random = Random(seed: 7)
        for (outputs, inputs) in [(1, 1), (7, 13), (48, 32), (40, 96)] {
            let weights = random.floats(outputs * inputs)
            let product = try unsafe MatrixProduct(
                weights: weights, outputs: outputs, inputs: inputs, arithmetic: arithmetic,
                library: library)
            #expect(product.library == library && product.arithmetic == arithmetic)
            for count in [0, 1, 3, 4, 5, 17, 33, 64, 129] {
                let x = random.floats(count * inputs)
                // One more than asked for, which must stay as it is.
                var y = [Float](repeating: 5, count: count * outputs + 1)
                unsafe product.multiply(x, count: count, into: &y)
                #expect(y.removeLast() == 5)
                var expected: [Float] = []
                for row in 0..<count {
                    for output in 0..<outputs {
                        expected.append(
                            (0..<inputs).reduce(0) {
                                $0 + x[row * inputs + $1] * weights[output * inputs + $1]
                            })
                    }
                }
                expectClose(y, expected, tolerance, "\(count) × \(outputs) × \(inputs)")
            }
        }
    }

    @Test("Padded counts are not smaller, and multiplied in place from then on")
    func padding() {
        for count in 1...600 {
            let padded = MatrixProduct.paddedCount(count)
            #expect(padded >= count && padded - count < 32)
            #expect(MatrixProduct.paddedCount(padded) == padded)
        }
    }
}

private func expectClose(
    _ mine: [Float], _ expected: [Float], _ tolerance: Float, _ what: @autoclosure () -> String,
    at location: SourceLocation = #_sourceLocation
) {
    #expect(mine.count == expected.count, sourceLocation: location)
    for (index, (a, b)) in zip(mine, expected).enumerated()
    where !(abs(a - b) <= tolerance * max(1, abs(b))) {
        Issue.record("\(what()): element \(index) is \(a), expected \(b)", sourceLocation: location)
        return
    }
}

/// SplitMix64: the same numbers for the same seed.
struct Random: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Uniform in -2 to 2.
    mutating func floats(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float.random(in: -2...2, using: &self) }
    }
}
