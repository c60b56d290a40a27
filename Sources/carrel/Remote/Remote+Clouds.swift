// The account's clouds, as the command asks for them.

import CarrelClient
import Foundation

struct CloudShape: Codable, Sendable {
    var id: UUID
    var provider: String
    var name: String
    var place: String?
    var status: String
    var lastUsedAt: String?
    var createdAt: String
}

struct CloudObjectShape: Codable, Sendable {
    var name: String
    var bytes: Int
}

/// What is sent with `cloud.connect`.
struct CloudParameters: Encodable, Sendable {
    var provider: String
    var name: String
    var endpoint: String?
    var region: String?
    var bucket: String?
    var prefix: String?
    var accessKey: String?
    var secretKey: String?
    var sessionToken: String?
    var token: String?
    var user: String?
    var password: String?
}

extension Remote {
    func connectCloud(_ parameters: CloudParameters) async throws -> CloudShape {
        struct Answer: Decodable { let connection: CloudShape }
        let answer: Answer = try await call("cloud.connect", parameters)
        return answer.connection
    }

    func clouds() async throws -> [CloudShape] {
        struct Parameters: Encodable {
            let limit = 500
            var cursor: String?
        }
        struct Answer: Decodable {
            let connections: [CloudShape]
            let next: String?
        }
        var parameters = Parameters()
        var found: [CloudShape] = []
        repeat {
            let page: Answer = try await call("cloud.list", parameters)
            found += page.connections
            parameters.cursor = page.next
        } while parameters.cursor != nil
        return found
    }

    /// The cloud with that id or that name.
    func cloud(named name: String) async throws -> CloudShape {
        let found = try await clouds().first { $0.id == UUID(uuidString: name) || $0.name == name }
        guard let found else {
            throw Failure("there is no cloud \"\(name)\"; see `carrel cloud list`")
        }
        return found
    }

    func objects(of cloud: UUID, prefix: String?, limit: Int) async throws -> [CloudObjectShape] {
        struct Parameters: Encodable {
            let connection: UUID
            let prefix: String?
            let limit: Int
            var cursor: String?
        }
        struct Answer: Decodable {
            let objects: [CloudObjectShape]
            let next: String?
        }
        var parameters = Parameters(connection: cloud, prefix: prefix, limit: min(limit, 500))
        var found: [CloudObjectShape] = []
        repeat {
            let page: Answer = try await call("cloud.objects", parameters)
            found += page.objects
            parameters.cursor = page.next
        } while parameters.cursor != nil && found.count < limit
        return Array(found.prefix(limit))
    }

    func importObjects(
        from cloud: UUID, objects: [String]?, prefix: String?, to session: String
    ) async throws -> JobShape {
        struct Parameters: Encodable {
            let session: String
            let connection: UUID
            let objects: [String]?
            let prefix: String?
        }
        struct Answer: Decodable { let job: JobShape }
        let answer: Answer = try await call(
            "cloud.import",
            Parameters(session: session, connection: cloud, objects: objects, prefix: prefix))
        return answer.job
    }

    func disconnect(cloud: UUID) async throws {
        let _: Done = try await call("cloud.disconnect", ["connection": cloud])
    }
}
