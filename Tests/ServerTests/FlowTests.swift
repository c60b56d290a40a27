import Server
import Testing
import Wire

@Suite("Many requests, slow clients, and the end of the server")
struct FlowTests {
    @Test("A quick request overtakes a slow one; each id is answered once")
    func outOfOrder() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            client.push(search(10, handle, "brief"))
            for id in 11..<40 { client.push(request(id, "ping")) }
            var order: [Int] = []
            for _ in 10..<40 { order.append(try await client.next().at("id")?.int ?? -1) }
            #expect(order.last == 10)
            #expect(Set(order) == Set(10..<40))
        }
    }

    @Test("An id under way is refused under null, and free again after its answer")
    func duplicateID() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            client.push(search(10, handle, "brief"))
            client.push(request(10, "ping"))
            let refusal = try await client.next()
            #expect(refusal.errorKind == "invalid_request")
            #expect(refusal.at("id")?.isNull == true)
            #expect(try await client.answer(10).at("result", "hits") != nil)
            #expect(try await client.call(10, "ping").at("result") != nil)
        }
    }

    @Test("Beyond the limit requests are answered busy at once; a cancel makes room")
    func busyAndCancel() async throws {
        try await withServer {
            $0.limits.maximumInFlight = 4
        } _: { test in
            let (client, handle, _) = try await test.session()
            for id in 10..<14 { client.push(search(id, handle, "slow")) }
            let busy = try await client.call(14, "ping")
            #expect(busy.errorKind == "busy")
            #expect(busy.at("error", "data", "retryAfterMs")?.int ?? 0 > 0)
            #expect(busy.at("error", "data", "retryable")?.bool == true)
            client.push("{\"jsonrpc\":\"2.0\",\"method\":\"$/cancel\",\"params\":{\"id\":11}}")
            #expect(try await client.answer(11).errorKind == "cancelled")
            #expect(try await client.call(15, "ping").at("result") != nil)
        }
    }

    @Test("A deadline counts from arrival and ends the work")
    func deadline() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            let begun = ContinuousClock.now
            let answer = try await client.call(
                10, "search",
                "{\"session\":\"\(handle)\",\"text\":\"slow\",\"timeoutMs\":150}")
            #expect(answer.errorKind == "deadline_exceeded")
            #expect(begun.duration(to: .now) > .milliseconds(150))
            #expect(begun.duration(to: .now) < .seconds(30))
        }
    }

    @Test("Closing the socket cancels what runs")
    func closing() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            let watcher = try await test.client()
            for id in 10..<15 { client.push(search(id, handle, "slow")) }
            try await waitUntil(inFlight: 6, watcher)
            await client.close()
            // The one that asks is under way itself.
            try await waitUntil(inFlight: 1, watcher)
        }
    }

    @Test("Who closes only its own side gets its answers, and then the connection ends")
    func halfClosed() async throws {
        try await withServer { test in
            let client = try await LineClient.connect(test.port)
            client.push(
                request(
                    1, "initialize",
                    """
                    {"protocolVersions":["2026-11-01"],"auth":{"apiKey":"\(test.key)"}}
                    """))
            client.push(request(2, "ping"))
            client.push(request(3, "session.list"))
            try await client.finishSending()
            for id in 1...3 { #expect(try await client.answer(id).at("result") != nil) }
            #expect(await client.isClosed())
        }
    }

    // The limits leave a busy machine the time to connect and to introduce itself.
    @Test("Who says nothing, or only half a line, is told why and closed")
    func slowSenders() async throws {
        try await withServer {
            $0.limits.unauthenticated = .seconds(4)
        } _: { test in
            let silent = try await LineClient.connect(test.port)
            try await silent.send(bytes: Array("{\"jsonrpc\":".utf8))
            #expect(try await silent.next().errorKind == "unauthenticated")
            #expect(await silent.isClosed())
        }
    }

    @Test("Who was introduced and then sends a byte now and again is told why and closed")
    func drippingSender() async throws {
        try await withServer {
            $0.limits.unauthenticated = .seconds(60)
            $0.limits.idle = .seconds(4)
        } _: { test in
            let idle = try await test.client()
            let dripping = Task {
                // Never a whole line.
                while true {
                    try await idle.send(bytes: Array(" ".utf8))
                    try await Task.sleep(for: .milliseconds(40))
                }
            }
            #expect(try await idle.next().errorKind == "deadline_exceeded")
            #expect(await idle.isClosed())
            dripping.cancel()
        }
    }

    @Test("A client that never reads is not read from, and closed; its neighbour does not notice")
    func neverReads() async throws {
        try await withServer {
            $0.limits.unread = .milliseconds(800)
        } _: { test in
            let deaf = try await LineClient.connect(test.port, reads: false)
            let neighbour = try await test.client()
            deaf.push(
                request(
                    1, "initialize",
                    """
                    {"protocolVersions":["2026-11-01"],"auth":{"apiKey":"\(test.key)"}}
                    """))
            // Each is answered with an error many times its size, so the answers fill every buffer.
            let line = "5\n"
            let flood = Task {
                while !Task.isCancelled {
                    do {
                        try await deaf.send(
                            bytes: Array(String(repeating: line, count: 20_000).utf8))
                    } catch {
                        return true
                    }
                }
                return false
            }
            for id in 1...20 {
                #expect(try await neighbour.call(id, "ping").at("result") != nil)
                try await Task.sleep(for: .milliseconds(20))
            }
            let ended = Task {
                try await Task.sleep(for: .seconds(120))
                flood.cancel()
            }
            #expect(await flood.value, "the server never closed the connection")
            ended.cancel()
            #expect(try await neighbour.call(99, "ping").at("result") != nil)
        }
    }

    @Test("Draining: told, new work refused, what runs is finished, then closed")
    func draining() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            let idle = try await test.client()
            client.push(search(10, handle, "brief"))
            try await Task.sleep(for: .milliseconds(100))
            async let drained: Void = test.server.drain(within: .seconds(20))
            for one in [client, idle] {
                let notice = try await one.next("$/draining") {
                    $0.object?["method"]?.string == "$/draining"
                }
                #expect(notice.at("params", "deadlineMs")?.int == 20_000)
            }
            let refused = try await client.call(11, "session.list")
            #expect(refused.errorKind == "draining")
            #expect(try await client.answer(10).at("result", "hits") != nil)
            #expect(await client.isClosed())
            #expect(await idle.isClosed())
            await drained
            await #expect(throws: (any Error).self) { try await LineClient.connect(test.port) }
        }
    }

    @Test("What outlasts the draining time is cancelled, and answered so")
    func drainingDeadline() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            client.push(search(10, handle, "slow"))
            try await Task.sleep(for: .milliseconds(100))
            async let drained: Void = test.server.drain(within: .milliseconds(300))
            #expect(try await client.answer(10).errorKind == "cancelled")
            #expect(await client.isClosed())
            await drained
        }
    }

    @Test("A connection too many is told busy and closed")
    func tooManyConnections() async throws {
        try await withServer {
            $0.maximumConnections = 2
        } _: { test in
            let first = try await test.client()
            let second = try await test.client()
            let third = try await LineClient.connect(test.port)
            #expect(try await third.next().errorKind == "busy")
            #expect(await third.isClosed())
            await second.close()
            try await Task.sleep(for: .milliseconds(100))
            let fourth = try await test.client()
            #expect(try await fourth.call(1, "ping").at("result") != nil)
            #expect(try await first.call(1, "ping").at("result") != nil)
        }
    }

    private func search(_ id: Int, _ handle: String, _ text: String) -> String {
        request(id, "search", "{\"session\":\"\(handle)\",\"text\":\"\(text)\"}")
    }

    private func waitUntil(inFlight count: Int, _ watcher: LineClient) async throws {
        let end = ContinuousClock.now.advanced(by: .seconds(20))
        var seen = -1
        while ContinuousClock.now < end {
            seen = try await watcher.call(1, "server.status").at("result", "inflight")?.int ?? -1
            if seen == count { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("expected \(count) requests under way, got \(seen)")
    }
}
