// A bucket on a real S3 server, and answers that no real one gives.

import Clouds
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("A bucket", .enabled(if: Moto.isThere, Comment(rawValue: Moto.wanted)))
struct BucketTests {
    private func bucket(_ name: String) async throws -> S3Bucket {
        let server = try await Moto.shared.server()
        return try S3Bucket(
            try await server.bucket(name), client: HTTPClient(rule: .anywhere))
    }

    private func read(_ key: String, _ bucket: S3Bucket, ifMatch: String? = nil) async throws
        -> [UInt8]
    {
        let bytes = Mutex<[UInt8]>([])
        try await bucket.get(key, ifMatch: ifMatch, limit: 1 << 20) { piece in
            bytes.withLock { $0 += piece }
        }
        return bytes.withLock { $0 }
    }

    @Test("Objects come back under whatever name they have, page after page")
    func roundTrip() async throws {
        let bucket = try await bucket("round-trip")
        // moto finds no name with a line feed, whoever sends it; `S3AnswerTests.names` has that one.
        let keys = [
            "a.txt", "folder/b c.txt", "folder/ü+~%41&=?.txt", "zz/../up.txt", "../up.txt", "./a",
            "日本語.md", "plus+plus", "a//b", "trail/", " lead", "tab\there", "%2e%2e/a", "a#b",
            "<x>&amp;", "\"q\"", "a\\b",
        ]
        for key in keys {
            let bytes = Array("abc".utf8)
            try await bucket.put(key, bytes)
        }
        var listed: [S3Object] = []
        var next: String?
        var pages = 0
        repeat {
            let page = try await bucket.list(after: next, limit: 3)
            listed += page.objects
            next = page.next
            pages += 1
        } while next != nil
        #expect(pages == 6)
        #expect(Set(listed.map(\.key)) == Set(keys))
        #expect(listed.allSatisfy { $0.size == 3 && !$0.etag.isEmpty && !$0.etag.contains("\"") })
        for key in keys { #expect(try await read(key, bucket) == Array("abc".utf8), "\(key)") }
        #expect(try await bucket.list(prefix: "folder/").objects.count == 2)
        #expect(try await bucket.list(prefix: "nothing").objects.isEmpty)
        for key in keys {
            try await bucket.delete(key)
            try await bucket.delete(key)
        }
        #expect(try await bucket.list().objects.isEmpty)
    }

    @Test("An object that is another by now is not the one that was listed")
    func changed() async throws {
        let bucket = try await bucket("changed")
        let bytes = Array("abc".utf8)
        try await bucket.put("a", bytes)
        let etag = try #require(try await bucket.list().objects.first?.etag)
        #expect(try await read("a", bucket, ifMatch: etag) == bytes)
        try await bucket.put("a", [])
        await #expect(throws: CloudError.notFound) {
            try await read("a", bucket, ifMatch: etag)
        }
    }

    @Test("A server that checks signatures finds nothing wrong with them")
    func signatures() async throws {
        let server = try await Moto.checking.server()
        let bucket = try S3Bucket(
            try await server.bucket("signatures"), client: HTTPClient(rule: .anywhere))
        for (key, text) in [("a", "abc"), ("folder/b", ""), ("with space", "abc")] {
            try await bucket.put(key, Array(text.utf8))
            #expect(try await read(key, bucket) == Array(text.utf8))
        }
        #expect(try await bucket.list(prefix: "folder").objects.map(\.key) == ["folder/b"])
        try await bucket.delete("a")
        #expect(try await bucket.list(limit: 1).objects.count == 1)
    }

    @Test(
        "A missing object, a missing bucket, a wrong secret and too large an object are told apart")
    func refusals() async throws {
        let server = try await Moto.checking.server()
        var address = try await server.bucket("refusals")
        let client = HTTPClient(rule: .anywhere)
        let bucket = try S3Bucket(address, client: client)
        await #expect(throws: CloudError.notFound) { try await read("nothing", bucket) }
        try await bucket.put("abc", Array("abc".utf8))
        await #expect(throws: CloudError.tooLarge(limit: 2)) {
            try await bucket.get("abc", limit: 2) { _ in }
        }
        address.bucket = "no-such-bucket"
        await #expect(throws: CloudError.notFound) {
            try await S3Bucket(address, client: client).list()
        }
        address.bucket = "refusals"
        address.credentials.secretKey = "wrong"
        await #expect(throws: CloudError.denied(code: "SignatureDoesNotMatch")) {
            try await S3Bucket(address, client: client).list()
        }
    }
}

@Suite("Answers of S3")
struct S3AnswerTests {
    private func bucket(_ server: TinyWebServer) throws -> S3Bucket {
        var backoff = Backoff()
        backoff.firstDelay = .milliseconds(1)
        return try S3Bucket(
            S3Bucket.Address(
                endpoint: server.url(""), region: "us-east-1", bucket: "bucket",
                credentials: S3Credentials(accessKey: "AKIA", secretKey: "secret")),
            client: HTTPClient(rule: .anywhere), backoff: backoff)
    }

    @Test(
        "A name is asked for as it is signed: nothing of it is folded on the way",
        arguments: [
            ("zz/../up.txt", "zz/../up.txt"), ("../../up.txt", "../../up.txt"),
            ("./a", "./a"), ("a//b", "a//b"), ("/a", "/a"), ("folder/", "folder/"),
            ("new\nline", "new%0Aline"), ("a?b#c", "a%3Fb%23c"), ("%2e%2e/a", "%252e%252e/a"),
            ("plus+plus", "plus%2Bplus"), ("b c", "b%20c"), ("ü", "%C3%BC"),
        ])
    func names(key: String, path: String) async throws {
        let server = try TinyWebServer { _, send in
            _ = send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        try await bucket(server).put(key, [])
        #expect(server.heads.first?.hasPrefix("PUT /bucket/\(path) HTTP/1.1\r\n") == true)
    }

    @Test("A server that is away for a moment is asked again, and not for ever")
    func again() async throws {
        let count = Mutex(0)
        let server = try TinyWebServer { _, send in
            let number = count.withLock { count in
                count += 1
                return count
            }
            let body = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
            _ = send(
                number <= 2
                    ? "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
                    : "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        #expect(try await bucket(server).list().objects.isEmpty)
        #expect(server.heads.count == 3)
        let busy = try TinyWebServer { _, send in
            _ = send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
        }
        await #expect(throws: CloudError.unavailable(reason: "it answered 503")) {
            try await bucket(busy).list()
        }
        #expect(busy.heads.count == 4)
    }

    @Test(
        "A listing that is none is refused",
        arguments: [
            "", "no XML", "<html></html>",
            "<ListBucketResult><Contents></Contents></ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
            "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
            "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><ListBucketResult><Contents>"
                + "<Key>&a;</Key><Size>x</Size></Contents></ListBucketResult>",
        ])
    func malformed(body: String) async throws {
        let server = try TinyWebServer { _, send in
            _ = send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        await #expect(throws: CloudError.self) { try await bucket(server).list() }
        #expect(server.heads.count == 1)
    }
}
