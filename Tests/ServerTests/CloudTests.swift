// Clouds over the socket: a real S3 server, and a small server of the web.

import Clouds
import Foundation
import Ingestion
import Library
import Postgres
import Synchronization
import TestSupport
import Testing
import Wire

@Suite("Clouds")
struct CloudTests {
    /// A worker of the server's own, until the test ends.
    private func withWorker<R>(
        _ test: TestServer, _ body: () async throws -> R
    ) async throws -> R {
        let worker = Task { await test.ingestor.run() }
        let result: Result<R, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        worker.cancel()
        await worker.value
        return try result.get()
    }

    private func ended(_ job: String, _ client: LineClient) async throws -> JSONValue {
        for number in 1000..<9000 {
            let answer = try await client.call(number, "job.get", "{\"job\":\"\(job)\"}")
            let state = answer.at("result", "job", "state")?.string
            if state != "QUEUED", state != "RUNNING" { return answer }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw LineClient.Failure.noAnswer(job)
    }

    private func put(_ texts: [String: String], into address: S3Bucket.Address) async throws {
        let bucket = try S3Bucket(address, client: HTTPClient(rule: .anywhere))
        for (name, text) in texts {
            try await bucket.put(name, Array(text.utf8))
        }
    }

    private func connect(
        _ provider: String, _ address: S3Bucket.Address, name: String, secret: String? = nil,
        prefix: String = "docs/"
    ) -> String {
        """
        {"provider":"\(provider)","name":"\(name)","endpoint":"\(address.endpoint)",\
        "bucket":"\(address.bucket)","prefix":"\(prefix)","region":"us-east-1",\
        "accessKey":"\(address.credentials.accessKey)",\
        "secretKey":"\(secret ?? address.credentials.secretKey)"}
        """
    }

    @Test(
        "A bucket is connected, looked into, imported from and forgotten",
        .enabled(if: Moto.isThere, Comment(rawValue: Moto.wanted)), arguments: ["S3", "GCS"])
    func bucket(provider: String) async throws {
        let address = try await Moto.shared.server().bucket("import-\(provider.lowercased())")
        try await put(
            [
                "docs/a.txt": "Iteration converges when the map contracts.",
                "docs/sub/b.md": "# Heading\n\nAnother text about fixed points.",
                "docs/same.txt": "Iteration converges when the map contracts.",
                "docs/folder/": "", "other.txt": "not below the prefix",
            ], into: address)
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            let connected = try await client.call(
                3, "cloud.connect", connect(provider, address, name: "papers"))
            let id = try #require(connected.at("result", "connection", "id")?.string)
            #expect(!connected.text.contains(address.credentials.secretKey))
            #expect(!connected.text.contains(address.credentials.accessKey))
            let list = try await client.call(4, "cloud.list")
            #expect(list.at("result", "connections", "0", "name")?.string == "papers")
            #expect(!list.text.contains(address.credentials.secretKey))
            let objects = try await client.call(
                5, "cloud.objects", "{\"connection\":\"\(id)\",\"limit\":2}")
            #expect(objects.at("result", "objects")?.array?.count == 2)
            #expect(objects.at("result", "next")?.string != nil)

            try await withWorker(test) {
                let asked = """
                    {"session":"\(handle)","connection":"\(id)","prefix":"","idempotencyKey":"k"}
                    """
                let begun = try await client.call(6, "cloud.import", asked)
                let job = try #require(begun.at("result", "job", "id")?.string)
                let again = try await client.call(7, "cloud.import", asked)
                #expect(again.at("result", "job", "id")?.string == job)
                let answer = try await ended(job, client)
                #expect(
                    answer.at("result", "job", "state")?.string == "SUCCEEDED", "\(answer.text)")
                #expect(answer.at("result", "job", "import", "imported")?.int == 2)
                #expect(answer.at("result", "job", "import", "duplicates")?.int == 1)
                #expect(answer.at("result", "job", "import", "failed")?.array?.count == 0)
                #expect(answer.at("result", "job", "done")?.int == 3)
            }
            let documents = try await client.call(
                8, "document.list", "{\"session\":\"\(handle)\"}")
            let found = documents.at("result", "documents")?.array.map(Array.init) ?? []
            #expect(found.count == 2)
            let scheme = provider == "S3" ? "s3" : "gs"
            #expect(
                documents.text.contains("\(scheme)://import-\(provider.lowercased())/docs/sub/b.md")
            )

            let gone = try await client.call(9, "cloud.disconnect", "{\"connection\":\"\(id)\"}")
            #expect(gone.at("result", "disconnected")?.bool == true)
            let after = try await client.call(10, "cloud.objects", "{\"connection\":\"\(id)\"}")
            #expect(after.errorKind == "not_found")
            let audit = try await client.call(11, "audit.list")
            for action in ["cloud.connect", "cloud.import", "cloud.disconnect"] {
                #expect(audit.text.components(separatedBy: "\"\(action)\"").count == 2, "\(action)")
            }
            #expect(!audit.text.contains(address.credentials.accessKey))
        }
    }

    @Test(
        "A wrong secret, a missing bucket and a taken name are refused, and nothing is kept",
        .enabled(if: Moto.isThere, Comment(rawValue: Moto.wanted)))
    func refusals() async throws {
        var address = try await Moto.checking.server().bucket("refused")
        try await withServer { test in
            let client = try await test.client()
            let wrong = try await client.call(
                1, "cloud.connect", connect("S3", address, name: "a", secret: "wrong", prefix: ""))
            #expect(wrong.errorKind == "forbidden")
            let good = connect("S3", address, name: "a", prefix: "")
            address.bucket = "not-there"
            let missing = try await client.call(
                2, "cloud.connect", connect("S3", address, name: "a", prefix: ""))
            #expect(missing.errorKind == "not_found")
            #expect(
                try await client.call(3, "cloud.list").at("result", "connections")?.array?.count
                    == 0)
            #expect(try await client.call(4, "cloud.connect", good).at("result") != nil)
            #expect(try await client.call(5, "cloud.connect", good).errorKind == "conflict")
        }
    }

    private static let files: @Sendable (String, (String) -> Bool) -> Void = { head, send in
        let path = head.split(separator: " ")[1]
        func answer(_ text: String, _ status: String = "200 OK", _ extra: String = "") {
            _ = send(
                "HTTP/1.1 \(status)\r\n\(extra)Content-Length: \(text.utf8.count)\r\n"
                    + "Connection: close\r\n\r\n\(text)")
        }
        switch path {
        case "/notes/one.txt" where head.contains("Bearer t0ken"): answer("The first text.")
        case "/notes/two%20words.txt": answer("The second text.")
        case "/notes/moved.txt":
            answer("", "302 Found", "Location: http://127.0.0.1:1/secret\r\n")
        case "/notes/huge.txt":
            _ = send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx")
        case "/notes/": answer("", "404 Not Found")
        default: answer("no such file", "404 Not Found")
        }
    }

    @Test("Of a folder of the web, what can be had is imported, and of the rest it is said why not")
    func web() async throws {
        let web = try TinyWebServer(Self.files)
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            let connected = try await client.call(
                3, "cloud.connect",
                """
                {"provider":"HTTP","name":"web","endpoint":"\(web.url("/notes/"))","token":"t0ken"}
                """)
            let id = try #require(connected.at("result", "connection", "id")?.string)
            let listing = try await client.call(4, "cloud.objects", "{\"connection\":\"\(id)\"}")
            #expect(listing.at("error", "data", "field")?.string == "connection")
            try await withWorker(test) {
                let begun = try await client.call(
                    5, "cloud.import",
                    """
                    {"session":"\(handle)","connection":"\(id)","objects":["one.txt",\
                    "two words.txt","moved.txt","huge.txt","none.txt","../up.txt"]}
                    """)
                let job = try #require(begun.at("result", "job", "id")?.string)
                let answer = try await ended(job, client)
                #expect(
                    answer.at("result", "job", "state")?.string == "SUCCEEDED", "\(answer.text)")
                #expect(answer.at("result", "job", "import", "imported")?.int == 2)
                let failed =
                    answer.at("result", "job", "import", "failed")?.array.map(Array.init) ?? []
                #expect(
                    failed.map { $0.at("code")?.string } == [
                        "redirected", "too_large", "not_found", "invalid",
                    ])
            }
            #expect(!web.heads.contains { $0.contains("/up.txt") || $0.contains("/secret") })
        }
    }

    /// Neither kind of cloud is connected there, nor asked.
    private func expectRefusal(
        of host: String, allowing allowed: [AddressRange],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let web = try TinyWebServer(Self.files)
        try await withServer(asking: allowed) { test in
            let client = try await test.client()
            for (number, call) in [
                """
                {"provider":"HTTP","name":"x","endpoint":"http://\(host):\(web.port)/notes/"}
                """,
                """
                {"provider":"S3","name":"x","endpoint":"http://\(host):\(web.port)",\
                "bucket":"bucket","accessKey":"AKIA","secretKey":"secret"}
                """,
            ].enumerated() {
                let answer = try await client.call(1 + number, "cloud.connect", call)
                #expect(
                    answer.errorKind == "forbidden", "\(answer.text)",
                    sourceLocation: sourceLocation)
                #expect(
                    answer.at("error", "data", "field")?.string == "endpoint",
                    sourceLocation: sourceLocation)
            }
            #expect(web.heads.isEmpty, sourceLocation: sourceLocation)
            let list = try await client.call(9, "cloud.list")
            #expect(
                list.at("result", "connections")?.array?.count == 0,
                sourceLocation: sourceLocation)
        }
    }

    @Test(
        "Nobody is made to ask an address inside",
        arguments: [
            "localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0",
            "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1",
        ])
    func inside(host: String) async throws {
        try await expectRefusal(of: host, allowing: [])
    }

    @Test(
        "What the operator allows opens that address, and no other beside it",
        arguments: ["127.0.0.2", "2130706434", "0x7f000002", "[::1]", "[::ffff:127.0.0.2]"])
    func besideAllowed(host: String) async throws {
        let allowed = try #require(AddressRange("127.0.0.1"))
        try await expectRefusal(of: host, allowing: [allowed])
    }

    @Test(
        "What cannot be right is refused with its field",
        arguments: [
            (#"{"provider":"FTP","name":"x"}"#, "provider"),
            (#"{"provider":"S3","name":"x","accessKey":"A","secretKey":"s"}"#, "bucket"),
            (#"{"provider":"S3","name":"x","bucket":"abc","secretKey":"s"}"#, "accessKey"),
            (
                #"{"provider":"S3","name":"x","bucket":"a/b","accessKey":"A","secretKey":"s"}"#,
                "bucket"
            ),
            (
                #"{"provider":"S3","name":"x","endpoint":"file:///etc","bucket":"abc","accessKey":"A","secretKey":"s"}"#,
                "endpoint"
            ),
            (#"{"provider":"HTTP","name":"x"}"#, "endpoint"),
            (#"{"provider":"HTTP","name":"x","endpoint":"http://u:p@h/"}"#, "endpoint"),
            (#"{"provider":"HTTP","name":"x","endpoint":"http://h/","bucket":"abc"}"#, "bucket"),
            (#"{"provider":"HTTP","name":"","endpoint":"http://127.0.0.1/"}"#, "name"),
        ])
    func invalid(params: String, field: String) async throws {
        try await withServer { test in
            let client = try await test.client()
            let answer = try await client.call(1, "cloud.connect", params)
            #expect(answer.at("error", "data", "field")?.string == field, "\(answer.text)")
            #expect(answer.errorKind == "invalid_params")
        }
    }

    @Test("Another account's cloud is not found, whatever is asked of it")
    func otherAccount() async throws {
        let web = try TinyWebServer(Self.files)
        try await withServer { test in
            let mine = try await test.client()
            let connected = try await mine.call(
                1, "cloud.connect",
                "{\"provider\":\"HTTP\",\"name\":\"web\",\"endpoint\":\"\(web.url("/notes/"))\"}")
            let id = try #require(connected.at("result", "connection", "id")?.string)
            let (stranger, handle, _) = try await test.session(key: test.otherKey)
            for (number, call) in [
                ("cloud.objects", "{\"connection\":\"\(id)\"}"),
                ("cloud.disconnect", "{\"connection\":\"\(id)\"}"),
                (
                    "cloud.import",
                    "{\"session\":\"\(handle)\",\"connection\":\"\(id)\",\"objects\":[\"a\"]}"
                ),
            ].enumerated() {
                let answer = try await stranger.call(10 + number, call.0, call.1)
                #expect(answer.errorKind == "not_found", "\(call.0): \(answer.text)")
            }
            let list = try await stranger.call(20, "cloud.list")
            #expect(list.at("result", "connections")?.array?.count == 0)
            #expect(
                try await mine.call(21, "cloud.list").at("result", "connections")?.array?.count
                    == 1)
        }
    }
}
