// Groups and shares, as the command asks for them.

import CarrelClient
import Foundation

struct GroupShape: Codable, Sendable {
    struct Member: Codable, Sendable {
        var id: UUID
        var handle: String
    }

    var id: UUID
    var name: String
    var owner: UUID?
    var createdAt: String
    var members: [Member]
}

struct ShareShape: Codable, Sendable {
    struct Document: Codable, Sendable {
        var id: UUID
        var fileName: String
    }
    struct Recipient: Codable, Sendable {
        var account: UUID?
        var handle: String?
        var group: UUID?
        var name: String?
    }

    var id: UUID
    var session: UUID
    var document: Document
    var to: Recipient
    var from: String
    var permission: String
    var createdAt: String
    var expiresAt: String?
}

extension Remote {
    // MARK: Groups

    func groups() async throws -> [GroupShape] {
        struct Answer: Decodable {
            let groups: [GroupShape]
            let next: String?
        }
        var parameters = PageParameters()
        var groups: [GroupShape] = []
        repeat {
            let page: Answer = try await call("group.list", parameters)
            groups += page.groups
            parameters.cursor = page.next
        } while parameters.cursor != nil
        return groups
    }

    /// The group with that id or that name.
    func group(named name: String) async throws -> GroupShape {
        let found = try await groups().first {
            $0.id == UUID(uuidString: name) || $0.name == name
        }
        guard let found else {
            throw Failure("there is no group \"\(name)\"; see `carrel group list`")
        }
        return found
    }

    func createGroup(_ name: String) async throws -> GroupShape {
        struct Answer: Decodable { let group: GroupShape }
        let answer: Answer = try await call("group.create", ["name": name])
        return answer.group
    }

    func changeGroup(_ method: String, _ group: UUID, account: String? = nil) async throws {
        var parameters = ["group": group.uuidString.lowercased()]
        parameters["account"] = account
        let _: Done = try await call(method, parameters)
    }

    // MARK: Shares

    func share(
        _ document: UUID, in session: String, account: String?, group: UUID?, expiresAt: Date?
    ) async throws -> ShareShape {
        struct Parameters: Encodable {
            let session: String
            let document: UUID
            let account: String?
            let group: UUID?
            let expiresAt: String?
        }
        struct Answer: Decodable { let share: ShareShape }
        let answer: Answer = try await call(
            "share.create",
            Parameters(
                session: session, document: document, account: account, group: group,
                expiresAt: expiresAt?.formatted(.iso8601)))
        return answer.share
    }

    func shares(in session: String) async throws -> [ShareShape] {
        try await shares("share.list", session: session)
    }

    func sharesReceived() async throws -> [ShareShape] {
        try await shares("share.received", session: nil)
    }

    func revoke(share: String, in session: String) async throws {
        let _: Done = try await call("share.revoke", ["session": session, "share": share])
    }

    private func shares(_ method: String, session: String?) async throws -> [ShareShape] {
        struct Answer: Decodable {
            let shares: [ShareShape]
            let next: String?
        }
        var parameters = PageParameters(session: session)
        var shares: [ShareShape] = []
        repeat {
            let page: Answer = try await call(method, parameters)
            shares += page.shares
            parameters.cursor = page.next
        } while parameters.cursor != nil
        return shares
    }
}
