// Every place of every method where something of another account's may be named, found in the declarations.

import Server
import Synchronization
import Wire

/// A method as it is asked: whole but for one place.
struct Place: CustomStringConvertible {
    let method: ProtocolDescription.Entry
    /// From the outermost member to the one that is meant.
    let path: [String]
    let kind: PlaceKind
    /// Whether one of the caller's own stands before it: in lists.
    let isBesideOwn: Bool

    var description: String {
        "\(method.name) \(path.joined(separator: "."))\(isBesideOwn ? " (beside one's own)" : "")"
    }

    /// What of a method's parameters nobody has classified.
    static func unknown(in method: ProtocolDescription.Entry) -> [String] {
        leaves(method.params, []).filter {
            Vocabulary.meaning(of: $0.joined, in: method.name, $1) == .unknown
        }.map { "\(method.name) \($0.path.joined)" }
    }

    static func all(of method: ProtocolDescription.Entry) -> [Place] {
        leaves(method.params, []).flatMap { path, shape -> [Place] in
            guard
                case .names(let kind)? = Vocabulary.meaning(
                    of: path.joined, in: method.name, shape)
            else { return [] }
            let isList = if case .list = shape { true } else { false }
            return (isList ? [false, true] : [false]).map {
                Place(method: method, path: path, kind: kind, isBesideOwn: $0)
            }
        }
    }

    private static func leaves(
        _ params: [Parameter], _ above: [String]
    ) -> [(path: [String], shape: Parameter.Shape)] {
        params.flatMap { parameter -> [(path: [String], shape: Parameter.Shape)] in
            let path = above + [parameter.name]
            guard let members = parameter.shape.members else { return [(path, parameter.shape)] }
            return leaves(members, path)
        }
    }

    // MARK: Requests

    /// The request with this value at the place; the rest is the caller's own.
    func request(_ value: String, _ own: @escaping (String) -> String) -> String {
        Sample(own: own, areTextsNew: kind == .idempotencyKey).object(
            method.params, path[...],
            Sample.quoted(value, beside: isBesideOwn ? own(path.last ?? "") : nil),
            extras: Sample.extras(of: method.name, at: path.joined, own))
    }

    /// A request of the caller's own.
    static func sample(
        of method: ProtocolDescription.Entry, _ own: @escaping (String) -> String,
        with more: [String: String] = [:]
    ) -> String {
        let extras = Sample.extras(of: method.name, at: "", own)
        return Sample(own: own, areTextsNew: false).object(
            method.params, [], "", extras: extras.merging(more) { $1 })
    }
}

extension [String] {
    fileprivate var joined: String { joined(separator: ".") }
}

/// Makes params.
private struct Sample {
    let own: (String) -> String
    /// Whether no text comes twice: for what is made, so that it is not refused for its name.
    let areTextsNew: Bool

    private static let texts = Atomic<Int>(0)

    static func quoted(_ value: String, beside own: String?) -> String {
        (own.map { "\"\($0)\",\"" } ?? "\"") + value + "\""
    }

    /// Members that a request needs besides the required ones: one of two, or a form of its own.
    static func extras(
        of method: String, at path: String, _ own: @escaping (String) -> String
    ) -> [String: String] {
        switch (method, path) {
        case ("share.create", "group"), ("share.create", "account"): [:]
        case ("share.create", _): ["account": "\"bob\""]
        case ("citation.verify", "reference"): [:]
        case ("citation.verify", _): ["reference": "\"\(own("reference"))\""]
        case ("cloud.import", _): ["objects": "[\"none.txt\"]"]
        case ("reembed.plan", _), ("reembed.start", _): ["model": "\"hashing-lexical\""]
        case ("reembed.texts", "job"): [:]
        case ("reembed.texts", _): ["job": "\"\(own("reembedding"))\""]
        case ("reembed.stage", _): given(own)
        case ("borrower.addAccount", _): ["number": "\"12345678\""]
        case ("group.addMember", "group"), ("group.removeMember", "group"): ["account": "\"carol\""]
        default: [:]
        }
    }

    /// A vector for a chunk of one's own, and its members where the chunk is what is tried.
    private static func given(_ own: (String) -> String) -> [String: String] {
        let members = [
            "md5": "\"\(String(repeating: "0", count: 32))\"",
            "vectorB64": "\"\(Vector.encode([1] + Array(repeating: 0, count: 767)))\"",
        ]
        let text = members.map { "\"\($0)\":\($1)" }.joined(separator: ",")
        let more = [
            "job": "\"\(own("reembedding"))\"",
            "vectors": "[{\"chunk\":\"\(own("chunk"))\",\(text)}]",
        ]
        return members.merging(more) { $1 }
    }

    func object(
        _ params: [Parameter], _ path: ArraySlice<String>, _ value: String,
        extras: [String: String] = [:]
    ) -> String {
        let members = params.compactMap { parameter -> String? in
            guard let text = member(parameter, path, value, extras) else { return nil }
            return "\"\(parameter.name)\":\(text)"
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    private func member(
        _ parameter: Parameter, _ path: ArraySlice<String>, _ value: String,
        _ extras: [String: String]
    ) -> String? {
        let isList = if case .list = parameter.shape { true } else { false }
        func listed(_ text: String) -> String { isList ? "[\(text)]" : text }
        if path.first == parameter.name {
            guard path.count > 1, let members = parameter.shape.members else {
                return listed(value)
            }
            return listed(object(members, path.dropFirst(), value, extras: extras))
        }
        if let extra = extras[parameter.name] { return extra }
        // `text` stands for a choice of several where it is optional.
        guard parameter.isRequired || parameter.name == "text" else { return nil }
        return self.value(parameter.name, parameter.shape)
    }

    private func value(_ name: String, _ shape: Parameter.Shape) -> String {
        switch shape {
        case .id, .handle: "\"\(own(shape.isHandle ? "handle" : name))\""
        case .string where ["upload", "account"].contains(name): "\"\(own(name))\""
        case .string where name == "protocolVersions": "\"2026-11-01\""
        case .string where areTextsNew:
            "\"text \(Self.texts.add(1, ordering: .relaxed).newValue)\""
        case .string: "\"text\""
        case .choice(let words): "\"\(words[0])\""
        case .decimal: "\"1.00\""
        case .integer(let range): "\(max(range.lowerBound, min(1, range.upperBound)))"
        case .number(let range): "\(range.lowerBound)"
        case .flag: "false"
        case .base64: "\"AAAA\""
        case .date: "\"2126-11-01T00:00:00Z\""
        case .range(let bounds): "[\(bounds.lowerBound),\(bounds.lowerBound)]"
        case .object(let params): object(params, [], "")
        case .list(let element, _, _): "[\(value(name, element))]"
        case .vector: "[1\(String(repeating: ",0", count: 767))]"
        case .vectorB64: "\"\(Vector.encode([1] + Array(repeating: 0, count: 767)))\""
        }
    }
}

extension Parameter.Shape {
    fileprivate var isHandle: Bool { if case .handle = self { true } else { false } }
}
