import ArgumentParser
import Foundation

struct Search: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a session a question.",
        discussion: """
            Prints the nearest passages, best first: score (cosine, 1 is nearest), document, page, \
            section, and the words themselves; then what it took, stage by stage.

            EXAMPLE
              carrel search "where do log files live?" --session "Operating systems" -k 3
            """)

    @Argument(help: "The question.")
    var text: String

    @OptionGroup var wanted: SessionOption

    @Option(name: .short, help: "How many passages, at most 1000.")
    var k = 5

    @Option(help: "What to rank by: dense, lexical or hybrid.")
    var mode = "dense"

    @Option(help: "Leave out passages below this score.")
    var minScore: Double?

    @Option(help: "What to put around a passage: none or parent.")
    var expand = "none"

    @Option(help: "Only pages of this range, as in 3-7.")
    var pages: String?

    @Option(help: "Only passages about this topic: its id or its title.")
    var topic: String?

    @OptionGroup var remote: RemoteOptions

    func validate() throws {
        guard (1...1000).contains(k) else { throw ValidationError("-k goes from 1 to 1000") }
        guard ["none", "parent"].contains(expand) else {
            throw ValidationError("--expand is none or parent")
        }
        guard ["dense", "lexical", "hybrid"].contains(mode) else {
            throw ValidationError("--mode is dense, lexical or hybrid")
        }
        _ = try pageRange()
    }

    func run() async throws {
        let server = try await remote.connect()
        var parameters = SearchParameters(
            session: try await server.open(named: wanted.session), text: text, k: k,
            minScore: minScore, expand: expand)
        parameters.mode = mode
        if let range = try pageRange() { parameters.filter = .init(pages: range) }
        if let topic {
            let found = try await server.topic(named: topic, in: parameters.session)
            parameters.filter = .init(topics: [found.id], pages: parameters.filter?.pages)
        }
        let answer = try await server.search(parameters)
        await server.close()
        if remote.json { return try answer.printJSON() }
        AnswerText(answer, width: Terminal.width).lines.forEach(Terminal.say)
    }

    private func pageRange() throws -> [Int]? {
        guard let pages else { return nil }
        let ends = pages.split(separator: "-").compactMap { Int($0) }
        guard let first = ends.first, let last = ends.last, ends.count <= 2, 1 <= first,
            first <= last
        else { throw ValidationError("--pages wants a page or a range of pages, as in 3-7") }
        return [first, last]
    }
}
