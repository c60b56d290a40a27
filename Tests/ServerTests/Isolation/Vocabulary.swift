// What the parameters of methods name. Everything that is declared as an id or a string stands here, or the
// test of isolation fails: a parameter that nobody thought of is a place that nobody tried.

import Wire

/// What stands at a place, and so which of another account's values are tried there.
enum PlaceKind: Equatable {
    /// A row of this table, by its UUID.
    case row(of: String)
    case handle, upload, cursor, idempotencyKey
    /// An account, by id or handle. Everybody may name one, to share with it: that it is there is no secret.
    case account
    /// What only its owner shows: tokens, and names to log in with.
    case secret
    /// What finds rows by what they say.
    case fileName, ssn

    /// Whether the same value may be anybody's, so that what was asked may be done all the same.
    var isForAnybody: Bool {
        switch self {
        case .account, .cursor, .idempotencyKey: true
        case .row, .handle, .upload, .secret, .fileName, .ssn: false
        }
    }
}

enum Vocabulary {
    /// Declared as ids.
    private static let tables = [
        "account": "profiles", "borrower": "borrowers", "chat": "chats",
        "chunk": "document_chunks", "citedChunks": "document_chunks",
        "connection": "cloud_connections", "document": "documents", "documents": "documents",
        "folder": "folders", "group": "groups", "job": "jobs", "key": "api_keys",
        "parent": "folders", "reference": "source_references", "session": "study_sessions",
        "share": "shares", "topic": "topics", "topics": "topics",
    ]

    /// Declared as strings, and more than text. With the method where it is not everywhere.
    private static let names: [String: PlaceKind] = [
        "account": .account, "upload": .upload, "cursor": .cursor,
        "idempotencyKey": .idempotencyKey, "refreshToken": .secret, "login": .secret,
        "auth.apiKey": .secret, "auth.accessToken": .secret, "borrower.list ssn": .ssn,
        "citation.verify fileName": .fileName,
    ]

    /// Nothing but text: kept or compared with what the session itself holds. With the method where the
    /// same word names something elsewhere.
    private static let texts: Set = [
        "accessKey", "address.city", "address.country", "address.postalCode", "address.state",
        "address.street", "address.unit", "bucket", "chunks.id", "chunks.text",
        "citation.snippet", "client.name", "client.version", "code", "content", "description",
        "email", "employer", "endpoint", "handle", "judgements.query",
        "judgements.relevant.chunk", "model", "name", "newPassword", "number",
        "objects", "password", "prefix", "protocolVersions", "queries.text", "region", "secretKey",
        "section", "sessionToken", "sha256", "snippet", "sourceType", "subtopics", "text", "title",
        "token", "topics.subtopics", "topics.title", "user", "vectors.md5", "borrower.create ssn",
        "document.ingest fileName", "document.upload.begin fileName", "chunk.import document",
    ]

    enum Meaning: Equatable { case names(PlaceKind), text, unknown }

    /// What a parameter means, by its method and its path (`filter.documents`); nil for numbers, flags,
    /// choices and the like, which name nothing.
    static func meaning(of path: String, in method: String, _ shape: Parameter.Shape) -> Meaning? {
        switch shape {
        case .handle: return .names(.handle)
        case .id:
            let name = path.split(separator: ".").last.map(String.init) ?? path
            return tables[name].map { .names(.row(of: $0)) } ?? .unknown
        case .string:
            if let kind = names["\(method) \(path)"] ?? names[path] { return .names(kind) }
            let isText = texts.contains("\(method) \(path)") || texts.contains(path)
            return isText ? .text : .unknown
        case .list(let element, _, _) where element.members == nil:
            return meaning(of: path, in: method, element)
        case .base64, .vectorB64, .date, .decimal, .choice, .integer, .number, .flag, .range,
            .vector, .list, .object:
            return nil
        }
    }
}
