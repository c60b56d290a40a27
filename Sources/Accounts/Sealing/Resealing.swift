// After a master key was added: what was sealed with older ones is sealed anew, some rows at a time.

internal import FoundationEssentials
internal import Library
package import Postgres

/// A column of sealed values that can be sealed anew.
package struct Resealing: Sendable {
    package let name: String
    private let step: @Sendable (Sealer, Int, Transaction) async throws -> Int

    /// `step` seals at most so many values anew, each with its row locked, and says how many it found.
    private init(
        _ name: String,
        step: @escaping @Sendable (Sealer, _ limit: Int, Transaction) async throws -> Int
    ) {
        self.name = name
        self.step = step
    }

    /// The columns of everything that is sealed.
    package static let all = SealedPlace.Purpose.allCases.map(column)

    private static func column(of purpose: SealedPlace.Purpose) -> Resealing {
        switch purpose {
        case .totpSecret: totpSecrets
        case .cloudCredentials: cloudCredentials
        case .accountNumber: accountNumbers
        }
    }

    /// Seals all of the column with the newest key, a batch a transaction. Can be stopped and begun again
    /// at any time.
    ///
    /// - Returns: how many values it sealed anew.
    @discardableResult
    package func run(
        _ sealer: Sealer, batch: Int = 100, on connection: Connection
    ) async throws -> Int {
        var total = 0
        while true {
            try Task.checkCancellation()
            let count = try await connection.withTransaction { transaction in
                try await step(sealer, batch, transaction)
            }
            if count == 0 { return total }
            total += count
        }
    }

    private static let cloudCredentials = Resealing("clouds") { sealer, limit, transaction in
        try await CloudVault.reseal(with: sealer, limit: limit, on: transaction)
    }

    private static let accountNumbers = Resealing("account numbers") {
        sealer, limit, transaction in
        let numbers = try await AccountNumberRepository.lockOthers(
            thanHeader: sealer.newestHeader, limit: limit, on: transaction)
        for number in numbers {
            let place = SealedPlace.accountNumber(
                number.id, in: number.sessionID, of: number.profileID)
            guard let new = try sealer.reseal(number.sealed, at: place) else { continue }
            try await AccountNumberRepository.replace(
                sealed: new, sessionID: number.sessionID, id: number.id, on: transaction)
        }
        return numbers.count
    }

    private static let totpSecrets = Resealing("second factors") { sealer, limit, transaction in
        let rows = try await ProfileRepository.totpSecrets(
            notBeginningWith: sealer.newestHeader, limit: limit, on: transaction)
        for (id, secret) in rows {
            guard let new = try sealer.reseal(secret, at: Gatekeeper.totpPlace(id)) else {
                continue
            }
            try await ProfileRepository.resealTotp(secret: new, id: id, on: transaction)
        }
        return rows.count
    }
}
