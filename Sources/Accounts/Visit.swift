// What is known of a request beside what it asks: for the audit log, and for who looks through their
// logins.

package import FoundationEssentials
package import Library
package import Postgres

/// One request, or one run of a command.
package struct Visit: Sendable {
    /// What the audit log calls it: the method's name.
    package let action: String
    package let userAgent: String?
    package let ip: INET?
    package let requestID: String?
    /// Which command, when it was not a request.
    package let command: String?

    package init(
        _ action: String, userAgent: String? = nil, ip: INET? = nil, requestID: String? = nil,
        command: String? = nil
    ) {
        self.action = action
        self.userAgent = userAgent
        self.ip = ip
        self.requestID = requestID
        self.command = command
    }

    var origin: LoginOrigin { LoginOrigin(userAgent: userAgent, ip: ip) }

    /// Adds the visit's entry to the audit log: the last statement of the transaction that did the work.
    package func record(
        by actor: UUID?, _ target: AuditTarget?, session: UUID? = nil,
        _ metadata: [String: String] = [:], as action: String? = nil, on transaction: Transaction
    ) async throws {
        var metadata = metadata
        if let command { metadata["by"] = command }
        try await AuditRepository.record(
            action: action ?? self.action, actor: actor, target: target, session: session, ip: ip,
            requestID: requestID, metadata: metadata, on: transaction)
    }

    /// Adds an entry for something that was refused, of the account it was tried for if there is one.
    func recordFailure(of account: UUID?, with way: String, in pool: Pool) async throws {
        try await pool.withTransaction(as: .service) { transaction in
            try await record(
                by: account, account.map { AuditTarget(.profile, $0) },
                ["method": action, "with": way], as: "auth.failed", on: transaction)
        }
    }
}
