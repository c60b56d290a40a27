import ArgumentParser
import Foundation

struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rate the answers on a judged collection.",
        discussion: """
            The folder holds corpus.jsonl {"id","title","text"}, queries.jsonl {"id","text"} and \
            qrels.tsv (query, document, relevance). Its passages are loaded into a session of their \
            own (once: a second run finds them), the questions are asked over the socket one after \
            the other, and the rankings are rated as trec_eval does. Empty passages are left out.

            EXAMPLE
              carrel evaluate ../shared/data/medline
              carrel evaluate ../shared/data/squad-dev-a --by-session --mode hybrid
            """)

    @Argument(help: "The folder of the collection.", completion: .directory)
    var folder: String

    @Flag(help: "Ask every question in its session of sessions.tsv, not in the whole corpus.")
    var bySession = false

    @Option(help: "Another file of judgements in the folder.")
    var qrels = "qrels.tsv"

    @Option(help: "The embedding model (default: the server's).")
    var model: String?

    @Option(help: "What to rank by: dense, lexical or hybrid.")
    var mode: String?

    @Option(help: "How a hybrid search puts both scores together: minmax or rrf.")
    var fusion: String?

    @OptionGroup var remote: RemoteOptions

    func run() async throws {
        let collection = try Collection(folder: folder, qrels: qrels)
        let server = try await remote.connect()
        let report = try await Evaluation(
            server: server, collection: collection, model: model,
            ranking: RankingShape(mode: mode, fusion: fusion), quiet: remote.json
        ).run(bySession: bySession)
        await server.close()
        if remote.json { return try report.printJSON() }

        let plans = report.plans.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        Terminal.say(
            "\(report.collection): \(report.passages) passages in \(report.sessions) "
                + (report.sessions == 1 ? "session" : "sessions")
                + " (\(report.emptyPassages) empty ones left out), "
                + "\(report.quality.questions) questions, model \(report.model), "
                + (mode.map { "mode \($0), " } ?? "")
                + "plan \(plans.joined(separator: ", "))")
        var table = Table(
            .number("nDCG@10"), .number("Recall@10"), .number("Recall@100"), .number("MRR@10"),
            .number("server p50"), .number("p99"), .number("round trip p50"), .number("p99"))
        let quality = [
            report.quality.nDCG10, report.quality.recall10, report.quality.recall100,
            report.quality.mrr10,
        ].map { String(format: "%.4f", $0) }
        let times = [
            report.server.p50Milliseconds, report.server.p99Milliseconds,
            report.roundTrip.p50Milliseconds, report.roundTrip.p99Milliseconds,
        ].map { String(format: "%.2f ms", $0) }
        table.add(
            quality[0], quality[1], quality[2], quality[3], times[0], times[1], times[2], times[3])
        table.print()
    }
}
