import Crypto
import Foundation
import Vectors

/// A `model.safetensors` file: named tensors, mapped, little-endian.
///
/// The file is a 64-bit length, that many bytes of JSON (`name: {dtype, shape, data_offsets}`) and
/// the data the offsets count from (github.com/huggingface/safetensors, "Format"). Everything the
/// header says is checked against the file before a tensor is read.
struct Safetensors: Sendable {
    enum Element: String, Sendable {
        case f32 = "F32"
        case f16 = "F16"
        case bf16 = "BF16"
        var bytes: Int { self == .f32 ? 4 : 2 }
    }

    struct Tensor: Sendable, Equatable {
        var element: Element
        var shape: [Int]
        /// Offsets in the file.
        var range: Range<Int>
    }

    let file: MappedFile
    let tensors: [String: Tensor]

    /// The reference refuses longer headers too.
    private static let longestHeader = 100_000_000

    init(path: String) throws(EmbeddingError) {
        file = try MappedFile(path: path)
        tensors = try Self.header(of: file)
    }

    /// A tensor's numbers as fp32, row-major, copied.
    func floats(_ name: String, shape: [Int]) throws(EmbeddingError) -> [Float] {
        let tensor = try tensor(name, shape: shape)
        return unsafe file.withBytes(tensor.range) { unsafe Self.floats($0, tensor.element) }
    }

    /// A matrix that stays on disk, for tables of which only some rows are read.
    func rows(_ name: String, shape: [Int]) throws(EmbeddingError) -> MappedRows {
        MappedRows(file: file, tensor: try tensor(name, shape: shape))
    }

    /// Lower-case hexadecimal SHA-256 of the whole file. Reads all of it.
    func sha256() -> String {
        var hash = SHA256()
        let step = 1 << 24
        for start in stride(from: 0, to: file.count, by: step) {
            unsafe file.withBytes(start..<min(start + step, file.count)) {
                unsafe hash.update(bufferPointer: $0)
            }
        }
        return hash.finalize().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            .joined()
    }

    private func tensor(_ name: String, shape: [Int]) throws(EmbeddingError) -> Tensor {
        guard let tensor = tensors[name] else {
            throw .modelDamaged(reason: "the weights have no tensor \(name)")
        }
        guard tensor.shape == shape else {
            throw .modelDamaged(
                reason: "tensor \(name): expected shape \(shape), got \(tensor.shape)")
        }
        return tensor
    }

    /// fp32 of packed little-endian elements, at any alignment.
    static func floats(_ bytes: UnsafeRawBufferPointer, _ element: Element) -> [Float] {
        let count = bytes.count / element.bytes
        guard element != .f32 else {
            return unsafe [Float](unsafeUninitializedCapacity: count) { to, written in
                unsafe UnsafeMutableRawBufferPointer(to).copyMemory(from: bytes)
                written = count
            }
        }
        let halves = (0..<count).map {
            unsafe UInt16(
                littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self))
        }
        return element == .f16
            ? Kernels.current.widened(halves: halves)
            : halves.map { Float(bitPattern: UInt32($0) << 16) }
    }

    private static func header(of file: MappedFile) throws(EmbeddingError) -> [String: Tensor] {
        guard file.count >= 8 else {
            throw .modelDamaged(reason: "\(file.count) bytes are no safetensors file")
        }
        let length = unsafe file.withBytes(0..<8) {
            unsafe UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
        }
        guard length >= 2, length <= longestHeader, length <= file.count - 8 else {
            throw .modelDamaged(
                reason: "the safetensors header claims \(length) bytes of \(file.count)")
        }
        let start = 8 + Int(length)
        let json = unsafe file.withBytes(8..<start) { unsafe Data($0) }
        let entries: [String: Entry]
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            entries = try decoder.decode([String: Entry].self, from: json)
        } catch {
            throw .modelDamaged(reason: "the safetensors header is not the JSON expected")
        }
        var tensors: [String: Tensor] = [:]
        for (name, entry) in entries where name != "__metadata__" {
            // Tensors of other types (such as int64 position ids) may be there; nobody reads them.
            guard let type = entry.dtype, let shape = entry.shape, let offsets = entry.dataOffsets,
                offsets.count == 2
            else {
                throw .modelDamaged(reason: "tensor \(name) lacks its type, shape or offsets")
            }
            guard offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= file.count - start else {
                throw .modelDamaged(
                    reason: "tensor \(name) lies at \(offsets) of \(file.count - start) bytes")
            }
            guard let element = Element(rawValue: type) else { continue }
            var bytes = element.bytes
            for size in shape {
                let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
                guard size >= 0, !overflow else {
                    throw .modelDamaged(reason: "tensor \(name) has the shape \(shape)")
                }
                bytes = product
            }
            guard bytes == offsets[1] - offsets[0] else {
                throw .modelDamaged(
                    reason: "tensor \(name) \(shape): expected \(bytes) bytes, "
                        + "got \(offsets[1] - offsets[0])")
            }
            tensors[name] = Tensor(
                element: element, shape: shape, range: start + offsets[0]..<start + offsets[1])
        }
        return tensors
    }

    /// One entry of the header; `__metadata__` has none of these fields.
    private struct Entry: Decodable {
        var dtype: String?
        var shape: [Int]?
        var dataOffsets: [Int]?
    }
}

/// A matrix in a mapped file.
struct MappedRows: Sendable {
    private let file: MappedFile
    private let tensor: Safetensors.Tensor

    init(file: MappedFile, tensor: Safetensors.Tensor) {
        self.file = file
        self.tensor = tensor
    }

    /// Writes row `index` to `destination`, which has room for a row.
    ///
    /// - Precondition: the index is a row.
    func copy(_ index: Int, to destination: UnsafeMutablePointer<Float>) {
        let columns = tensor.shape[1]
        precondition(index >= 0 && index < tensor.shape[0], "row \(index) of \(tensor.shape)")
        let bytes = columns * tensor.element.bytes
        let start = tensor.range.lowerBound + index * bytes
        unsafe file.withBytes(start..<start + bytes) {
            if tensor.element == .f32 {
                unsafe UnsafeMutableRawPointer(destination).copyMemory(
                    from: $0.baseAddress!, byteCount: bytes)
            } else {
                for (offset, value) in unsafe Safetensors.floats($0, tensor.element).enumerated() {
                    unsafe destination[offset] = value
                }
            }
        }
    }
}
