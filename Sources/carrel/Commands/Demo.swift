import ArgumentParser
import Foundation

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put the sample documents into a session and ask them questions.",
        discussion: """
            What `make demo` runs. The folder holds documents and questions.jsonl: one question a line \
            with the document, the page and the words that answer it. Uses the running server, or \
            starts one for itself. Exits with 1 unless for every question a passage with those words, \
            from that page, is among the first three.

            EXAMPLE
              carrel demo
              carrel demo --folder data/sample
            """)

    @Option(help: "The documents and their questions.")
    var folder = "data/sample"

    @OptionGroup var remote: RemoteOptions

    /// A question, and where a reader finds its answer.
    struct Question: Decodable {
        var question: String
        var document: String
        var page: Int
        /// Words of that page that answer it.
        var answer: String

        /// Whether a passage is from that page and holds those words, however its lines are broken.
        func isAnswered(by hit: HitShape) -> Bool {
            let text = hit.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            return hit.document.fileName == document && hit.pages.count == 2
                && (hit.pages[0]...hit.pages[1]).contains(page) && text.contains(answer)
        }
    }

    private static let title = "Carrel demo"
    /// How many passages are shown, and among how many the right one must be.
    private static let shown = 3

    func run() async throws {
        guard let file = FileManager.default.contents(atPath: "\(folder)/questions.jsonl") else {
            throw Failure("there is no \(folder)/questions.jsonl; run this in Carrel's own folder")
        }
        let questions = try JSONLines.decode(Question.self, from: file, file: "questions.jsonl")
        let missed = try await remote.withServer { server in
            let handle = try await fill(server)
            var missed: [String] = []
            for question in questions where try await !ask(question, server, handle) {
                missed.append(question.question)
            }
            try await summarise(server, handle, answered: questions.count - missed.count)
            return missed
        }
        guard missed.isEmpty else {
            throw Failure(
                "\(missed.count) of \(questions.count) questions were not answered from the right "
                    + "page: " + missed.joined(separator: " · "))
        }
    }

    /// The session with every document of the folder in it.
    private func fill(_ server: Remote) async throws -> String {
        let documents = try Intake.files(at: [folder]).filter {
            !["README.md", "questions.jsonl"].contains(URL(filePath: $0).lastPathComponent)
        }
        Terminal.say("\n$ carrel ingest \(folder) --session \"\(Self.title)\" --create")
        let session = try await server.session(titled: Self.title)
        let handle = try await server.open(session.id)
        let outcomes = try await Intake(server: server, session: handle, quiet: false)
            .ingest(documents)
        let failed = outcomes.filter { $0.result == .failed }
        guard failed.isEmpty else {
            throw Failure(
                failed.map { "\($0.file): \($0.reason ?? "failed")" }
                    .joined(separator: "; "))
        }
        return handle
    }

    /// Asks, prints the passages, and says whether the right page is among them.
    private func ask(
        _ question: Question, _ server: Remote, _ handle: String
    ) async throws -> Bool {
        Terminal.say("\n$ carrel search \"\(question.question)\" --session \"\(Self.title)\" -k 3")
        let answer = try await server.search(
            SearchParameters(session: handle, text: question.question, k: Self.shown))
        AnswerText(answer, width: Terminal.width).lines.forEach(Terminal.say)

        let place = "\(question.document), p. \(question.page)"
        guard let right = answer.hits.first(where: question.isAnswered) else {
            Terminal.say("   WRONG: \(place) says \"\(question.answer)\"")
            return false
        }
        Terminal.say("   right: passage \(right.rank), as \(place) says \"\(question.answer)\"")
        return true
    }

    private func summarise(_ server: Remote, _ handle: String, answered: Int) async throws {
        let documents = try await server.documents(in: handle)
        var sections = 0
        for document in documents {
            sections += try await server.sectionCount(of: document.id, in: handle)
        }
        let pages = documents.reduce(0) { $0 + ($1.pageCount ?? 0) }
        let chunks = try await server.session(named: Self.title).chunkCount
        Terminal.say(
            "\ndemo: \(documents.count) documents, \(pages) pages, \(sections) sections, "
                + "\(chunks) chunks, \(answered) questions answered")
    }
}
