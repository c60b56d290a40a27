// What logins cost, and what they do to searches that go on meanwhile.

import CarrelClient
import Foundation
import Workload

struct LoginBench: Sendable {
    struct Result: Encodable, Sendable {
        /// People who log in again and again, each as soon as they are in.
        let people: Int
        let logins: Int
        /// Of those, told to come later.
        let busy: Int
        let login: EvaluationReport.Times?
        let search: EvaluationReport.Times
    }

    private static let password = "correct horse battery staple"

    let server: ServerAddress
    let size: Int
    let rate: Double
    let seconds: Double

    /// Searches at an even pace (open loop: a time counts from when the search was due), first alone, then
    /// beside as many people as `steps` says.
    func run(_ steps: [Int]) async throws -> [Result] {
        let names = try await makeAccounts(steps.max() ?? 0)
        var results: [Result] = []
        for people in [0] + steps {
            let end = ContinuousClock.now.advanced(by: .seconds(seconds))
            async let searches = measuredSearches()
            let logins = try await withThrowingTaskGroup(of: Tally.self) { group in
                for name in names.prefix(people) {
                    group.addTask { try await logIn(name, until: end) }
                }
                return try await group.reduce(into: Tally()) { $0.add($1) }
            }
            results.append(
                Result(
                    people: people, logins: logins.milliseconds.count, busy: logins.busy,
                    login: logins.milliseconds.isEmpty
                        ? nil : .init(milliseconds: logins.milliseconds),
                    search: try await searches))
        }
        return results
    }

    private struct Tally: Sendable {
        var milliseconds: [Double] = []
        var busy = 0

        mutating func add(_ other: Tally) {
            milliseconds += other.milliseconds
            busy += other.busy
        }
    }

    private func measuredSearches() async throws -> EvaluationReport.Times {
        let (server, size, rate, seconds) = (server, size, rate, seconds)
        return try await onOwnThread {
            let stored = VectorSource(clustered: 1)
            let asked = VectorSource(clustered: 1, part: 1)
            let session = try StudySession(size, of: stored, on: try ServerConnection(server)) {
                _ in
            }
            let questions = try (0..<100).map { Question(vector: try asked.vector($0)) }
            let load = try Load(
                questions, session: session.id, on: server, connections: 4, depth: 16)
            _ = try load.run(.closed(count: 100))
            let measured = try load.run(.open(rate: rate, seconds: seconds))
            guard measured.refused == 0 else { throw Failure("searches were refused") }
            return .init(milliseconds: measured.nanoseconds.map { Double($0) / 1e6 })
        }
    }

    private struct NewAccount: Encodable {
        let handle: String
        let email: String
        let password: String
    }

    private struct Nothing: Codable {}

    private func makeAccounts(_ count: Int) async throws -> [String] {
        let admin = try await CarrelClient.connect(
            host: server.host, port: server.port, apiKey: server.apiKey, clientName: "carrel")
        return try await ensuring {
            let run = String(UUID().uuidString.prefix(8)).lowercased()
            let names = (0..<count).map { "bench-\(run)-\($0)" }
            for name in names {
                let _: Nothing = try await admin.call(
                    "account.create",
                    NewAccount(
                        handle: name, email: "\(name)@localhost", password: Self.password))
            }
            return names
        } finally: {
            await admin.close()
        }
    }

    private func logIn(
        _ name: String, until end: ContinuousClock.Instant
    ) async throws -> Tally {
        var tally = Tally()
        while ContinuousClock.now < end {
            let client = try await CarrelClient.connect(
                host: server.host, port: server.port, apiKey: nil, clientName: "carrel")
            let start = ContinuousClock.now
            do {
                let _: Nothing = try await client.call(
                    "auth.login", ["login": name, "password": Self.password])
                tally.milliseconds.append(start.duration(to: .now).milliseconds)
            } catch {
                guard let pause = error.pause else { throw error }
                tally.busy += 1
                try await Task.sleep(for: pause)
            }
            await client.close()
        }
        return tally
    }
}

extension ClientError {
    /// How long to wait, when that is all that is wrong.
    fileprivate var pause: Duration? {
        guard case .refused(let refusal) = self, refusal.kind == "busy" else { return nil }
        return refusal.retryAfter ?? .milliseconds(100)
    }
}
