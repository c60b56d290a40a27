// A worker that kills itself at a step, for the test that nothing is lost by it. Not part of Carrel:
// the step arrives through the hook every `Ingestor` has, and only this program makes it a kill.
//
//     ingestion-victim DATABASE-URL BLOB-DIRECTORY EXTRACTOR STEP [WEB-FOLDER]

import Clouds
import Documents
import Embedding
import Foundation
import Glibc
import Ingestion
import Postgres

let arguments = CommandLine.arguments
guard (5...6).contains(arguments.count) else { exit(64) }
let step = arguments[4]
let pool = Pool(try PostgresConfiguration(url: arguments[1]), size: 3)
var options = Ingestor.Options()
options.lease = .seconds(2)
let ingestor = Ingestor(
    pool: pool, blobs: LocalBlobStore(directory: arguments[2]), scratch: arguments[2] + "/jobs",
    extractor: Extractor(helper: arguments[3]), embedders: EmbedderRegistry([HashingEmbedder()]),
    options: options,
    openCloud: { _, _ in
        try CloudSource(
            .http(WebAccess(url: arguments.last!)), client: HTTPClient(rule: .anywhere))
    },
    observe: { event in
        if "\(event)" == step { kill(getpid(), SIGKILL) }
    })
exit(try await ingestor.runOnce() ? 0 : 3)
