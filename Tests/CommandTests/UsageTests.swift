import Foundation
import TestSupport
import Testing

@Suite("The command line")
struct UsageTests {
    static let commands = [
        "serve", "migrate", "migrate up", "migrate down", "migrate status", "migrate verify",
        "migrate diagram", "key",
        "key create", "key list", "key revoke", "key rotate-master", "account", "account create",
        "account list", "account password", "account deactivate", "account reactivate",
        "account role", "account unlock", "account delete", "login", "session", "session create",
        "session list",
        "session show", "session delete", "plan", "plan draft", "plan show", "plan edit",
        "plan accept", "topic", "topic list", "topic create", "topic tick", "topic order",
        "topic delete", "chat", "chat list", "chat show", "chat say", "ingest", "import", "search",
        "evaluate", "status",
        "borrower", "borrower create", "borrower list", "borrower show", "borrower delete",
        "borrower income", "borrower account", "borrower cite", "citation", "citation verify",
        "describe",
        "bench", "bench search", "bench embed", "bench login", "bench kernels", "bench reembed",
        "demo", "audit",
        "audit list",
        "audit verify",
        "folder", "folder list", "folder create", "folder move", "folder put", "folder delete",
        "quota", "quota get", "quota set", "share", "share list", "share create", "share revoke",
        "share received", "group", "group list", "group create", "group add", "group remove",
        "group delete", "reembed", "reembed plan", "reembed start", "reembed status",
        "reembed pause", "reembed resume", "reembed cancel", "reembed rollback", "reembed export",
        "reembed load",
    ]

    @Test("--help of every command shows an example and fits a terminal", arguments: commands)
    func help(command: String) async throws {
        let home = try TestDirectory.make("help-\(UUID().uuidString.prefix(8))")
        let outcome = try await CarrelProcess.run(
            command.split(separator: " ").map(String.init) + ["--help"], home: home)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("EXAMPLE\n  carrel \(command.split(separator: " ")[0])"))
        #expect(outcome.output.contains("USAGE: carrel \(command)"))
        // Only the usage line, which names every option, may be longer.
        let text = outcome.output.split(separator: "\n").filter { !$0.hasPrefix("USAGE:") }
        #expect(text.allSatisfy { $0.count <= 80 }, "\(text.filter { $0.count > 80 })")
    }

    @Test("The command's own help names every command, the files and the exit codes")
    func rootHelp() async throws {
        let home = try TestDirectory.make("help-\(UUID().uuidString.prefix(8))")
        let outcome = try await CarrelProcess.run(["--help"], home: home)
        for command in Self.commands.filter({ !$0.contains(" ") }) {
            #expect(outcome.output.contains("\n  \(command) "), "\(command)")
        }
        #expect(outcome.output.contains("EXIT CODES"))
        #expect(outcome.output.contains("CARREL_HOME"))
    }

    @Test(
        "What is not understood ends with 64 and the usage",
        arguments: [
            ["fly"], ["search"], ["search", "why?"],
            ["search", "why?", "--session", "s", "-k", "0"],
            ["search", "why?", "--session", "s", "--pages", "9-3"], ["serve", "--port", "high"],
            ["serve", "--port", "70000"], ["bench", "search", "--sizes", "many"],
            ["key", "create", "k", "--scopes", "all"], ["migrate", "down"],
            ["serve", "--arithmetic", "roman"],
        ])
    func badUsage(arguments: [String]) async throws {
        let home = try TestDirectory.make("usage-\(UUID().uuidString.prefix(8))")
        let outcome = try await CarrelProcess.run(arguments, home: home)
        #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
        #expect(outcome.errors.contains("Usage: carrel"))
        #expect(outcome.output.isEmpty)
    }

    @Test("Without a server the exit code is 1 and the reason says what to do")
    func noServer() async throws {
        let home = try TestDirectory.make("noserver-\(UUID().uuidString.prefix(8))")
        let outcome = try await CarrelProcess.run(["status"], home: home)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("carrel serve"))
        #expect(outcome.output.isEmpty)
    }

    @Test("A key file that is not one is named")
    func damagedKeyFile() async throws {
        let home = try TestDirectory.make("damaged-\(UUID().uuidString.prefix(8))")
        try Data("{".utf8).write(to: URL(filePath: home + "/client.json"))
        let outcome = try await CarrelProcess.run(["status"], home: home)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("client.json is not a key file"))
    }
}
