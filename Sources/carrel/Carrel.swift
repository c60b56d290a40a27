// The command. Every subcommand is a file under Commands/; this one only lists them.

import ArgumentParser

@main
struct Carrel: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "carrel",
        abstract: "Documents in, exact answers out: vector search for study sessions.",
        discussion: """
            EXAMPLE
              carrel serve                                   # in one terminal
              carrel session create "Operating systems"      # in another
              carrel ingest notes/ --session "Operating systems"
              carrel search "where do log files live?" --session "Operating systems"

            FILES
            Everything lives under CARREL_HOME (default: data/var): the embedded PostgreSQL, \
            the model, uploaded files, and client.json, where `serve` leaves the address and the \
            key with which the other commands find it.

            EXIT CODES
              0  done
              1  failed; the reason is on standard error
              64 the command line was not understood
            """,
        version: version,
        subcommands: [
            Serve.self, Migrate.self, Account.self, Login.self, Key.self, Session.self, Ingest.self,
            Import.self, Cloud.self, Search.self,
            Plan.self, Topic.self, Chat.self, Folder.self, Share.self, GroupCommand.self,
            Quota.self, Audit.self, Evaluate.self,
            Status.self, Describe.self,
            Bench.self, Demo.self,
            Borrower.self, Citation.self, Reembed.self,
        ])
}
