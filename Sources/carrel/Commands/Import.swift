import ArgumentParser
import CarrelClient
import Foundation

struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring passages of your own, with or without their vectors.",
        discussion: """
            Reads a JSON object a line, {"text":…, "vectorB64":…, "document":…, "id":…}. The vector \
            is 768 little-endian floats in base64, or `dtype` says f16; without one the server embeds \
            the text. `document` names the document the passage goes to (default: the file's name); \
            `id` is yours to choose. "-" reads standard input.

            EXAMPLE
              carrel import passages.jsonl --session "Operating systems"
            """)

    @Argument(help: "A file of JSON lines, or - for standard input.", completion: .file())
    var file: String

    @OptionGroup var wanted: SessionOption

    @OptionGroup var remote: RemoteOptions

    /// docs/protocol.md allows 256 passages a call.
    private static let batch = 256

    struct Line: Decodable {
        var text: String
        var vectorB64: String?
        var dtype: String?
        var document: String?
        var id: String?
    }

    private struct Answer: Encodable {
        let session: UUID
        let documents: [String: Int]
        let passages: Int
    }

    func run() async throws {
        let lines = try Self.read(file)
        let server = try await remote.connect()
        let session = try await server.session(named: wanted.session)
        let handle = try await server.open(session.id)
        let usual = file == "-" ? "standard input" : URL(filePath: file).lastPathComponent

        let progress = Progress("import", unit: "passages", quiet: remote.json)
        var done = 0
        var documents: [String: Int] = [:]
        for batch in Self.batches(lines, usualDocument: usual) {
            progress.update(done: done, total: lines.count)
            let chunks = batch.lines.map {
                Remote.ImportedPassage(
                    id: $0.id, text: $0.text, vectorB64: $0.vectorB64, dtype: $0.dtype)
            }
            do {
                _ = try await server.importChunks(chunks, into: batch.document, session: handle)
            } catch ClientError.refused(let refusal) {
                throw Failure(
                    "\(refusal.message)\n\(done) of \(lines.count) passages are in; the refused call began "
                        + "at passage \(done + 1) (document \(batch.document))")
            }
            documents[batch.document, default: 0] += chunks.count
            done += chunks.count
        }
        progress.finish()
        await server.close()
        if remote.json {
            try Answer(session: session.id, documents: documents, passages: done).printJSON()
        } else {
            Terminal.say("imported \(done) passages into \(documents.count) documents")
        }
    }

    private static func read(_ file: String) throws -> [Line] {
        let data =
            file == "-"
            ? FileHandle.standardInput.readDataToEndOfFile()
            : FileManager.default.contents(atPath: file)
        guard let data else { throw Failure("there is no \(file)") }
        return try JSONLines.decode(Line.self, from: data, file: file)
    }

    /// Runs of lines for the same document, none longer than a call takes.
    private static func batches(
        _ lines: [Line], usualDocument: String
    ) -> [(document: String, lines: [Line])] {
        var batches: [(document: String, lines: [Line])] = []
        for line in lines {
            let document = line.document ?? usualDocument
            if batches.last?.document == document, batches[batches.count - 1].lines.count < batch {
                batches[batches.count - 1].lines.append(line)
            } else {
                batches.append((document, [line]))
            }
        }
        return batches
    }
}
