// Who does what, from where: what a request knows of itself is added to its entry in the audit log.

import Accounts
import Library
import Postgres

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Call {
    /// Adds the request's entry, as the last statement of the transaction that did its work.
    ///
    /// The action is the method's name, the actor the account that asks.
    func record(
        _ target: AuditTarget?, session: UUID? = nil, _ metadata: [String: String] = [:],
        on transaction: Transaction
    ) async throws {
        try await AuditRepository.record(
            action: method, actor: peer.principal?.profileID, target: target, session: session,
            ip: peer.address, requestID: requestID, metadata: metadata, on: transaction)
    }

    /// The same for what is done to a document, to be handed to the ingestor.
    @Sendable func recordDocument(_ document: Document, on transaction: Transaction) async throws {
        try await record(
            AuditTarget(.document, document.id), session: document.sessionID,
            ["bytes": "\(document.fileSizeBytes)"], on: transaction)
    }

    /// Adds an entry for an authentication that failed, in a transaction of its own: the account it was
    /// tried for, when there is one, and what was shown (`apiKey`, `password`, …).
    func recordFailedAuthentication(account: UUID? = nil, way: String) async throws {
        try await services.pool.withTransaction(as: .service) { db in
            try await AuditRepository.record(
                action: "auth.failed", actor: account,
                target: account.map { AuditTarget(.profile, $0) }, ip: peer.address,
                requestID: requestID, metadata: ["method": method, "with": way], on: db)
        }
    }
}
