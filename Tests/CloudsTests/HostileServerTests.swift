// Servers that mean harm, and names that lead inside.

import Clouds
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Hostile servers")
struct HostileServerTests {
    private static let loopback = AddressRule(allowing: [AddressRange("127.0.0.1")!])

    fileprivate static func limits() -> HTTPLimits {
        var limits = HTTPLimits()
        limits.timeout = .seconds(60)
        limits.stall = .seconds(1)
        return limits
    }

    private let client = HTTPClient(rule: loopback, limits: limits())

    @Test(
        "Whatever way loopback is written, nothing is sent to it",
        arguments: [
            "127.0.0.1", "localhost", "2130706433", "0x7f000001", "0x7f.0x0.0x0.0x1",
            "0177.0.0.1", "017700000001", "127.1", "127.0.0.1.", "0", "0.0.0.0", "[::1]", "[::]",
            "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "LOCALHOST", "%6cocalhost",
        ])
    func inside(host: String) async throws {
        let server = try TinyWebServer { _, send in
            _ = send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        }
        let client = HTTPClient(rule: AddressRule(), limits: Self.limits())
        await #expect(throws: CloudError.self) {
            try await client.send(HTTPRequest("GET", server.url(host: host)))
        }
        #expect(server.heads.isEmpty)
    }

    @Test("A refusal names the host, and what was allowed is asked")
    func named() async throws {
        let server = try TinyWebServer { _, send in
            _ = send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        }
        await #expect(throws: CloudError.forbiddenAddress(host: "localhost")) {
            try await HTTPClient(rule: AddressRule()).send(
                HTTPRequest("GET", server.url(host: "localhost")))
        }
        let answer = try await client.send(HTTPRequest("GET", server.url()))
        #expect(answer.status == 200 && answer.body == Array("hi".utf8))
    }

    /// In a process of its own, whose environment nobody else reads.
    @Test("A proxy named by the environment is not asked")
    func proxy() async {
        await #expect(processExitsWith: .success) {
            let proxy = try TinyWebServer { _, send in
                _ = send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")
            }
            let server = try TinyWebServer { _, send in
                _ = send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            }
            unsafe setenv("http_proxy", proxy.url(), 1)
            let client = HTTPClient(
                rule: HostileServerTests.loopback, limits: HostileServerTests.limits())
            let answer = try await client.send(HTTPRequest("GET", server.url()))
            #expect(answer.body == Array("hi".utf8))
            #expect(proxy.heads.isEmpty)
        }
    }

    @Test("A redirect is not followed", arguments: [301, 302, 303, 307, 308])
    func redirect(status: Int) async throws {
        let inner = try TinyWebServer { _, send in
            _ = send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
        }
        let outer = try TinyWebServer { _, send in
            _ = send(
                "HTTP/1.1 \(status) Moved\r\nLocation: \(inner.url())\r\nContent-Length: 0\r\n\r\n")
        }
        let answer = try await client.send(HTTPRequest("GET", outer.url()))
        #expect(answer.status == status && answer.body.isEmpty)
        #expect(inner.heads.isEmpty)
    }

    @Test("A body that is announced too large is not read")
    func announced() async throws {
        let server = try TinyWebServer { _, send in
            _ = send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx")
        }
        await #expect(throws: CloudError.tooLarge(limit: 1000)) {
            try await client.send(HTTPRequest("GET", server.url()), limit: 1000)
        }
    }

    @Test("A body without end is read up to the limit and no further")
    func endless() async throws {
        let server = try TinyWebServer { _, send in
            guard send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") else { return }
            let piece = "10000\r\n" + String(repeating: "x", count: 65_536) + "\r\n"
            while send(piece) {}
        }
        let taken = Mutex(0)
        await #expect(throws: CloudError.tooLarge(limit: 1 << 20)) {
            try await client.send(HTTPRequest("GET", server.url()), limit: 1 << 20) { piece in
                taken.withLock { $0 += piece.count }
            }
        }
        #expect(taken.withLock { $0 } <= 1 << 20)
    }

    @Test("A head without end is not read to its end")
    func endlessHead() async throws {
        let server = try TinyWebServer { _, send in
            guard send("HTTP/1.1 200 OK\r\n") else { return }
            let line = "X-More: " + String(repeating: "x", count: 4000) + "\r\n"
            while send(line) {}
        }
        await #expect(throws: CloudError.self) {
            try await client.send(HTTPRequest("GET", server.url()))
        }
    }

    @Test("A refusal without end is given up")
    func endlessRefusal() async throws {
        let server = try TinyWebServer { _, send in
            guard send("HTTP/1.1 500 No\r\n\r\n") else { return }
            let piece = String(repeating: "x", count: 65_536)
            while send(piece) {}
        }
        await #expect(throws: CloudError.self) {
            try await client.send(HTTPRequest("GET", server.url()))
        }
    }

    @Test("A body shorter than announced is no answer")
    func short() async throws {
        let server = try TinyWebServer { _, send in
            _ = send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        }
        await #expect(throws: CloudError.unavailable(reason: "the answer broke off")) {
            try await client.send(HTTPRequest("GET", server.url()))
        }
    }

    @Test("A body longer than announced is cut where it was said to end")
    func long() async throws {
        let server = try TinyWebServer { _, send in
            _ = send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more")
        }
        let answer = try await client.send(HTTPRequest("GET", server.url()))
        #expect(answer.body == Array("hi".utf8))
    }

    @Test("A body that trickles is given up")
    func slow() async throws {
        let server = try TinyWebServer { _, send in
            guard send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n") else { return }
            while send("x") { Thread.sleep(forTimeInterval: 0.2) }
        }
        await #expect(throws: CloudError.unavailable(reason: "no answer in time")) {
            try await client.send(HTTPRequest("GET", server.url()), limit: 1 << 21)
        }
    }

    @Test("What is not HTTP is no answer")
    func garbage() async throws {
        let server = try TinyWebServer { _, send in _ = send("SSH-2.0-OpenSSH_9.2\r\n") }
        await #expect(throws: CloudError.self) {
            try await client.send(HTTPRequest("GET", server.url()))
        }
    }

    @Test("A cancelled task stops the transfer")
    func cancelled() async throws {
        let server = try TinyWebServer { _, send in
            guard send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n") else { return }
            while send(String(repeating: "x", count: 10_000)) {
                Thread.sleep(forTimeInterval: 0.01)
            }
        }
        let (began, beginning) = AsyncStream.makeStream(of: Void.self)
        let transfer = Task { [client] in
            try await client.send(HTTPRequest("GET", server.url()), limit: 1 << 31) { _ in
                beginning.yield()
            }
        }
        for await _ in began { break }
        transfer.cancel()
        await #expect(throws: CloudError.cancelled) { try await transfer.value }
    }

    @Test(
        "Only whole addresses of HTTP are taken",
        arguments: [
            "file:///etc/passwd", "gopher://example.org/", "ftp://example.org/", "//example.org",
            "example.org", "http://", "http:///x", "http://user@example.org/",
            "http://user:word@example.org/", "http://example.org/#part", "http://a b/",
            "http://exam\\ple.org/", "http://example.org/\u{e4}",
        ])
    func addresses(url: String) async {
        #expect(WebAddress(url) == nil)
        await #expect(throws: CloudError.self) {
            try await HTTPClient(rule: .anywhere).send(HTTPRequest("GET", url))
        }
    }
}
