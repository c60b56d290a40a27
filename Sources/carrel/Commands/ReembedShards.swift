// Embedding on other machines: texts out as shards, vectors back.

import ArgumentParser
import CarrelClient
import Foundation

extension Reembed {
    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the texts of a paused run, to be embedded elsewhere.",
            discussion: """
                Writes texts-00000.ndjson and so on, {"chunk":…, "md5":…, "text":…} a line, and \
                manifest.json: the job, the session, the model (its width, its weights' SHA-256 and \
                what goes before a passage), and each shard's rows and SHA-256. The folder is there \
                whole or not at all. Texts that have a vector already are left out.

                EXAMPLE
                  carrel reembed start --model all-MiniLM-L6-v2 -s Analysis --paused
                  carrel reembed export --job 6f9c… --out shards
                """)

        @Option(help: "The paused run, as `carrel reembed start --paused` told it.")
        var job: String

        @Option(help: "The folder to write: a new one, or an empty one.", completion: .directory)
        var out: String

        @Option(help: "Texts of one shard.")
        var shardSize = 5_000

        @OptionGroup var remote: RemoteOptions

        func validate() throws {
            guard (1...1_000_000).contains(shardSize) else {
                throw ValidationError("--shard-size goes from 1 to 1000000")
            }
        }

        private struct Row: Encodable {
            let chunk: String
            let md5: String
            let text: String

            init(_ wanted: WantedTextShape) {
                chunk = wanted.chunk.uuidString.lowercased()
                (md5, text) = (wanted.md5, wanted.text)
            }
        }

        func run() async throws {
            let job = try jobID(job)
            let server = try await remote.connect()
            let first = try await server.wantedTexts(of: job)
            guard let total = first.left, total > 0 else {
                throw Failure(
                    "every text of this run has a vector; go on with `carrel reembed resume`")
            }
            var manifest = TextManifest(
                job: job.uuidString.lowercased(), session: first.session.uuidString.lowercased(),
                model: first.model, count: 0, shards: [])
            var writer = try ShardWriter(to: out, prefix: "texts-", rowsPerShard: shardSize)
            let progress = Progress("export", unit: "texts", quiet: remote.json)
            do {
                var page = first
                while true {
                    for text in page.texts {
                        try text.check()
                        try writer.write(Row(text))
                    }
                    manifest.count += page.texts.count
                    progress.update(done: manifest.count, total: max(total, manifest.count))
                    guard let next = page.next else { break }
                    page = try await server.wantedTexts(of: job, after: next)
                }
                manifest.shards = try writer.endShards()
                try writer.commit(manifest, as: TextManifest.file)
            } catch {
                writer.abandon()
                throw error
            }
            progress.finish()
            await server.close()
            if remote.json { return try manifest.printJSON() }
            Terminal.say(
                "\(manifest.count) texts for \(manifest.model.name) "
                    + "(\(manifest.model.dimension) numbers) in \(manifest.shards.count) shards: "
                    + out)
        }
    }

    struct Load: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read vectors back that were made of exported texts.",
            discussion: """
                Beside what `carrel reembed export` wrote the folder holds shards of the engine's, \
                {"chunk":…, "md5":…, "vector":[…]} a line (or "vectorB64"), named vectors-….ndjson, \
                and vectors.json: {"job":…, "dimension":…, "count":…, "shards":[{"file":…, "rows":…, \
                "sha256":…}]}. All of it is read and compared first: every text has one vector, and \
                no shard is missing, changed or one too many. Then the vectors are stored; stopped \
                in between, the same command goes on. Texts that changed or went since the export \
                are passed over; the server embeds what is left when the run is resumed.

                docs/examples/reembed_spark.py is such an engine, on Spark.

                EXAMPLE
                  carrel reembed load --job 6f9c… shards
                  carrel reembed resume -s Analysis
                """)

        @Option(help: "The paused run.")
        var job: String

        @Argument(help: "The folder of the shards.", completion: .directory)
        var folder: String

        @OptionGroup var remote: RemoteOptions

        /// docs/protocol.md allows 256 vectors a call.
        private static let batch = 256

        private struct Answer: Encodable {
            let job: String
            let session: String
            let staged: Int
            let outdated: Int
            let left: Int
        }

        func run() async throws {
            let job = try jobID(job)
            try await requireWaiting(job)
            let shards = try VectorShards(folder, of: job)
            let looked = Progress("check", unit: "vectors", quiet: remote.json)
            try await shards.check { looked.update(done: $0, total: shards.count) }
            looked.finish()
            // Not before: to look through many shards may take longer than a connection may be silent.
            let server = try await remote.connect()
            let progress = Progress("load", unit: "vectors", quiet: remote.json)
            var (staged, outdated) = (0, 0)
            var batch: [Remote.MadeVector] = []
            func send() async throws {
                guard !batch.isEmpty else { return }
                let answer = try await server.stage(batch, of: job)
                staged += answer.staged
                outdated += answer.outdated.count
                batch = []
                progress.update(done: staged + outdated, total: shards.count)
            }
            do {
                try await shards.read { vector, _, _ in
                    batch.append(Remote.MadeVector(vector))
                    if batch.count == Self.batch { try await send() }
                }
                try await send()
            } catch ClientError.refused(let refusal) {
                let more = refusal.isRetryable ? "; the same command goes on" : ""
                throw Failure(
                    "\(refusal.message)\n\(staged) of \(shards.count) vectors were stored\(more)")
            }
            progress.finish()
            let left = try await server.wantedTexts(of: job, limit: 1).left ?? 0
            await server.close()
            let session = shards.texts.session
            if remote.json {
                return try Answer(
                    job: shards.texts.job, session: session, staged: staged, outdated: outdated,
                    left: left
                ).printJSON()
            }
            Terminal.say("\(staged) vectors are stored, \(left) texts have none")
            if outdated > 0 {
                Terminal.say(
                    "\(outdated) were passed over: their texts changed or went since the export")
            }
            Terminal.say("go on with: carrel reembed resume --session \(session)")
        }

        /// Whether the run takes vectors, before any file is read.
        private func requireWaiting(_ job: UUID) async throws {
            let server = try await remote.connect()
            _ = try await server.wantedTexts(of: job, limit: 1)
            await server.close()
        }
    }
}

private func jobID(_ text: String) throws -> UUID {
    guard let id = UUID(uuidString: text) else {
        throw Failure("\(text) is not the id of a job; see `carrel reembed status`")
    }
    return id
}
