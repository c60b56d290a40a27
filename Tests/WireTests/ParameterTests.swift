import NIOCore
import Testing
import Wire

@Suite("A wrong field is named, with what was expected and what stood there")
struct ParameterTests {
    private func parameters(_ text: String, strict: Bool = false) throws -> Parameters {
        Parameters(try parse(text).object, isStrict: strict)
    }

    @Test("An element of a nested list is named by its path")
    func path() throws {
        var params = try parameters("{\"filter\":{\"pages\":[1,\"two\"]}}")
        var filter = try params.object("filter")
        let error = #expect(throws: WireError.self) {
            try filter.optionalRange("pages", in: 1...10)
        }
        #expect(error?.kind == .invalidParams)
        #expect(error?.field == "filter.pages[1]")
        #expect(error?.expected == "an integer from 1 to 10")
        #expect(error?.got == "string")
    }

    @Test("An object in a list is named by its place")
    func objects() throws {
        var params = try parameters("{\"chunks\":[{\"text\":\"a\"},{\"text\":5}]}")
        var chunks = try params.objects("chunks", maximumCount: 2)
        #expect(try chunks[0].string("text") == "a")
        let error = #expect(throws: WireError.self) { try chunks[1].string("text") }
        #expect(error?.field == "chunks[1].text")
    }

    @Test("An unknown field is refused when strict, wherever it stands, and only then")
    func strict() throws {
        let text = "{\"k\":1,\"filter\":{\"page\":1}}"
        for isStrict in [false, true] {
            var params = try parameters(text, strict: isStrict)
            _ = try params.integer("k", in: 1...5)
            let filter = try params.object("filter")
            if isStrict {
                let error = #expect(throws: WireError.self) { try filter.finish() }
                #expect(error?.field == "filter.page")
            } else {
                try filter.finish()
            }
            try params.finish()
        }
    }

    @Test("NUL is refused in texts")
    func nul() throws {
        var params = try parameters("{\"text\":\"a\\u0000b\"}")
        #expect(throws: WireError.self) { try params.string("text") }
    }

    @Test(
        "A vector is refused naming its element",
        arguments: [
            ("{\"vector\":[1,2]}", "vector", "2"),
            ("{\"vector\":[1,2,3,4]}", "vector", "4"),
            ("{\"vector\":[1,null,3]}", "vector[1]", "something else"),
            ("{\"vector\":[1,2,1e300]}", "vector[2]", "inf"),
            ("{\"vector\":[0,0,0]}", "vector", "the zero vector"),
            ("{\"vector\":\"abc\"}", "vector", "string"),
            ("{\"vectorB64\":\"AAAA\"}", "vectorB64", "3"),
            ("{\"vectorB64\":\"AACAfwAAAAAAAAAA\"}", "vectorB64[0]", "inf"),
            ("{\"vectorB64\":\"AAAAAAAAfAAA\",\"dtype\":\"f16\"}", "vectorB64", "9"),
            ("{\"vectorB64\":\"AAAAAAB8\",\"dtype\":\"f16\"}", "vectorB64[2]", "inf"),
            ("{\"vectorB64\":\"!\"}", "vectorB64", "another string"),
        ])
    func vectors(text: String, field: String, got: String) throws {
        var params = try parameters(text)
        let error = #expect(throws: WireError.self) { try params.optionalVector(dimension: 3) }
        #expect(error?.kind == .invalidVector)
        #expect(error?.field == field)
        #expect(error?.got == got)
    }

    @Test("Numbers, f32 and f16 give the same vector")
    func forms() throws {
        let floats: [Float] = [0.5, -2, 0.25]
        let half = floats.flatMap { float -> [UInt8] in
            let bits = Float16(float).bitPattern
            return [UInt8(truncatingIfNeeded: bits), UInt8(bits >> 8)]
        }
        for text in [
            "{\"vector\":[0.5,-2,0.25]}", "{\"vectorB64\":\"\(Vector.encode(floats))\"}",
            "{\"vectorB64\":\"\(Base64.encode(half))\",\"dtype\":\"f16\"}",
        ] {
            var params = try parameters(text)
            #expect(try params.optionalVector(dimension: 3) == floats)
        }
    }

    @Test("Base64 reads what it writes, and has one form per value", arguments: 0..<70)
    func base64(count: Int) {
        var random = Seeded(state: UInt64(count))
        let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        #expect(Base64.decode(Array(Base64.encode(bytes).utf8)[...]) == bytes)
        for bad in ["A", "AA", "AAA", "AA=A", "AB==", "AAF=", "A A=", "====", "AA-_"] {
            #expect(Base64.decode(Array(bad.utf8)[...]) == nil, "\(bad)")
        }
    }

    @Test("Dates are read as they are written, microseconds included")
    func dates() throws {
        for text in [
            "1970-01-01T00:00:00Z", "2026-11-21T01:45:00.123456Z", "2000-02-29T23:59:59Z",
            "1969-12-31T23:59:59.500000Z", "2100-03-01T00:00:00Z",
        ] {
            let date = try #require(WireDate.date(text))
            #expect(WireDate.string(date) == text)
        }
        for text in ["2026-02-30T00:00:00Z", "2026-11-21", "2026-11-21T25:00:00Z", ""] {
            #expect(WireDate.date(text) == nil, "\(text)")
        }
    }
}
