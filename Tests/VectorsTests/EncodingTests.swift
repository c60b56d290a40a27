import CKernels
import Testing
import Vectors

@Suite("Fewer bits")
struct EncodingTests {
    /// Every kind of number a row may hold: ordinary, tiny, huge, zero.
    private static func vectors(_ n: Int) -> [[Float]] {
        var random = SplitMix64(seed: 40)
        let ordinary = random.floats(n)
        return [
            ordinary, ordinary.map { $0 * 0x1p-140 }, ordinary.map { $0 * 1e38 },
            Array(repeating: 0, count: n), ordinary.enumerated().map { $0 % 3 == 0 ? $1 : 0 },
        ]
    }

    @Test(
        "Every table rounds to the same bytes and words, and loses the same, at every length",
        arguments: ScanKernelTests.names)
    func tables(name: String) throws {
        let table = try unsafe ScanKernelTests.table(name)
        let plain = try unsafe ScanKernelTests.table("plain")
        for n in 0...130 {
            for v in Self.vectors(n) {
                var (bytes, expectedBytes) = (
                    [Int8](repeating: 1, count: n), [Int8](repeating: 2, count: n)
                )
                let a = unsafe table.quantize_int8(v, n, &bytes)
                let b = unsafe plain.quantize_int8(v, n, &expectedBytes)
                #expect(bytes == expectedBytes && a == b, "\(n) bytes")
                var (words, expectedWords) = (
                    [Int16](repeating: 1, count: n), [Int16](repeating: 2, count: n)
                )
                let c = unsafe table.quantize_int16(v, n, &words)
                let d = unsafe plain.quantize_int16(v, n, &expectedWords)
                #expect(words == expectedWords && c == d, "\(n) words")
                var (r, expectedR) = (
                    [Float](repeating: 1, count: n), [Float](repeating: 2, count: n)
                )
                let e = unsafe table.residual(v, v.reversed(), n, &r)
                let f = unsafe plain.residual(v, v.reversed(), n, &expectedR)
                #expect(r == expectedR && e == f, "\(n) residuals")
            }
        }
    }

    @Test("A byte is the nearest multiple of its scale, and what is lost is what is said")
    func bytes() throws {
        for v in Self.vectors(77) {
            var bytes = [Int8](repeating: 0, count: 77)
            let made = unsafe carrel_kernels().pointee.quantize_int8(v, 77, &bytes)
            var (error, length) = (0.0, 0.0)
            for (value, byte) in zip(v, bytes) {
                let kept = Double(made.scale) * Double(byte)
                error += (Double(value) - kept) * (Double(value) - kept)
                length += kept * kept
                if v[0].magnitude > 1e-30 {
                    #expect(abs(Double(value) - kept) <= Double(made.scale) * 0.50001)
                }
            }
            #expect(abs(made.squared_error - error) <= error * 1e-12)
            #expect(abs(made.squared_length - length) <= length * 1e-12)
        }
    }

    @Test(
        "Signs are packed eight to a byte, where they belong, at every width",
        arguments: ScanKernelTests.names)
    func signs(name: String) throws {
        let table = try unsafe ScanKernelTests.table(name)
        let plain = try unsafe ScanKernelTests.table("plain")
        for n in stride(from: 0, through: 136, by: 8) {
            for v in Self.vectors(n) {
                var code = [UInt8](repeating: 0xaa, count: n / 8 * 3)
                var expected = code
                let made = unsafe table.signs(v, n, 3, &code)
                let meant = unsafe plain.signs(v, n, 3, &expected)
                #expect(code == expected && made.square == meant.square && made.sum == meant.sum)
                for column in 0..<n / 8 {
                    let bits = (0..<8).reduce(0) { $0 | (v[8 * column + $1] > 0 ? 1 << $1 : 0) }
                    #expect(Int(code[3 * column]) == bits)
                }
                let sum = v.reduce(0.0) { $0 + Double($1.magnitude) }
                #expect(abs(made.sum - sum) <= sum * 1e-12)
            }
        }
    }
}

private func == (a: carrel_quantized, b: carrel_quantized) -> Bool {
    a.scale == b.scale && a.squared_error == b.squared_error
        && a.squared_length == b.squared_length
}
