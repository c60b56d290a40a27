import ArgumentParser
import Foundation

struct Borrower: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keep what loan documents say, and where.",
        discussion: """
            A borrower is named by id or by name. SSNs and account numbers are read from standard \
            input, so that they stand in no process list and no shell history.

            EXAMPLE
              carrel borrower create "Ada Ott" --confidence 0.97 --session Loans
              carrel borrower income "Ada Ott" 85000.00 --period annual \\
                --year 2025 --source w2 --session Loans
              carrel borrower cite "Ada Ott" "Gross wages 85,000.00" \\
                --document w2.pdf --page 1 --session Loans
            """,
        subcommands: [
            Create.self, List.self, Show.self, Delete.self, Income.self, Account.self, Cite.self,
        ],
        defaultSubcommand: List.self)

    /// One line of standard input, without its end.
    static func secretLine(_ what: String) throws -> String {
        guard let line = readLine(), !line.isEmpty else {
            throw Failure("no \(what) on standard input")
        }
        return line
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep a borrower and print its id.",
            discussion: """
                EXAMPLE
                  carrel borrower create "Ada Ott" --confidence 0.97 --session Loans
                """)

        @Argument(help: "The borrower's name.")
        var name: String

        @Option(help: "How sure the reading is, 0 to 1, two decimals.")
        var confidence: String

        @Flag(help: "Read the SSN from standard input; a keyed hash of it is kept.")
        var ssn = false

        @Option(help: "A line of the address, e.g. city=Bern; may be repeated.")
        var address: [String] = []

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        private func parsedAddress() throws -> [String: String]? {
            let pairs = try address.map { line in
                let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2 else {
                    throw ValidationError("--address wants NAME=VALUE, got \"\(line)\"")
                }
                return (parts[0], parts[1])
            }
            return pairs.isEmpty ? nil : Dictionary(pairs) { $1 }
        }

        func validate() throws { _ = try parsedAddress() }

        func run() async throws {
            let number = ssn ? try Borrower.secretLine("SSN") : nil
            let server = try await remote.connect()
            let handle = try await server.open(try await server.session(named: session.session).id)
            let borrower = try await server.createBorrower(
                BorrowerParameters(
                    session: handle, name: name, ssn: number, address: try parsedAddress(),
                    confidence: confidence))
            await server.close()
            if remote.json {
                try borrower.printJSON()
            } else {
                Terminal.say(borrower.id.uuidString.lowercased())
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the borrowers of a session.",
            discussion: "EXAMPLE\n  carrel borrower list --session Loans")

        @Flag(help: "Read an SSN from standard input and list who has it.")
        var ssn = false

        @OptionGroup var session: SessionOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let number = ssn ? try Borrower.secretLine("SSN") : nil
            let server = try await remote.connect()
            let handle = try await server.open(try await server.session(named: session.session).id)
            let borrowers = try await server.borrowers(in: handle, ssn: number)
            await server.close()
            if remote.json { return try borrowers.printJSON() }
            var table = Table(
                .text("id"), .elastic("name"), .text("ssn"), .number("confidence"), .text("created")
            )
            for borrower in borrowers {
                table.add(
                    borrower.id.uuidString.lowercased(), borrower.name,
                    borrower.hasSsn ? "known" : "", borrower.confidence,
                    String(borrower.createdAt.prefix(10)))
            }
            table.print(orWhenEmpty: "no borrowers")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a borrower with incomes, accounts and references.",
            discussion: "EXAMPLE\n  carrel borrower show \"Ada Ott\" --session Loans")

        @OptionGroup var which: BorrowerOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let (_, borrower) = try await which.find(on: server)
            await server.close()
            if remote.json { return try borrower.printJSON() }
            Terminal.say("\(borrower.name) (\(borrower.id.uuidString.lowercased()))")
            var table = Table(.text("kept"), .elastic("what"), .elastic("where"))
            for income in borrower.incomes ?? [] {
                table.add(
                    "income", "\(income.amount) \(income.period) \(income.year)",
                    [income.sourceType, income.employer].compactMap { $0 }.joined(separator: ", "))
            }
            for account in borrower.accounts ?? [] {
                table.add("account", "\(account.type) ••••\(account.lastFour)", "")
            }
            for reference in borrower.references ?? [] {
                table.add(
                    "reference", reference.snippet,
                    "\(reference.document.fileName), p. \(reference.page)")
            }
            table.print()
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a borrower with all records of it.",
            discussion: "EXAMPLE\n  carrel borrower delete \"Ada Ott\" --session Loans")

        @OptionGroup var which: BorrowerOption
        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let (handle, borrower) = try await which.find(on: server)
            try await server.deleteBorrower(borrower.id, in: handle)
            await server.close()
            if remote.json {
                try borrower.printJSON()
            } else {
                Terminal.say("deleted \(borrower.name)")
            }
        }
    }
}

/// A borrower in a session.
struct BorrowerOption: ParsableArguments {
    @Argument(help: "The borrower: its id or its name.")
    var borrower: String

    @OptionGroup var session: SessionOption

    /// The open session's handle, and the borrower.
    func find(on server: Remote) async throws -> (handle: String, BorrowerShape) {
        let handle = try await server.open(try await server.session(named: session.session).id)
        return (handle, try await server.borrower(named: borrower, in: handle))
    }
}
