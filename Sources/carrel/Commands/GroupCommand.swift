import ArgumentParser
import Foundation

struct GroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Make groups of accounts, to share documents with.",
        discussion: """
            EXAMPLE
              carrel group create readers
              carrel group add readers ada
            """,
        subcommands: [List.self, Create.self, Add.self, Remove.self, Delete.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the groups this account made or belongs to.",
            discussion: "EXAMPLE\n  carrel group list")

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let groups = try await server.groups()
            await server.close()
            if remote.json { return try groups.printJSON() }
            var table = Table(.text("id"), .text("name"), .elastic("members"))
            for group in groups {
                table.add(
                    group.id.uuidString.lowercased(), group.name,
                    group.members.map(\.handle).joined(separator: ", "))
            }
            table.print(orWhenEmpty: "no groups")
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a group.", discussion: "EXAMPLE\n  carrel group create readers")

        @Argument(help: "What to call it.")
        var name: String

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let group = try await server.createGroup(name)
            await server.close()
            if remote.json { try group.printJSON() } else { Terminal.say("\(group.id)") }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take an account into a group.",
            discussion: "EXAMPLE\n  carrel group add readers ada")

        @Argument(help: "The group: its name or its id.")
        var group: String

        @Argument(help: "The account: its handle or its id.")
        var account: String

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let found = try await server.group(named: group)
            try await server.changeGroup("group.addMember", found.id, account: account)
            await server.close()
            Terminal.say("\(account) belongs to \(found.name)")
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take an account out of a group.",
            discussion: "EXAMPLE\n  carrel group remove readers ada")

        @Argument(help: "The group: its name or its id.")
        var group: String

        @Argument(help: "The account: its handle or its id.")
        var account: String

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let found = try await server.group(named: group)
            try await server.changeGroup("group.removeMember", found.id, account: account)
            await server.close()
            Terminal.say("\(account) does not belong to \(found.name) any more")
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a group and what was shared to it.",
            discussion: "EXAMPLE\n  carrel group delete readers")

        @Argument(help: "The group: its name or its id.")
        var group: String

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let found = try await server.group(named: group)
            try await server.changeGroup("group.delete", found.id)
            await server.close()
            Terminal.say("deleted \(found.name)")
        }
    }
}
