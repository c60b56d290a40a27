import ArgumentParser
import Foundation

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say how the server is.",
        discussion: "EXAMPLE\n  carrel status --json")

    @OptionGroup var remote: RemoteOptions

    func run() async throws {
        let server = try await remote.connect()
        let status = try await server.status()
        await server.close()
        if remote.json { return try status.printJSON() }
        let pool = status.pool
        let jobs = status.jobs
        var table = Table(.text("what"), .elastic("now"))
        table.add("server", "carrel \(status.version), up \(Int(status.uptimeSeconds)) s")
        table.add("protocol", status.protocolVersion)
        table.add(
            "database",
            "PostgreSQL \(status.database.version), pgvector \(status.database.pgvector), "
                + "\(status.database.migrations) migrations")
        table.add("pool", "\(pool.size) connections, \(pool.idle) idle, \(pool.waiting) waiting")
        table.add("clients", "\(status.connections) connected, \(status.inflight) requests running")
        table.add("jobs", "\(jobs.queued) queued, \(jobs.running) running")
        table.add("models", status.models.joined(separator: ", "))
        table.add("memory", "\(status.residentBytes / 1_048_576) MiB resident")
        table.print()
    }
}
