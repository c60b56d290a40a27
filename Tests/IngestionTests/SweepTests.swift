// Bytes and rows after a crash at any point between them.

import Foundation
import Ingestion
import Library
import Postgres
import Testing

@Suite("Stray blobs")
struct SweepTests {
    private func note(_ key: UUID, within time: Duration, _ shop: Workshop) async throws {
        try await shop.pool.withConnection(as: .service) { db in
            try await BlobRepository.expect(key.uuidString.lowercased(), within: time, on: db)
        }
    }

    @Test("Bytes no document claimed in time are swept; those that may still be claimed are not")
    func sweep() async throws {
        try await withWorkshop { shop in
            let ingestor = shop.ingestor()
            let (late, early) = (UUID(), UUID())
            try await note(late, within: .zero, shop)
            try await note(early, within: .seconds(3600), shop)
            _ = try await shop.blobs.put(Array("late".utf8), as: late)
            _ = try await shop.blobs.put(Array("early".utf8), as: early)
            let never = UUID()
            try await note(never, within: .zero, shop)
            #expect(try await ingestor.sweepBlobs() == 2)
            #expect(
                shop.files.map { URL(filePath: $0).lastPathComponent } == [
                    early.uuidString.lowercased()
                ])
            #expect(try await ingestor.sweepBlobs() == 0)
        }
    }

    @Test("A document's bytes are nobody else's to sweep, until it is deleted")
    func claimed() async throws {
        try await withWorkshop { shop in
            let ingestor = shop.ingestor()
            let (document, _) = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "a.md", bytes: book(paragraphs: 3)
            )
            #expect(try await ingestor.sweepBlobs() == 0)
            #expect(shop.files.count == 1)
            // As a process that dies right after the commit of a deletion leaves it.
            try await shop.pool.withTransaction(as: .service) { db in
                let gone = try await DocumentRepository.delete(
                    sessionID: shop.session.id, id: document.id, on: db)
                try await BlobRepository.disown(try #require(gone).filePath, on: db)
            }
            #expect(shop.files.count == 1)
            #expect(try await ingestor.sweepBlobs() == 1)
            #expect(shop.files.isEmpty)
        }
    }

    @Test("A key that was swept cannot be claimed any more")
    func tooLate() async throws {
        try await withWorkshop { shop in
            let key = UUID()
            try await note(key, within: .zero, shop)
            try await shop.ingestor().sweepBlobs()
            let claimed = try await shop.pool.withTransaction(as: .service) { db in
                try await BlobRepository.claim(key.uuidString.lowercased(), on: db)
            }
            #expect(!claimed)
        }
    }

    @Test("The documents of a session that is deleted leave no bytes")
    func session() async throws {
        try await withWorkshop { shop in
            let ingestor = shop.ingestor()
            _ = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "a.md", bytes: book(paragraphs: 3)
            )
            try await shop.pool.withTransaction(as: .service) { db in
                try await BlobRepository.disownAll(sessionID: shop.session.id, on: db)
                _ = try await SessionRepository.delete(
                    id: shop.session.id, profileID: shop.session.profileID, on: db)
            }
            #expect(try await ingestor.sweepBlobs() == 1)
            #expect(shop.files.isEmpty)
        }
    }
}
