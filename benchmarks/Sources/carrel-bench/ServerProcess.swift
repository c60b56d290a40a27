// The server under measurement: a process of its own, started, stopped and looked at from outside.

import Foundation
import Workload

final class ServerProcess {
    private let process = Process()
    let address: ServerAddress
    /// From the start of the program to the line that says it listens.
    let secondsToListen: Double
    let home: String
    /// A terminated benchmark takes its server with it (control-C reaches both by itself).
    private let termination = DispatchSource.makeSignalSource(signal: SIGTERM)

    /// Runs `carrel serve` and waits until it listens.
    init(_ options: CommonOptions) throws {
        let environment = ProcessInfo.processInfo.environment
        let usual = environment["CARREL_HOME"] ?? "data/var"
        home = options.home ?? "\(usual)/bench/server"
        try FileManager.default.createDirectory(
            atPath: home, withIntermediateDirectories: true)
        // PostgreSQL and the model are shared with the usual folder; the data are not.
        process.environment = environment.merging(["CARREL_HOME": home]) { $1 }.merging([
            "CARREL_POSTGRES_DIR": "\(usual)/runtime/postgres",
            "CARREL_MODEL_DIR": "\(usual)/models/all-MiniLM-L6-v2",
        ]) { given, _ in given }
        process.executableURL = URL(filePath: options.carrel)
        process.arguments = ["serve", "--port", "0"]
        let output = Pipe()
        process.standardOutput = output
        let started = ContinuousClock.now
        try process.run()
        signal(SIGTERM, SIG_IGN)
        let id = process.processIdentifier
        termination.setEventHandler {
            kill(id, SIGTERM)
            exit(143)
        }
        termination.resume()
        var said = ""
        while !said.contains("listening on ") || !said.hasSuffix("\n") {
            let piece = output.fileHandleForReading.availableData
            guard !piece.isEmpty else { throw WorkloadError("carrel serve ended: \(said)") }
            said += String(decoding: piece, as: UTF8.self)
        }
        secondsToListen = started.duration(to: .now) / .seconds(1)
        let file = try Data(contentsOf: URL(filePath: home + "/client.json"))
        address = try JSONDecoder().decode(ServerAddress.self, from: file)
    }

    func connect() throws -> ServerConnection { try ServerConnection(address) }

    /// Bytes in memory, as Linux counts them.
    var residentBytes: Int {
        let statm = try? String(
            contentsOfFile: "/proc/\(process.processIdentifier)/statm", encoding: .utf8)
        let pages = statm?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// Stands still for a while, from another thread.
    func pause(after: Double, for seconds: Double) {
        let id = process.processIdentifier
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: after)
            kill(id, SIGSTOP)
            Thread.sleep(forTimeInterval: seconds)
            kill(id, SIGCONT)
        }
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    /// Runs `body` with a server, which is stopped whatever happens.
    static func with<R>(_ options: CommonOptions, _ body: (ServerProcess) throws -> R) throws -> R {
        let server = try ServerProcess(options)
        defer { server.stop() }
        return try body(server)
    }

    /// What `server.status` says of its versions.
    struct Status: Decodable {
        struct Database: Decodable {
            let version: String
            let pgvector: String?
        }
        let version: String
        let database: Database
        let residentBytes: Int
    }

    func status() throws -> Status { try connect().call("server.status") }
}
