// The MiniLM model and the reference's answers for it.

import Embedding
import Foundation
import Testing
import Vectors

enum Model {
    /// `CARREL_MODEL_DIR`, or where `scripts/setup` puts it.
    static let directory: String = {
        let environment = ProcessInfo.processInfo.environment
        if let directory = environment["CARREL_MODEL_DIR"] { return directory }
        let home = environment["CARREL_HOME"] ?? packageRoot + "/data/var"
        return home + "/models/all-MiniLM-L6-v2"
    }()

    /// Whether tests of the real model can run; they skip otherwise, and this says why.
    static let isPresent: Bool = {
        let found = FileManager.default.fileExists(atPath: directory + "/model.safetensors")
        if !found { print("No model at \(directory) (CARREL_MODEL_DIR): its tests are skipped.") }
        return found
    }()

    /// fp32, loaded once for all tests.
    static let fp32 = Result { () throws(EmbeddingError) in try BertEmbedder(directory: directory) }

    private static let packageRoot = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
}

extension Trait where Self == ConditionTrait {
    static var needsModel: Self { .enabled(if: Model.isPresent, "no model directory") }
}

/// What benchmarks/embedding/make_fixtures.py wrote.
enum Fixtures {
    static func data(_ name: String) throws -> Data {
        try Data(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("Fixtures/\(name)"))
    }

    static func texts() throws -> [String] {
        try data("texts.jsonl").split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(String.self, from: $0)
        }
    }

    static func tokens() throws -> [[Int32]] {
        let words = try words("tokens.u16")
        var rows: [[Int32]] = []
        var next = 0
        while next < words.count {
            let end = next + 1 + Int(words[next])
            rows.append(words[next + 1..<end].map(Int32.init))
            next = end
        }
        return rows
    }

    /// `[1000 × 384]`
    static func vectors() throws -> [[Float]] {
        let floats = Kernels.current.widened(halves: try words("vectors.f16"))
        return stride(from: 0, to: floats.count, by: 384).map { Array(floats[$0..<$0 + 384]) }
    }

    private static func words(_ name: String) throws -> [UInt16] {
        let bytes = [UInt8](try data(name))
        return stride(from: 0, to: bytes.count, by: 2).map {
            UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
        }
    }
}

/// Cosine similarity of two vectors; the shorter is taken as padded with zeros.
func cosine(_ a: [Float], _ b: [Float]) -> Double {
    func dot(_ x: [Float], _ y: [Float]) -> Double {
        zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
}
