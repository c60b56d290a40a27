// Leases: one worker at a time, and never a lost job.

import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("Jobs")
struct JobTests {
    private func enqueue(_ count: Int, _ f: Fixture) async throws -> [Job] {
        try await f.pool.withConnection(as: .service) { db in
            var jobs: [Job] = []
            for _ in 0..<count {
                jobs.append(
                    try await JobRepository.enqueue(
                        NewJob(sessionID: f.session.id, kind: .ingest, payload: #"{"file":"a"}"#),
                        on: db))
            }
            return jobs
        }
    }

    @Test("Four workers take forty jobs, each job once")
    func workers() async throws {
        try await Fixture.with { f in
            let jobs = try await enqueue(40, f)
            let taken = try await withThrowingTaskGroup(of: [UUID].self) { group in
                for worker in 0..<4 {
                    group.addTask {
                        var mine: [UUID] = []
                        while let job = try await f.pool.withConnection(
                            as: .service,
                            {
                                try await JobRepository.lease(
                                    kinds: [.ingest], owner: "worker \(worker)", for: .seconds(60),
                                    on: $0)
                            })
                        { mine.append(job.id) }
                        return mine
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(taken.count == 40)
            #expect(Set(taken) == Set(jobs.map(\.id)))
        }
    }

    @Test("A job another worker is just taking is passed over, not waited for")
    func skipLocked() async throws {
        try await Fixture.with { f in
            let jobs = try await enqueue(2, f)
            try await f.pool.withTransaction(as: .service) { first in
                let one = try await JobRepository.lease(
                    kinds: [.ingest], owner: "one", for: .seconds(60), on: first)
                #expect(one?.id == jobs[0].id)
                // The first transaction is still open and holds the row.
                let two = try await f.pool.withConnection(as: .service) { second in
                    try await second.script("SET lock_timeout = '1s'")
                    return try await JobRepository.lease(
                        kinds: [.ingest], owner: "two", for: .seconds(60), on: second)
                }
                #expect(two?.id == jobs[1].id)
            }
        }
    }

    @Test("An expired lease is taken up again, and the first owner can do nothing more")
    func expiry() async throws {
        try await Fixture.with { f in
            let job = try await enqueue(1, f)[0]
            try await f.pool.withConnection(as: .service) { db in
                func lease(_ owner: String, _ duration: Duration) async throws -> Job? {
                    try await JobRepository.lease(
                        kinds: [.ingest], owner: owner, for: duration, on: db)
                }
                #expect(try await lease("first", .milliseconds(1))?.attempt == 1)
                try await Task.sleep(for: .milliseconds(20))
                let again = try #require(try await lease("second", .seconds(60)))
                #expect(again.id == job.id)
                #expect(again.attempt == 2)
                #expect(again.leaseOwner == "second")
                #expect(try await lease("third", .seconds(60)) == nil)

                #expect(
                    try await JobRepository.renew(
                        id: job.id, owner: "first", for: .seconds(60), on: db) == false)
                #expect(
                    try await JobRepository.progress(
                        id: job.id, done: 1, total: 2, owner: "first", on: db) == false)
                #expect(
                    try await JobRepository.finish(
                        id: job.id, state: .succeeded, owner: "first", on: db) == false)
                #expect(
                    try await JobRepository.renew(
                        id: job.id, owner: "second", for: .seconds(60), on: db))
                #expect(
                    try await JobRepository.finish(
                        id: job.id, state: .succeeded, owner: "second", on: db))
            }
        }
    }

    @Test("A job goes from queued over running to an end, and says how far it is")
    func life() async throws {
        try await Fixture.with { f in
            let job = try await enqueue(1, f)[0]
            #expect(job.state == .queued)
            #expect(job.startedAt == nil)
            try await f.pool.withConnection(as: .service) { db in
                #expect(
                    try await JobRepository.progress(id: job.id, done: 1, total: 2, on: db)
                        == false)
                #expect(
                    try await JobRepository.lease(
                        kinds: [.reembed], owner: "w", for: .seconds(9), on: db) == nil)
                let leased = try await JobRepository.lease(
                    kinds: JobKind.allCases, owner: "w", for: .seconds(9), on: db)
                #expect(leased?.state == .running)
                #expect(leased?.startedAt != nil)
                #expect(leased?.payload == #"{"file": "a"}"#)
                try await JobRepository.progress(
                    id: job.id, done: 3, total: 7, stage: "embed", owner: "w", on: db)
                var read = try #require(try await JobRepository.get(id: job.id, on: db))
                #expect((read.done, read.total, read.stage) == (3, 7, "embed"))
                #expect(try await JobRepository.counts(on: db) == (queued: 0, running: 1))

                #expect(
                    try await JobRepository.finish(
                        id: job.id, state: .failed, error: "encrypted", owner: "w", on: db))
                read = try #require(try await JobRepository.get(id: job.id, on: db))
                #expect(read.state == .failed)
                #expect(read.errorMessage == "encrypted")
                #expect(read.leaseOwner == nil)
                #expect(read.finishedAt != nil)
                #expect(try await JobRepository.cancel(id: job.id, on: db) == false)
                #expect(
                    try await JobRepository.list(sessionID: f.session.id, limit: 9, on: db)
                        == [read])
                #expect(
                    try await JobRepository.get(id: job.id, profileID: f.profile.id, on: db)
                        == read)
                #expect(
                    try await JobRepository.get(id: job.id, profileID: UUID(), on: db) == nil)
            }
        }
    }

    @Test("Cancelling ends a job at once; its worker learns it at the next renewal")
    func cancellation() async throws {
        try await Fixture.with { f in
            let jobs = try await enqueue(2, f)
            try await f.pool.withConnection(as: .service) { db in
                _ = try await JobRepository.lease(
                    kinds: [.ingest], owner: "w", for: .seconds(60), on: db)
                for job in jobs {
                    #expect(try await JobRepository.cancel(id: job.id, on: db))
                    #expect(
                        try await JobRepository.get(id: job.id, on: db)?.state == .cancelled)
                }
                #expect(
                    try await JobRepository.renew(
                        id: jobs[0].id, owner: "w", for: .seconds(60), on: db) == false)
                #expect(
                    try await JobRepository.lease(
                        kinds: [.ingest], owner: "w", for: .seconds(60), on: db) == nil)
            }
        }
    }

    @Test("A running job has a lease, an ended job a date: the database insists")
    func checks() async throws {
        try await Fixture.with { f in
            _ = try await enqueue(1, f)
            await expectRefusal(.checkViolation, by: "jobs_running_is_leased") {
                try await f.sql("UPDATE carrel.jobs SET state = 'RUNNING'")
            }
            await expectRefusal(.checkViolation, by: "jobs_ended_is_dated") {
                try await f.sql("UPDATE carrel.jobs SET state = 'SUCCEEDED'")
            }
            await expectRefusal(.checkViolation, by: "jobs_progress") {
                try await f.sql("UPDATE carrel.jobs SET progress_done = -1")
            }
        }
    }
}

private actor Counter {
    private var count = 0

    func next() -> Int {
        count += 1
        return count
    }
}

@Suite("Idempotency keys")
struct IdempotencyTests {
    /// Does the work once, as a creating method would; returns its answer.
    private func request(
        _ key: String, method: String = "session.create", _ f: Fixture,
        work: @Sendable () async throws -> String
    ) async throws -> String {
        try await f.pool.withTransaction(as: .service) { db in
            if let answer = try await IdempotencyRepository.recall(
                profileID: f.profile.id, key: key, method: method, on: db)
            {
                return answer
            }
            let answer = try await work()
            try await IdempotencyRepository.remember(
                profileID: f.profile.id, key: key, method: method, response: answer, on: db)
            return answer
        }
    }

    @Test("Requests with one key, all at once, do the work once and get one answer")
    func once() async throws {
        try await Fixture.with { f in
            let work = Counter()
            let answers = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await request("k", f) {
                            let number = await work.next()
                            try await Task.sleep(for: .milliseconds(20))
                            return #"{"n": \#(number)}"#
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers == Array(repeating: #"{"n": 1}"#, count: 4))
            #expect(try await request("other", f) { "2" } == "2")
        }
    }

    @Test("When the first request fails, its retry does the work")
    func failure() async throws {
        try await Fixture.with { f in
            await #expect(throws: CancellationError.self) {
                try await request("k", f) { throw CancellationError() }
            }
            let answer = try await request("k", f) { "1" }
            #expect(answer == "1")
        }
    }

    @Test("A key belongs to one method, has 1 to 64 bytes, and is forgotten after a day")
    func rules() async throws {
        try await Fixture.with { f in
            _ = try await request("k", f) { "1" }
            await #expect(throws: LibraryError.self) {
                try await request("k", method: "document.ingest", f) { "2" }
            }
            for key in ["", String(repeating: "é", count: 33)] {
                await #expect(throws: LibraryError.self) { try await request(key, f) { "2" } }
            }
            try await f.sql(
                "UPDATE carrel.idempotency_keys SET created_at = now() - interval '25 hours'")
            #expect(try await request("k", f) { "3" } == "3")
            try await f.sql(
                "UPDATE carrel.idempotency_keys SET created_at = now() - interval '25 hours'")
            let forgotten = try await f.pool.withConnection(as: .service) {
                try await IdempotencyRepository.forgetExpired(on: $0)
            }
            #expect(forgotten == 1)
        }
    }
}
