// A vector is read apart from the rest of its line (Sources/CSimdJSON/NumberArray.h); under any other
// name the same array is simdjson's alone. Both must come to the same.

import Testing
import Wire

@Suite("A vector reads as any other array of numbers does")
struct VectorParsingTests {
    @Test("The same values, or the same refusal", arguments: 0..<400 as Range<UInt64>)
    func sameAsAnyArray(seed: UInt64) throws {
        var random = Seeded(state: seed)
        let style = Int(seed % 8)
        let separator = [",", ", ", " ,\t"][Int(seed / 8 % 3)]
        var array = (0..<Int.random(in: 100..<900, using: &random))
            .map { _ in number(style, &random) }.joined(separator: separator)
        if seed % 5 == 0 { damage(&array, &random) }
        let apart = line("vector", array)
        let together = line("Vector", array)
        let expected = Result { try parse(together) }
        switch (Result { try parse(apart) }, expected) {
        case (.success(let value), .success(let expected)):
            #expect(value.at("params", "z")?.array?.count == 2)
            #expect(value.at("params", "w")?.double == 2.5)
            let numbers = try bits(value.at("params", "vector"))
            #expect(try numbers == bits(expected.at("params", "Vector")), "seed \(seed)")
            if seed % 5 != 0, style < 4 {
                #expect(numbers.count > 99, "seed \(seed)")
            }
        case (.failure(let error as WireError), .failure(let expected as WireError)):
            #expect(error == expected, "seed \(seed)")
        case (let value, _):
            Issue.record("seed \(seed): \(value), otherwise \(expected)")
        }
    }

    @Test(
        "Names and places that look like a vector's are what they are",
        arguments: [
            #"{"a":"\"vector\":[1,2]","b":[@]}"#, #"{"\"vector":[@]}"#, #"{"v\u0065ctor":[@]}"#,
            #"{"vector":[],"b":{"vector":[@]}}"#, #"{"vector" : [@],"b":[]}"#,
            #"[{"vector":[@]},{"vector":[@]}]"#, #"{"vector":[[@]]}"#, #"{"vector":[@],"c":[{}]}"#,
            #"{"b":{"c":[[],{"vector":[@]},[1]],"d":7},"e":[[2]]}"#,
        ])
    func lookalikes(pattern: String) throws {
        let many = repeatElement("0.25", count: 600).joined(separator: ",")
        let long = pattern.split(separator: "@", omittingEmptySubsequences: false)
            .joined(separator: many)
        // Short texts are never read apart.
        let short = pattern.split(separator: "@", omittingEmptySubsequences: false)
            .joined(separator: "0.25")
        let text = try parse(long).text.replacing(many, with: "0.25")
        #expect(try text == parse(short).text)
    }

    @Test("A vector given twice is refused like any other field")
    func twice() {
        let many = repeatElement("0.25", count: 600).joined(separator: ",")
        let error = #expect(throws: WireError.self) {
            try parse("{\"vector\":[\(many)],\"vector\":[\(many)]}")
        }
        #expect(error?.message.contains("same key") == true)
    }

    private func line(_ name: String, _ array: String) -> String {
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"params\":{\"a\":[1,{}],\"\(name)\":[\(array)],"
            + "\"z\":[3,\"s\"],\"w\":2.5}}"
    }

    private func number(_ style: Int, _ random: inout Seeded) -> String {
        func digits(_ count: Int) -> String {
            String((0..<count).map { _ in "0123456789".randomElement(using: &random)! })
        }
        let sign = Bool.random(using: &random) ? "-" : ""
        let small = Double.random(in: -0.1...0.1, using: &random)
        switch style {
        case 0: return Float(small).description
        case 1: return Double(Float(small)).description
        case 2: return small.description
        case 3: return "\(sign)0.\(digits(Int.random(in: 1...20, using: &random)))"
        case 4: return "\(sign)\(Int.random(in: 0...9, using: &random)).\(digits(19))"
        case 5: return "\(Int64.random(in: .min...(.max), using: &random))"
        case 6:
            return "\(sign)\(digits(1)).\(digits(3))e\(Int.random(in: -30...30, using: &random))"
        default:
            let double = Double(bitPattern: random.next())
            return double.isFinite ? double.description : "0.5"
        }
    }

    private func damage(_ array: inout String, _ random: inout Seeded) {
        var bytes = Array(array.utf8)
        bytes[Int.random(in: 0..<bytes.count, using: &random)] =
            Array("x,]-. e0[\"".utf8).randomElement(using: &random)!
        array = String(decoding: bytes, as: UTF8.self)
    }

    /// What each element is, exactly.
    private func bits(_ value: JSONValue?) throws -> [String] {
        try #require(value?.array).map { element in
            switch element.kind {
            case .integer: "i\(element.int ?? 0)"
            case .number: "d\((element.double ?? 0).bitPattern)"
            default: element.text
            }
        }
    }
}

extension JSONValue {
    fileprivate func at(_ path: String...) -> JSONValue? {
        path.reduce(self as JSONValue?) { value, name in
            value?.object?.first { $0.key == name }?.value
        }
    }

    fileprivate var text: String {
        var writer = JSONWriter()
        writer.value(self)
        return writer.text
    }
}
