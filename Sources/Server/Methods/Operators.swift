import Accounts
import Embedding
import Library
import Postgres
import Wire

extension Method {
    /// For whoever looks after the server.
    static let operators = [
        account(
            "server.status", .admin, "Versions, connections, searches, jobs, models, memory."
        ) { call, _, result in
            try call.params.finish()
            let database = try await DatabaseStatus(call.services)
            let pool = call.services.pool.statistics
            let counts = call.activity.counts
            result.member("version", Identity.version)
            result.member(
                "uptimeSeconds",
                Int(call.activity.started.duration(to: .now).components.seconds))
            result.member("protocolVersion", Identity.protocolVersions[0])
            result.object("database") {
                $0.member("version", database.version.postgres)
                $0.optional("pgvector", database.version.vector)
                $0.member("migrations", database.migrations)
            }
            result.object("pool") {
                $0.member("size", pool.size)
                $0.member("idle", pool.idle)
                $0.member("waiting", pool.waiting)
            }
            result.member("connections", counts.connections)
            result.member("inflight", counts.inFlight)
            result.object("searches") {
                $0.member("onLoop", counts.searches.onLoop)
                $0.member("onPool", counts.searches.onPool)
                $0.member("byTask", counts.searches.byTask)
            }
            result.object("jobs") {
                $0.member("queued", database.jobs.queued)
                $0.member("running", database.jobs.running)
            }
            result.member("models", call.services.embedders.all.map(\.identity.name))
            result.member("residentBytes", ProcessMemory.residentBytes())
        }
    ]
}
