// Everything that somebody can try with the ids of somebody else.

import Foundation
import Server
import Wire

/// Asks every method with every kind of another account's values, and notes what should not be.
struct IsolationProbe {
    let household: Household
    private(set) var cases = 0
    private(set) var violations: [String] = []
    /// The methods that something was wrong with.
    private(set) var faulty: Set<String> = []

    init(_ household: Household) { self.household = household }

    /// Tries everything, or until the first violation.
    mutating func run(
        _ methods: [ProtocolDescription.Entry] = ProtocolDescription.methods,
        stopsAtFirst: Bool = false
    ) async throws {
        for caller in household.callers {
            for method in methods where Self.asks(caller, method) {
                for unknown in Place.unknown(in: method) {
                    note(method, "\(unknown) is not in the vocabulary of this test")
                }
                let places = Place.all(of: method).filter { Self.isTried($0, caller) }
                try await lookAround(method, caller)
                try await check(places.filter { !$0.kind.isForAnybody }, caller, mayChange: false)
                try await check(places.filter(\.kind.isForAnybody), caller, mayChange: true)
                if stopsAtFirst, !violations.isEmpty { return }
            }
        }
    }

    /// Who is in cannot come in again: those methods are the stranger's to try, and the others are tried by
    /// him too.
    private static func asks(_ caller: Caller, _ method: ProtocolDescription.Entry) -> Bool {
        caller.standing == .stranger || !["greeting", "initialized"].contains(method.needs)
    }

    /// Administrators look after accounts and groups, whoever made them (docs/protocol.md).
    private static func isTried(_ place: Place, _ caller: Caller) -> Bool {
        guard caller.standing == .administrator else { return true }
        let isGroups = place.kind == .row(of: "groups") && place.method.name.hasPrefix("group.")
        return !(isGroups || place.kind == .row(of: "profiles") || place.method.scope == "admin")
    }

    /// What a caller reads of his own tells nothing of the other's; and what he asks can be answered, so that
    /// a refusal below is for the value that is tried.
    private mutating func lookAround(
        _ method: ProtocolDescription.Entry, _ caller: Caller
    ) async throws {
        guard method.scope == "read", caller.standing != .stranger else { return }
        let answer = try await caller.voice.ask(method.name, Place.sample(of: method, caller.own))
        checkLeak(answer, method, caller, telling: [])
        // A folder of the web has no listing.
        let isAnswered = answer.at("result") != nil || method.name == "cloud.objects"
        if caller.standing == .user, !isAnswered {
            note(method, "what is asked for all the rest is refused: \(answer.text)")
        }
    }

    // MARK: One place

    /// Places of one method. Nobody else's rows are touched; and where a value is refused if it is not one's
    /// own, nothing is.
    private mutating func check(
        _ places: [Place], _ caller: Caller, mayChange: Bool
    ) async throws {
        guard let method = places.first?.method else { return }
        let before = try await Holdings.read(caller.domain, on: household.test.pool)
        for place in places { try await check(place, caller) }
        if mayChange { try await Household.settle(household.test) }
        let after = try await Holdings.read(caller.domain, on: household.test.pool)
        var exempt: Set<String> = []
        // An attempt to come in is counted and noted in the audit log.
        if method.scope == nil { exempt = ["audit_log", "audit_head", "login_attempts"] }
        if mayChange {
            // The log's end moves with one's own entries.
            exempt.insert("audit_head")
            if caller.standing == .bound {
                // The account's, not the session's.
                exempt.formUnion(["idempotency_keys", "quotas", "audit_log"])
            }
        }
        let changed =
            mayChange
            ? after.changes(since: before, besides: exempt)
            : after.anyChanges(since: before, besides: exempt)
        if !changed.isEmpty { note(method, "\(caller.name) changed \(changed)") }
    }

    private mutating func check(_ place: Place, _ caller: Caller) async throws {
        var values = try await self.values(for: place, caller)
        // Who is refused before anything is looked at is refused whatever it is.
        if caller.standing == .stranger && place.method.scope != nil
            || caller.standing == .fresh && place.method.needs == "session" && place.kind != .handle
        {
            values = Array(values.prefix(2))
        }
        guard !values.isEmpty else {
            return note(place.method, "nothing of Vera's can be tried at \(place)")
        }
        let voice = caller.voice(for: place.method)
        let random = Self.random(place.kind)
        let control = try await voice.ask(place.method.name, place.request(random, caller.own))
        let answers = try await voice.ask(
            place.method.name, each: values.map { place.request($0, caller.own) })
        cases += values.count
        let expectation = Expectation(place, caller)
        if let wrong = expectation.objection(to: control) {
            note(place.method, "\(caller.name) at \(place), of a random value: \(wrong)")
        }
        for (value, answer) in zip(values, answers) {
            checkLeak(answer, place.method, caller, telling: [value])
            if let wrong = expectation.objection(
                to: answer, for: value, where: control, isOf: random)
            {
                note(place.method, "\(caller.name) at \(place), of \(value): \(wrong)")
            }
        }
    }

    // MARK: Values

    private static func random(_ kind: PlaceKind) -> String {
        let id = UUID().uuidString.lowercased()
        let digits = id.filter { $0 != "-" }
        return switch kind {
        case .row, .secret, .idempotencyKey: id
        case .account: "carol"
        case .handle: "h_" + digits
        case .upload: "u_" + digits
        case .cursor: ""
        case .fileName: digits + ".txt"
        case .ssn: "123-45-6789"
        }
    }

    private func values(for place: Place, _ caller: Caller) async throws -> [String] {
        let vera = household.vera
        switch place.kind {
        case .row: return caller.foreign.some
        case .handle: return caller.foreign.some + [caller.foreignSession.handle]
        case .upload: return caller.foreign.some + [caller.foreignSession.own["upload"] ?? ""]
        case .account: return [vera.profile, "vera"]
        case .secret: return caller.foreign.some + ["vera", "VERA@example.org"]
        case .fileName: return [caller.foreignSession.marker + ".txt"]
        case .ssn: return [Planter.ssn("vera", 1)]
        case .idempotencyKey:
            let key = Planter.key("vera", place.method.name, 1)
            let isUsed = try await household.test.hasKey(key)
            return isUsed ? [key] : []
        case .cursor: return try await cursor(of: place.method)
        }
    }

    /// Where Vera's own list goes on.
    private func cursor(of method: ProtocolDescription.Entry) async throws -> [String] {
        // These hold no ids: names of objects, and what an administrator sees of everybody.
        if method.name == "cloud.objects" || method.scope == "admin" { return ["ImEi"] }
        let vera = household.vera
        let answer = try await vera.voice.ask(
            method.name,
            Place.sample(
                of: method,
                { name in
                    name == "handle" ? vera.first.handle : vera.first.own[name] ?? "none"
                }, with: ["limit": "1"]))
        // What is shared to her: nothing, so that list has no second page.
        if method.name == "share.received" { return ["ImEi"] }
        return answer.at("result", "next")?.string.map { [$0] } ?? []
    }

    // MARK: Findings

    private mutating func checkLeak(
        _ answer: JSONValue, _ method: ProtocolDescription.Entry, _ caller: Caller,
        telling given: Set<String>
    ) {
        if caller.standing == .administrator, method.scope == "admin" { return }
        let text = answer.text
        var known = given
        // Who names an account to share with it is told its id and handle.
        if ["group", "share"].contains(where: method.name.hasPrefix) {
            known.insert(household.vera.profile)
        }
        let ids = text.identifiers.intersection(caller.foreign.all).subtracting(known)
        let texts = caller.secrets.filter { secret in
            text.contains(secret) && !given.contains { $0.contains(secret) }
        }
        guard let leaked = ids.first ?? texts.first else { return }
        note(method, "\(caller.name) is told of \(leaked): \(text.prefix(400))")
    }

    private mutating func note(_ method: ProtocolDescription.Entry, _ violation: String) {
        faulty.insert(method.name)
        violations.append("\(method.name): \(violation)")
    }
}

extension String {
    /// The UUIDs that stand in it.
    var identifiers: Set<String> {
        let bytes = Array(utf8)
        var found: Set<String> = []
        var start = 0
        for (index, byte) in bytes.enumerated() {
            let isPart =
                byte == 0x2D || (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
            if !isPart {
                start = index + 1
            } else if index - start + 1 == 36 {
                found.insert(String(decoding: bytes[start...index], as: UTF8.self))
            }
        }
        return found
    }
}
