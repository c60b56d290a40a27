import Foundation
import Library
import Postgres
import Server
import Testing
import Wire

@Suite("Folders and quotas, over the socket")
struct VaultTests {
    @Test("Folders make a tree that documents lie in, and a circle is a conflict")
    func folders() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            func folder(_ id: Int, _ method: String, _ params: String) async throws -> JSONValue {
                try await client.call(id, method, "{\"session\":\"\(handle)\",\(params)}")
            }
            let a =
                try await folder(10, "folder.create", "\"name\":\"a\"")
                .at("result", "folder", "id")?.string ?? ""
            let b =
                try await folder(11, "folder.create", "\"name\":\"b\",\"parent\":\"\(a)\"")
                .at("result", "folder", "id")?.string ?? ""
            #expect(
                try await folder(12, "folder.create", "\"name\":\"a\"").errorKind == "conflict")
            let circle = try await folder(
                13, "folder.move", "\"folder\":\"\(a)\",\"parent\":\"\(b)\"")
            #expect(circle.errorKind == "conflict")
            #expect(circle.at("error", "data", "field")?.string == "parent")
            let nowhere = "00000000-0000-4000-8000-000000000000"
            for (number, call) in [
                ("folder.move", "\"folder\":\"\(a)\",\"parent\":\"\(nowhere)\""),
                ("folder.move", "\"folder\":\"\(nowhere)\""),
                ("folder.rename", "\"folder\":\"\(nowhere)\",\"name\":\"x\""),
                ("folder.delete", "\"folder\":\"\(nowhere)\""),
                ("folder.create", "\"name\":\"x\",\"parent\":\"\(nowhere)\""),
                ("document.move", "\"document\":\"\(nowhere)\""),
            ].enumerated() {
                let answer = try await folder(20 + number, call.0, call.1)
                #expect(answer.errorKind == "not_found", "\(call): \(answer.text)")
            }
            let document =
                try await folder(
                    30, "document.ingest", "\"fileName\":\"n.txt\",\"text\":\"Some text.\""
                ).at("result", "document", "id")?.string ?? ""
            let moved = try await folder(
                31, "document.move", "\"document\":\"\(document)\",\"folder\":\"\(b)\"")
            #expect(moved.at("result", "document", "folder")?.string == b)
            let renamed = try await folder(
                32, "folder.rename", "\"folder\":\"\(b)\",\"name\":\"c\"")
            #expect(renamed.at("result", "folder", "name")?.string == "c")
            #expect(
                try await folder(33, "folder.list", "\"limit\":10")
                    .at("result", "folders")?.array?.count == 2)
            #expect(
                try await folder(34, "folder.delete", "\"folder\":\"\(a)\"")
                    .at("result", "deleted")?.bool == true)
            let left = try await folder(35, "document.get", "\"document\":\"\(document)\"")
            #expect(left.at("result", "document", "id")?.string == document)
            #expect(left.at("result", "document", "folder") == nil)
        }
    }

    @Test("Of fifty uploads at once exactly those that fit are taken, and deletion gives back")
    func parallelUploads() async throws {
        try await withServer { test in
            let size = 1_000
            let (first, handle, session) = try await test.session()
            try await limit(Int64(20 * size + size / 2), test)
            var clients: [(client: LineClient, uploads: [String])] = []
            for number in 0..<10 {
                let client = try await test.client()
                let opened = try await client.call(
                    1, "session.open", "{\"session\":\"\(session)\"}")
                let handle = opened.at("result", "handle")?.string ?? ""
                var uploads: [String] = []
                for file in 0..<5 {
                    let text = "file \(number) \(file) "
                    let bytes = Data((text + String(repeating: "x", count: size - text.count)).utf8)
                    let upload =
                        try await client.call(
                            2, "document.upload.begin",
                            "{\"session\":\"\(handle)\",\"fileName\":\"f.txt\",\"bytes\":\(size)}"
                        ).at("result", "upload")?.string ?? ""
                    _ = try await client.call(
                        3, "document.upload.chunk",
                        """
                        {"upload":"\(upload)","offset":0,"dataB64":"\(bytes.base64EncodedString())"}
                        """)
                    uploads.append(upload)
                }
                clients.append((client, uploads))
            }
            for (client, uploads) in clients {
                for (number, upload) in uploads.enumerated() {
                    client.push(
                        request(10 + number, "document.upload.commit", "{\"upload\":\"\(upload)\"}")
                    )
                }
            }
            var documents: [String] = []
            var refused = 0
            for (client, uploads) in clients {
                for number in uploads.indices {
                    let answer = try await client.answer(10 + number)
                    if let id = answer.at("result", "document", "id")?.string {
                        documents.append(id)
                    } else {
                        refused += 1
                        #expect(answer.errorKind == "quota_exceeded", "\(answer.text)")
                        #expect(answer.at("error", "data", "limit")?.int == 20_500)
                        #expect(answer.at("error", "data", "got")?.string == "1000")
                        #expect(
                            answer.at("error", "data", "expected")?.string?.hasPrefix("at most ")
                                == true)
                    }
                }
            }
            #expect(documents.count == 20)
            #expect(refused == 30)
            #expect(try await used(first) == 20_000)
            // A limit below what is kept stops no deletion.
            try await limit(1, test)
            for (number, document) in documents.prefix(5).enumerated() {
                let deleted = try await first.call(
                    100 + number, "document.delete",
                    "{\"session\":\"\(handle)\",\"document\":\"\(document)\"}")
                #expect(deleted.at("result", "deleted")?.bool == true, "\(deleted.text)")
            }
            #expect(try await used(first) == 15_000)
            _ = try await first.call(200, "session.delete", "{\"session\":\"\(session)\"}")
            #expect(try await used(first) == 0)
            let early =
                try await first.call(
                    201, "session.create", "{\"title\":\"next\"}"
                ).at("result", "session", "id")?.string ?? ""
            let next =
                try await first.call(202, "session.open", "{\"session\":\"\(early)\"}")
                .at("result", "handle")?.string ?? ""
            let begin = try await first.call(
                203, "document.upload.begin",
                "{\"session\":\"\(next)\",\"fileName\":\"f.txt\",\"bytes\":2}")
            #expect(begin.errorKind == "quota_exceeded")
        }
    }

    @Test("Only an administrator sets a quota, and is told of an account that is not there")
    func setting() async throws {
        try await withServer { test in
            let user = try await test.client(key: test.otherKey)
            let set = "{\"account\":\"bob\",\"limitBytes\":5}"
            #expect(try await user.call(1, "quota.set", set).errorKind == "forbidden")
            let admin = try await test.client()
            let answer = try await admin.call(2, "quota.set", set)
            #expect(answer.at("result", "limitBytes")?.int == 5)
            #expect(try await user.call(3, "quota.get").at("result", "limitBytes")?.int == 5)
            let nobody = try await admin.call(
                4, "quota.set", "{\"account\":\"nobody\",\"limitBytes\":5}")
            #expect(nobody.errorKind == "not_found")
        }
    }

    private func limit(_ bytes: Int64, _ test: TestServer) async throws {
        try await test.pool.withConnection(as: .service) { db in
            let ada = try #require(try await ProfileRepository.getByHandle("ada", on: db))
            _ = try await QuotaRepository.setLimit(bytes, profileID: ada.id, on: db)
        }
    }

    private func used(_ client: LineClient) async throws -> Int? {
        try await client.call(900, "quota.get").at("result", "usedBytes")?.int
    }
}
