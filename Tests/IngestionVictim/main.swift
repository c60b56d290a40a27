// A worker that kills itself at a step, for the test that nothing is lost by it. Not part of Carrel:
// the step arrives through the hook every `Ingestor` has, and only this program makes it a kill.
//
//     ingestion-victim DATABASE-URL BLOB-DIRECTORY EXTRACTOR STEP [WEB-FOLDER | PORT]
//
// With `reembed` for a step it works on re-embeddings until somebody else kills it; with `serve` it is a
// whole server besides, at that port.

import Clouds
import Documents
import Embedding
import Foundation
import Glibc
import Ingestion
import Library
import Postgres
import Retrieval
import TestSupport

let arguments = CommandLine.arguments
guard (5...6).contains(arguments.count) else { exit(64) }
let step = arguments[4]
let isKilledByOthers = ["reembed", "serve"].contains(step)
let pool = Pool(try PostgresConfiguration(url: arguments[1]), size: isKilledByOthers ? 6 : 3)
let embedders = EmbedderRegistry([HashingEmbedder(), NoiseEmbedder()])
let snapshots = SnapshotCache(pool, limits: .init(bytes: 1 << 28))
var options = Ingestor.Options()
options.lease = .seconds(2)
if isKilledByOthers {
    options.lease = .milliseconds(300)
    options.backoff = .milliseconds(20)
    options.longestBackoff = .milliseconds(200)
    options.pollInterval = .milliseconds(20)
    // Whoever is killed at random may be killed often without having got on.
    options.reembeddingAttempts = 10_000
    options.reembeddedAtOnce = 128
    options.switchedAtOnce = 200
}
let ingestor = Ingestor(
    pool: pool, blobs: LocalBlobStore(directory: arguments[2]), scratch: arguments[2] + "/jobs",
    extractor: Extractor(helper: arguments[3]), embedders: embedders, options: options,
    openCloud: { _, _ in
        try CloudSource(
            .http(WebAccess(url: arguments.last!)), client: HTTPClient(rule: .anywhere))
    },
    observe: { event in
        if "\(event)" == step { kill(getpid(), SIGKILL) }
    },
    didCommit: { await snapshots.committed($0) },
    willCommit: { try await snapshots.prepare($0, on: $1) })
if step == "serve" {
    guard let port = Int(arguments[5]) else { exit(64) }
    try await listen(on: port, pool, embedders, snapshots, ingestor, uploads: arguments[2])
}
let parent = getppid()
while isKilledByOthers {
    // Whoever wanted it dead may have died first.
    guard getppid() == parent else { exit(0) }
    do {
        if try await ingestor.runOnce([.reembed]) { continue }
    } catch is PostgresError {
        // Somebody kills the database, too.
    } catch {
        // Stands in the test's output.
        print("ingestion-victim: \(error)")
    }
    try await Task.sleep(for: .milliseconds(20))
}
exit(try await ingestor.runOnce() ? 0 : 3)
