// For commands that should work without a server running: the demo and the benchmarks.

extension RemoteOptions {
    /// Lends the running server; where none answers, one that lives until `body` returns.
    ///
    /// Either way the requests go over TCP.
    func withServer<R: Sendable>(_ body: (Remote) async throws -> R) async throws -> R {
        try await withServerAddress { try await lend(try await Remote.connect($0), to: body) }
    }

    /// The same, for a body that connects itself.
    func withServerAddress<R: Sendable>(_ body: (ClientFile) async throws -> R) async throws -> R {
        if let address = try? address(), let running = try? await Remote.connect(address) {
            await running.close()
            Terminal.note("asking the server at \(address.host):\(address.port)")
            return try await body(address)
        }
        Terminal.note("starting a server")
        return try await Service(database: Database(place.home), announces: false).run { address in
            Terminal.note("listening on \(address.host):\(address.port)")
            return try await body(address)
        }
    }

    private func lend<R: Sendable>(
        _ remote: Remote, to body: (Remote) async throws -> R
    ) async throws -> R {
        try await ensuring {
            try await body(remote)
        } finally: {
            await remote.close()
        }
    }
}
