import ArgumentParser
import Foundation

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server in the foreground.",
        discussion: """
            Without CARREL_DATABASE_URL it runs a PostgreSQL of its own under CARREL_HOME and keeps it \
            migrated. The first start makes an account and a key, and leaves both with the address in \
            client.json, readable by its owner only. SIGTERM and SIGINT finish what is under way, \
            then stop.

            ENVIRONMENT
              CARREL_HOME             where everything lives (default: data/var)
              CARREL_DATABASE_URL     a PostgreSQL to use instead of the embedded one, as carrel_app
              CARREL_MIGRATE_URL      the same, for --migrate, as a role that owns the tables
              CARREL_MASTER_KEY       what seals secrets, in place of master.keys
              CARREL_POSTGRES_DIR     the embedded PostgreSQL's programs
              CARREL_MODEL_DIR        the local model
              CARREL_EMBEDDING_URL    an OpenAI-compatible server, with
              CARREL_EMBEDDING_MODEL  the model to ask it for and
              CARREL_EMBEDDING_KEY    the key to show it
              CARREL_BLOBS            where documents' bytes go: s3://BUCKET/PREFIX, with
              CARREL_BLOBS_ENDPOINT   the server, if it is not Amazon's,
              CARREL_BLOBS_REGION     its region, and
              CARREL_BLOBS_ACCESS_KEY and CARREL_BLOBS_SECRET_KEY
              CARREL_CLOUD_ALLOW      addresses inside that clouds may be at: 10.1.0.0/16,fd00::/8

            EXAMPLE
              carrel serve --port 7117
            """)

    static let usualPort = 7117

    @Option(help: "The address to listen on; only this machine can reach the usual one.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port = Serve.usualPort

    @Flag(help: "Migrate a database given by CARREL_DATABASE_URL too.")
    var migrate = false

    @Option(help: "Connections to the database for requests; jobs have six of their own.")
    var poolSize = 8

    @Option(help: "Memory for sessions in MB; half of the machine's unless given.")
    var cacheMb: Int?

    @Option(
        help: """
            Whether anybody may make an account: open or closed. Closed, `carrel account create` \
            makes them.
            """)
    var registration = Registration.closed

    enum Registration: String, ExpressibleByArgument { case open, closed }

    @OptionGroup var database: DatabaseOptions

    @OptionGroup var embedding: EmbeddingOptions

    @OptionGroup var blobs: BlobOptions

    @OptionGroup var clouds: CloudOptions

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port goes to 65535") }
        guard (1...1000).contains(poolSize) else {
            throw ValidationError("--pool-size goes from 1 to 1000")
        }
        if let cacheMb, cacheMb < 0 { throw ValidationError("--cache-mb cannot be negative") }
    }

    func run() async throws {
        var service = Service(
            database: database.chosen, embedders: try embedding.choice(), blobs: try blobs.choice(),
            cloudAddresses: try clouds.rule(), host: host, port: port, poolSize: poolSize,
            migrates: migrate, isRegistrationOpen: registration == .open)
        if let cacheMb { service.cacheBytes = cacheMb << 20 }
        try await service.run { address in
            Terminal.say("carrel: listening on \(address.host):\(address.port)")
            await StopSignals.wait()
            Terminal.note("carrel: stopping")
        }
        Terminal.note("carrel: stopped")
    }
}
