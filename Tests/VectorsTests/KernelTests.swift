import Testing
import Vectors

@Suite("Every table of kernels")
struct KernelTests {
    @Test("The chosen table is the first that runs, and plain always runs")
    func choice() {
        #expect(Kernels.available.first?.name == Kernels.current.name)
        #expect(Kernels.available.last?.name == "plain")
        #expect(Kernels.named("abacus")?.name == nil)
    }

    @Test(
        "Every table gives the bits of the plain one at every length",
        arguments: Kernels.available.map(\.name))
    func sameBits(name: String) throws {
        let table = try #require(Kernels.named(name))
        let plain = try #require(Kernels.named("plain"))
        var random = SplitMix64(seed: 1)
        for n in 0...800 {
            let a = random.floats(n)
            let b = random.floats(n)
            #expect(table.dot(a, b).bitPattern == plain.dot(a, b).bitPattern, "dot of \(n)")
            #expect(
                table.squaredL2(a, b).bitPattern == plain.squaredL2(a, b).bitPattern,
                "squared distance of \(n)")
            let halves = plain.narrowed(floats: a)
            #expect(table.narrowed(floats: a) == halves, "narrowing \(n)")
            #expect(
                table.widened(halves: halves) == plain.widened(halves: halves), "widening \(n)")
        }
    }

    @Test("The plain dot is within its stated error of long multiplication")
    func meaning() throws {
        let plain = try #require(Kernels.named("plain"))
        var random = SplitMix64(seed: 2)
        for n in [1, 31, 32, 33, 768, 5000] {
            let a = random.floats(n)
            let b = random.floats(n)
            let products = zip(a, b).map { Double($0) * Double($1) }
            let bound = Double(n) * 0x1p-52 * products.reduce(0) { $0 + abs($1) }
            #expect(abs(plain.dot(a, b) - products.reduce(0, +)) <= bound, "dot of \(n)")
            let squares = zip(a, b).map { (Double($0) - Double($1)) * (Double($0) - Double($1)) }
            let sum = squares.reduce(0, +)
            #expect(abs(plain.squaredL2(a, b) - sum) <= Double(n) * 0x1p-51 * sum)
        }
    }

    @Test(
        "Every half there is survives widening and narrowing, and widens alike in every table",
        arguments: Kernels.available.map(\.name))
    func halves(name: String) throws {
        let table = try #require(Kernels.named(name))
        let all = (0...UInt16.max).map { $0 }
        let wide = table.widened(halves: all)
        #if !arch(x86_64)
            for half in all {
                #expect(wide[Int(half)].bitPattern == Float(Float16(bitPattern: half)).bitPattern)
            }
        #endif
        #expect(
            wide.map(\.bitPattern) == Kernels.named("plain")!.widened(halves: all).map(\.bitPattern)
        )
        let quiet = all.map { $0 & 0x7c00 == 0x7c00 && $0 & 0x3ff != 0 ? $0 | 0x200 : $0 }
        #expect(table.narrowed(floats: wide) == quiet)
        #expect(wide[0x3c00] == 1 && wide[0x0001] == 0x1p-24 && wide[0x7bff] == 65504)
        #expect(wide[0xfc00] == -.infinity && wide[0x7c01].isNaN)
    }

    @Test(
        "Floats round to the nearest half, ties to even, in every table",
        arguments: Kernels.available.map(\.name))
    func narrowing(name: String) throws {
        let table = try #require(Kernels.named(name))
        let cases: [(Float, UInt16)] = [
            (1 + 0x1p-11, 0x3c00), (1 + 0x1p-11 + 0x1p-23, 0x3c01), (1 + 3 * 0x1p-11, 0x3c02),
            (65519.996, 0x7bff), (65520, 0x7c00), (-1e30, 0xfc00), (0x1p-25, 0),
            (0x1p-25 + 0x1p-48, 1), (0x1p-14 - 0x1p-26, 0x0400), (-0.0, 0x8000),
        ]
        for (value, half) in cases {
            // Sixteen copies, so that the wide loop is tried as well as the tail.
            #expect(table.narrowed(floats: [value]) == [half], "\(value)")
            #expect(
                table.narrowed(floats: Array(repeating: value, count: 17))
                    == Array(repeating: half, count: 17), "\(value)")
        }
        var random = SplitMix64(seed: 3)
        let bits = (0..<200_000).map { _ in
            Float(bitPattern: UInt32.random(in: 0...(.max), using: &random))
        }
        #expect(table.narrowed(floats: bits) == Kernels.named("plain")!.narrowed(floats: bits))
    }
}
