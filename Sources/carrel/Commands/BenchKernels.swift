import ArgumentParser
import Foundation
import Vectors

extension Bench {
    struct Scanning: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "kernels",
            abstract: "Time one pass over the rows of a session, on one core.",
            discussion: """
                Every scan of a search with every instruction set that this machine has, beside BLAS, and \
                beside merely reading as many bytes. No server is needed.

                EXAMPLE
                  carrel bench kernels
                  carrel bench kernels --rows 1000,10000,50000,1000000
                """)

        @Option(help: "How many rows of 768 dimensions; several, separated by commas.")
        var rows = "1000,10000,50000"

        @Option(help: "How many passes are timed; the median counts.")
        var passes = 51

        @Flag(help: "Print JSON for machines.")
        var json = false

        private struct Line: Encodable {
            let scan: String
            let table: String
            let rows: Int
            let microseconds: Double
            let gigabytesPerSecond: Double
            /// How much longer it takes than reading as many bytes.
            let overReading: Double
        }

        func validate() throws {
            guard try !counts().isEmpty, passes > 0 else {
                throw ValidationError("--rows and --passes want at least one")
            }
        }

        private func counts() throws -> [Int] {
            try rows.split(separator: ",").map {
                guard let count = Int($0), (1...2_000_000).contains(count) else {
                    throw ValidationError("--rows wants numbers up to 2,000,000, got \"\($0)\"")
                }
                return count
            }
        }

        func run() throws {
            let lines = try counts().flatMap { rows in
                try ScanProbe.allCases.flatMap { scan in
                    try (scan.isKernel ? Kernels.available : [Kernels.current]).map {
                        try Self.line(scan, $0, rows: rows, passes: passes)
                    }
                }
            }
            if json { return try lines.printJSON() }
            var table = Table(
                .number("rows"), .text("scan"), .text("with"), .number("µs"), .number("GB/s"),
                .number("× reading"))
            for line in lines {
                table.add(
                    "\(line.rows)", line.scan, line.table,
                    String(format: "%.1f", line.microseconds),
                    String(format: "%.1f", line.gigabytesPerSecond),
                    String(format: "%.2f", line.overReading))
            }
            table.print()
        }

        private static func line(
            _ scan: ScanProbe, _ kernels: Kernels, rows: Int, passes: Int
        ) throws -> Line {
            let reading = try scan.measure(rows: rows, passes: passes, with: kernels)
            return Line(
                scan: scan.rawValue, table: scan.isKernel ? kernels.name : "BLAS", rows: rows,
                microseconds: reading.scan / .microseconds(1),
                gigabytesPerSecond: Double(reading.byteCount) / (reading.scan / .nanoseconds(1)),
                overReading: reading.scan / reading.read)
        }
    }
}
