import Foundation
import Retrieval
import TestSupport
import Testing

@Suite("A file in sections")
struct SectionFileTests {
    private static let header = SectionFileHeader(
        session: UUID(), model: UUID(), revision: 41, seed: 0xfeed)

    /// Lengths about the alignment, and none at all.
    private static let contents: [UInt32: [UInt8]] = [
        1: Array("the first".utf8), 2: [], 3: Array(repeating: 7, count: 64),
        9: (0..<1_000).map { UInt8(truncatingIfNeeded: $0) },
    ]

    private func write(_ path: String) throws {
        var writer = try SectionFileWriter(path: path, sections: Self.contents.count)
        for (kind, bytes) in Self.contents.sorted(by: { $0.key < $1.key }) {
            try writer.append(kind, bytes)
        }
        try writer.commit(Self.header)
    }

    @Test("What was written is read")
    func whole() throws {
        let directory = try TestDirectory.make("section-file-\(UUID())")
        let path = directory + "/file"
        try write(path)
        let file = try SectionFile(path: path)
        #expect(file.header == Self.header)
        #expect(file.kinds == [1, 2, 3, 9])
        for (kind, bytes) in Self.contents {
            let section = try file.section(kind)
            #expect(section.byteCount == bytes.count)
            unsafe section.withUnsafeBytes {
                let isSame = unsafe $0.elementsEqual(bytes)
                let place = Int(bitPattern: $0.baseAddress!)
                #expect(isSame && place % 64 == 0)
            }
        }
        #expect(throws: SnapshotFileError.self) { try file.section(4) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["file"])
    }

    @Test("A bit turned over anywhere is noticed")
    func flipped() throws {
        let directory = try TestDirectory.make("section-file-\(UUID())")
        let path = directory + "/file"
        try write(path)
        let good = try Data(contentsOf: URL(fileURLWithPath: path))
        for index in good.indices {
            var bad = good
            bad[index] ^= 1 << UInt8(index % 8)
            try bad.write(to: URL(fileURLWithPath: path))
            #expect(throws: SnapshotFileError.self, "byte \(index)") {
                try SectionFile(path: path)
            }
        }
    }

    @Test("A file cut anywhere is noticed, and so is one with more at the end")
    func cut() throws {
        let directory = try TestDirectory.make("section-file-\(UUID())")
        let path = directory + "/file"
        try write(path)
        let good = try Data(contentsOf: URL(fileURLWithPath: path))
        for length in 0..<good.count {
            try good.prefix(length).write(to: URL(fileURLWithPath: path))
            #expect(throws: SnapshotFileError.self, "\(length) bytes") {
                try SectionFile(path: path)
            }
        }
        for more in [1, 64] {
            try (good + Data(count: more)).write(to: URL(fileURLWithPath: path))
            #expect(throws: SnapshotFileError.self) { try SectionFile(path: path) }
        }
    }

    @Test("No file, another program's and another format are told apart from damage")
    func others() throws {
        let directory = try TestDirectory.make("section-file-\(UUID())")
        let path = directory + "/file"
        #expect(throws: SnapshotFileError.missing) { try SectionFile(path: path) }
        #expect(throws: SnapshotFileError.damaged(reason: "empty or no file")) {
            try SectionFile(path: directory)
        }
        try write(path)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[8] = 1
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(throws: SnapshotFileError.otherFormat(expected: SectionFile.format, got: 1)) {
            try SectionFile(path: path)
        }
        try Data(repeating: 65, count: 500).write(to: URL(fileURLWithPath: path))
        #expect(throws: SnapshotFileError.damaged(reason: "no file of a session")) {
            try SectionFile(path: path)
        }
    }

    @Test("A writer that gives up leaves the old file and nothing else")
    func givenUp() throws {
        let directory = try TestDirectory.make("section-file-\(UUID())")
        let path = directory + "/file"
        try write(path)
        func giveUp() throws {
            var writer = try SectionFileWriter(path: path, sections: 2)
            try writer.append(1, [1, 2, 3])
        }
        try giveUp()
        #expect(try SectionFile(path: path).header == Self.header)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["file"])
    }
}
