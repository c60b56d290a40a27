// People's clouds: what they gave us to reach them is sealed before it is stored, and opened only to
// ask the cloud.

package import Clouds
package import FoundationEssentials
package import Library
package import Postgres

package struct CloudVault: Sendable {
    private let sealer: Sealer
    private let client: HTTPClient

    /// `rule` says which addresses may be asked; every connection is checked against it.
    package init(sealer: Sealer, rule: AddressRule) {
        self.sealer = sealer
        client = HTTPClient(rule: rule)
    }

    /// Whether the cloud can be asked: what is given is checked, and one question is sent.
    ///
    /// - Throws: `CloudError`: `invalid` naming the field, `forbiddenAddress`, `denied`, ….
    package func probe(_ access: CloudAccess) async throws(CloudError) {
        try await CloudSource(access, client: client).probe()
    }

    /// Stores a connection.
    ///
    /// - Throws: `LibraryError.conflict` when the account has one of this name; `SealingError`.
    package func connect(
        _ access: CloudAccess, name: String, profileID: UUID, on db: some Queryable
    ) async throws -> CloudConnection {
        let id = UUID()
        let sealed = try sealer.seal(
            Array(JSONEncoder().encode(access)), at: Self.place(id, of: profileID))
        return try await CloudConnectionRepository.create(
            id: id, profileID: profileID, provider: access.provider, name: name,
            credentials: sealed, on: db)
    }

    /// The cloud behind a connection, ready to be asked.
    ///
    /// - Throws: `SealingError` when its master key is not here.
    package func open(_ connection: CloudConnection) throws -> CloudSource {
        try CloudSource(access(of: connection), client: client)
    }

    /// Where a connection leads, without its credentials.
    package func place(of connection: CloudConnection) throws -> String {
        try access(of: connection).place
    }

    /// Seals some of what is sealed under an older master key anew; returns how many rows it found.
    static func reseal(
        with sealer: Sealer, limit: Int, on transaction: Transaction
    ) async throws -> Int {
        let old = try await CloudConnectionRepository.lockOthers(
            thanHeader: sealer.newestHeader, limit: limit, on: transaction)
        for connection in old {
            let sealed = try sealer.reseal(
                connection.credentials, at: place(connection.id, of: connection.profileID))
            guard let sealed else { continue }
            try await CloudConnectionRepository.replace(
                credentials: sealed, id: connection.id, on: transaction)
        }
        return old.count
    }

    private func access(of connection: CloudConnection) throws -> CloudAccess {
        let plain = try sealer.open(
            connection.credentials, at: Self.place(connection.id, of: connection.profileID))
        return try JSONDecoder().decode(CloudAccess.self, from: Data(plain))
    }

    private static func place(_ id: UUID, of profile: UUID) -> SealedPlace {
        SealedPlace(.cloudCredentials, of: profile, row: id)
    }
}

extension CloudAccess {
    fileprivate var provider: CloudProvider {
        switch self {
        case .s3: .s3
        case .gcs: .gcs
        case .http: .http
        }
    }
}
