// What is applied against what is known: decides which steps to take, without a database.

package import FoundationEssentials

/// A row of `schema_migrations`.
package struct AppliedMigration: Sendable, Equatable {
    package let number: Int
    package let name: String
    package let sha256: String
    package let appliedAt: Date
    package let appliedBy: String

    package init(number: Int, name: String, sha256: String, appliedAt: Date, appliedBy: String) {
        self.number = number
        self.name = name
        self.sha256 = sha256
        self.appliedAt = appliedAt
        self.appliedBy = appliedBy
    }
}

/// A prefix of the known migrations, proven to be what the database has.
package struct MigrationHistory: Sendable {
    package let known: [Migration]
    package let applied: [AppliedMigration]

    /// - Throws: `changed`, `unknown` or `gap`: then neither up nor down may go on, because the
    ///   files no longer say how the database came to be.
    package init(known: [Migration], applied: [AppliedMigration]) throws(MigrationError) {
        for (index, row) in applied.enumerated() {
            guard index < known.count else {
                throw .unknown(number: row.number, name: row.name)
            }
            let file = known[index]
            if row.number > file.number { throw .gap(missing: file.number, present: row.number) }
            guard row.number == file.number, row.name == file.name else {
                throw .unknown(number: row.number, name: row.name)
            }
            guard row.sha256 == file.sha256 else {
                throw .changed(
                    number: row.number, name: row.name, applied: row.sha256, file: file.sha256)
            }
        }
        self.known = known
        self.applied = applied
    }

    /// The number of the last applied migration; 0 for an empty database.
    package var current: Int { applied.last?.number ?? 0 }

    /// What is left to do, oldest first; to the last one unless `number` says where to stop.
    package func stepsUp(to number: Int?) throws(MigrationError) -> [Migration] {
        if let number { try check(number) }
        return known.dropFirst(applied.count).filter { $0.number <= number ?? Int.max }
    }

    /// What has to be undone, newest first, so that `number` is the last one applied.
    package func stepsDown(to number: Int) throws(MigrationError) -> [Migration] {
        try check(number)
        return known.prefix(applied.count).filter { $0.number > number }.reversed()
    }

    private func check(_ number: Int) throws(MigrationError) {
        guard number == 0 || known.contains(where: { $0.number == number }) else {
            throw .noSuchNumber(number, last: known.last?.number ?? 0)
        }
    }
}
