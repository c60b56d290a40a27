import ArgumentParser
import Foundation

struct Ingest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put documents into a session: PDF, HTML, DOCX, Markdown, text.",
        discussion: """
            Files are told apart by their content, not their name. A folder stands for the files in \
            it, at any depth, without hidden ones. A document already in the session is left alone; \
            one that cannot be read is reported, and the others go on.

            EXAMPLE
              carrel ingest lecture.pdf notes/ --session "Operating systems"
            """)

    @Argument(help: "Files and folders.", completion: .file())
    var paths: [String]

    @OptionGroup var wanted: SessionOption

    @Flag(help: "Make the session if there is none of that title.")
    var create = false

    @OptionGroup var remote: RemoteOptions

    func run() async throws {
        let files = try Intake.files(at: paths)
        let server = try await remote.connect()
        let session =
            create
            ? try await server.session(titled: wanted.session)
            : try await server.session(named: wanted.session)
        let handle = try await server.open(session.id)
        let intake = Intake(server: server, session: handle, quiet: remote.json)
        let outcomes = try await intake.ingest(files)
        await server.close()

        if remote.json {
            try outcomes.printJSON()
        } else {
            var table = Table(
                .elastic("document"), .text("type"), .text("outcome"), .number("pages"),
                .elastic("reason"))
            for outcome in outcomes {
                table.add(
                    outcome.file, outcome.document?.fileType ?? "", outcome.result.rawValue,
                    outcome.document?.pageCount.map(String.init) ?? "", outcome.reason ?? "")
            }
            table.print()
        }
        let failed = outcomes.count { $0.result == .failed }
        if failed > 0 { throw Failure("\(failed) of \(outcomes.count) documents failed") }
    }
}
