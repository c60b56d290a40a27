// A worker is killed (SIGKILL, no goodbye) at every step, and another finishes its work.

import Foundation
import Ingestion
import Library
import Postgres
import Testing

@Suite("Killed workers")
struct KillTests {
    private static let paragraphs = 500

    /// Executables are built into the folder of the test runner.
    private static func beside(_ name: String) throws -> String {
        let runner = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: runner).deletingLastPathComponent().appending(path: name).path
    }

    /// Runs a process to its end without holding a thread of the test's pool meanwhile.
    private static func end(of process: Process) async throws {
        try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
    }

    @Test(
        "Killed at any step, a job ends with the same rows as an undisturbed run",
        arguments: [
            "leased", "extracted", "chunked", "embedded(batch: 0)", "embedded(batch: 1)", "storing",
            "stored",
        ])
    func killed(at step: String) async throws {
        let undisturbed = try await withWorkshop { shop in
            let ingestor = shop.ingestor()
            _ = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "book.md",
                bytes: book(paragraphs: Self.paragraphs))
            #expect(try await ingestor.runOnce())
            return try await shop.contents()
        }
        try await withWorkshop { shop in
            let ingestor = shop.ingestor()
            let (_, job) = try await ingestor.submit(
                as: .service, session: shop.session.id, fileName: "book.md",
                bytes: book(paragraphs: Self.paragraphs))
            let victim = Process()
            victim.executableURL = URL(filePath: try Self.beside("ingestion-victim"))
            victim.arguments = [
                shop.pool.configuration.url, shop.blobs.directory,
                try Self.beside("carrel-extract"), step,
            ]
            try await Self.end(of: victim)
            #expect(victim.terminationReason == .uncaughtSignal && victim.terminationStatus == 9)

            if step != "stored" {
                #expect(try await shop.reload().chunkCount == 0, "nothing is visible yet")
            }
            let ended = try await WorkerTests.finish(job.id, with: ingestor, in: shop)
            #expect(ended.state == .succeeded)
            #expect(try await shop.contents() == undisturbed)

            // What the dead left behind is swept when a worker starts.
            let worker = Task { await ingestor.run() }
            for _ in 0..<100 where shop.files.count > 1 {
                try await Task.sleep(for: .milliseconds(20))
            }
            worker.cancel()
            await worker.value
            #expect(shop.files.count == 1, "only the blob is left")
        }
    }
}
