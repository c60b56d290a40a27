// What a caller is to be told at a place.

import Foundation
import Server
import Wire

struct Expectation {
    private let place: Place
    private let caller: Caller

    init(_ place: Place, _ caller: Caller) {
        self.place = place
        self.caller = caller
    }

    /// Where a value that names nothing is no refusal, or another: lists that are empty then, and orders
    /// and citations that are wrong as a whole.
    private static let others: [String: String] = [
        "document.list topic": "result", "audit.list session": "result",
        "search filter.documents": "result", "search filter.topics": "result",
        "search.batch filter.documents": "result", "search.batch filter.topics": "result",
        "search.explain filter.documents": "result", "search.explain filter.topics": "result",
        "chunk.neighbors filter.documents": "result", "chunk.neighbors filter.topics": "result",
        "borrower.list ssn": "result", "topic.reorder topics": "invalid_params",
        "message.append citedChunks": "invalid_params",
    ]

    /// The kind of refusal, or `result`; nil where it depends on more than the value.
    private var kind: String? {
        let method = place.method
        switch (caller.standing, method.needs) {
        case (.stranger, _): return "unauthenticated"
        case (.fresh, "session"): return "session_closed"
        default: break
        }
        if method.scope == "admin", caller.standing != .administrator { return "forbidden" }
        switch place.kind {
        case .account, .cursor, .idempotencyKey: return nil
        case .handle: return "session_closed"
        case .row, .upload, .secret, .fileName, .ssn:
            return Self.others["\(method.name) \(place.path.joined(separator: "."))"] ?? "not_found"
        }
    }

    /// What is wrong with the answer to a value that is nowhere, if anything is.
    func objection(to control: JSONValue) -> String? {
        guard let kind else { return nil }
        let got = control.outcome
        // What is the account's, and not the session's, a bound key may not ask at all.
        if caller.standing == .bound, got == "forbidden" { return nil }
        // Not found is what was tried, and nothing else of the request; but who has nothing at all is
        // told so of the first that has to be there.
        let field = control.at("error", "data", "field")?.string?
            .replacingOccurrences(of: "[0]", with: "")
        let isMeant =
            kind != "not_found" || field == nil || caller.standing == .fresh
            || field == place.path.joined(separator: ".")
        return got == kind && isMeant
            ? nil : "expected \(kind), got \(control.text.prefix(400))"
    }

    /// What is wrong with the answer to a value of the other's, if anything is: it is what a value that is
    /// nowhere gets.
    func objection(
        to answer: JSONValue, for value: String, where control: JSONValue, isOf random: String
    ) -> String? {
        switch place.kind {
        case .account, .cursor:
            // Answered as anybody's: whether it can be found depends on what was done with it before.
            let known: Set = ["result", "not_found", "conflict", "forbidden", "session_closed"]
            // (To a key of Vera's own it is she herself, with whom nothing is shared.)
            let isKnown =
                known.contains(answer.outcome) || answer.outcome == control.outcome
                || caller.standing == .bound && answer.outcome == "invalid_params"
            return isKnown ? nil : answer.text
        case .idempotencyKey:
            // The work is done, or refused for what it is; that the key was used says nothing here.
            let message = answer.at("error", "message")?.string ?? ""
            return message.contains("idempotency key") ? message : nil
        case .row, .handle, .upload, .secret, .fileName, .ssn:
            let (got, expected) = (answer.normal(value), control.normal(random))
            return got == expected
                ? nil
                : "\(got.prefix(400)), where a value that is nowhere gets \(expected.prefix(400))"
        }
    }
}

extension JSONValue {
    /// The kind of refusal, or `result`.
    var outcome: String { at("result") != nil ? "result" : errorKind ?? "no kind" }

    /// An answer without what differs from one time to the next; a refusal without the value it refuses.
    func normal(_ value: String) -> String {
        func text(_ json: JSONValue) -> String {
            if let object = json.object {
                let members = object.filter { !["requestId", "tookUs"].contains($0.key) }
                return "{" + members.map { "\($0.key):\(text($0.value))" }.joined(separator: ",")
                    + "}"
            }
            if let array = json.array { return "[" + array.map(text).joined(separator: ",") + "]" }
            return json.text
        }
        if let result = at("result") { return text(result) }
        return text(at("error") ?? self).replacingOccurrences(of: value, with: "<value>")
    }
}
