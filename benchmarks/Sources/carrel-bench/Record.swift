// What goes into the run folder: a line of JSON for each measurement, with all that is needed to
// repeat it, and a line for people.

import Foundation
import Workload

struct Record<Measured: Encodable>: Encodable {
    let measurement: String
    let command: String
    let date: String
    let machine: Machine
    let carrel: String
    let postgres: String
    let pgvector: String?
    let vectors: String
    let result: Measured
}

struct Machine: Encodable {
    let commit: String
    /// Whether the sources differed from the commit.
    let changed: Bool
    let processor: String
    let cores: Int
    let memoryGiB: Int
    let system: String
    /// Processes that wanted to run in the last minute: above the cores, others worked too.
    let load: Double

    static func read() -> Machine {
        let models = lines(of: "/proc/cpuinfo").filter { $0.hasPrefix("model name") }
        return Machine(
            commit: run("git", "rev-parse", "HEAD"),
            changed: !run("git", "status", "--porcelain", "--untracked-files=no").isEmpty,
            processor: models.first?.split(separator: ": ").last.map(String.init) ?? "unknown",
            cores: ProcessInfo.processInfo.processorCount,
            memoryGiB: Int(ProcessInfo.processInfo.physicalMemory >> 30),
            system: run("uname", "-srm"),
            load: lines(of: "/proc/loadavg").first?.split(separator: " ").first
                .flatMap { Double($0) } ?? 0)
    }

    private static func lines(of path: String) -> [String] {
        ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
            .split(separator: "\n").map(String.init)
    }

    private static func run(_ command: String...) -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return "" }
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: said, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// Writes the records of one command.
struct Recorder {
    let options: CommonOptions
    let vectors: String
    let status: ServerProcess.Status
    private let machine = Machine.read()

    func add(_ measurement: String, _ result: some Encodable) throws {
        guard let out = options.out else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let record = Record(
            measurement: measurement,
            command: (["carrel-bench"] + CommandLine.arguments.dropFirst()).joined(separator: " "),
            date: Date().formatted(.iso8601), machine: machine, carrel: status.version,
            postgres: status.database.version, pgvector: status.database.pgvector,
            vectors: vectors, result: result)
        let line = try encoder.encode(record) + [0x0A]
        if !FileManager.default.fileExists(atPath: out) {
            try Data().write(to: URL(filePath: out))
        }
        let file = try FileHandle(forWritingTo: URL(filePath: out))
        try file.seekToEnd()
        try file.write(contentsOf: line)
        try file.close()
    }
}

/// A line of progress or of a table, at once.
func say(_ line: String, to file: FileHandle = .standardOutput) {
    try? file.write(contentsOf: Data((line + "\n").utf8))
}

/// Tells how far a filling is, every few seconds.
func fillProgress(_ size: Int) -> (Int) -> Void {
    let started = ContinuousClock.now
    var shown = started
    return { stored in
        guard shown.duration(to: .now) > .seconds(5) else { return }
        shown = .now
        let rate = Double(stored) / (started.duration(to: .now) / .seconds(1))
        say(
            "store \(size) chunks: \(stored), \(Int(rate))/s, "
                + "\(Int(Double(size - stored) / rate)) s left", to: .standardError)
    }
}
