import Testing
import Vectors

/// Memory that a test lends, 64-byte aligned.
@safe private final class Copy: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        unsafe memory = .allocate(byteCount: max(bytes.count, 1), alignment: 64)
        unsafe memory.copyMemory(from: bytes)
    }

    deinit { unsafe memory.deallocate() }

    func lent(_ count: Int) -> LentMemory {
        unsafe LentMemory(UnsafeRawPointer(memory.baseAddress!), byteCount: count, lender: self)
    }
}

@Suite("A block in parts")
struct BlockPartsTests {
    @Test(
        "One put together from its parts answers like the one taken apart",
        arguments: [0, 1, 64, 700], [false, true])
    func together(count: Int, hasCodes: Bool) throws {
        var random = SplitMix64(seed: 50)
        let vectors = (0..<count).map { _ in random.unitVector() }
        let rotation = CascadeTests.rotation
        var block = try SessionBlock(Block(vectors))
        if hasCodes { block = try block.withCodes(rotation: rotation) }
        let again = try SessionBlock(block.shape, rotation: rotation) { part in
            unsafe block.withUnsafeBytes(of: part) { bytes in
                #expect(bytes.count == block.shape.byteCount(of: part))
                return unsafe Copy(bytes).lent(bytes.count)
            }
        }
        #expect(again.shape == block.shape && again.centroid == block.centroid)
        #expect(block.shape.parts.count == (hasCodes ? 9 : 4))
        let scratch = try SearchScratch()
        for _ in 0..<20 {
            let query = PreparedQuery(random.unitVector())
            for first in [FirstStep.bits, .bytes] {
                let meant = try Cascade.nearest(
                    10, to: query, in: block, first: first, scratch: scratch, tieBreak: <)
                let answer = try Cascade.nearest(
                    10, to: query, in: again, first: first, scratch: scratch, tieBreak: <)
                #expect(answer == meant && answer.ranked.count == min(10, count))
            }
        }
    }
}
