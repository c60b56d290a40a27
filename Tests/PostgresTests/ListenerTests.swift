// Notifications across connections, and what happens when the listening one breaks.

import Postgres
import TestSupport
import Testing

@Suite("A listener")
struct ListenerTests {
    @Test("A notification reaches a connection that is otherwise idle")
    func acrossConnections() async throws {
        try await withDatabase { pool in
            let ears = try await Connection.open(pool.configuration)
            let notifications = await ears.notifications()
            try await ears.listen("Strange \"name\"")
            try await pool.withConnection(as: .nobody) { db in
                try await db.script("NOTIFY \"Strange \"\"name\"\"\", 'one'")
                // Nothing is sent when the transaction does not commit.
                _ = try? await db.withTransaction { transaction in
                    try await transaction.script("NOTIFY \"Strange \"\"name\"\"\", 'never'")
                    throw CancellationError()
                }
                try await db.script("NOTIFY \"Strange \"\"name\"\"\", 'two'")
            }
            var heard: [String] = []
            for await notification in notifications {
                #expect(notification.channel == "Strange \"name\"")
                heard.append(notification.payload)
                if heard.count == 2 { break }
            }
            #expect(heard == ["one", "two"])
            await ears.close()
        }
    }

    @Test("After its connection is killed it listens again and says to look again")
    func reconnects() async throws {
        try await withDatabase { pool in
            var configuration = pool.configuration
            configuration.applicationName = "listener under test"
            let listener = Listener(configuration, channels: ["carrel_session"])
            var events = listener.events().makeAsyncIterator()
            #expect(await events.next() == .listening)

            try await pool.withConnection(as: .nobody) {
                try await $0.script("NOTIFY carrel_session, 'before'")
            }
            guard case .notification(let first) = await events.next() else {
                Issue.record("expected a notification")
                return
            }
            #expect(first.payload == "before")

            try await terminate(first: "listener under test", pool)
            guard case .interrupted = await events.next() else {
                Issue.record("expected an interruption")
                return
            }
            #expect(await events.next() == .listening)
            try await pool.withConnection(as: .nobody) {
                try await $0.script("NOTIFY carrel_session, 'after'")
            }
            guard case .notification(let second) = await events.next() else {
                Issue.record("expected a notification")
                return
            }
            #expect(second.payload == "after")
        }
    }

    @Test("A reader that falls behind is told that it has lost some")
    func overflow() async throws {
        try await withDatabase { pool in
            let listener = Listener(pool.configuration, channels: ["flood"])
            var events = listener.events().makeAsyncIterator()
            #expect(await events.next() == .listening)
            try await pool.withConnection(as: .nobody) { db in
                try await db.script(
                    "SELECT pg_notify('flood', n::text) FROM generate_series(1, 5000) n")
                try await db.script("NOTIFY flood, 'last'")
            }
            try await Task.sleep(for: .milliseconds(500))
            var overflowed = false
            while let event = await events.next() {
                if event == .overflowed { overflowed = true }
                if case .notification(let n) = event, n.payload == "last" { break }
            }
            #expect(overflowed)
        }
    }

    @Test("Dropping the stream ends the connection")
    func ends() async throws {
        try await withDatabase { pool in
            var configuration = pool.configuration
            configuration.applicationName = "listener to drop"
            do {
                var events = Listener(configuration, channels: ["x"]).events().makeAsyncIterator()
                #expect(await events.next() == .listening)
            }
            for _ in 0..<100 {
                if try await count(named: "listener to drop", pool) == 0 { return }
                try await Task.sleep(for: .milliseconds(20))
            }
            Issue.record("the listening connection is still there")
        }
    }

    func count(named name: String, _ pool: Pool) async throws -> Int {
        try await pool.withConnection(as: .nobody) { db in
            try await db.query(
                Statement("count", "SELECT pid FROM pg_stat_activity WHERE application_name = $1"),
                name
            ).count
        }
    }

    func terminate(first name: String, _ pool: Pool) async throws {
        let processID: Int = try await pool.withConnection(as: .nobody) { db in
            try await db.query(
                Statement("find", "SELECT pid FROM pg_stat_activity WHERE application_name = $1"),
                name
            ).single()
        }
        try await PostgresTests.terminate(Int32(processID), pool)
    }
}
