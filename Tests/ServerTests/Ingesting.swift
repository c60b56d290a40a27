// Documents in, waited for.

import Foundation
import Testing
import Wire

extension LineClient {
    /// Ingests a text and waits until it was read; its id.
    func ingest(_ name: String, _ text: String, in handle: String) async throws -> String {
        var writer = JSONWriter()
        writer.object {
            $0.member("session", handle)
            $0.member("fileName", name)
            $0.member("text", text)
        }
        let answer = try await call(9_000, "document.ingest", writer.text)
        return try await completed(answer, in: handle)
    }

    /// Uploads a file and waits until it was read; its id.
    func upload(file path: String, in handle: String) async throws -> String {
        let bytes = try Data(contentsOf: URL(filePath: path))
        let name = URL(filePath: path).lastPathComponent
        let begun = try await call(
            9_001, "document.upload.begin",
            "{\"session\":\"\(handle)\",\"fileName\":\"\(name)\",\"bytes\":\(bytes.count)}")
        let upload = try #require(begun.at("result", "upload")?.string)
        _ = try await call(
            9_002, "document.upload.chunk",
            """
            {"upload":"\(upload)","offset":0,"dataB64":"\(bytes.base64EncodedString())"}
            """)
        let answer = try await call(
            9_003, "document.upload.commit", "{\"upload\":\"\(upload)\"}")
        return try await completed(answer, in: handle)
    }

    private func completed(_ answer: JSONValue, in handle: String) async throws -> String {
        let id = try #require(answer.at("result", "document", "id")?.string, "\(answer.text)")
        for _ in 0..<6_000 {
            let document = try await call(
                9_004, "document.get", "{\"session\":\"\(handle)\",\"document\":\"\(id)\"}")
            let status = document.at("result", "document", "status")?.string
            if status == "COMPLETED" { return id }
            try #require(status != "FAILED", "\(document.text)")
            try await Task.sleep(for: .milliseconds(30))
        }
        throw Failure.noAnswer("\(id) was not read")
    }
}
