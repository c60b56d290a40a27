import Accounts
import Documents
import Library
import Postgres
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Method {
    /// The places that prove a record, and whether they still do.
    static let citations = [
        session(
            "borrower.addReference", .write,
            "Keeps the place that proves a record; the snippet must stand on that page.",
            .repeatable([
                .id("borrower"), .id("document"), .integer("page", in: 1...Int(Int32.max)),
                .string("snippet", maximumBytes: snippetBytes),
                .optionalString("section", maximumBytes: 100),
            ])
        ) { call, session, result in
            let borrower = try call.params.id("borrower")
            let document = try call.params.id("document")
            let page = try call.params.integer("page", in: 1...Int(Int32.max))
            let snippet = try call.params.string("snippet", maximumBytes: snippetBytes)
            let section = try call.params.optionalString("section", maximumBytes: 100)
            let key = try call.params.optionalString("idempotencyKey", maximumBytes: 64)
            try call.params.finish()
            try await onceInTransaction(key, call, session.principal, &result) { db, writer in
                try await requireBorrower(borrower, session, on: db)
                let span = try await QuotedDocument(session.id, document, on: db)
                    .span(of: snippet, page: page, on: db)
                let chunk = try await ChunkRepository.smallest(
                    around: span, sessionID: session.id, documentID: document, on: db)
                let reference = try await SourceReferenceRepository.create(
                    sessionID: session.id, borrowerID: borrower, documentID: document, page: page,
                    section: section, snippet: snippet, span: span, chunkID: chunk, on: db)
                writer.object("reference") { $0.members(of: reference) }
            }
        },
        session(
            "citation.verify", .read,
            "Whether a citation still stands in a document, or in a later version of it.",
            [
                .optionalID("reference"), .optionalID("document"),
                .optionalString("fileName", maximumBytes: 255),
                .optionalObject(
                    "citation",
                    [
                        .string("snippet", maximumBytes: snippetBytes),
                        .integer("page", in: 1...Int(Int32.max)),
                        .optionalRange("span", in: 0...Int(Int32.max)),
                    ]),
            ]
        ) { call, session, result in
            let question = try CitationQuestion(&call.params)
            let answer = try await call.services.pool.withConnection(as: session.asker) { db in
                try await question.answer(session.id, on: db)
            }
            result.members(of: answer)
        },
    ]

    private static let snippetBytes = 4096

    static var noReference: WireError {
        WireError(.notFound, "The session has no such reference.", field: "reference")
    }
}

/// Asks about a reference that is kept, or about a citation that somebody else kept.
private struct CitationQuestion {
    enum Subject {
        case reference(UUID)
        case citation(Citation)
    }

    let subject: Subject
    /// Where to look: in this document,
    let document: UUID?
    /// or in the newest of this name; where neither is given, of the reference's own name.
    let fileName: String?

    init(_ params: inout Parameters) throws(WireError) {
        let reference = try params.optionalID("reference")
        document = try params.optionalID("document")
        fileName = try params.optionalString("fileName", maximumBytes: 255)
        let citation = try params.optionalObject("citation").map { (object) throws(WireError) in
            try Citation(object)
        }
        try params.finish()
        switch (reference, citation) {
        case (let reference?, nil): subject = .reference(reference)
        case (nil, let citation?):
            guard document != nil || fileName != nil else { throw .missing("document") }
            subject = .citation(citation)
        default:
            throw .invalid(
                "reference", expected: "this or `citation`",
                got: reference == nil ? "neither" : "both")
        }
        if document != nil, fileName != nil {
            throw .invalid("fileName", expected: "`document` or this, not both", got: "both")
        }
    }

    func answer(_ session: UUID, on db: some Queryable) async throws -> CitationAnswer {
        let (citation, ownName) = try await subject(session, on: db)
        let quoted: QuotedDocument
        if let document {
            quoted = try await QuotedDocument(session, document, on: db)
        } else {
            quoted = try await QuotedDocument(session, latest: fileName ?? ownName, on: db)
        }
        let (verdict, text) = try await quoted.check(citation, on: db)
        guard let place = verdict.place else {
            return CitationAnswer(
                document: quoted.document, verdict: verdict, text: nil, chunk: nil)
        }
        let chunk = try await ChunkRepository.smallest(
            around: place.span, sessionID: session, documentID: quoted.document.id, on: db)
        return CitationAnswer(
            document: quoted.document, verdict: verdict, text: text, chunk: chunk)
    }

    private func subject(
        _ session: UUID, on db: some Queryable
    ) async throws -> (Citation, fileName: String) {
        switch subject {
        case .citation(let citation): return (citation, fileName ?? "")
        case .reference(let id):
            guard
                let reference = try await SourceReferenceRepository.get(
                    sessionID: session, id: id, on: db)
            else { throw Method.noReference }
            let citation = Citation(
                snippet: reference.snippet, page: reference.page, span: reference.span)
            return (citation, reference.fileName)
        }
    }
}

extension Citation {
    fileprivate init(_ object: Parameters) throws(WireError) {
        var object = object
        let snippet = try object.string("snippet", maximumBytes: 4096)
        let page = try object.integer("page", in: 1...Int(Int32.max))
        let span = try object.optionalRange("span", in: 0...Int(Int32.max))
        try object.finish()
        self.init(
            snippet: snippet, page: page, span: span.map { $0.lowerBound..<$0.upperBound })
    }
}

private struct CitationAnswer {
    let document: Document
    let verdict: Citation.Verdict
    let text: String?
    let chunk: UUID?
}

extension Citation.Verdict {
    fileprivate var word: String {
        switch self {
        case .unchanged: "unchanged"
        case .moved: "moved"
        case .edited: "edited"
        case .gone: "gone"
        }
    }
}

extension JSONWriter {
    mutating func members(of reference: SourceReference) {
        member("id", reference.id)
        object("document") {
            $0.member("id", reference.documentID)
            $0.member("fileName", reference.fileName)
            $0.member("sha256", reference.fileHash)
        }
        member("page", reference.page)
        optional("section", reference.section)
        member("snippet", reference.snippet)
        member("span", pair: reference.span.lowerBound, reference.span.upperBound)
        if let chunk = reference.chunkID { member("chunk", chunk) } else { null("chunk") }
    }

    fileprivate mutating func members(of answer: CitationAnswer) {
        member("status", answer.verdict.word)
        object("document") {
            $0.member("id", answer.document.id)
            $0.member("fileName", answer.document.fileName)
            $0.member("sha256", answer.document.fileHash)
        }
        guard let place = answer.verdict.place else { return }
        member("page", place.page)
        member("span", pair: place.span.lowerBound, place.span.upperBound)
        if let chunk = answer.chunk { member("chunk", chunk) } else { null("chunk") }
        optional("text", answer.text)
        guard case .edited(_, let likeness) = answer.verdict else { return }
        member("similarity", (likeness.similarity * 1000).rounded() / 1000)
        array("difference", of: likeness.difference) { writer, change in
            writer.object {
                $0.member("kind", change.kind.rawValue)
                $0.member("text", change.text)
            }
        }
    }
}
