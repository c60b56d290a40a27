import NIOCore
import Testing
import Wire

@Suite("What is not Carrel's JSON is refused, and what is comes through whole")
struct JSONTests {
    @Test(
        "Each fault has its own reason",
        arguments: [
            ("", "empty"), ("   ", "empty"), ("{", "not JSON"), ("{\"a\":1,}", "not JSON"),
            ("{\"a\":NaN}", "NaN"), ("[1,-Infinity]", "NaN"), ("[nan]", "NaN"),
            ("{\"a\":1,\"a\":2}", "same key"), ("{\"b\":{\"\\u0061\":1,\"a\":2}}", "same key"),
            ("\u{FEFF}{}", "byte order mark"), ("[1e999]", "number"), ("[01]", "number"),
            ("\"\\ud800\"", "string"), ("\"a\u{1}\"", "string"), ("\"abc", "string"),
        ])
    func faults(text: String, reason: String) {
        let error = #expect(throws: WireError.self) { try parse(text) }
        #expect(error?.kind == .parseError)
        #expect(error?.message.contains(reason) == true, "\(text): \(error?.message ?? "")")
    }

    @Test("Invalid UTF-8 is refused", arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22]])
    func utf8(bytes: [UInt8]) {
        let error = #expect(throws: WireError.self) {
            try JSONParser().parse(ByteBuffer(bytes: bytes))
        }
        #expect(error?.message.contains("UTF-8") == true)
    }

    @Test("32 levels are read, 33 are refused")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + "1" + String(repeating: "]", count: levels)
        }
        _ = try parse(nested(32))
        let error = #expect(throws: WireError.self) { try parse(nested(33)) }
        #expect(error?.limit == 32)
    }

    @Test("Of many keys one twice is found")
    func manyKeys() throws {
        let keys = (0..<1000).map { "\"k\($0)\":\($0)" }
        _ = try parse("{\(keys.joined(separator: ","))}")
        #expect(throws: WireError.self) {
            try parse("{\(keys.joined(separator: ",")),\"k500\":0}")
        }
    }

    @Test("A parser that read a large text reads a small one after it")
    func shrink() throws {
        let parser = JSONParser()
        let large = "[" + String(repeating: "12345,", count: 400_000) + "1]"
        #expect(try parser.parse(ByteBuffer(string: large)).root.array?.count == 400_001)
        #expect(try parser.parse(ByteBuffer(string: "[7]")).root.array?.count == 1)
    }

    @Test("What the writer writes the parser reads back", arguments: 0..<200 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = Seeded(state: seed)
        let value = Sample.random(depth: 4, using: &random)
        var writer = JSONWriter()
        value.write(to: &writer)
        let read = try parse(writer.text)
        #expect(value.matches(read), "seed \(seed): \(writer.text)")
        var again = JSONWriter()
        again.value(read)
        #expect(again.text == writer.text, "seed \(seed)")
    }

    @Test("Floats are written in the fewest digits that read back, and NaN as null")
    func floats() throws {
        var random = Seeded(state: 1)
        for _ in 0..<10_000 {
            let float = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
            var writer = JSONWriter()
            writer.value(float)
            if float.isFinite {
                #expect(Float(try parse(writer.text).double ?? .nan) == float, "\(writer.text)")
            } else {
                #expect(writer.text == "null")
            }
        }
    }

    @Test("No mutation of a request ends the process", arguments: 0..<40 as Range<UInt64>)
    func fuzz(seed: UInt64) {
        let original = Array(
            """
            {"jsonrpc":"2.0","id":"q-81","method":"search","params":{"session":"h_3f",\
            "vector":[0.5,-1e-3,7],"vectorB64":"AAAA","dtype":"f16","k":5,"filter":{"pages":[1,2],\
            "types":["CHILD"],"documents":["5f2b4f0e-0000-4000-8000-000000000000"]},\
            "createdFrom":"2026-11-01T00:00:00Z","text":"\\u00e9\\n","explain":true,"x":null}}
            """.utf8)
        let tokens = ["{", "}", "[", "]", "\"", ",", ":", "null", "1e9", "\\u", "-", "\u{0}", "é"]
        var random = Seeded(state: seed)
        let parser = JSONParser()
        for _ in 0..<250 {
            var bytes = original
            for _ in 0...Int.random(in: 0..<6, using: &random) {
                let place = Int.random(in: 0..<max(1, bytes.count), using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                case 2:
                    bytes.insert(
                        contentsOf: Array((tokens.randomElement(using: &random) ?? "").utf8),
                        at: place)
                case 3: bytes = Array(bytes[..<place])
                default:
                    let end = min(
                        bytes.count, place + Int.random(in: 0..<40, using: &random))
                    bytes.insert(contentsOf: bytes[place..<end], at: place)
                }
                if bytes.isEmpty { bytes = [0x7B] }
            }
            guard let document = try? parser.parse(ByteBuffer(bytes: bytes)) else { continue }
            var writer = JSONWriter()
            writer.value(document.root)
            guard case .request(let request) = Incoming(document) else { continue }
            readEverything(Parameters(request.params, isStrict: true))
        }
    }

    /// Calls every reader; what they throw does not matter here.
    private func readEverything(_ parameters: Parameters) {
        var parameters = parameters
        _ = try? parameters.optionalString("session")
        _ = try? parameters.optionalVector(dimension: 3)
        _ = try? parameters.optionalInteger("k", in: 1...10)
        _ = try? parameters.optionalDate("createdFrom")
        _ = try? parameters.optionalFlag("explain")
        _ = try? parameters.base64("vectorB64", maximumBytes: 100)
        _ = try? parameters.objects("vector", maximumCount: 2)
        if var filter = try? parameters.optionalObject("filter") {
            _ = try? filter.optionalRange("pages", in: 1...10)
            _ = try? filter.optionalIDs("documents")
            _ = try? filter.optionalStrings("types")
            _ = try? filter.finish()
        }
        _ = try? parameters.finish()
    }
}

/// A JSON value made at random, to compare with what was read.
private indirect enum Sample {
    case null, bool(Bool), int(Int), double(Double), string(String), array([Sample])
    case object([(String, Sample)])

    static func random(depth: Int, using random: inout Seeded) -> Sample {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .int(Int.random(in: Int.min...Int.max, using: &random))
        case 3:
            let double = Double(bitPattern: random.next())
            return .double(double.isFinite ? double : 0.5)
        case 4: return .string(text(using: &random))
        case 5:
            return .array(
                (0..<Int.random(in: 0..<5, using: &random)).map { _ in
                    Sample.random(depth: depth - 1, using: &random)
                })
        default:
            return .object(
                (0..<Int.random(in: 0..<20, using: &random)).map { index in
                    (
                        "\(index)" + text(using: &random),
                        Sample.random(depth: depth - 1, using: &random)
                    )
                })
        }
    }

    private static func text(using random: inout Seeded) -> String {
        let scalars: [ClosedRange<UInt32>] = [
            0...0x1F, 0x20...0x7F, 0x80...0x7FF, 0x800...0xD7FF, 0x1_0000...0x1_FFFF,
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0..<12, using: &random) {
            let range = scalars[Int.random(in: 0..<scalars.count, using: &random)]
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let flag): writer.value(flag)
        case .int(let integer): writer.value(integer)
        case .double(let double): writer.value(double)
        case .string(let string): writer.value(string)
        case .array(let elements):
            writer.array { (writer: inout JSONWriter) in
                for element in elements { element.write(to: &writer) }
            }
        case .object(let members):
            writer.object { (writer: inout JSONWriter) in
                for (key, value) in members {
                    writer.key(key)
                    value.write(to: &writer)
                }
            }
        }
    }

    func matches(_ value: JSONValue) -> Bool {
        switch self {
        case .null: return value.isNull
        case .bool(let flag): return value.bool == flag
        case .int(let integer): return value.int == integer
        case .double(let double): return value.double == double
        case .string(let string):
            // Scalar by scalar: `==` would let canonical equivalents pass.
            return value.string.map { Array($0.unicodeScalars) } == Array(string.unicodeScalars)
        case .array(let elements):
            guard let array = value.array else { return false }
            let read = Array(array)
            return read.count == elements.count
                && zip(elements, read).allSatisfy { $0.matches($1) }
        case .object(let members):
            guard let object = value.object else { return false }
            let read = Array(object)
            return read.count == members.count
                && zip(members, read).allSatisfy { $0.0 == $1.key && $0.1.matches($1.value) }
        }
    }
}
