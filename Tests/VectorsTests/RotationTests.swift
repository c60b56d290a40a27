import Testing
import Vectors

@Suite("A rotation")
struct RotationTests {
    /// Where each axis goes.
    private func images(_ rotation: Rotation) -> [[Float]] {
        (0..<Rotation.dimension).map { axis in
            var image = [Float](repeating: 0, count: Rotation.dimension)
            image[axis] = 1
            rotation.rotate(&image)
            return image
        }
    }

    @Test("It keeps lengths and angles")
    func orthogonal() {
        let images = images(Rotation(seed: 5))
        for i in stride(from: 0, to: 768, by: 13) {
            for j in images.indices {
                let product = Kernels.current.dot(images[i], images[j])
                #expect(abs(product - (i == j ? 1 : 0)) < 1e-6, "axes \(i) and \(j)")
            }
        }
    }

    @Test("Its seed decides it, to the last bit and in every table of kernels")
    func seeds() throws {
        var random = SplitMix64(seed: 6)
        for _ in 0..<20 {
            let vector = random.floats(768)
            let signs = (0..<3 * 768).map { _ in
                Bool.random(using: &random) ? 0.0625 : -0.0625 as Float
            }
            var plain = vector
            try #require(Kernels.named("plain")).rotate(&plain, signs: signs)
            for table in Kernels.available {
                var rotated = vector
                table.rotate(&rotated, signs: signs)
                #expect(rotated.map(\.bitPattern) == plain.map(\.bitPattern), "\(table.name)")
            }
        }
        #expect(images(Rotation(seed: 5)) == images(Rotation(seed: 5)))
        #expect(images(Rotation(seed: 5)) != images(Rotation(seed: 6)))
    }

    /// Vectors that a Hadamard matrix alone would leave in few places, or put there.
    private static let awkward: [String: [Float]] = [
        "an axis": (0..<768).map { $0 == 700 ? 1 : 0 },
        "two axes of two thirds": (0..<768).map { $0 == 3 || $0 == 259 ? 1 : 0 },
        "all ones": Array(repeating: 1, count: 768),
        "ones in a third": (0..<768).map { $0 < 256 ? 1 : 0 },
        "alternating": (0..<768).map { $0 % 2 == 0 ? 1 : -1 },
        "every sixteenth": (0..<768).map { $0 % 16 == 0 ? 1 : 0 },
        "a ramp": (0..<768).map { Float($0) },
    ]

    @Test(
        "It spreads what lies in few coordinates over all, as a uniform one does",
        arguments: awkward.keys.sorted())
    func spread(name: String) throws {
        let vector = try UnitVector(normalizing: try #require(Self.awkward[name])).values
        // A coordinate of a uniformly turned unit vector, times √d, has the variance 1 and the fourth
        // moment 3d/(d + 2), and passes 4.5 once in 150,000 times.
        var second = 0.0
        var fourth = 0.0
        var beyond = 0
        let seeds = 400
        for seed in 0..<seeds {
            var rotated = vector
            Rotation(seed: UInt64(seed)).rotate(&rotated)
            for value in rotated {
                let square = Double(value) * Double(value) * 768
                second += square
                fourth += square * square
                if square > 4.5 * 4.5 { beyond += 1 }
            }
        }
        let count = Double(seeds * 768)
        #expect(abs(second / count - 1) < 1e-5)
        #expect(abs(fourth / count - 3 * 768 / 770) < 0.05)
        #expect(beyond <= 10)
    }
}
