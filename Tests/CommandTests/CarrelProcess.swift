// The built binary, run as a user runs it.

import Foundation
import Synchronization
import Testing

/// What a run left behind.
struct Outcome: Sendable {
    let status: Int32
    let output: String
    let errors: String

    /// Whether every line fits a terminal of that width.
    func fits(_ width: Int) -> Bool {
        output.split(separator: "\n").allSatisfy { $0.count <= width }
    }
}

enum CarrelProcess {
    /// SwiftPM puts the test bundle and the programs into the same folder.
    static let binary = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "carrel")

    static let package = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Where PostgreSQL's programs are: as in the environment, else where scripts/setup puts them.
    static let postgres =
        ProcessInfo.processInfo.environment["CARREL_POSTGRES_DIR"]
        ?? package.appending(path: "data/var/runtime/postgres").path

    /// A world of its own: nothing of the developer's server or model gets in.
    static func environment(home: String) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("CARREL_") }
        environment["CARREL_HOME"] = home
        environment["CARREL_POSTGRES_DIR"] = postgres
        environment["CARREL_MODEL_DIR"] = home + "/no-model"
        environment["CARREL_PG_USER"] = ProcessInfo.processInfo.environment["CARREL_PG_USER"]
        return environment
    }

    /// Runs to the end.
    static func run(_ arguments: [String], home: String) async throws -> Outcome {
        let running = try Running(arguments, home: home)
        return await running.ended()
    }
}

/// A process under way, whose output is collected as it comes.
final class Running: Sendable {
    private let process: Process
    private let output = Collected()
    private let errors = Collected()

    convenience init(_ arguments: [String], home: String) throws {
        try self.init(
            CarrelProcess.binary, arguments, environment: CarrelProcess.environment(home: home))
    }

    init(_ program: URL, _ arguments: [String], environment: [String: String]) throws {
        process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = CarrelProcess.package
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output.pipe
        process.standardError = errors.pipe
        output.start()
        errors.start()
        try process.run()
    }

    /// Waits for a line on standard output that holds `text`, and returns it.
    func line(holding text: String, within limit: Duration = .seconds(180)) async throws -> String {
        let deadline = ContinuousClock.now.advanced(by: limit)
        while ContinuousClock.now < deadline {
            let lines = output.text.split(separator: "\n").map(String.init)
            if let line = lines.first(where: { $0.contains(text) }) { return line }
            guard process.isRunning else { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("no line with \"\(text)\" in \(output.text)\n\(errors.text)")
        throw CancellationError()
    }

    var processID: Int32 { process.processIdentifier }

    func terminate() { process.terminate() }

    func kill() { if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) } }

    func ended() async -> Outcome {
        while process.isRunning { try? await Task.sleep(for: .milliseconds(10)) }
        return Outcome(
            status: process.terminationStatus, output: output.finish(), errors: errors.finish())
    }
}

/// What came through a pipe.
private final class Collected: Sendable {
    let pipe = Pipe()
    private let bytes = Mutex(Data())
    private let isOver = DispatchSemaphore(value: 0)

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

    func start() {
        let handle = pipe.fileHandleForReading
        Thread.detachNewThread { [self] in
            while case let piece = handle.availableData, !piece.isEmpty {
                bytes.withLock { $0.append(piece) }
            }
            isOver.signal()
        }
    }

    /// Everything, once the other end is closed.
    ///
    /// A grandchild that keeps it open does not hold us up.
    func finish() -> String {
        _ = isOver.wait(timeout: .now() + 2)
        return text
    }
}
