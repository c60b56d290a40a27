import Foundation
import Ingestion
import Library
import Postgres
import Testing

@Suite("Submitting files")
struct SubmitTests {
    @Test("A submitted file is a PENDING document with a queued job and its bytes")
    func submit() async throws {
        try await withWorkshop { shop in
            let bytes = book(paragraphs: 3)
            let (document, job) = try await shop.ingestor().submit(
                as: .service, session: shop.session.id, fileName: "../a/book.md", bytes: bytes,
                description: "the book")
            #expect(document.status == .pending)
            #expect(document.fileName == "book.md")
            #expect(document.fileDescription == "the book")
            #expect(document.fileSizeBytes == bytes.count)
            #expect(job.state == .queued && job.documentID == document.id)
            let key = try #require(UUID(uuidString: document.filePath))
            #expect(try await shop.blobs.bytes(of: key) == bytes)
            #expect(!shop.files.joined().contains("book"))
        }
    }

    @Test("The same bytes again are a conflict naming the first document, and leave no second copy")
    func duplicate() async throws {
        try await withWorkshop { shop in
            let ingestor = shop.ingestor()
            let bytes = book(paragraphs: 3)
            let first = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "a.md", bytes: bytes)
            let files = shop.files
            await #expect(throws: LibraryError.duplicateDocument(existing: first.document.id)) {
                try await ingestor.submit(
                    as: .service, session: shop.session.id, fileName: "b.md", bytes: bytes)
            }
            #expect(shop.files == files)
        }
    }

    @Test("Of many who submit the same bytes at once, one succeeds and one copy stays")
    func race() async throws {
        try await withWorkshop { shop in
            let ingestor = shop.ingestor()
            let session = shop.session.id
            let bytes = book(paragraphs: 3)
            let accepted = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        (try? await ingestor.submit(
                            as: .service, session: session, fileName: "\(number).md", bytes: bytes))
                            != nil
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(accepted == 1)
            #expect(shop.files.count == 1)
        }
    }

    @Test("A session that is not there takes nothing and keeps nothing")
    func unknownSession() async throws {
        try await withWorkshop { shop in
            await #expect(throws: IngestionError.sessionNotFound) {
                try await shop.ingestor().submit(
                    as: .service, session: UUID(), fileName: "a.md", bytes: book(paragraphs: 3))
            }
            #expect(shop.files.isEmpty)
        }
    }
}
