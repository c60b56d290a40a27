// Imports from a folder of the web, disturbed.

import Clouds
import Foundation
import Ingestion
import Library
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite("Imports from clouds")
struct CloudImportTests {
    private static let names = (0..<5).map { "paper \($0).md" }

    /// Serves the names as texts that differ; `trouble` answers in place of it when it wants to.
    private func web(
        _ trouble: @escaping @Sendable (_ path: String) -> String? = { _ in nil }
    ) throws -> TinyWebServer {
        try TinyWebServer { head, send in
            let path = String(head.split(separator: " ")[1])
            let text = "# \(path)\n\nThe text of \(path)."
            let usual =
                "HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\nConnection: close\r\n\r\n\(text)"
            _ = send(trouble(path) ?? usual)
        }
    }

    private func opener(_ web: TinyWebServer) -> CloudOpener {
        let url = web.url()
        return { _, _ in
            try CloudSource(.http(WebAccess(url: url)), client: HTTPClient(rule: .anywhere))
        }
    }

    private func enqueue(_ names: [String], in shop: Workshop) async throws -> Job {
        try await shop.pool.withTransaction(as: .service) { db in
            try await Ingestor.enqueue(
                CloudImport(
                    connection: UUID(), profile: shop.session.profileID, objects: names),
                session: shop.session.id, on: db)
        }
    }

    private func documents(_ shop: Workshop) async throws -> [Document] {
        try await shop.pool.withConnection(as: .service) { db in
            try await DocumentRepository.listDocuments(
                sessionID: shop.session.id, limit: 100, offset: 0, on: db)
        }
    }

    private func finish(
        _ job: Job, with ingestor: Ingestor, in shop: Workshop
    ) async throws -> Job {
        for _ in 0..<6000 {
            let now = try await shop.job(job.id)
            if now.state.isEnded { return now }
            _ = try await ingestor.runOnce([.import])
            try await Task.sleep(for: .milliseconds(10))
        }
        return try await shop.job(job.id)
    }

    private func report(_ job: Job) -> CloudImportReport? {
        CloudImportState(payload: job.payload)?.report
    }

    @Test("Killed in the middle, an import goes on where it was, and no object is taken twice")
    func killed() async throws {
        let web = try web()
        try await withWorkshop { shop in
            let job = try await enqueue(Self.names, in: shop)
            let runner = try FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/self/exe")
            let folder = URL(filePath: runner).deletingLastPathComponent()
            let victim = Process()
            victim.executableURL = folder.appending(path: "ingestion-victim")
            victim.arguments = [
                shop.pool.configuration.url, shop.blobs.directory,
                folder.appending(path: "carrel-extract").path, "imported(object: 1)", web.url(),
            ]
            try await withCheckedThrowingContinuation { continuation in
                victim.terminationHandler = { _ in continuation.resume() }
                do { try victim.run() } catch { continuation.resume(throwing: error) }
            }
            #expect(victim.terminationReason == .uncaughtSignal && victim.terminationStatus == 9)
            #expect(try await documents(shop).count == 2)
            #expect(try await shop.job(job.id).done == 2)

            let ended = try await finish(
                job, with: shop.ingestor(openCloud: opener(web)), in: shop)
            #expect(ended.state == .succeeded && ended.done == 5 && ended.total == 5)
            #expect(report(ended)?.imported == 5)
            #expect(web.heads.count == 5, "each object was asked for once")
            let found = try await documents(shop)
            #expect(Set(found.map(\.fileName)) == Set(Self.names))
            #expect(found.allSatisfy { $0.sourceURI?.hasPrefix(web.url()) == true })
            #expect(shop.files.filter { !$0.hasSuffix(".part") }.count == 5)
        }
    }

    @Test("A server that is away for a while is asked again later; what it has by then is imported")
    func away() async throws {
        let count = Mutex(0)
        let web = try web { path in
            guard path.contains("paper%202") else { return nil }
            let number = count.withLock { count in
                count += 1
                return count
            }
            return number <= 5 ? "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" : nil
        }
        try await withWorkshop { shop in
            let job = try await enqueue(Self.names, in: shop)
            let ended = try await finish(
                job, with: shop.ingestor(openCloud: opener(web)), in: shop)
            #expect(ended.state == .succeeded && ended.attempt == 2)
            #expect(report(ended)?.imported == 5)
        }
    }

    @Test("The same bytes twice are one document; what does not fit the quota is said to be so")
    func limits() async throws {
        let web = try web { path in
            let text =
                path.contains("paper%204") ? String(repeating: "x", count: 5000) : "same text"
            return "HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)"
        }
        try await withWorkshop { shop in
            try await shop.pool.withConnection(as: .service) { db in
                _ = try await QuotaRepository.setLimit(
                    1000, profileID: shop.session.profileID, on: db)
            }
            let job = try await enqueue(Self.names, in: shop)
            let ended = try await finish(
                job, with: shop.ingestor(openCloud: opener(web)), in: shop)
            #expect(ended.state == .succeeded)
            #expect(report(ended)?.imported == 1 && report(ended)?.duplicates == 3)
            #expect(report(ended)?.failed.map(\.code) == ["quota_exceeded"])
            #expect(report(ended)?.failed.map(\.object) == ["paper 4.md"])
            #expect(shop.files.count == 1, "nothing is left of what was refused")
        }
    }

    @Test("An import is cancelled between two objects")
    func cancelled() async throws {
        let web = try web()
        try await withWorkshop { shop in
            let job = try await enqueue(Self.names, in: shop)
            let canceller = shop.ingestor()
            let ingestor = shop.ingestor(
                observe: { event in
                    if event == .imported(object: 1) {
                        _ = try await canceller.cancel(as: .service, job: job.id)
                    }
                }, openCloud: opener(web))
            _ = try await ingestor.runOnce([.import])
            #expect(try await shop.job(job.id).state == .cancelled)
            #expect(try await documents(shop).count == 2)
            #expect(shop.files.count == 2)
        }
    }

    @Test("An import of which nothing can be had has failed, and says so of each object")
    func nothing() async throws {
        let web = try web { _ in "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n" }
        try await withWorkshop { shop in
            let job = try await enqueue(["a", "b"], in: shop)
            let ended = try await finish(
                job, with: shop.ingestor(openCloud: opener(web)), in: shop)
            #expect(ended.state == .failed)
            #expect(ended.errorMessage?.contains("none of 2") == true)
            #expect(report(ended)?.failed.map(\.code) == ["not_found", "not_found"])
        }
    }
}
