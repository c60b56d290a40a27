import Accounts
import Library
import Postgres
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Method {
    /// What was read out of loan documents.
    static let borrowers = [
        session(
            "borrower.create", .write, "Keeps a borrower; of the SSN only a keyed hash.",
            .repeatable([
                .string("name", maximumBytes: 255), .optionalString("ssn", maximumBytes: 16),
                .optionalObject("address", address), .decimal("confidence", in: 0...100),
            ])
        ) { call, session, result in
            let name = try call.params.string("name", maximumBytes: 255)
            let ssn = try socialSecurityNumber(&call)
            let address = try call.params.optionalObject("address").map {
                (object) throws(WireError) in try addressText(object)
            }
            let confidence = Hundredths(try call.params.decimal("confidence", in: 0...100))
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            try await requireSession(session, call)
            let hash = ssn.map {
                call.services.sealer.keyedHash(
                    $0.digits, for: .socialSecurityNumber, of: session.principal.profileID)
            }
            let asked = call
            try await onceInTransaction(key, call, session.principal, &result) { db, writer in
                let borrower = try await BorrowerRepository.create(
                    sessionID: session.id, name: name, ssnHash: hash,
                    address: address.map(JSON.init), confidence: confidence, on: db)
                writer.object("borrower") { $0.members(of: borrower) }
                try await asked.record(
                    AuditTarget(.borrower, borrower.id), session: session.id, on: db)
            }
        },
        session(
            "borrower.get", .read,
            "A borrower with incomes, accounts and the places that prove them.",
            [.id("borrower")]
        ) { call, session, result in
            let id = try call.params.id("borrower")
            try call.params.finish()
            let file = try await call.services.pool.withConnection(as: session.asker) { db in
                try await BorrowerFile(session.id, id, on: db)
            }
            guard let file else { throw noBorrower }
            result.object("borrower") { $0.members(of: file) }
        },
        session(
            "borrower.list", .read,
            "The borrowers of the session, newest first, or those of one SSN.",
            .paged([.optionalString("ssn", maximumBytes: 16)])
        ) { call, session, result in
            let page = try ListPage<TimeCursor>(&call)
            let ssn = try socialSecurityNumber(&call)
            try call.params.finish()
            try await requireSession(session, call)
            let hashes = ssn.map {
                call.services.sealer.keyedHashes(
                    $0.digits, for: .socialSecurityNumber, of: session.principal.profileID)
            }
            let borrowers = try await call.services.pool.withConnection(as: session.asker) { db in
                try await BorrowerRepository.list(
                    sessionID: session.id, ssnHashes: hashes, limit: page.limit + 1,
                    after: page.cursor, on: db)
            }
            page.write("borrowers", borrowers, &result) {
                TimeCursor(createdAt: $0.createdAt, id: $0.id)
            } _: { writer, borrower in
                writer.object { $0.members(of: borrower) }
            }
        },
        session(
            "borrower.delete", .write, "Deletes a borrower with all records of it.",
            [.id("borrower")]
        ) { call, session, result in
            let id = try call.params.id("borrower")
            try call.params.finish()
            let asked = call
            try await call.services.pool.withTransaction(as: session.asker) { db in
                guard
                    try await BorrowerRepository.delete(sessionID: session.id, id: id, on: db)
                else { throw noBorrower }
                try await asked.record(AuditTarget(.borrower, id), session: session.id, on: db)
            }
            result.member("deleted", true)
        },
        session(
            "borrower.addIncome", .write, "Keeps an income of a borrower, exact to the cent.",
            .repeatable([
                .id("borrower"), .decimal("amount", in: amounts),
                .choice("period", of: Income.Period.self), .integer("year", in: 1900...2200),
                .string("sourceType", maximumBytes: 50),
                .optionalString("employer", maximumBytes: 255),
            ])
        ) { call, session, result in
            let borrower = try call.params.id("borrower")
            let amount = Hundredths(try call.params.decimal("amount", in: amounts))
            let period = try call.params.choice("period", of: Income.Period.self)
            let year = try call.params.integer("year", in: 1900...2200)
            let source = try call.params.string("sourceType", maximumBytes: 50)
            let employer = try call.params.optionalString("employer", maximumBytes: 255)
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            try await onceInTransaction(key, call, session.principal, &result) { db, writer in
                try await requireBorrower(borrower, session, on: db)
                let income = try await IncomeRepository.create(
                    sessionID: session.id, borrowerID: borrower, amount: amount, period: period,
                    year: year, sourceType: source, employer: employer, on: db)
                writer.object("income") { $0.members(of: income) }
            }
        },
        session(
            "borrower.addAccount", .write,
            "Keeps an account number, sealed; its last four are shown.",
            .repeatable([
                .id("borrower"), .string("number", maximumBytes: 64),
                .choice("type", of: AccountNumber.Kind.self),
            ])
        ) { call, session, result in
            let borrower = try call.params.id("borrower")
            let given = try call.params.string("number", maximumBytes: 64)
            let kind = try call.params.choice("type", of: AccountNumber.Kind.self)
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            guard let number = PlainAccountNumber(given) else {
                throw WireError.invalid(
                    "number", expected: PlainAccountNumber.form, got: "another string")
            }
            let asked = call
            try await onceInTransaction(key, call, session.principal, &result) { db, writer in
                try await requireBorrower(borrower, session, on: db)
                let id = UUID()
                let sealed = try asked.services.sealer.seal(
                    Array(number.text.utf8),
                    at: .accountNumber(
                        id, in: session.id, of: session.principal.profileID))
                let account = try await AccountNumberRepository.create(
                    sessionID: session.id, id: id, borrowerID: borrower, sealed: sealed,
                    lastFour: number.lastFour, kind: kind, on: db)
                writer.object("account") { $0.members(of: account) }
                try await asked.record(
                    AuditTarget(.borrower, borrower), session: session.id, ["account": "\(id)"],
                    on: db)
            }
        },
    ]

    /// What `numeric(12,2)` holds.
    private static let amounts = -999_999_999_999...999_999_999_999

    private static let address: [Parameter] = [
        .optionalString("street", maximumBytes: 255), .optionalString("unit", maximumBytes: 255),
        .optionalString("city", maximumBytes: 255), .optionalString("state", maximumBytes: 255),
        .optionalString("postalCode", maximumBytes: 255),
        .optionalString("country", maximumBytes: 255),
    ]

    /// The address as a JSON object of what is known of it.
    private static func addressText(_ object: Parameters) throws(WireError) -> String {
        var object = object
        var writer = JSONWriter()
        writer.begin()
        for name in ["street", "unit", "city", "state", "postalCode", "country"]
            as [StaticString]
        {
            if let line = try object.optionalString(name, maximumBytes: 255) {
                writer.member(name, line)
            }
        }
        writer.end()
        try object.finish()
        return writer.text
    }

    /// Reads `ssn`. A refusal does not repeat what was given.
    private static func socialSecurityNumber(
        _ call: inout Call
    ) throws(WireError) -> SocialSecurityNumber? {
        guard let text = try call.params.optionalString("ssn", maximumBytes: 16) else { return nil }
        guard let number = SocialSecurityNumber(text) else {
            throw .invalid("ssn", expected: SocialSecurityNumber.form, got: "another string")
        }
        return number
    }

    static func requireBorrower(
        _ id: UUID, _ session: OpenSession, on db: some Queryable
    ) async throws {
        guard try await BorrowerRepository.get(sessionID: session.id, id: id, on: db) != nil else {
            throw noBorrower
        }
    }

    static var noBorrower: WireError {
        WireError(.notFound, "The session has no such borrower.", field: "borrower")
    }
}

/// A borrower with everything kept of it.
private struct BorrowerFile {
    let borrower: Borrower
    let incomes: [Income]
    let accounts: [AccountNumber]
    let references: [SourceReference]

    init?(_ session: UUID, _ id: UUID, on db: some Queryable) async throws {
        guard let borrower = try await BorrowerRepository.get(sessionID: session, id: id, on: db)
        else { return nil }
        self.borrower = borrower
        incomes = try await IncomeRepository.list(sessionID: session, borrowerID: id, on: db)
        accounts = try await AccountNumberRepository.list(
            sessionID: session, borrowerID: id, on: db)
        references = try await SourceReferenceRepository.list(
            sessionID: session, borrowerID: id, on: db)
    }
}

extension JSONWriter {
    fileprivate mutating func members(of borrower: Borrower) {
        member("id", borrower.id)
        member("name", borrower.name)
        member("hasSsn", borrower.hasSSN)
        if let address = borrower.address {
            key("address")
            raw(address.text)
        } else {
            null("address")
        }
        member("confidence", borrower.confidence.description)
        member("createdAt", borrower.createdAt)
    }

    fileprivate mutating func members(of file: BorrowerFile) {
        members(of: file.borrower)
        array("incomes", of: file.incomes) { writer, income in
            writer.object { $0.members(of: income) }
        }
        array("accounts", of: file.accounts) { writer, account in
            writer.object { $0.members(of: account) }
        }
        array("references", of: file.references) { writer, reference in
            writer.object { $0.members(of: reference) }
        }
    }

    fileprivate mutating func members(of income: Income) {
        member("id", income.id)
        member("amount", income.amount.description)
        member("period", income.period.rawValue)
        member("year", income.year)
        member("sourceType", income.sourceType)
        optional("employer", income.employer)
    }

    fileprivate mutating func members(of account: AccountNumber) {
        member("id", account.id)
        member("type", account.kind.rawValue)
        member("lastFour", account.lastFour)
    }
}
