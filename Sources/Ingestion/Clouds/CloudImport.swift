// What an import was asked for, and how far it is: the payload of its job.

package import Foundation

/// Objects of one connection, to become documents of a session.
package struct CloudImport: Sendable, Equatable, Codable {
    package var connection: UUID
    /// Whose connection it is.
    package var profile: UUID
    /// The objects by name; nil for all that begin with `prefix`.
    package var objects: [String]?
    /// Added to the connection's own.
    package var prefix: String

    package init(connection: UUID, profile: UUID, objects: [String]?, prefix: String = "") {
        self.connection = connection
        self.profile = profile
        self.objects = objects
        self.prefix = prefix
    }

    /// The most objects of one import.
    package static let objectLimit = 1000
}

/// One object to be imported. Known size and tag are those of the listing.
struct CloudImportItem: Sendable, Equatable, Codable {
    var name: String
    var size: Int?
    var etag: String?
}

/// What became of the objects so far, in their order.
package struct CloudImportReport: Sendable, Equatable, Codable {
    /// An object that did not become a document, and why.
    package struct Failure: Sendable, Equatable, Codable {
        package var object: String
        /// `not_found`, `too_large`, `quota_exceeded`, …
        package var code: String
        package var reason: String
    }

    package var imported = 0
    /// The session held their bytes already.
    package var duplicates = 0
    package var failed: [Failure] = []

    var count: Int { imported + duplicates + failed.count }
}

/// The payload as a whole. What is missing has not happened yet.
package struct CloudImportState: Sendable, Codable {
    package var order: CloudImport
    var items: [CloudImportItem]?
    package var report: CloudImportReport?

    package init(order: CloudImport) { self.order = order }

    /// Nil when it is not that of an import.
    package init?(payload: String) {
        guard
            let state = try? JSONDecoder().decode(
                CloudImportState.self, from: Data(payload.utf8))
        else { return nil }
        self = state
    }
}
