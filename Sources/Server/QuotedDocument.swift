import Documents
import Library
import NIOPosix
import Postgres
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A document that is quoted from. Comparing texts takes milliseconds a megabyte: it is done on
/// threads that may.
struct QuotedDocument {
    let document: Document

    init(_ session: UUID, _ id: UUID, on db: some Queryable) async throws {
        guard
            let document = try await DocumentRepository.getById(sessionID: session, id: id, on: db)
        else { throw Method.noDocument }
        guard document.status == .completed else {
            throw WireError(
                .conflict, "The document has not been read yet.", field: "document",
                got: document.status.rawValue)
        }
        self.document = document
    }

    init(_ session: UUID, latest fileName: String, on db: some Queryable) async throws {
        guard
            let document = try await DocumentRepository.latest(
                sessionID: session, fileName: fileName, on: db)
        else {
            throw WireError(
                .notFound, "The session has no document of this name that was read.",
                field: "fileName")
        }
        self.document = document
    }

    /// Where the snippet stands on the page.
    ///
    /// - Throws: `invalid_params` naming `page` or `snippet`, with what was given and what is nearest to it.
    func span(of snippet: String, page: Int, on db: some Queryable) async throws -> Range<Int> {
        let spans = try await PageRepository.list(
            sessionID: document.sessionID, documentID: document.id, limit: 1, after: page - 1,
            on: db)
        guard let bounds = spans.first, bounds.number == page else {
            throw WireError.invalid(
                "page", expected: "a page of the document, from 1 to \(document.pageCount ?? 0)",
                got: "\(page)")
        }
        let text = try await text(bounds.start..<bounds.end, on: db)
        let found = try await NIOThreadPool.singleton.runIfActive {
            FoldedText(text).occurrences(of: FoldedText(snippet)).first
        }
        if let found {
            return found.lowerBound + bounds.start..<found.upperBound + bounds.start
        }
        let (verdict, nearest) = try await check(
            Citation(snippet: snippet, page: page), on: db)
        let like = verdict.place.map { "nearest, on page \($0.page): \"\(nearest ?? "")\"" }
        throw WireError.invalid(
            "snippet",
            expected: "text that stands on page \(page) "
                + "(\(like ?? "the document has nothing like it"))",
            got: "\"\(snippet.shortened(to: 80))\"")
    }

    /// What became of a citation here, and the text that stands in its place.
    func check(
        _ citation: Citation, on db: some Queryable
    ) async throws -> (Citation.Verdict, text: String?) {
        let text = try await text(0..<Int.max, on: db)
        let pages = try await PageRepository.list(
            sessionID: document.sessionID, documentID: document.id, limit: Int(Int32.max), on: db
        ).map { PageSpan(number: $0.number, start: $0.start, end: $0.end) }
        return try await NIOThreadPool.singleton.runIfActive {
            let verdict = citation.check(in: text, pages: pages)
            return (verdict, verdict.place.map { text.scalars($0.span) })
        }
    }

    private func text(_ span: Range<Int>, on db: some Queryable) async throws -> String {
        let end = span.upperBound == .max ? nil : span.upperBound
        let text = try await DocumentRepository.text(
            sessionID: document.sessionID, id: document.id, start: span.lowerBound, end: end,
            on: db)
        guard let text else { throw Method.noDocument }
        return text.text
    }
}

extension String {
    /// A stretch counted in Unicode scalars.
    fileprivate func scalars(_ span: Range<Int>) -> String {
        let scalars = unicodeScalars
        let start = scalars.index(scalars.startIndex, offsetBy: span.lowerBound)
        return String(scalars[start..<scalars.index(start, offsetBy: span.count)])
    }
}

extension Citation.Verdict {
    /// Where it stands, if it does.
    var place: Citation.Place? {
        switch self {
        case .unchanged(let place), .moved(let place), .edited(let place, _): place
        case .gone: nil
        }
    }
}
