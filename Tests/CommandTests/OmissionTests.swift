// A server that stands still for a while shows in the tail, or the benchmark lies.

import Foundation
import TestSupport
import Testing
import Workload

@Suite("The load counts what a caller waits")
struct OmissionTests {
    /// Three seconds at 100/s, of which the server stands still for 0.3 s: 10 % of the requests are
    /// due in that time and wait 0.15 s on average. A load that sends only when the last
    /// answer is in would see one slow request. (The full size is `carrel-bench check-omission`.)
    @Test("A server stopped for 0.3 s of 3 s costs every hundredth request 0.2 s, in an open loop")
    func stoppedServer() async throws {
        let home = try TestDirectory.make("omission-\(UUID().uuidString.prefix(8))")
        let server = try Running(["serve", "--port", "0"], home: home)
        defer { server.kill() }
        _ = try await server.line(holding: "carrel: listening on 127.0.0.1:")
        let written = try Data(contentsOf: URL(filePath: home + "/client.json"))
        let address = try JSONDecoder().decode(ServerAddress.self, from: written)
        let process = server.processID

        let waited = try await Task.detached {
            let source = VectorSource(clustered: 1)
            let session = try StudySession(
                100, of: source, on: try ServerConnection(address), progress: { _ in })
            let load = try Load(
                [Question(vector: try source.vector(0))], session: session.id, on: address,
                connections: 4, depth: 16)
            Thread.detachNewThread {
                Thread.sleep(forTimeInterval: 1)
                kill(process, SIGSTOP)
                Thread.sleep(forTimeInterval: 0.3)
                kill(process, SIGCONT)
            }
            return try load.run(.open(rate: 100, seconds: 3))
        }.value
        #expect(waited.refused == 0)
        #expect(waited.nanoseconds.count == 300)
        let p99 = waited.nanoseconds.sorted()[296]
        #expect(p99 > 200_000_000, "p99 \(p99) ns")
    }
}
