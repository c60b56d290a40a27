import Accounts
import Ingestion
import Library
import Vectors
import Wire

extension Method {
    /// Bring your own vectors.
    static let imports = [
        session(
            "chunk.import", .write,
            "Adds passages to a document, with vectors of one's own or to be embedded.",
            .repeatable([
                .string("document", maximumBytes: 255),
                .objects(
                    "chunks", maximumCount: Limits.standard.importChunks,
                    [
                        .optionalString("id", maximumBytes: 255),
                        .string("text", maximumBytes: Limits.standard.textBytes),
                    ] + Parameter.optionalVector),
            ])
        ) { call, session, result in
            let name = try call.params.string("document", maximumBytes: 255)
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            let objects = try call.params.objects(
                "chunks", maximumCount: call.limits.importChunks)
            try call.params.finish()
            let chunks = try objects.map { try ImportedChunk($0, call.limits) }
            try await requireSession(session, call)
            let frozen = call
            try await once(key, call, session.principal, &result) { writer in
                let imported = try await frozen.services.ingestor.importChunks(
                    as: session.asker, session: session.id, documentName: name, chunks: chunks,
                    model: session.model
                ) { imported, db in
                    try await frozen.record(
                        AuditTarget(.document, imported.documentID), session: session.id,
                        ["chunks": "\(imported.chunkIDs.count)"], on: db)
                }
                writer.object("document") {
                    $0.member("id", imported.documentID)
                    $0.member("fileName", name)
                }
                writer.member("chunks", imported.chunkIDs)
                writer.member("revision", imported.revision)
            }
        }
    ]
}

extension ImportedChunk {
    fileprivate init(_ object: Parameters, _ limits: Limits) throws {
        var object = object
        let id = try object.optionalString("id", maximumBytes: 255)
        let text = try object.string("text", maximumBytes: limits.textBytes)
        let vector = try object.optionalVector(dimension: UnitVector.dimension)
        try object.finish()
        self.init(id: id, text: text, vector: try vector.map { try UnitVector(normalizing: $0) })
    }
}
