// Files into a session, one after the other, with progress.

import CarrelClient
import Crypto
import Foundation

struct Intake {
    enum Result: String, Codable, Sendable { case ingested, present, failed }

    struct Outcome: Encodable, Sendable {
        let file: String
        let result: Result
        let document: DocumentShape?
        let reason: String?
    }

    let server: Remote
    /// An open session's handle.
    let session: String
    let quiet: Bool

    /// The files meant by `paths`: a file is itself, a folder the visible files below it, by name.
    static func files(at paths: [String]) throws -> [String] {
        let manager = FileManager.default
        let files = try paths.flatMap { path -> [String] in
            var isFolder: ObjCBool = false
            guard unsafe manager.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw Failure("there is no \(path)")
            }
            guard isFolder.boolValue else { return [path] }
            let names = try manager.subpathsOfDirectory(atPath: path)
            return names.sorted()
                .filter { !$0.split(separator: "/").contains { $0.hasPrefix(".") } }
                .map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
                .filter {
                    var isFolder: ObjCBool = false
                    return unsafe manager.fileExists(atPath: $0, isDirectory: &isFolder)
                        && !isFolder.boolValue
                }
        }
        guard !files.isEmpty else { throw Failure("no files in \(paths.joined(separator: ", "))") }
        return files
    }

    func ingest(_ files: [String]) async throws -> [Outcome] {
        var outcomes: [Outcome] = []
        for (index, file) in files.enumerated() {
            let label = "\(index + 1)/\(files.count) \(URL(filePath: file).lastPathComponent)"
            outcomes.append(try await ingest(file, label: label))
        }
        return outcomes
    }

    private func ingest(_ file: String, label: String) async throws -> Outcome {
        guard let bytes = FileManager.default.contents(atPath: file) else {
            return Outcome(file: file, result: .failed, document: nil, reason: "cannot be read")
        }
        let progress = Progress(label, unit: "chunks", quiet: quiet)
        do {
            let job = try await server.upload(
                bytes, fileName: URL(filePath: file).lastPathComponent, to: session)
            return try await outcome(of: job, file, progress, label)
        } catch ClientError.refused(let refusal) where refusal.kind == "conflict" {
            return try await present(bytes, file, progress, label)
        } catch ClientError.refused(let refusal) {
            progress.finish("\(label): \(refusal.message)")
            return Outcome(file: file, result: .failed, document: nil, reason: refusal.message)
        }
    }

    private func outcome(
        of job: JobShape, _ file: String, _ progress: Progress, _ label: String
    ) async throws -> Outcome {
        let ended = try await server.follow(job) { progress.update(done: $0.done, total: $0.total) }
        let document = try await server.document(ended.document, in: session)
        guard ended.state == "SUCCEEDED" else {
            let reason = document?.error ?? ended.error ?? ended.state.lowercased()
            progress.finish("\(label): \(reason)")
            return Outcome(file: file, result: .failed, document: document, reason: reason)
        }
        progress.finish()
        return Outcome(file: file, result: .ingested, document: document, reason: nil)
    }

    /// The session has a document of these bytes, but perhaps not ready yet: a run that was killed
    /// leaves one that the server still works on, or one that failed and deserves another try.
    private func present(
        _ bytes: Data, _ file: String, _ progress: Progress, _ label: String
    ) async throws -> Outcome {
        let hash = SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
        var document = try await server.documents(in: session).first { $0.sha256 == hash }
        while let pending = document, ["PENDING", "PROCESSING"].contains(pending.status) {
            progress.update(done: 0, total: 0)
            try await Task.sleep(for: .milliseconds(200))
            document = try await server.document(pending.id, in: session)
        }
        if let failed = document, failed.status == "FAILED" {
            let job = try await server.retry(failed.id, in: session)
            return try await outcome(of: job, file, progress, label)
        }
        progress.finish("\(label): already there")
        return Outcome(file: file, result: .present, document: document, reason: nil)
    }
}
