import ArgumentParser
import Foundation

extension Borrower {
    struct Income: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep an income of a borrower.",
            discussion: """
                EXAMPLE
                  carrel borrower income "Ada Ott" 85000.00 --period annual \\
                    --year 2025 --source w2 --session Loans
                """)

        @OptionGroup var which: BorrowerOption

        @Argument(help: "The amount, at most two decimals.")
        var amount: String

        @Option(help: "annual, monthly, weekly or biweekly.")
        var period: String

        @Option(help: "The year it was earned in.")
        var year: Int

        @Option(help: "What kind of document says so, e.g. w2.")
        var source: String

        @Option(help: "Who paid it.")
        var employer: String?

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let (handle, borrower) = try await which.find(on: server)
            let income = try await server.addIncome(
                BorrowerParameters(
                    session: handle, borrower: borrower.id, amount: amount, period: period,
                    year: year, sourceType: source, employer: employer))
            await server.close()
            if remote.json {
                try income.printJSON()
            } else {
                Terminal.say("kept \(income.amount) \(income.period) \(income.year)")
            }
        }
    }

    struct Account: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep an account number, sealed.",
            discussion: """
                The number is read from standard input.

                EXAMPLE
                  carrel borrower account "Ada Ott" --type bank --session Loans
                """)

        @OptionGroup var which: BorrowerOption

        @Option(help: "bank or loan.")
        var type: String

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let number = try Borrower.secretLine("account number")
            let server = try await remote.connect()
            let (handle, borrower) = try await which.find(on: server)
            let account = try await server.addAccount(
                BorrowerParameters(
                    session: handle, borrower: borrower.id, number: number, type: type))
            await server.close()
            if remote.json {
                try account.printJSON()
            } else {
                Terminal.say("kept \(account.type) ••••\(account.lastFour)")
            }
        }
    }

    struct Cite: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep the place that proves what was read.",
            discussion: """
                The snippet must stand on that page; white space, ligatures and words divided at a \
                line's end aside.

                EXAMPLE
                  carrel borrower cite "Ada Ott" "Gross wages 85,000.00" \\
                    --document w2.pdf --page 1 --session Loans
                """)

        @OptionGroup var which: BorrowerOption

        @Argument(help: "The words as they stand there.")
        var snippet: String

        @Option(help: "The document: its id or its name.")
        var document: String

        @Option(help: "The page, from 1.")
        var page: Int

        @Option(help: "What the reader calls that part of the form.")
        var section: String?

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let (handle, borrower) = try await which.find(on: server)
            let reference = try await server.addReference(
                BorrowerParameters(
                    session: handle, borrower: borrower.id,
                    document: try await server.document(named: document, in: handle).id,
                    page: page, snippet: snippet, section: section))
            await server.close()
            if remote.json {
                try reference.printJSON()
            } else {
                Terminal.say(
                    "kept: \(reference.document.fileName), p. \(reference.page), "
                        + "\(reference.span[0])–\(reference.span[1])")
            }
        }
    }
}
