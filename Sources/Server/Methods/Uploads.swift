import Accounts
import Ingestion
import Library
import Postgres
import Wire

extension Method {
    /// Files in pieces, for what does not fit a line.
    static let uploads = [
        session(
            "document.upload.begin", .write, "Opens an upload of a file in pieces.",
            [
                .string("fileName", maximumBytes: 255),
                .integer("bytes", in: 0...Limits.standard.documentBytes),
                .optionalString("sha256", maximumBytes: 64),
                .optionalString("description", maximumBytes: 4096),
            ]
        ) { call, session, result in
            let fileName = try call.params.string("fileName", maximumBytes: 255)
            let bytes = try call.params.integer("bytes", in: 0...call.limits.documentBytes)
            let sha256 = try call.params.optionalString("sha256", maximumBytes: 64)
            let description = try call.params.optionalString("description", maximumBytes: 4096)
            try call.params.finish()
            try await requireSession(session, call)
            try await call.services.pool.withConnection(as: session.asker) { db in
                try await QuotaRepository.requireRoom(
                    for: Int64(bytes), profileID: session.principal.profileID, on: db)
            }
            let upload = try await Upload(
                session: session, fileName: fileName, description: description, bytes: bytes,
                sha256: sha256?.lowercased(), directory: call.services.uploadDirectory)
            guard let name = call.peer.add(upload, limit: openUploads) else {
                throw WireError(
                    .busy, "\(openUploads) uploads of this connection are open.",
                    limit: openUploads, retryAfterMilliseconds: 1000)
            }
            result.member("upload", name)
            result.member("chunkBytes", call.limits.uploadChunkBytes)
        },
        account(
            "document.upload.chunk", .write, "Sends one piece of an upload, in any order.",
            [
                .string("upload"), .integer("offset", in: 0...Limits.standard.documentBytes),
                .base64("dataB64", maximumBytes: Limits.standard.uploadChunkBytes),
            ]
        ) { call, _, result in
            let name = try call.params.string("upload")
            let offset = try call.params.integer("offset", in: 0...call.limits.documentBytes)
            let piece = try call.params.base64(
                "dataB64", maximumBytes: call.limits.uploadChunkBytes)
            try call.params.finish()
            let upload = try openUpload(name, call)
            guard offset <= upload.bytes else {
                throw WireError.invalid(
                    "offset", expected: "an integer from 0 to \(upload.bytes)", got: "\(offset)")
            }
            guard offset + piece.count <= upload.bytes else {
                throw WireError.invalid(
                    "dataB64", expected: "at most \(upload.bytes - offset) bytes from there",
                    got: "\(piece.count)")
            }
            result.member("received", try await upload.write(piece, at: offset))
        },
        account(
            "document.upload.commit", .write,
            "Makes a document of an upload and starts its ingestion.",
            .repeatable([.string("upload")])
        ) { call, principal, result in
            let name = try call.params.string("upload")
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            let (peer, ingestor) = (call.peer, call.services.ingestor)
            let frozen = call
            try await once(key, call, principal, &result) { writer in
                let upload = try openUpload(name, frozen)
                try await upload.check()
                let (document, job) = try await ingestor.submit(
                    as: upload.session.asker, session: upload.session.id, fileName: upload.fileName,
                    path: upload.path,
                    description: upload.fileDescription, lastly: frozen.recordDocument)
                peer.remove(upload: name)?.discard()
                writer.object("document") { $0.members(of: document) }
                writer.object("job") { $0.members(of: job) }
            }
        },
    ]

    /// Uploads that one connection may have open at once.
    private static let openUploads = 8

    private static func openUpload(_ name: String, _ call: Call) throws(WireError) -> Upload {
        guard let upload = call.peer.upload(name) else {
            throw WireError(
                .notFound, "There is no such upload on this connection.", field: "upload")
        }
        return upload
    }
}
