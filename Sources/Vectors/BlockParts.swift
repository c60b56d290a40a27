// A block taken apart for a file, and put together over one.

/// A stretch of a block's memory.
package enum BlockPart: UInt32, CaseIterable, Sendable {
    case rows = 1
    case bytes, byteScales, byteErrors
    /// Of a block with codes only, as what follows.
    case codes, codeBases, codeFactors, codeErrors, centroid

    fileprivate var isOfCodes: Bool { rawValue >= Self.codes.rawValue }
}

/// Everything about a block that is not in its parts.
package struct BlockShape: Sendable, Equatable {
    package let count: Int
    package let dimension: Int
    /// The longest row as its bytes have it.
    package let longest: Float
    /// Nil for a block without codes.
    package let leastSpread: Double?

    package init(count: Int, dimension: Int, longest: Float, leastSpread: Double?) {
        self.count = count
        self.dimension = dimension
        self.longest = longest
        self.leastSpread = leastSpread
    }

    /// The parts such a block has.
    package var parts: [BlockPart] {
        BlockPart.allCases.filter { leastSpread != nil || !$0.isOfCodes }
    }

    package func byteCount(of part: BlockPart) -> Int {
        let inGroups = (count + 63) / 64 * 64
        return switch part {
        case .rows: count * dimension * 4
        case .bytes: count * dimension
        case .byteScales, .byteErrors: count * 4
        case .codes: inGroups * dimension / 8
        case .codeBases, .codeFactors, .codeErrors: inGroups * 4
        case .centroid: dimension * 4
        }
    }
}

extension SessionBlock {
    package var shape: BlockShape {
        BlockShape(
            count: count, dimension: dimension, longest: bytes.longest,
            leastSpread: codes?.leastSpread)
    }

    /// A block over memory that was written from one of this shape.
    ///
    /// The rows stay where they are, because only survivors are read, so that the system may take
    /// their pages back. Bytes and codes are read from end to end by every search; they are copied
    /// into memory of our own, which has huge pages where a mapped file has small ones.
    ///
    /// - Precondition: each part of the shape's byte count for it; the rotation of the block's codes,
    ///   if it has them.
    package init(
        _ shape: BlockShape, rotation: Rotation, part: (BlockPart) throws -> LentMemory
    ) throws {
        func memory(_ kind: BlockPart) throws -> LentMemory {
            let memory = try part(kind)
            precondition(memory.byteCount == shape.byteCount(of: kind), "part \(kind)")
            return memory
        }
        func buffer<Element>(_ kind: BlockPart) throws -> AlignedBuffer<Element> {
            try AlignedBuffer.copy(of: try memory(kind))
        }
        let rows = Block(dimension: shape.dimension, lent: try memory(.rows))
        let bytes = Int8Rows(
            count: shape.count, dimension: shape.dimension, bytes: try buffer(.bytes),
            scales: try buffer(.byteScales), errors: try buffer(.byteErrors),
            longest: shape.longest)
        var codes: BitCodes?
        if let leastSpread = shape.leastSpread {
            precondition(Rotation.dimension == shape.dimension)
            let centroid: AlignedBuffer<Float> = try buffer(.centroid)
            codes = BitCodes(
                count: shape.count, dimension: shape.dimension, rotation: rotation,
                centroid: unsafe centroid.withUnsafeBytes {
                    unsafe Array($0.bindMemory(to: Float.self))
                },
                codes: try buffer(.codes), bases: try buffer(.codeBases),
                factors: try buffer(.codeFactors), errors: try buffer(.codeErrors),
                leastSpread: leastSpread)
        }
        self.init(rows: rows, bytes: bytes, codes: codes)
    }

    /// The memory of one of the shape's parts.
    package func withUnsafeBytes<R, Failure: Error>(
        of part: BlockPart, _ body: (UnsafeRawBufferPointer) throws(Failure) -> R
    ) throws(Failure) -> R {
        switch part {
        case .rows: try unsafe rows.memory.withUnsafeBytes(body)
        case .bytes: try unsafe bytes.bytes.withUnsafeBytes(body)
        case .byteScales: try unsafe bytes.scales.withUnsafeBytes(body)
        case .byteErrors: try unsafe bytes.errors.withUnsafeBytes(body)
        case .codes: try unsafe codes!.codes.withUnsafeBytes(body)
        case .codeBases: try unsafe codes!.bases.withUnsafeBytes(body)
        case .codeFactors: try unsafe codes!.factors.withUnsafeBytes(body)
        case .codeErrors: try unsafe codes!.errors.withUnsafeBytes(body)
        case .centroid:
            try unsafe codes!.centroid.withUnsafeBufferPointer { centroid throws(Failure) in
                try unsafe body(UnsafeRawBufferPointer(centroid))
            }
        }
    }
}
