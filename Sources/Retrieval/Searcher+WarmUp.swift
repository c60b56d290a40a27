// What the first search of a process would otherwise wait for.

import Foundation
import Library
import Postgres

extension Searcher {
    /// Opens a few connections and prepares what a session's way into memory asks: 20 to 40 ms that the
    /// first who asks need not wait. A database that is away is met later.
    package func warmUp() async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.warmConnections {
                group.addTask {
                    let nobody = UUID()
                    _ = try? await pool.withTransaction(
                        as: .service, isolation: .repeatableRead, readOnly: true
                    ) { db in
                        _ = try await SessionRepository.check(nobody, for: nobody, on: db)
                        _ = try await SessionRepository.changes(of: nobody, after: 0, on: db)
                    }
                }
            }
        }
    }

    /// One for the search, one for who asks, one for the session's rows.
    private static let warmConnections = 3
}
