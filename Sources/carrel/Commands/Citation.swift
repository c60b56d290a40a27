import ArgumentParser
import Foundation

struct Citation: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check whether citations still stand.",
        discussion: """
            EXAMPLE
              carrel citation verify "Ada Ott" --session Loans
            """,
        subcommands: [Verify.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a borrower's references, or kept ones, against a version.",
            discussion: """
                Each is unchanged, moved, edited or gone; exit 1 unless all stand (unchanged or \
                moved). Without --document the newest document of the same name is asked.

                References go with their document. To check them after it was deleted and its \
                revision ingested, keep them first and give the file:

                EXAMPLE
                  carrel citation verify "Ada Ott" --session Loans
                  carrel borrower show "Ada Ott" --session Loans --json > kept.json
                  carrel citation verify --kept kept.json --session Loans
                """)

        @Argument(help: "The borrower: its id or its name.")
        var borrower: String?

        @Option(help: "A file that `carrel borrower show --json` wrote.")
        var kept: String?

        @Option(help: "The version to ask: a document's id or name.")
        var document: String?

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func validate() throws {
            guard (borrower == nil) != (kept == nil) else {
                throw ValidationError("name a borrower, or a file with --kept")
            }
        }

        private struct Line: Encodable {
            let reference: ReferenceShape
            let verdict: VerdictShape
        }

        func run() async throws {
            let server = try await remote.connect()
            let handle = try await server.open(try await server.session(named: session.session).id)
            let references = try await references(server, handle)
            var target: UUID?
            if let document {
                target = try await server.document(named: document, in: handle).id
            }
            var lines: [Line] = []
            for reference in references {
                let verdict = try await server.verify(question(reference, handle, target))
                lines.append(Line(reference: reference, verdict: verdict))
            }
            await server.close()
            if remote.json { try lines.printJSON() } else { show(lines) }
            let standing = lines.filter { ["unchanged", "moved"].contains($0.verdict.status) }
            guard standing.count == lines.count else {
                throw Failure(
                    "\(lines.count - standing.count) of \(lines.count) do not stand any more")
            }
        }

        private func references(_ server: Remote, _ handle: String) async throws -> [ReferenceShape]
        {
            if let borrower {
                return try await server.borrower(named: borrower, in: handle).references ?? []
            }
            guard let kept, let data = FileManager.default.contents(atPath: kept),
                let shape = try? JSONDecoder().decode(BorrowerShape.self, from: data)
            else { throw Failure("\(kept ?? "") is not what `carrel borrower show --json` writes") }
            return shape.references ?? []
        }

        private func question(
            _ reference: ReferenceShape, _ handle: String, _ target: UUID?
        ) -> CitationParameters {
            guard kept != nil else {
                return CitationParameters(
                    session: handle, reference: reference.id, document: target)
            }
            return CitationParameters(
                session: handle,
                citation: .init(
                    snippet: reference.snippet, page: reference.page, span: reference.span),
                document: target, fileName: target == nil ? reference.document.fileName : nil)
        }

        private func show(_ lines: [Line]) {
            var table = Table(.text("status"), .text("page"), .elastic("citation"), .elastic("now"))
            for line in lines {
                table.add(
                    line.verdict.status,
                    line.verdict.page.map { page in
                        page == line.reference.page ? "\(page)" : "\(line.reference.page) → \(page)"
                    } ?? "\(line.reference.page)",
                    line.reference.snippet,
                    line.verdict.status == "edited" ? line.verdict.text ?? "" : "")
            }
            table.print(orWhenEmpty: "no references")
        }
    }
}
