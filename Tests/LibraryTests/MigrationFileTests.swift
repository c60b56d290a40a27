// The files of Indexes/, without a database.

import FoundationEssentials
import Indexes
import Library
import Testing

@Suite("The migration files")
struct MigrationFileTests {
    /// Found from this file's place: the folder is there whenever the tests are built.
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Indexes")

    private func names(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: Self.folder.appending(path: path).path)
            .filter { $0.hasSuffix(".sql") }
            .map { String($0.dropLast(4)) }
            .sorted()
    }

    @Test("Every file is compiled in, under its own name and with its own bytes")
    func everyFileIsEmbedded() throws {
        #expect(try names(in: "migrations") == Indexes.migrations.map(\.name))
        #expect(try names(in: "definitions") == Indexes.definitions.map(\.name))
        for (path, files) in [
            ("migrations", Indexes.migrations), ("definitions", Indexes.definitions),
            (".", [Indexes.schema]),
        ] {
            for file in files {
                let onDisk = try Data(
                    contentsOf: Self.folder.appending(path: "\(path)/\(file.name).sql"))
                #expect(Array(onDisk) == file.bytes, "\(file.name)")
            }
        }
    }

    @Test("Numbers count from 1 without a gap")
    func numbersAreContiguous() {
        #expect(Migration.all.map(\.number) == Array(1...Migration.all.count))
    }

    @Test("History is not rewritten: the files are those that were applied")
    func hashesArePinned() {
        for migration in Migration.all {
            #expect(Self.published[migration.number] == migration.sha256, "\(migration.name)")
        }
    }

    /// SHA-256 of every file ever published. A new migration adds a line; no line ever changes.
    private static let published = [
        1: "edfa6c578065a63e0d527ea5190ef0422e2b358946effd5c6f137cc07747b2dc",
        2: "ee917d994709aa18d923c082db956a6d09893dd1e0a52ad5d9b2a975b75334b5",
        3: "11f4ed34e35d65068ef6b78f20b1d161b0e2f3c5d78ba5dfaed87ebf4209a32f",
        4: "c4768e75cc4e2d7ba0c3d68e1fa02f6a7f2e3ac6863c8047d05a398e1b67fc88",
        5: "99bc7acc8a1727b77d29811596eafebc1a49393a8cbae90c1d7e35c87253ed24",
        6: "320851809d8e10498246334f14ae092074af0c939f50a170fbf683cb4a0e5383",
        7: "91a1ed7bc5e626994d125897908063b51f5c500e8d7bd6cff0ad79f1a9ed643a",
        8: "4a570690a3bad44d77ff3b7cbeb24f604119d29e3cf404a0eadfdd36a51d796d",
        9: "495bf5158f7172c1e796721cfee09c406da1e3dce3e08b3e963c2742c00ef838",
        10: "e5104b430a8f173dbfffb9d2770caf891b4000fd6b99fda5822e8f087665f2a8",
        11: "e41d0aedf67ab1aea328cec3529b3fb079c83bf79b512d9ca622130ec5cf9d20",
        12: "d50285d14d50f21909081b4ae107cf4800347208b4697ed066a10a75d8141c94",
        13: "70e4efe69aeaca4e093abba55951dc4353bdf0b6a79930550dfd558cc694f719",
        14: "45f6cb604b402cf795d81cabb4eb9e616ee8c9f41f28b2e59bdbd8affc8260b6",
        15: "626c7a096505127b4dbdce5d8d46f992a3df653b961df4f9358be6fe1c67ece1",
        16: "af7c48456d8ad90fc435eaf9374d952312e3256c357b4633a08e927d183e1ff0",
        17: "0d39d1eca0af733bf5fdc024b1fb41ece40fbd2107c169ccc10f99a9b7239441",
        18: "547debaf9ee3a1c3d6d10eecb17ab758c30435a51b568ccec7fdb876862d6a79",
        19: "b40332e9382156b8ffa0adfdebdb551e3bb1aff11193e922c2f298de12cafcc7",
        20: "98efebb0fa1716dec99dd95d6a4c91ddf8a2f245c88db6c8341a29da7f9c290b",
        21: "a1cb429ca3da8d12d699a79c5e655143045f77827e3295396455c411eca0aaa3",
        22: "0ee1cd017d3ef61fd84636ab605cc8e3f0cbccf1be471a387901952407755816",
        23: "9d9124387fe9e40bf3b60e7cf36989ec5b646be0f616cf2f90b31a5d1dc6f4ea",
        24: "5883e8434f62163447bbf273e42c2065bde9e91e055ecf21fcfec92a6e7894a5",
        25: "2644fa249ef28b90d15d565703962720d523037254b87c49ce451079dc9969e4",
    ]

    @Test("A definition stands in a migration word for word")
    func definitionsAreInMigrations() {
        for definition in Indexes.definitions {
            let statement = words(definition.text)
            #expect(
                Migration.all.contains { words($0.up).contains(statement) }, "\(definition.name)")
        }
    }

    @Test("Every table is distributed on Citus right after it is created")
    func citusLinesFollowTables() {
        for migration in Migration.all {
            let lines = migration.up.split(separator: "\n")
            for (index, line) in lines.enumerated() where line.hasPrefix("CREATE TABLE ") {
                let table = line.split(separator: " ")[2]
                let end = lines[index...].firstIndex { $0.hasPrefix(")") } ?? lines.endIndex
                let next = lines.dropFirst(end + 1).first ?? ""
                #expect(next.hasPrefix("-- citus: SELECT create_"), "\(table)")
                #expect(next.contains("'\(table)'"), "\(table)")
            }
        }
    }

    /// SQL without comments and line breaks.
    private func words(_ sql: String) -> String {
        sql.split(separator: "\n").filter { !$0.hasPrefix("--") }
            .flatMap { $0.split(separator: " ") }.joined(separator: " ")
    }
}

@Suite("The migration history")
struct MigrationHistoryTests {
    private let known = (1...3).map {
        Migration(fileName: "000\($0)_step_\($0)", text: "SELECT \($0);\n-- down\nSELECT -\($0);\n")
    }

    private func applied(_ numbers: Int..., sha256: String? = nil) -> [AppliedMigration] {
        numbers.map { number in
            let file = known.first { $0.number == number }
            return AppliedMigration(
                number: number, name: file?.name ?? "other", sha256: sha256 ?? file?.sha256 ?? "",
                appliedAt: Date(), appliedBy: "test")
        }
    }

    @Test("A file has a way up, a way down and a hash of both")
    func parts() {
        #expect(known[0].number == 1)
        #expect(known[0].name == "step_1")
        #expect(known[0].up == "SELECT 1;")
        #expect(known[0].down == "SELECT -1;\n")
        #expect(known[0].sha256.count == 64)
    }

    @Test("Up takes what is missing, in order, as far as asked")
    func stepsUp() throws {
        let history = try MigrationHistory(known: known, applied: applied(1))
        #expect(try history.stepsUp(to: nil).map(\.number) == [2, 3])
        #expect(try history.stepsUp(to: 2).map(\.number) == [2])
        #expect(try history.stepsUp(to: 1).isEmpty)
        #expect(throws: MigrationError.noSuchNumber(9, last: 3)) { try history.stepsUp(to: 9) }
    }

    @Test("Down takes what is later, newest first")
    func stepsDown() throws {
        let history = try MigrationHistory(known: known, applied: applied(1, 2, 3))
        #expect(try history.stepsDown(to: 1).map(\.number) == [3, 2])
        #expect(try history.stepsDown(to: 0).map(\.number) == [3, 2, 1])
        #expect(throws: MigrationError.noSuchNumber(-1, last: 3)) { try history.stepsDown(to: -1) }
    }

    @Test("A changed file, an unknown migration and a gap are refused")
    func refusals() {
        #expect(
            throws: MigrationError.changed(
                number: 1, name: "step_1", applied: "00", file: known[0].sha256)
        ) { try MigrationHistory(known: known, applied: applied(1, sha256: "00")) }
        #expect(throws: MigrationError.unknown(number: 4, name: "other")) {
            try MigrationHistory(known: known, applied: applied(1, 2, 3, 4))
        }
        #expect(throws: MigrationError.gap(missing: 2, present: 3)) {
            try MigrationHistory(known: known, applied: applied(1, 3))
        }
    }
}

@Suite("The requirements")
struct RequirementsTests {
    @Test(
        "pgvector 0.8.4 and newer is accepted",
        arguments: ["0.8.4", "0.8.5", "0.8.10", "0.9", "1.0.0"])
    func accepted(_ version: String) throws {
        try Requirements(server: 160_014, installed: version, available: version).check()
    }

    @Test(
        "Older pgvector is refused, saying what is needed",
        arguments: ["0.8.3", "0.8", "0.7.4", "0.5.1", "unknown"])
    func refused(_ version: String) {
        let error = #expect(throws: MigrationError.self) {
            try Requirements(server: 160_014, installed: version, available: version).check()
        }
        #expect(
            error?.description.contains("expected pgvector 0.8.4 or newer, got \(version)") == true)
    }

    @Test("A server without pgvector, and one older than 15, is refused")
    func missing() {
        #expect(throws: MigrationError.self) {
            try Requirements(server: 160_014, installed: nil, available: nil).check()
        }
        #expect(throws: MigrationError.unsupported("expected PostgreSQL 15 or newer, got 14")) {
            try Requirements(server: 140_012, installed: "0.8.5", available: nil).check()
        }
    }

    @Test("Where a newer one waits to be installed, the message says how")
    func advice() {
        let error = #expect(throws: MigrationError.self) {
            try Requirements(server: 160_014, installed: "0.8.0", available: "0.8.5").check()
        }
        #expect(error?.description.contains("ALTER EXTENSION vector UPDATE") == true)
    }
}
