// The real documents every part of Carrel is measured with, and what their manifest says of them.

import Documents
import Foundation
import Testing

struct SharedDocument: Codable, Sendable, CustomTestStringConvertible {
    struct Probe: Codable, Sendable {
        var page: Int
        var text: String
    }

    var file: String
    var format: String
    var pages: Int?
    var probes: [Probe]?
    var headings: Int?
    var firstHeadings: [String]?
    var title: String?

    enum CodingKeys: String, CodingKey {
        case file, format, pages, probes, headings, title
        case firstHeadings = "first_headings"
    }

    var testDescription: String { file }

    static let folder =
        (ProcessInfo.processInfo.environment["CARREL_SHARED_DATA"] ?? "../shared/data")
        + "/documents/"

    /// Empty where the shared data is not at hand.
    static let all: [SharedDocument] = {
        guard let lines = try? String(contentsOfFile: folder + "manifest.jsonl", encoding: .utf8)
        else { return [] }
        return lines.split(separator: "\n").compactMap {
            try? JSONDecoder().decode(SharedDocument.self, from: Data($0.utf8))
        }
    }()

    /// What is in it; each file is extracted once for all tests.
    func extracted() async throws -> ExtractedDocument {
        try await SharedExtractions.shared.document(file)
    }
}

private actor SharedExtractions {
    static let shared = SharedExtractions()
    private var tasks: [String: Task<ExtractedDocument, any Error>] = [:]

    func document(_ file: String) async throws -> ExtractedDocument {
        let task =
            tasks[file]
            ?? Task {
                try await Extractor().extract(SharedDocument.folder + file, fileName: file)
            }
        tasks[file] = task
        return try await task.value
    }
}
