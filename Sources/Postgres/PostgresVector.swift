// pgvector's `vector`: int16 dimension, int16 zero, then float4s (vector_recv in src/vector.c).

/// A vector of fp32, as pgvector stores it.
package struct PostgresVector: Sendable, Equatable, PostgresEncodable, PostgresDecodable {
    package let values: [Float]

    package init(_ values: [Float]) { self.values = values }

    /// VECTOR_MAX_DIM in pgvector's src/vector.h.
    package static let maximumDimension = 16_000

    package func encode(as type: PostgresType, into buffer: inout WireBuffer)
        throws(EncodingFailure)
    {
        guard type == .scalar(.vector) else { throw .mismatch("PostgresVector", type) }
        guard (1...PostgresVector.maximumDimension).contains(values.count) else {
            throw EncodingFailure("a vector has 1 to 16000 elements, got \(values.count)")
        }
        buffer.append(Int16(values.count))
        buffer.append(Int16(0))
        buffer.append(values)
    }

    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType)
        throws(DecodingFailure) -> PostgresVector
    {
        var values: [Float] = []
        try append(bytes, as: type, to: &values)
        return PostgresVector(values)
    }

    /// Reads a vector onto the end of `block` and returns its dimension; no array in between.
    @discardableResult
    static func append(
        _ bytes: Span<UInt8>, as type: PostgresType, to block: inout [Float]
    ) throws(DecodingFailure) -> Int {
        guard type == .scalar(.vector) else { throw .mismatch("PostgresVector", type) }
        let count = Int(try bytes.bigEndian(at: 0) as Int16)
        guard count >= 0, bytes.count == 4 + 4 * count else { throw .truncated }
        let start = block.count
        block.append(contentsOf: repeatElement(0, count: count))
        unsafe bytes.withUnsafeBufferPointer { buffer in
            let raw = UnsafeRawBufferPointer(buffer)
            unsafe block.withUnsafeMutableBufferPointer { block in
                for index in 0..<count {
                    let bits = unsafe raw.loadUnaligned(
                        fromByteOffset: 4 + 4 * index, as: UInt32.self)
                    unsafe block[start + index] = Float(bitPattern: UInt32(bigEndian: bits))
                }
            }
        }
        return count
    }
}
