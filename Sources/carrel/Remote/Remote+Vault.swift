// Folders and quotas, as the command asks for them.

import CarrelClient
import Foundation

struct FolderShape: Codable, Sendable {
    var id: UUID
    var name: String
    var parent: UUID?
    var createdAt: String
}

struct QuotaShape: Codable, Sendable {
    var limitBytes: Int
    var usedBytes: Int
}

/// An answer of which nothing is wanted but that it came.
struct Done: Decodable {}

extension Remote {
    private struct FolderParameters: Encodable {
        var session: String
        var folder: UUID?
        var parent: UUID?
        var name: String?
        var document: UUID?
    }

    private struct FolderAnswer: Decodable { let folder: FolderShape }

    func folders(in session: String) async throws -> [FolderShape] {
        struct Parameters: Encodable {
            let session: String
            let limit = 500
            var cursor: String?
        }
        struct Answer: Decodable {
            let folders: [FolderShape]
            let next: String?
        }
        var parameters = Parameters(session: session)
        var folders: [FolderShape] = []
        repeat {
            let page: Answer = try await call("folder.list", parameters)
            folders += page.folders
            parameters.cursor = page.next
        } while parameters.cursor != nil
        return folders
    }

    func createFolder(
        _ name: String, in parent: UUID?, session: String
    ) async throws -> FolderShape {
        let answer: FolderAnswer = try await call(
            "folder.create", FolderParameters(session: session, parent: parent, name: name))
        return answer.folder
    }

    func moveFolder(_ folder: UUID, to parent: UUID?, session: String) async throws {
        let _: Done = try await call(
            "folder.move", FolderParameters(session: session, folder: folder, parent: parent))
    }

    func renameFolder(_ folder: UUID, to name: String, session: String) async throws {
        let _: Done = try await call(
            "folder.rename", FolderParameters(session: session, folder: folder, name: name))
    }

    func deleteFolder(_ folder: UUID, session: String) async throws {
        let _: Done = try await call(
            "folder.delete", FolderParameters(session: session, folder: folder))
    }

    func moveDocument(_ document: UUID, to folder: UUID?, session: String) async throws {
        let _: Done = try await call(
            "document.move",
            FolderParameters(session: session, folder: folder, document: document))
    }

    /// The document with that id or that file name.
    func document(named name: String, in session: String) async throws -> DocumentShape {
        let found = try await documents(in: session).filter {
            $0.id == UUID(uuidString: name) || $0.fileName == name
        }
        guard let document = found.first else { throw Failure("there is no document \"\(name)\"") }
        guard found.count == 1 else {
            let ids = found.map { $0.id.uuidString.lowercased() }.joined(separator: ", ")
            throw Failure("\(found.count) documents are called \"\(name)\"; name one by id: \(ids)")
        }
        return document
    }

    func quota() async throws -> QuotaShape {
        try await call("quota.get", [String: String]())
    }

    func setQuota(of account: String, to bytes: Int) async throws -> QuotaShape {
        struct Parameters: Encodable {
            let account: String
            let limitBytes: Int
        }
        return try await call("quota.set", Parameters(account: account, limitBytes: bytes))
    }
}
