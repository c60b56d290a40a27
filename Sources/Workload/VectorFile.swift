// Vectors from NumPy: `numpy.save` of a two-dimensional array of half or single floats.
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html (versions 1 to 3).

internal import Foundation

/// The rows of a `.npy` file, read from disk one by one as they are asked for.
public struct VectorFile: Sendable {
    /// How many rows it has.
    public let count: Int
    /// How many numbers a row has.
    public let dimension: Int
    private let isHalf: Bool
    private let data: Data
    private let start: Int

    /// Opens a file and checks its header and length.
    ///
    /// - Parameter path: where it is.
    /// - Throws: what is wrong with it, naming the file.
    public init(_ path: String) throws(WorkloadError) {
        func problem(_ reason: String) -> WorkloadError { WorkloadError("\(path): \(reason)") }
        // Mapped: a file of 60,000 rows is not copied to use a thousand.
        guard let data = try? Data(contentsOf: URL(filePath: path), options: .alwaysMapped) else {
            throw problem("cannot be read")
        }
        guard data.count > 12, Array(data.prefix(6)) == [0x93] + Array("NUMPY".utf8) else {
            throw problem("not a NumPy file")
        }
        let lengthBytes = data[6] == 1 ? 2 : 4
        let headerLength = data[8..<(8 + lengthBytes)].reversed()
            .reduce(0) { $0 << 8 | Int($1) }
        start = 8 + lengthBytes + headerLength
        guard start <= data.count else { throw problem("ends within its header") }
        let header = String(decoding: data[(8 + lengthBytes)..<start], as: UTF8.self)
        guard header.contains("'fortran_order': False"),
            let shape = header.firstMatch(of: /'shape': \((\d+), (\d+)\)/),
            let type = header.firstMatch(of: /'descr': '<f([24])'/),
            let count = Int(shape.1), let dimension = Int(shape.2)
        else { throw problem("expected rows of little-endian f2 or f4, got \(header)") }
        isHalf = type.1 == "2"
        guard data.count == start + count * dimension * (isHalf ? 2 : 4) else {
            throw problem("expected \(count) × \(dimension) numbers, got another length")
        }
        self.count = count
        self.dimension = dimension
        self.data = data
    }

    /// Row `index` as single floats.
    ///
    /// Cost: one pass over its bytes.
    ///
    /// - Parameter index: counted from 0.
    /// - Returns: as many numbers as the file is wide.
    public func row(_ index: Int) -> [Float] {
        precondition(index < count, "row \(index) of \(count)")
        let width = isHalf ? 2 : 4
        let first = data.startIndex + start + index * dimension * width
        return (0..<dimension).map { column in
            let at = first + column * width
            let low = UInt16(data[at]) | UInt16(data[at + 1]) << 8
            guard !isHalf else { return Float(Float16(bitPattern: low)) }
            let high = UInt16(data[at + 2]) | UInt16(data[at + 3]) << 8
            return Float(bitPattern: UInt32(high) << 16 | UInt32(low))
        }
    }
}
