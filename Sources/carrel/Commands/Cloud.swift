import ArgumentParser
import Foundation

struct Cloud: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Connect clouds, look into them, import from them.",
        discussion: """
            EXAMPLE
              CARREL_CLOUD_SECRET=… carrel cloud connect papers --provider S3 --bucket papers \\
                  --region eu-central-1 --access-key AKIA…
              carrel cloud objects papers --prefix 2025/
              carrel cloud import papers --prefix 2025/ --session "Operating systems"
            """,
        subcommands: [
            Connect.self, List.self, Objects.self, Take.self, Disconnect.self,
        ], defaultSubcommand: List.self)

    struct Connect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep the way to a cloud, after trying it.",
            discussion: """
                The secret comes from CARREL_CLOUD_SECRET, never from the command line, which others \
                can see: the secret key of S3 or GCS, the bearer token of HTTP, or the password that \
                goes with --user. It is sealed where it is kept and never shown again.

                EXAMPLE
                  carrel cloud connect notes --provider HTTP --endpoint https://example.org/notes/
                """)

        @Argument(help: "What to call it.")
        var name: String

        @Option(help: "S3, GCS or HTTP.")
        var provider: String

        @Option(help: "The server, if it is not the provider's own; for HTTP the folder.")
        var endpoint: String?

        @Option(help: "The bucket's region (S3).")
        var region: String?

        @Option(help: "The bucket.")
        var bucket: String?

        @Option(help: "Only what begins with this (S3, GCS).")
        var prefix: String?

        @Option(help: "The id of the key, which is no secret (S3, GCS).")
        var accessKey: String?

        @Option(help: "Whose password the secret is (HTTP).")
        var user: String?

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let secret = Home.environment("CARREL_CLOUD_SECRET")
            var parameters = CloudParameters(
                provider: provider.uppercased(), name: name, endpoint: endpoint, region: region,
                bucket: bucket, prefix: prefix, accessKey: accessKey, user: user)
            if parameters.provider != "HTTP" {
                parameters.secretKey = secret
            } else if user != nil {
                parameters.password = secret
            } else {
                parameters.token = secret
            }
            let server = try await remote.connect()
            let connection = try await server.connectCloud(parameters)
            await server.close()
            if remote.json { return try connection.printJSON() }
            Terminal.say("connected \(connection.name): \(connection.place ?? "")")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the clouds of this account.", discussion: "EXAMPLE\n  carrel cloud list"
        )

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let clouds = try await server.clouds()
            await server.close()
            if remote.json { return try clouds.printJSON() }
            var table = Table(
                .text("id"), .text("name"), .text("provider"), .elastic("place"), .text("status"),
                .text("last used"))
            for cloud in clouds {
                table.add(
                    cloud.id.uuidString.lowercased(), cloud.name, cloud.provider,
                    cloud.place ?? "?", cloud.status, cloud.lastUsedAt ?? "never")
            }
            table.print(orWhenEmpty: "no clouds")
        }
    }

    struct Objects: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what a cloud holds.",
            discussion: "EXAMPLE\n  carrel cloud objects papers --prefix 2025/")

        @Argument(help: "The cloud: its name or its id.")
        var cloud: String

        @Option(help: "Only what begins with this.")
        var prefix: String?

        @Option(help: "How many at most.")
        var limit = 1000

        @OptionGroup var remote: RemoteOptions

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit wants 1 or more") }
        }

        func run() async throws {
            let server = try await remote.connect()
            let objects = try await server.objects(
                of: server.cloud(named: cloud).id, prefix: prefix, limit: limit)
            await server.close()
            if remote.json { return try objects.printJSON() }
            var table = Table(.number("bytes"), .elastic("name"))
            for object in objects { table.add("\(object.bytes)", object.name) }
            table.print(orWhenEmpty: "no objects")
        }
    }

    struct Take: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Make documents of a cloud's objects.",
            discussion: "EXAMPLE\n  carrel cloud import papers a.pdf b.pdf --session Reading")

        @Argument(help: "The cloud: its name or its id.")
        var cloud: String

        @Argument(help: "The objects, by name; or else --prefix.")
        var objects: [String] = []

        @Option(help: "All that begins with this; \"\" for everything.")
        var prefix: String?

        @OptionGroup var session: SessionOption

        @OptionGroup var remote: RemoteOptions

        func validate() throws {
            guard objects.isEmpty != (prefix == nil) else {
                throw ValidationError("name objects, or give --prefix")
            }
        }

        func run() async throws {
            let server = try await remote.connect()
            let source = try await server.cloud(named: cloud)
            let handle = try await server.open(try await server.session(named: session.session).id)
            let job = try await server.importObjects(
                from: source.id, objects: objects.isEmpty ? nil : objects, prefix: prefix,
                to: handle)
            let ended = try await server.follow(job) { _ in }
            await server.close()
            if remote.json { return try ended.printJSON() }
            let report = ended.import
            Terminal.say(
                "\(report?.imported ?? 0) imported, \(report?.duplicates ?? 0) there already")
            for failure in report?.failed ?? [] {
                Terminal.note("\(failure.object): \(failure.code): \(failure.reason)")
            }
            guard ended.state == "SUCCEEDED", report?.failed.isEmpty ?? true else {
                throw Failure(ended.error ?? "\(report?.failed.count ?? 0) objects failed")
            }
        }
    }

    struct Disconnect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget a cloud; what was imported stays.",
            discussion: "EXAMPLE\n  carrel cloud disconnect papers")

        @Argument(help: "The cloud: its name or its id.")
        var cloud: String

        @OptionGroup var remote: RemoteOptions

        func run() async throws {
            let server = try await remote.connect()
            let found = try await server.cloud(named: cloud)
            try await server.disconnect(cloud: found.id)
            await server.close()
            Terminal.say("disconnected \(found.name)")
        }
    }
}
