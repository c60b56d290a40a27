import Testing
import Wire

@Suite("Hybrid, spread and explained searches over a socket")
struct RankedSearchTests {
    /// A session of twenty passages; `zebra` stands in the last two, `quagga` in the last.
    private func passages(_ client: LineClient, _ handle: String) async throws -> [String] {
        let texts = (0..<20).map { index in
            "{\"text\":\"Passage \(index) on horses\(index > 17 ? ", a zebra" : "")"
                + "\(index > 18 ? ", a quagga" : "").\"}"
        }
        let answer = try await client.call(
            50, "chunk.import",
            "{\"session\":\"\(handle)\",\"document\":\"rows\",\"chunks\":[\(texts.joined(separator: ","))]}"
        )
        return answer.at("result", "chunks")?.array?.compactMap(\.string) ?? []
    }

    @Test("Lexical and hybrid hits carry the scores they are ranked by")
    func scores() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            let ids = try await passages(client, handle)
            try #require(ids.count == 20)
            let lexical = try await client.call(
                60, "search",
                "{\"session\":\"\(handle)\",\"text\":\"a quagga and zebras\",\"mode\":\"lexical\"}")
            let hits = Array(try #require(lexical.at("result", "hits")?.array))
            #expect(hits.compactMap { $0.at("chunk")?.string } == [ids[19], ids[18]])
            #expect(hits[0].at("scores", "dense")?.isNull == true)
            #expect(
                hits[0].at("scores", "lexical")?.double == hits[0].at("score")?.double)
            #expect(lexical.at("result", "meta", "plan")?.string == "scan")
            for fusion in ["minmax", "rrf"] {
                let hybrid = try await client.call(
                    61, "search",
                    """
                    {"session":"\(handle)","text":"the quagga","mode":"hybrid","fusion":"\(fusion)",\
                    "diversity":0.2,"language":"english","k":5}
                    """)
                let best = try #require(hybrid.at("result", "hits", "0"))
                #expect(best.at("chunk")?.string == ids[19], "\(fusion)")
                #expect(best.at("scores", "dense")?.double != nil, "\(fusion)")
                #expect(best.at("scores", "lexical")?.double != nil, "\(fusion)")
                #expect(best.at("scores", "fused")?.double != nil, "\(fusion)")
            }
        }
    }

    @Test(
        "search.explain says what keeps a chunk out, and not_found for a chunk of no session of ours"
    )
    func explain() async throws {
        try await withServer { test in
            let (client, handle, _) = try await test.session()
            let ids = try await passages(client, handle)
            func explain(_ id: Int, _ chunk: String, _ options: String) async throws -> JSONValue {
                try await client.call(
                    id, "search.explain",
                    "{\"session\":\"\(handle)\",\"chunk\":\"\(chunk)\",\"text\":\"quagga\",\(options)}"
                )
            }
            let first = try await explain(70, ids[19], "\"mode\":\"lexical\"")
            #expect(first.at("result", "returned")?.bool == true)
            #expect(first.at("result", "cause")?.isNull == true)
            #expect(first.at("result", "rank")?.int == 1)
            let silent = try await explain(71, ids[3], "\"mode\":\"lexical\"")
            #expect(silent.at("result", "cause", "kind")?.string == "no_word")
            let filtered = try await explain(
                72, ids[3], "\"filter\":{\"types\":[\"PARENT\"],\"pages\":[9,9]}")
            #expect(filtered.at("result", "cause", "kind")?.string == "filtered")
            #expect(filtered.at("result", "cause", "fields", "0")?.string == "pages")
            #expect(filtered.at("result", "cause", "fields", "1")?.string == "types")
            let stranger = try await explain(73, "00000000-0000-0000-0000-000000000001", "\"k\":3")
            #expect(stranger.errorKind == "not_found")
        }
    }
}
