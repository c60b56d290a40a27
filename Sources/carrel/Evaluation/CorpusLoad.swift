// A judged collection into a session: chunk by chunk, once.

import Documents
import Foundation

/// Loads passages through `chunk.import`, the server embedding them.
///
/// A load is found again by its session's title, which holds a fingerprint of the corpus. Every call
/// puts its passages into a document of their own, and a call is one transaction: the documents that
/// are there tell which passages are, so a load cut short goes on where it stopped.
struct CorpusLoad {
    private static let batch = 256

    let server: Remote
    let model: String?

    /// An open session and what its chunks stand for.
    struct Loaded {
        let handle: String
        let model: String
        let corpusIDs: [UUID: String]
    }

    /// The session that holds exactly `passages`, loaded now or earlier.
    func session(
        titled title: String, _ passages: [Collection.Passage], quiet: Bool
    ) async throws -> Loaded {
        let existing = try await server.sessions()
            .first { $0.title == title && (model == nil || $0.model == model) }
        let session =
            if let existing {
                existing
            } else {
                try await server.createSession(
                    title: title, description: "loaded by carrel evaluate", model: model)
            }
        let handle = try await server.open(session.id)
        let present = Set(try await server.documents(in: handle).map(\.fileName))
        try await load(passages, into: handle, title: title, present: present, quiet: quiet)

        let corpusIDs = Dictionary(
            passages.map { (Self.chunkID($0.id), $0.id) }, uniquingKeysWith: { first, _ in first })
        return Loaded(handle: handle, model: session.model, corpusIDs: corpusIDs)
    }

    private func load(
        _ passages: [Collection.Passage], into handle: String, title: String,
        present: Set<String>, quiet: Bool
    ) async throws {
        let progress = Progress("load \(title)", unit: "passages", quiet: quiet)
        var added = 0
        for start in stride(from: 0, to: passages.count, by: Self.batch) {
            let end = min(start + Self.batch, passages.count)
            let document = "passages \(start + 1) to \(end)"
            guard !present.contains(document) else { continue }
            progress.update(done: start, total: passages.count)
            let chunks = passages[start..<end].map {
                Remote.ImportedPassage(id: Self.chunkID($0.id).uuidString, text: $0.text)
            }
            _ = try await server.importChunks(chunks, into: document, session: handle)
            added += chunks.count
        }
        guard added > 0 else { return }
        progress.update(done: passages.count, total: passages.count)
        progress.finish()
    }

    /// The chunk of a passage: chosen here, so that it is known without asking.
    ///
    /// Chunk ids are unique per session only, so the same passage may stand in several.
    private static func chunkID(_ passage: String) -> UUID {
        ContentID.uuid5(namespace: namespace, name: passage)
    }

    /// Made once, at random; names the ids above and nothing else.
    private static let namespace = UUID(uuidString: "6E1B3F0A-7C52-4D0B-9B7E-2F6A51C8D940")!
}
