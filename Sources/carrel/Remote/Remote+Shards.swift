// Texts that are to be embedded elsewhere, and the vectors made of them.

import CarrelClient
import Crypto
import Foundation
import Wire

struct WantedTextShape: Decodable, Sendable {
    var chunk: UUID
    var md5: String
    var text: String

    /// - Throws: `Failure` when the text is not the one that the database has the digest of.
    func check() throws(Failure) {
        guard Insecure.MD5.hash(data: Data(text.utf8)).hexadecimal == md5 else {
            throw Failure(
                "the text of chunk \(chunk.uuidString.lowercased()) was changed on its way")
        }
    }
}

struct WantedTextsShape: Decodable, Sendable {
    var session: UUID
    var model: TextManifest.Model
    /// How many texts have no vector; told with the first page.
    var left: Int?
    var texts: [WantedTextShape]
    var next: String?
}

struct StagedShape: Decodable, Sendable {
    var staged: Int
    /// Chunks that have another text now, or are gone.
    var outdated: [UUID]
}

extension Remote {
    struct MadeVector: Encodable, Sendable {
        let chunk: UUID
        let md5: String
        let vectorB64: String

        init(_ made: ShardVector) {
            (chunk, md5) = (made.chunk, made.md5)
            vectorB64 = Vector.encode(made.vector)
        }
    }

    func wantedTexts(
        of job: UUID, after cursor: String? = nil, limit: Int = 500
    ) async throws -> WantedTextsShape {
        struct Parameters: Encodable {
            var job: UUID
            var cursor: String?
            var limit: Int
        }
        return try await call(
            "reembed.texts", Parameters(job: job, cursor: cursor, limit: limit))
    }

    func stage(_ vectors: [MadeVector], of job: UUID) async throws -> StagedShape {
        struct Parameters: Encodable {
            var job: UUID
            var vectors: [MadeVector]
            var skipOutdated = true
        }
        return try await call("reembed.stage", Parameters(job: job, vectors: vectors))
    }
}
