import ArgumentParser
import Workload

/// The measurements of benchmarks/README.md.
@main
struct CarrelBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carrel-bench",
        abstract: "Measure a Carrel server over TCP.",
        discussion: """
            Starts a server of its own, with its data below --home, and stops it again. Sessions are \
            filled once; a second run finds them. Vectors are seeded clusters unless --vectors and \
            --queries name NumPy files.
            """,
        subcommands: [Search.self, Cold.self, Ingest.self, CheckOmission.self])
}

/// What all measurements take.
struct CommonOptions: ParsableArguments {
    @Option(help: "The program to measure.")
    var carrel = ".build/release/carrel"

    @Option(help: "The server's folder (default: bench/server below $CARREL_HOME or data/var).")
    var home: String?

    @Option(help: "A NumPy file of vectors to store (f2 or f4, at most 768 wide).")
    var vectors: String?

    @Option(help: "A NumPy file of vectors to ask with.")
    var queries: String?

    @Option(help: "Append the results to this file, a JSON object a line.")
    var out: String?

    func validate() throws {
        guard (vectors == nil) == (queries == nil) else {
            throw ValidationError("--vectors and --queries go together")
        }
    }

    func sources() throws -> (stored: VectorSource, asked: VectorSource) {
        guard let vectors, let queries else {
            return (VectorSource(clustered: 1), VectorSource(clustered: 1, part: 1))
        }
        return (try VectorSource(file: vectors), try VectorSource(file: queries))
    }
}
