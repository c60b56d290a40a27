import ArgumentParser
import Foundation
import Workload

/// `carrel bench login`.
struct BenchLogin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Log in while a session is searched, and measure both.",
        discussion: """
            Searches at an even pace, first alone, then beside people who log in again and \
            again. Makes accounts named bench-… for it, which stay: use a server of its own \
            (--home).

            EXAMPLE
              carrel bench login --people 1,4,16
            """)

    @Option(help: "How many people log in at once; several, with commas between.")
    var people = "1,2,4,8,16"

    @Option(help: "How many chunks the session holds.")
    var size = 10_000

    @Option(help: "Searches a second.")
    var rate = 200.0

    @Option(help: "Seconds for each.")
    var seconds = 10.0

    @OptionGroup var remote: RemoteOptions

    private func steps() throws -> [Int] {
        try people.split(separator: ",").map {
            guard let count = Int($0), (1...64).contains(count) else {
                throw ValidationError("--people wants numbers from 1 to 64, got \"\($0)\"")
            }
            return count
        }
    }

    func validate() throws {
        _ = try steps()
        guard size > 0, rate > 0, seconds > 0 else {
            throw ValidationError("--size, --rate and --seconds are positive")
        }
    }

    func run() async throws {
        let steps = try steps()
        let (size, rate, seconds) = (size, rate, seconds)
        let results = try await remote.withServerAddress { address in
            try await LoginBench(
                server: ServerAddress(
                    host: address.host, port: address.port, apiKey: address.apiKey),
                size: size, rate: rate, seconds: seconds
            ).run(steps)
        }
        if remote.json { return try results.printJSON() }
        var table = Table(
            .number("people"), .number("logins/s"), .number("busy"), .number("login p50"),
            .number("p99"), .number("search p50"), .number("p99"))
        for result in results {
            func text(_ number: Double?, _ format: String) -> String {
                number.map { String(format: format, $0) } ?? ""
            }
            table.add(
                "\(result.people)", text(Double(result.logins) / seconds, "%.1f"),
                "\(result.busy)", text(result.login?.p50Milliseconds, "%.0f ms"),
                text(result.login?.p99Milliseconds, "%.0f ms"),
                text(result.search.p50Milliseconds, "%.2f ms"),
                text(result.search.p99Milliseconds, "%.2f ms"))
        }
        table.print()
    }
}
