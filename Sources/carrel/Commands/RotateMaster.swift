import Accounts
import ArgumentParser
import Library
import Postgres

/// `carrel key rotate-master`.
struct RotateMaster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-master",
        abstract: "Seal all that is sealed with a new master key.",
        discussion: """
            Adds a key to master.keys and seals second factors and the like anew. Can be \
            stopped and started again with --resume, which adds none; needed too where \
            CARREL_MASTER_KEY is used: add a key there first. Old keys stay: hashes \
            were made with them.

            EXAMPLE
              carrel key rotate-master
            """)

    @Flag(help: "Add no key; only seal anew what is not under the newest.")
    var resume = false

    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        let ring = try database.place.home.keyRing()
        if !resume { Terminal.say("added master key \(try ring.addKey())") }
        let sealer = Sealer(ring)
        try await database.chosen.withConnection(as: .service) { connection in
            for column in Resealing.all {
                let count = try await column.run(sealer, on: connection)
                Terminal.say("\(column.name): \(count) sealed anew")
            }
            try await connection.withTransaction { transaction in
                try await Visit("key.rotate", command: "carrel key").record(
                    by: nil, nil, on: transaction)
            }
        }
    }
}
