// Borrowers and citations, as the commands say them.

import CarrelClient
import Foundation

struct BorrowerShape: Codable, Sendable {
    struct Income: Codable, Sendable {
        var id: UUID
        var amount: String
        var period: String
        var year: Int
        var sourceType: String
        var employer: String?
    }
    struct Account: Codable, Sendable {
        var id: UUID
        var type: String
        var lastFour: String
    }

    var id: UUID
    var name: String
    var hasSsn: Bool
    var address: [String: String]?
    var confidence: String
    var createdAt: String
    var incomes: [Income]?
    var accounts: [Account]?
    var references: [ReferenceShape]?
}

struct QuotedDocumentShape: Codable, Sendable {
    var id: UUID
    var fileName: String
    var sha256: String
}

struct ReferenceShape: Codable, Sendable {
    var id: UUID
    var document: QuotedDocumentShape
    var page: Int
    var section: String?
    var snippet: String
    var span: [Int]
    var chunk: UUID?
}

struct VerdictShape: Codable, Sendable {
    struct Change: Codable, Sendable {
        var kind: String
        var text: String
    }

    var status: String
    var document: QuotedDocumentShape
    var page: Int?
    var span: [Int]?
    var chunk: UUID?
    var text: String?
    var similarity: Double?
    var difference: [Change]?
}

/// What is sent with the methods on borrowers; nil is left out.
struct BorrowerParameters: Encodable, Sendable {
    var session: String
    var borrower: UUID?
    var name: String?
    var ssn: String?
    var address: [String: String]?
    var confidence: String?
    var amount: String?
    var period: String?
    var year: Int?
    var sourceType: String?
    var employer: String?
    var number: String?
    var type: String?
    var document: UUID?
    var page: Int?
    var snippet: String?
    var section: String?
}

/// A question whether a citation still stands.
struct CitationParameters: Encodable, Sendable {
    struct Citation: Encodable, Sendable {
        var snippet: String
        var page: Int
        var span: [Int]?
    }

    var session: String
    var reference: UUID?
    var citation: Citation?
    var document: UUID?
    var fileName: String?
}

extension Remote {
    func createBorrower(_ parameters: BorrowerParameters) async throws -> BorrowerShape {
        struct Answer: Decodable { let borrower: BorrowerShape }
        let answer: Answer = try await call("borrower.create", parameters)
        return answer.borrower
    }

    /// All of them, page after page; with an SSN those who have it.
    func borrowers(in session: String, ssn: String? = nil) async throws -> [BorrowerShape] {
        struct Parameters: Encodable {
            let session: String
            let ssn: String?
            let limit = 500
            var cursor: String?
        }
        struct Answer: Decodable {
            let borrowers: [BorrowerShape]
            let next: String?
        }
        var parameters = Parameters(session: session, ssn: ssn)
        var found: [BorrowerShape] = []
        repeat {
            let answer: Answer = try await call("borrower.list", parameters)
            found += answer.borrowers
            parameters.cursor = answer.next
        } while parameters.cursor != nil
        return found
    }

    /// The borrower with that id or that name, with everything kept of it.
    ///
    /// - Throws: `Failure` when there is none, or several of that name.
    func borrower(named name: String, in session: String) async throws -> BorrowerShape {
        let found = try await borrowers(in: session)
            .filter { $0.name == name || $0.id == UUID(uuidString: name) }
        guard let first = found.first else {
            throw Failure("there is no borrower \"\(name)\"; see `carrel borrower list`")
        }
        guard found.count == 1 else {
            let ids = found.map { $0.id.uuidString.lowercased() }.joined(separator: ", ")
            throw Failure("\(found.count) borrowers are called \"\(name)\"; name one by id: \(ids)")
        }
        struct Answer: Decodable { let borrower: BorrowerShape }
        let answer: Answer = try await call(
            "borrower.get", BorrowerParameters(session: session, borrower: first.id))
        return answer.borrower
    }

    func deleteBorrower(_ id: UUID, in session: String) async throws {
        struct Nothing: Decodable {}
        let _: Nothing = try await call(
            "borrower.delete", BorrowerParameters(session: session, borrower: id))
    }

    func addIncome(_ parameters: BorrowerParameters) async throws -> BorrowerShape.Income {
        struct Answer: Decodable { let income: BorrowerShape.Income }
        let answer: Answer = try await call("borrower.addIncome", parameters)
        return answer.income
    }

    func addAccount(_ parameters: BorrowerParameters) async throws -> BorrowerShape.Account {
        struct Answer: Decodable { let account: BorrowerShape.Account }
        let answer: Answer = try await call("borrower.addAccount", parameters)
        return answer.account
    }

    func addReference(_ parameters: BorrowerParameters) async throws -> ReferenceShape {
        struct Answer: Decodable { let reference: ReferenceShape }
        let answer: Answer = try await call("borrower.addReference", parameters)
        return answer.reference
    }

    func verify(_ parameters: CitationParameters) async throws -> VerdictShape {
        try await call("citation.verify", parameters)
    }
}
