// The other side of the socket.

import CarrelClient
import Foundation
import Wire

/// A connection to a Carrel server, for one command.
struct Remote: Sendable {
    let client: CarrelClient

    /// Connects and shows the key.
    ///
    /// - Throws: `Failure` with what to do when nobody answers; `ClientError` when the key is refused.
    static func connect(_ address: ClientFile) async throws -> Remote {
        do {
            return Remote(
                client: try await CarrelClient.connect(
                    host: address.host, port: address.port, apiKey: address.apiKey,
                    clientName: "carrel"))
        } catch .cannotConnect {
            throw Failure(
                "no server answers at \(address.host):\(address.port); start it with `carrel serve`"
            )
        }
    }

    func call<Answer: Decodable>(
        _ method: String, _ parameters: some Encodable
    ) async throws(ClientError) -> Answer {
        try await client.call(method, parameters)
    }

    func close() async { await client.close() }
}

/// What a measurement keeps of an answer.
struct TimedAnswer: Sendable {
    /// The chunks found, best first.
    let chunks: [UUID]
    let plan: String
    /// What the server says it spent.
    let serverMilliseconds: Double
    /// From the question leaving to the answer being there, parsed but not decoded.
    let roundTripMilliseconds: Double
}

extension Remote {
    /// Searches like `search`, without the decoder's time in the measurement.
    func timedSearch(
        session: String, text: String? = nil, vector: String? = nil, k: Int,
        ranking: RankingShape = RankingShape()
    ) async throws -> TimedAnswer {
        let started = ContinuousClock.now
        let result = try await client.request("search") {
            $0.member("session", session)
            $0.member("k", k)
            if let text { $0.member("text", text) }
            if let mode = ranking.mode { $0.member("mode", mode) }
            if let fusion = ranking.fusion { $0.member("fusion", fusion) }
            if let vector {
                $0.member("vectorB64", vector)
                $0.member("dtype", "f32")
            }
        }
        let roundTrip = started.duration(to: .now).milliseconds
        guard let hits = result["hits"]?.array, let meta = result["meta"]?.object,
            let took = meta["tookUs"]?.object
        else { throw ClientError.decoding("search: no hits or no meta") }
        return TimedAnswer(
            chunks: hits.compactMap { $0.object?["chunk"]?.string.flatMap(UUID.init) },
            plan: meta["plan"]?.string ?? "",
            serverMilliseconds: took.reduce(0) { $0 + ($1.value.double ?? 0) } / 1000,
            roundTripMilliseconds: roundTrip)
    }
}
