// The description of the protocol against the server that it describes.

import Foundation
import Server
import Testing
import Wire

@Suite("The description of the protocol")
struct DescriptionTests {
    static let file = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "docs/openrpc.json")

    @Test("Every method says what it does, in a sentence")
    func summaries() {
        for method in ProtocolDescription.methods {
            #expect(method.summary.hasSuffix("."), "\(method.name): \(method.summary)")
        }
    }

    @Test("docs/openrpc.json is what the running server answers")
    func file() async throws {
        let written = try JSONSerialization.jsonObject(with: Data(contentsOf: Self.file))
        try await withServer { test in
            let client = try await test.client()
            let answer = try #require(try await client.call(1, "rpc.discover").at("result"))
            let told = try JSONSerialization.jsonObject(with: Data(answer.text.utf8))
            #expect(
                told as? NSDictionary == written as? NSDictionary,
                "run `carrel describe > docs/openrpc.json`")
        }
    }

    @Test("Each declared parameter is refused by name when its type, bound or presence is wrong")
    func refusals() async throws {
        try await withServer {
            $0.limits.unauthenticated = .seconds(600)
        } _: { test in
            let (known, handle, _) = try await test.session()
            let stranger = try await LineClient.connect(test.port)
            var cases = 0
            for method in ProtocolDescription.methods {
                let client = method.needs == "greeting" ? stranger : known
                let sample = Sample(of: method, handle: handle)
                for fault in sample.faults {
                    cases += 1
                    let answer = try await client.call(cases + 10, method.name, fault.params)
                    let kind = answer.errorKind
                    #expect(
                        fault.kinds.contains(kind ?? "none")
                            && answer.at("error", "data", "field")?.string == fault.field,
                        "\(method.name) \(fault.params.prefix(300)): \(answer.text.prefix(300))")
                }
            }
            #expect(cases > 300)
        }
    }
}

/// A request as a method declares it, and every way of getting one parameter wrong.
private struct Sample {
    struct Fault {
        let params: String
        let field: String
        let kinds: [String]
    }

    let faults: [Fault]

    init(of method: ProtocolDescription.Entry, handle: String) {
        let given = [
            "session": method.needs == "session" ? "\"\(handle)\"" : nil,
            "protocolVersions": "[\"2026-11-01\"]",
        ].compactMapValues { $0 }
        faults =
            Sample.faults(in: method.params, path: "", given) { members in
                var members = members
                members["strict"] = "true"
                return Sample.object(members)
            } + [
                Fault(
                    params: Sample.object(
                        Sample.members(method.params, given).merging(
                            ["undeclared": "1", "strict": "true"]) { $1 }),
                    field: "undeclared", kinds: ["invalid_params"])
            ]
    }

    /// The members that make a request whole: what is required, and `text`, which stands for a
    /// choice of several where it is optional.
    private static func members(
        _ params: [Parameter], _ given: [String: String] = [:]
    ) -> [String: String] {
        var members: [String: String] = [:]
        for parameter in params where parameter.isRequired || parameter.name == "text" {
            members[parameter.name] = given[parameter.name] ?? value(parameter)
        }
        return members
    }

    /// A chunk that is judged is only compared with hits: declared as text, and a UUID all the same. A
    /// digest is text of a form.
    private static func value(_ parameter: Parameter) -> String {
        if parameter.name == "md5" { return "\"\(String(repeating: "0", count: 32))\"" }
        if parameter.name == "chunk", case .string = parameter.shape { return value(.id) }
        return value(parameter.shape)
    }

    private static func value(_ shape: Parameter.Shape) -> String {
        switch shape {
        case .string, .handle: "\"text\""
        case .id: "\"00000000-0000-4000-8000-000000000000\""
        case .date: "\"2026-11-01T00:00:00Z\""
        case .base64: "\"AAAA\""
        case .decimal(let range, let decimals):
            "\"\(ScaledDecimal.text(range.upperBound, decimals: decimals))\""
        case .choice(let words): "\"\(words[0])\""
        case .integer(let range): "\(range.lowerBound)"
        case .number(let range): "\(range.lowerBound)"
        case .flag: "true"
        case .range(let bounds): "[\(bounds.lowerBound),\(bounds.lowerBound)]"
        case .vector: "[" + Array(repeating: "1", count: 768).joined(separator: ",") + "]"
        case .vectorB64: "\"" + Vector.encode(.init(repeating: 1, count: 768)) + "\""
        case .list(let element, _, _): "[\(value(element))]"
        case .object(let params): object(members(params))
        }
    }

    private static func object(_ members: [String: String]) -> String {
        "{" + members.map { "\"\($0)\":\($1)" }.sorted().joined(separator: ",") + "}"
    }

    private static func faults(
        in params: [Parameter], path: String, _ given: [String: String] = [:],
        _ request: ([String: String]) -> String
    ) -> [Fault] {
        let whole = members(params, given)
        return params.flatMap { parameter -> [Fault] in
            let name = parameter.name
            func fault(_ value: String?, _ suffix: String = "") -> Fault {
                var members = whole
                members[name] = value
                let isVector =
                    switch parameter.shape {
                    case .vector, .vectorB64: true
                    default: false
                    }
                return Fault(
                    params: request(members), field: path + name + suffix,
                    kinds: isVector ? ["invalid_vector", "invalid_params"] : ["invalid_params"])
            }
            var faults = wrong(parameter.shape).map { fault($0) }
            if parameter.isRequired { faults.append(fault(nil)) }
            switch parameter.shape {
            case .list(let element, _, let count):
                faults += element.members == nil ? [fault("[{}]", "[0]")] : [fault("[7]", "[0]")]
                faults.append(
                    fault(
                        "["
                            + Array(repeating: value(element), count: count + 1)
                            .joined(separator: ",") + "]"))
            case .range: faults.append(fault("[\"a\",1]", "[0]"))
            default: break
            }
            if let members = parameter.shape.members {
                let isList = if case .list = parameter.shape { true } else { false }
                faults += Sample.faults(in: members, path: path + name + (isList ? "[0]." : ".")) {
                    var outer = whole
                    let inner = object($0)
                    outer[name] = isList ? "[\(inner)]" : inner
                    return request(outer)
                }
            }
            return faults
        }
    }

    /// Values that are not of this shape.
    private static func wrong(_ shape: Parameter.Shape) -> [String] {
        switch shape {
        case .string(let maximumBytes, let minimumBytes):
            ["7", "{}"]
                + (minimumBytes > 0 ? ["\"\""] : [])
                + (maximumBytes < 1 << 20
                    ? ["\"" + String(repeating: "x", count: maximumBytes + 1) + "\""] : [])
        case .handle: ["7"]
        case .id: ["7", "\"not-an-id\""]
        case .date: ["7", "\"yesterday\""]
        case .base64: ["7", "\"?\""]
        case .decimal(let range, let decimals):
            [
                "7", "\"seven\"", "\"1e2\"",
                "\"0." + String(repeating: "1", count: decimals + 1) + "\"",
                "\"\(ScaledDecimal.text(range.upperBound + 1, decimals: decimals))\"",
                "\"\(ScaledDecimal.text(range.lowerBound - 1, decimals: decimals))\"",
            ]
        case .choice: ["7", "\"no such word\""]
        case .integer(let range):
            ["\"7\"", "1.5", "\(range.lowerBound - 1)", "\(range.upperBound + 1)"]
        case .number(let range):
            ["\"7\"", "\(range.lowerBound - 1)", "\(range.upperBound + 1)"]
        case .flag: ["7", "\"true\""]
        case .range(let bounds): ["7", "[\(bounds.lowerBound + 1),\(bounds.lowerBound)]"]
        case .vector(let width): ["7", width.contains(1) ? "[]" : "[1]"]
        case .vectorB64: ["7", "\"?\""]
        case .list: ["7", "{}"]
        case .object: ["7", "[]"]
        }
    }
}
