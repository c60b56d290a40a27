// chunk.neighbors, over the socket.

import Foundation
import Testing
import Wire

@Suite("The chunks nearest to a chunk")
struct NeighborTests {
    /// Directions of the plane, at these degrees: their cosines tell who is near.
    private func session(
        _ test: TestServer, degrees: [Double]
    ) async throws -> (client: LineClient, handle: String, chunks: [String]) {
        let (client, handle, _) = try await test.session()
        let chunks = degrees.map { degree in
            let angle = degree * .pi / 180
            let vector = [cos(angle), sin(angle)] + [Double](repeating: 0, count: 766)
            return "{\"text\":\"\(degree)\",\"vector\":\(vector)}"
        }.joined(separator: ",")
        let imported = try await client.call(
            10, "chunk.import",
            "{\"session\":\"\(handle)\",\"document\":\"\(degrees)\",\"chunks\":[\(chunks)]}")
        #expect(imported.at("result") != nil, "\(imported.text)")
        let listed = try await client.call(
            11, "chunk.list", "{\"session\":\"\(handle)\",\"type\":\"CHILD\"}")
        let ids = try #require(listed.at("result", "chunks")?.array).map {
            ($0.at("text")?.string ?? "", $0.at("id")?.string ?? "")
        }
        let byText = Dictionary(uniqueKeysWithValues: ids)
        return (client, handle, try degrees.map { try #require(byText["\($0)"]) })
    }

    @Test("They come nearest first, without the chunk itself")
    func nearestFirst() async throws {
        try await withServer { test in
            let (client, handle, chunks) = try await session(test, degrees: [0, 40, 10, 25, 100])
            let answer = try await client.call(
                20, "chunk.neighbors",
                "{\"session\":\"\(handle)\",\"chunk\":\"\(chunks[2])\",\"k\":3}")
            let hits = try #require(answer.at("result", "hits")?.array, "\(answer.text)")
            #expect(hits.map { $0.at("text")?.string } == ["0.0", "25.0", "40.0"])
            #expect(hits.map { $0.at("rank")?.int } == [1, 2, 3])
            let near = try await client.call(
                21, "chunk.neighbors",
                "{\"session\":\"\(handle)\",\"chunk\":\"\(chunks[2])\",\"minScore\":0.9}")
            #expect(near.at("result", "hits")?.array?.count == 2, "\(near.text)")
        }
    }

    @Test("A chunk of nobody, or of another session, is not found")
    func unknown() async throws {
        try await withServer { test in
            let (client, handle, _) = try await session(test, degrees: [0, 10])
            let (_, _, foreign) = try await session(test, degrees: [5, 15])
            for chunk in ["00000000-0000-4000-8000-000000000000", foreign[0]] {
                let answer = try await client.call(
                    30, "chunk.neighbors", "{\"session\":\"\(handle)\",\"chunk\":\"\(chunk)\"}")
                #expect(answer.errorKind == "not_found", "\(answer.text)")
                #expect(answer.at("error", "data", "field")?.string == "chunk", "\(answer.text)")
            }
        }
    }
}
