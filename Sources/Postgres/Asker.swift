// On whose behalf a connection asks: what the database's row-level security goes by.
//
// PostgreSQL has no notion of an account that logs in without a role of its own, so the account is a
// setting of the connection (`carrel.profile_id`) that policies read, and the process's own work is done
// in a role (`carrel_service`) to which the policies are open. Both are changed by one statement, and
// only when the next borrower of a connection is not the last. Why: docs/decisions/0016.

package import FoundationEssentials

/// Whose rows a connection may touch.
package enum Asker: Sendable, Hashable {
    /// The role that logged in and no account: sees no row of anybody. For what touches no table, and
    /// for the owner of the tables, whom no policy binds.
    case nobody
    /// An account: sees what is its own or shared with it.
    case account(UUID)
    /// The process itself, in work that crosses accounts: leasing jobs, reading snapshots, finding out
    /// who presents a key. Sees everything, so the statement alone decides.
    case service

    /// Makes a connection ask for this one. Settings of the connection, so outside any transaction: a
    /// rollback would take them back.
    var script: String {
        let (role, profile) =
            switch self {
            case .nobody: ("none", "")
            case .account(let id): ("none", id.uuidString.lowercased())
            case .service: ("carrel_service", "")
            }
        return """
            SELECT set_config('role', '\(role)', false), \
            set_config('carrel.profile_id', '\(profile)', false)
            """
    }

    /// Whether the two differ in a setting only. Another role makes the server plan again what row-level
    /// security had a part in.
    func hasRole(of other: Asker) -> Bool { (self == .service) == (other == .service) }
}
