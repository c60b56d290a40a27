// Extraction records: what the database itself refuses, exact amounts, cascades.

import FoundationEssentials
import Library
import Postgres
import TestSupport
import Testing

@Suite("Extraction records")
struct ExtractionRecordTests {
    private func borrower(
        _ f: Fixture, session: UUID? = nil, ssnHash: String? = nil
    ) async throws -> Borrower {
        try await f.pool.withConnection(as: .service) { db in
            try await BorrowerRepository.create(
                sessionID: session ?? f.session.id, name: "Ada Ott", ssnHash: ssnHash,
                address: JSON("{\"city\": \"Bern\"}"), confidence: Hundredths(97), on: db)
        }
    }

    @Test("Amounts come back to the cent, up to the largest that fits")
    func amounts() async throws {
        try await Fixture.with { f in
            let borrower = try await borrower(f)
            #expect(borrower.confidence == Hundredths(97))
            for (index, units) in [0, 1, -1, 99, 100, -12_345, 999_999_999_999].enumerated() {
                try await f.pool.withConnection(as: .service) { db in
                    let income = try await IncomeRepository.create(
                        sessionID: f.session.id, borrowerID: borrower.id,
                        amount: Hundredths(units), period: .monthly, year: 2000 + index,
                        sourceType: "w2", employer: nil, on: db)
                    #expect(income.amount.units == units)
                }
            }
            await expectRefusal(.numericValueOutOfRange) {
                try await f.pool.withConnection(as: .service) { db in
                    _ = try await IncomeRepository.create(
                        sessionID: f.session.id, borrowerID: borrower.id,
                        amount: Hundredths(1_000_000_000_000), period: .monthly, year: 2000,
                        sourceType: "w2", employer: nil, on: db)
                }
            }
        }
    }

    @Test("The database refuses what no repository would write")
    func checks() async throws {
        try await Fixture.with { f in
            let id = try await borrower(f, ssnHash: String(repeating: "a", count: 64)).id
            for confidence in ["-0.01", "1.01"] {
                await expectRefusal(.checkViolation, by: "borrowers_confidence_score_range") {
                    try await f.sql(
                        "UPDATE carrel.borrowers SET confidence_score = $1", confidence)
                }
            }
            await expectRefusal(.checkViolation, by: "borrowers_ssn_hash_is_sha256") {
                try await f.sql("UPDATE carrel.borrowers SET ssn_hash = '123-45-6789'")
            }
            let income = """
                INSERT INTO carrel.income_records
                    (session_id, borrower_id, amount, period, year, source_type)
                VALUES ($1, $2, $3, $4, $5, 'w2')
                """
            for (amount, period, year, constraint) in [
                ("NaN", "annual", 2025, "income_records_amount_is_number"),
                ("1", "daily", 2025, "income_records_period"),
                ("1", "annual", 25, "income_records_year_range"),
            ] {
                await expectRefusal(.checkViolation, by: constraint) {
                    try await f.sql(income, f.session.id, id, Numeric(amount), period, year)
                }
            }
            await expectRefusal(.checkViolation, by: "account_numbers_last4") {
                try await f.sql(
                    """
                    INSERT INTO carrel.account_numbers
                        (session_id, borrower_id, number_enc, number_last4, account_type)
                    VALUES ($1, $2, '\\x00', '12', 'bank')
                    """, f.session.id, id)
            }
        }
    }

    @Test("A record of another session's borrower is not found, nor a page that is not there")
    func wall() async throws {
        try await Fixture.with { f in
            let other = try await f.anotherSession()
            let theirs = try await borrower(f, session: other.id)
            let mine = try await borrower(f)
            let stored = try await f.document()
            try await f.pool.withConnection(as: .service) { db in
                await #expect(throws: LibraryError.notFound) {
                    try await IncomeRepository.create(
                        sessionID: f.session.id, borrowerID: theirs.id, amount: Hundredths(1),
                        period: .annual, year: 2025, sourceType: "w2", employer: nil, on: db)
                }
                await #expect(throws: LibraryError.notFound) {
                    try await AccountNumberRepository.create(
                        sessionID: f.session.id, id: UUID(), borrowerID: theirs.id, sealed: [0],
                        lastFour: "1234", kind: .bank, on: db)
                }
                await #expect(throws: LibraryError.notFound) {
                    try await SourceReferenceRepository.create(
                        sessionID: f.session.id, borrowerID: theirs.id,
                        documentID: stored.document.id, page: 1, section: nil, snippet: "x",
                        span: 0..<1, chunkID: nil, on: db)
                }
                let found = try await BorrowerRepository.get(
                    sessionID: f.session.id, id: theirs.id, on: db)
                #expect(found == nil)
                let deleted = try await BorrowerRepository.delete(
                    sessionID: f.session.id, id: theirs.id, on: db)
                #expect(!deleted)
            }
            await expectRefusal(.foreignKeyViolation) {
                try await f.pool.withConnection(as: .service) { db in
                    _ = try await SourceReferenceRepository.create(
                        sessionID: f.session.id, borrowerID: mine.id,
                        documentID: stored.document.id, page: 2, section: nil, snippet: "x",
                        span: 0..<1, chunkID: nil, on: db)
                }
            }
        }
    }

    @Test("A reference takes the smallest chunk around it, keeps on without it, goes with its page")
    func references() async throws {
        try await Fixture.with { f in
            let stored = try await f.document()
            let borrower = try await borrower(f)
            func chunk(parent: UUID?, _ index: Int, _ span: Range<Int>) -> NewChunk {
                NewChunk(
                    id: UUID(), documentID: stored.document.id, sectionID: stored.sections[0].id,
                    parentID: parent, index: index, text: "Text", start: span.lowerBound,
                    end: span.upperBound, pageFrom: 1, pageTo: 1, tokenCount: 2,
                    embedding: axis(index))
            }
            let parent = chunk(parent: nil, 0, 0..<100)
            let wide = chunk(parent: parent.id, 1, 0..<60)
            let narrow = chunk(parent: parent.id, 2, 10..<40)
            try await f.store([parent, wide, narrow])
            try await f.pool.withConnection(as: .service) { db in
                for (span, expected) in [
                    (10..<40, narrow.id), (9..<40, wide.id), (50..<70, parent.id),
                    (90..<101, nil as UUID?),
                ] {
                    #expect(
                        try await ChunkRepository.smallest(
                            around: span, sessionID: f.session.id,
                            documentID: stored.document.id, on: db) == expected)
                }
                let reference = try await SourceReferenceRepository.create(
                    sessionID: f.session.id, borrowerID: borrower.id,
                    documentID: stored.document.id, page: 1, section: "Box 1", snippet: "x",
                    span: 10..<40, chunkID: narrow.id, on: db)
                #expect(reference.fileHash == stored.document.fileHash)
                try await db.query(
                    Statement("cut", "DELETE FROM carrel.document_chunks WHERE id = $1"), narrow.id)
                let kept = try #require(
                    try await SourceReferenceRepository.get(
                        sessionID: f.session.id, id: reference.id, on: db))
                #expect(kept.chunkID == nil && kept.span == 10..<40)
            }
            try await f.pool.withTransaction(as: .service) { db in
                _ = try await DocumentRepository.delete(
                    sessionID: f.session.id, id: stored.document.id, on: db)
            }
            #expect(try await f.count("source_references") == 0)
            #expect(try await f.count("borrowers") == 1)
        }
    }

    @Test("A borrower takes everything kept of it along; lists go newest first, by cursor too")
    func cascadeAndLists() async throws {
        try await Fixture.with { f in
            var ids: [UUID] = []
            for _ in 0..<7 { ids.append(try await borrower(f).id) }
            try await f.pool.withConnection(as: .service) { db in
                let all = try await BorrowerRepository.list(
                    sessionID: f.session.id, limit: 100, on: db)
                #expect(all.map(\.id) == ids.reversed())
                var seen: [Borrower] = []
                while true {
                    let page = try await BorrowerRepository.list(
                        sessionID: f.session.id, limit: 3,
                        after: seen.last.map { TimeCursor(createdAt: $0.createdAt, id: $0.id) },
                        on: db)
                    if page.isEmpty { break }
                    seen += page
                }
                #expect(seen == all)
                _ = try await IncomeRepository.create(
                    sessionID: f.session.id, borrowerID: ids[0], amount: Hundredths(1),
                    period: .weekly, year: 2025, sourceType: "stub", employer: "Acme", on: db)
                #expect(
                    try await BorrowerRepository.delete(
                        sessionID: f.session.id, id: ids[0], on: db))
                #expect(
                    try await IncomeRepository.list(
                        sessionID: f.session.id, borrowerID: ids[0], on: db
                    ).isEmpty)
            }
            #expect(try await f.count("income_records") == 0)
        }
    }

    @Test(
        "Numbers of people are read in the forms they are written in, and in no other",
        arguments: [
            ("123-45-6789", true), ("123 45 6789", true), ("123456789", true),
            ("123-45 6789", false), ("12345678", false), ("000-45-6789", false),
            ("666-45-6789", false), ("987-65-4321", false), ("123-00-6789", false),
            ("123-45-0000", false), ("１２３-45-6789", false),
        ])
    func socialSecurityNumbers(text: String, isOne: Bool) {
        let number = SocialSecurityNumber(text)
        #expect((number != nil) == isOne)
        if let number {
            #expect(number.digits == "123456789")
            #expect(!"\(number)".contains("6789"))
        }
        let account = PlainAccountNumber("de89 3704-0044 0532 0130 00")
        #expect(account?.text == "DE89370400440532013000")
        #expect(account?.lastFour == "3000")
        let shown = account.map { "\($0)" } ?? ""
        #expect(shown.hasSuffix("3000") && !shown.contains("3704"))
    }
}
