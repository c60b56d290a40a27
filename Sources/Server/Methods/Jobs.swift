import Accounts
import Ingestion
import Library
import NIOCore
import Postgres
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Method {
    /// Long work, looked at from outside.
    static let jobs = [
        account(
            "job.get", .read, "A job as it stands.",
            [.id("job")]
        ) { call, principal, result in
            let job = try await namedJob(&call, principal)
            result.object("job") { $0.members(of: job) }
        },
        session(
            "job.list", .read, "The jobs of the session, newest first.",
            .paged()
        ) { call, session, result in
            let page = try ListPage<TimeCursor>(&call)
            try call.params.finish()
            try await requireSession(session, call)
            let jobs = try await call.services.pool.withConnection(as: session.asker) { db in
                try await JobRepository.list(
                    sessionID: session.id, limit: page.limit + 1, after: page.cursor, on: db)
            }
            page.write("jobs", jobs, &result) {
                TimeCursor(createdAt: $0.createdAt, id: $0.id)
            } _: { writer, job in
                writer.object { $0.members(of: job) }
            }
        },
        account(
            "job.cancel", .write, "Ends a job that waits or runs.",
            [.id("job")]
        ) { call, principal, result in
            let job = try await namedJob(&call, principal)
            _ = try await call.services.ingestor.cancel(as: principal.asker, job: job.id)
            let ended = try await current(job.id, call.services, principal)
            result.object("job") { $0.members(of: ended ?? job) }
        },
        account(
            "job.subscribe", .read, "Sends `$/progress` until the job has ended.",
            [.id("job")]
        ) { call, principal, result in
            let job = try await namedJob(&call, principal)
            result.object("job") { $0.members(of: job) }
            guard !job.state.isEnded else { return }
            let (peer, services, interval) = (
                call.peer, call.services, call.configuration.progressInterval
            )
            // The answer goes first; the news of a job nobody heard of would puzzle.
            call.afterAnswering {
                _ = peer.subscribe(to: job.id, limit: subscriptionLimit) {
                    await follow(job, every: interval, peer, services, principal)
                }
            }
        },
    ]

    /// Jobs that one connection may follow at once; further ones are only answered.
    private static let subscriptionLimit = 64

    /// Sends `$/progress` when a job has moved, until it has ended and the client knows it.
    ///
    /// Looking at the row ten times a second costs a fiftieth of a millisecond each; a client that
    /// does not read is skipped and gets the latest state when it does.
    private static func follow(
        _ job: Job, every interval: Duration, _ peer: Peer, _ services: Services,
        _ principal: Principal
    ) async {
        var told: Progress?
        while !Task.isCancelled {
            do {
                _ = try await services.gatekeeper.recheck(principal)
                guard let job = try await current(job.id, services, principal) else { return }
                let progress = Progress(job)
                if progress != told, peer.notify(progress.line) {
                    told = progress
                    if job.state.isEnded { return }
                }
            } catch let error where WireError(translating: error).kind == .unauthenticated {
                return
            } catch {
                // The database is away for a moment; the next look tells.
            }
            try? await Task.sleep(for: interval)
        }
    }

    private static func current(
        _ id: UUID, _ services: Services, _ principal: Principal
    ) async throws -> Job? {
        try await services.pool.withConnection(as: principal.asker) { db in
            try await JobRepository.get(id: id, profileID: principal.profileID, on: db)
        }
    }

    private static func namedJob(_ call: inout Call, _ principal: Principal) async throws -> Job {
        let id = try call.params.id("job")
        try call.params.finish()
        let job = try await current(id, call.services, principal)
        guard let job, principal.mayOpen(job.sessionID) else {
            throw WireError(.notFound, "This account has no such job.", field: "job")
        }
        return job
    }
}

/// What subscribers are told of a job.
private struct Progress: Equatable {
    let id: UUID
    let state: JobState
    let stage: String?
    let done: Int64
    let total: Int64

    init(_ job: Job) {
        id = job.id
        state = job.state
        stage = job.stage
        done = job.done
        total = job.total
    }

    var line: ByteBuffer {
        JSONWriter.notification("$/progress") {
            $0.member("job", id)
            $0.member("state", state.rawValue)
            $0.optional("stage", stage)
            $0.member("done", done)
            $0.member("total", total)
        }
    }
}

extension JSONWriter {
    mutating func members(of job: Job) {
        member("id", job.id)
        member("kind", job.kind.rawValue)
        member("state", job.state.rawValue)
        if job.isPaused { member("paused", true) }
        job.documentID.map { member("document", $0) }
        member("done", job.done)
        member("total", job.total)
        job.stage.map { member("stage", $0) }
        job.errorMessage.map { member("error", $0) }
        member("attempt", job.attempt)
        if job.kind == .import, let report = CloudImportState(payload: job.payload)?.report {
            object("import") { $0.members(of: report) }
        }
        member("createdAt", job.createdAt)
        job.startedAt.map { member("startedAt", $0) }
        job.finishedAt.map { member("finishedAt", $0) }
    }

    private mutating func members(of report: CloudImportReport) {
        member("imported", report.imported)
        member("duplicates", report.duplicates)
        array("failed", of: report.failed) { writer, failure in
            writer.object {
                $0.member("object", failure.object)
                $0.member("code", failure.code)
                $0.member("reason", failure.reason)
            }
        }
    }
}
