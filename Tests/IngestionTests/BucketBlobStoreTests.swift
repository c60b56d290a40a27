import Clouds
import Foundation
import Ingestion
import Library
import Postgres
import TestSupport
import Testing

@Suite("Blobs in a bucket", .enabled(if: Moto.isThere, Comment(rawValue: Moto.wanted)))
struct BucketBlobStoreTests {
    private func store(_ name: String) async throws -> (BucketBlobStore, S3Bucket, String) {
        let address = try await Moto.shared.server().bucket(name)
        let bucket = try S3Bucket(address, client: HTTPClient(rule: .anywhere))
        let copies = try TestDirectory.make("copies-\(name)")
        return (BucketBlobStore(bucket: bucket, prefix: "docs/", copies: copies), bucket, copies)
    }

    @Test("Bytes come back as they were, and no copy of them stays here")
    func roundTrip() async throws {
        let (store, bucket, copies) = try await store("blobs")
        try await store.probe()
        try await BlobStoreContract.holds(for: store)
        #expect(try FileManager.default.contentsOfDirectory(atPath: copies).isEmpty)
        let keys = try await bucket.list().objects.map(\.key)
        #expect(!keys.isEmpty)
        #expect(
            keys.allSatisfy {
                $0.hasPrefix("docs/") && UUID(uuidString: String($0.dropFirst(5))) != nil
            })
    }

    @Test("A document goes into the bucket, is read from there, and leaves it when it is deleted")
    func document() async throws {
        let (store, bucket, copies) = try await store("documents")
        try await withWorkshop { shop in
            let ingestor = shop.ingestor(store: store)
            let (document, job) = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "book.md",
                bytes: book(paragraphs: 30))
            #expect(try await bucket.list().objects.map(\.key) == ["docs/\(document.filePath)"])
            #expect(try await ingestor.runOnce())
            #expect(try await shop.job(job.id).state == .succeeded)
            #expect(try await shop.reload().chunkCount > 0)
            #expect(shop.files.isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: copies).isEmpty)
            try await ingestor.delete(as: .service, session: shop.session.id, document: document.id)
            #expect(try await bucket.list().objects.isEmpty)
        }
    }

    @Test("A bucket that cannot be asked takes no document in")
    func away() async throws {
        let closed = try TinyWebServer { _, send in
            _ = send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        }
        let address = S3Bucket.Address(
            endpoint: closed.url(""), region: "us-east-1", bucket: "blobs",
            credentials: S3Credentials(accessKey: "AKIA", secretKey: "secret"))
        let store = BucketBlobStore(
            bucket: try S3Bucket(address, client: HTTPClient(rule: .anywhere)), prefix: "",
            copies: try TestDirectory.make("copies-away"))
        await #expect(throws: CloudError.denied(code: "no reason given")) {
            try await store.probe()
        }
        try await withWorkshop { shop in
            await #expect(throws: IngestionError.self) {
                try await shop.ingestor(store: store).submit(
                    as: .service, session: shop.session.id, fileName: "a.md",
                    bytes: book(paragraphs: 3))
            }
            let documents = try await shop.pool.withConnection(as: .service) { db in
                try await DocumentRepository.listDocuments(
                    sessionID: shop.session.id, limit: 10, offset: 0, on: db)
            }
            #expect(documents.isEmpty)
        }
    }
}
