import Foundation
import Testing
import Workload

@Suite("NumPy files")
struct VectorFileTests {
    private func file(header: String, body: [UInt8]) throws -> String {
        let padded = header + String(repeating: " ", count: 117 - header.utf8.count) + "\n"
        let length = [UInt8(padded.utf8.count & 0xFF), UInt8(padded.utf8.count >> 8)]
        let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0] + length + Array(padded.utf8) + body
        let path = FileManager.default.temporaryDirectory
            .appending(path: "carrel-\(UUID().uuidString).npy").path
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }

    @Test("Half floats are read row by row")
    func halves() throws {
        let header = "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }"
        // 1, 2, 0.5; −1, 0, 65504 (the largest half).
        let body: [UInt8] = [0, 0x3C, 0, 0x40, 0, 0x38, 0, 0xBC, 0, 0, 0xFF, 0x7B]
        let path = try file(header: header, body: body)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let vectors = try VectorFile(path)
        #expect(vectors.count == 2 && vectors.dimension == 3)
        #expect(vectors.row(0) == [1, 2, 0.5])
        #expect(vectors.row(1) == [-1, 0, 65504])
    }

    @Test("Single floats are read bit by bit")
    func singles() throws {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"
        let path = try file(header: header, body: [0, 0, 0xC0, 0x3F, 0, 0, 0x80, 0xBF])
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try VectorFile(path).row(0) == [1.5, -1])
    }

    @Test("Another type, order or length is refused")
    func refusals() throws {
        let cases: [(String, Int)] = [
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }", 8),
            ("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }", 4),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", 16),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", 15),
        ]
        for (header, length) in cases {
            let path = try file(header: header, body: Array(repeating: 0, count: length))
            defer { try? FileManager.default.removeItem(atPath: path) }
            #expect(throws: WorkloadError.self, "\(header)") { try VectorFile(path) }
        }
    }
}
