import CKernels
import Testing
import Vectors

@Suite("The scans of every table")
struct ScanKernelTests {
    static let names = Kernels.available.map(\.name)

    static func table(_ name: String) throws -> carrel_kernels {
        try unsafe #require(unsafe carrel_kernels_named(name)).pointee
    }

    @Test("The bit scan gives the sums of the plain one at every width", arguments: names)
    func bitScan(name: String) throws {
        let table = try unsafe Self.table(name)
        let plain = try unsafe Self.table("plain")
        var random = SplitMix64(seed: 11)
        for columns in 0...100 {
            for groups in [0, 1, 3] {
                let entries = (0..<columns * 32).map { _ in UInt8.random(in: 0...60, using: &random)
                }
                let codes = (0..<columns * groups * 64).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                var sums = [UInt16](repeating: 9, count: groups * 64)
                var expected = sums
                unsafe table.bit_scan(entries, codes, columns, groups, &sums)
                unsafe plain.bit_scan(entries, codes, columns, groups, &expected)
                #expect(sums == expected, "\(columns) columns, \(groups) groups")
            }
        }
    }

    @Test("The largest entries a table may have do not overflow", arguments: names)
    func widest(name: String) throws {
        let table = try unsafe Self.table(name)
        var sums = [UInt16](repeating: 0, count: 64)
        unsafe table.bit_scan(
            Array(repeating: 127, count: 128 * 32), Array(repeating: 0xa5, count: 128 * 64), 128,
            1, &sums)
        #expect(sums.allSatisfy { $0 == 127 * 2 * 128 })
    }

    @Test("The byte scans give the exact sums at every length", arguments: names)
    func int8(name: String) throws {
        let table = try unsafe Self.table(name)
        let plain = try unsafe Self.table("plain")
        var random = SplitMix64(seed: 12)
        for n in 0...800 {
            let query = (0..<n).map { _ in Int16.random(in: -16_256...16_256, using: &random) }
            let rows = (0..<3 * n).map { _ in Int8.random(in: -127...127, using: &random) }
            var expected = [Int32](repeating: 1, count: 3)
            unsafe plain.int8_scan(query, rows, n, 3, &expected)
            var dots = [Int32](repeating: 2, count: 3)
            unsafe table.int8_scan(query, rows, n, 3, &dots)
            #expect(dots == expected, "\(n) bytes")
            unsafe table.int8_gathered(query, rows, n, [2, 0, 2], 3, &dots)
            #expect(dots == [expected[2], expected[0], expected[2]], "\(n) bytes gathered")
        }
        let extreme = (0..<768).reduce(0) { sum, _ in sum - 16_256 * 128 }
        var dot: Int32 = 0
        unsafe table.int8_scan(
            Array(repeating: 16_256, count: 768), Array(repeating: -128, count: 768), 768, 1, &dot)
        #expect(Int(dot) == extreme)
    }

    @Test(
        "Selecting and estimating give the bits of the plain ones at every length", arguments: names
    )
    func select(name: String) throws {
        let table = try unsafe Self.table(name)
        let plain = try unsafe Self.table("plain")
        var random = SplitMix64(seed: 13)
        for n in 0...200 {
            let sums = (0..<n).map { _ in UInt16.random(in: 0...11_520, using: &random) }
            let dots = (0..<n).map { _ in Int32.random(in: (.min)...(.max), using: &random) }
            let bases = random.floats(n)
            let factors = random.floats(n)
            var estimates = [Float](repeating: 0, count: n)
            var expected = estimates
            unsafe table.bit_estimates(sums, bases, factors, 1e-4, -0.5, n, &estimates)
            unsafe plain.bit_estimates(sums, bases, factors, 1e-4, -0.5, n, &expected)
            #expect(estimates == expected, "\(n) estimates from bits")
            unsafe table.int8_estimates(dots, factors, 1e-9, n, &estimates)
            unsafe plain.int8_estimates(dots, factors, 1e-9, n, &expected)
            #expect(estimates == expected, "\(n) estimates from bytes")

            if n > 3 { (estimates[0], estimates[n - 1]) = (.nan, -.infinity) }
            for threshold in [-Float.greatestFiniteMagnitude, 0, 0.5, .infinity] {
                var rows = [UInt32](repeating: 7, count: n)
                let found = unsafe table.select(estimates, bases, 0.25, threshold, n, &rows)
                let meant = (0..<n).filter { estimates[$0] + 0.25 * bases[$0] >= threshold }
                #expect(rows.prefix(found).map(Int.init) == meant, "\(n) rows over \(threshold)")
            }
        }
    }
}
