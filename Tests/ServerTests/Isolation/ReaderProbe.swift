// Everything that a recipient can try on a session of which some documents are shared to her.

import Foundation
import Postgres
import Server
import Wire

/// Carol reads Vera's first session: two documents are shared to her, one by herself and one through a
/// group. The others were shared and are no more (expired, revoked, through a group that she left), are
/// shared to somebody else, or never were.
struct ReaderProbe {
    private let household: Household
    private let voice: Conversation
    private let handle: String
    /// What she may see: rows of the shared documents.
    private let visible: Belongings
    private let hidden: Set<String>
    /// All documents and chunks, and of everything else the first and the last.
    private let values: [String]
    private let markers: [String]
    private(set) var cases = 0
    private(set) var violations: [String] = []
    private(set) var faulty: Set<String> = []

    /// What a recipient may ask (docs/protocol.md); everything else on a session is forbidden.
    private static let readings: Set = [
        "search", "search.batch", "search.explain", "document.get", "document.list",
        "document.text", "page.list", "section.list", "chunk.get", "chunk.list", "chunk.neighbors",
    ]

    // MARK: What is shared

    /// Shares, lets Carol read, and takes some of it back.
    init(_ household: Household) async throws {
        let (vera, first) = (household.vera.voice, household.vera.first)
        func ask(_ method: String, _ params: String) async throws -> JSONValue {
            try await vera.result(method, "{\"session\":\"\(first.handle)\",\(params)}")
        }
        func imported(_ name: String) async throws -> String {
            try await ask(
                "chunk.import",
                "\"document\":\"\(name) file\",\"chunks\":[{\"text\":\"\(name) on iteration\"}]"
            ).id("document", "id")
        }
        func share(_ document: String, _ to: String) async throws -> String {
            try await ask("share.create", "\"document\":\"\(document)\",\(to)").id("share", "id")
        }
        let (toCarol, group) = ("\"account\":\"carol\"", first.own["group"] ?? "")
        let left = try await vera.result("group.create", "{\"name\":\"who has left\"}")
            .id("group", "id")
        for group in [group, left] {
            _ = try await vera.result(
                "group.addMember", "{\"group\":\"\(group)\",\(toCarol)}")
        }
        _ = try await vera.result("group.addMember", "{\"group\":\"\(left)\",\"account\":\"bob\"}")
        let names = ["expiredtext", "revokedtext", "lefttext", "otherstext", "kepttext"]
        var documents: [String] = []
        for name in names { documents.append(try await imported(name)) }
        let expired = try await share(documents[0], toCarol)
        let revoked = try await share(documents[1], toCarol)
        _ = try await share(documents[2], "\"group\":\"\(left)\"")
        _ = try await share(documents[3], "\"account\":\"bob\"")

        voice = household.carol
        handle = try await voice.result("session.open", "{\"session\":\"\(first.id)\"}")
            .id("handle")
        let before = try await voice.result("document.list", "{\"session\":\"\(handle)\"}")
        guard before.at("documents")?.array?.count == 5 else {
            throw LineClient.Failure.noAnswer("Carol does not see five: \(before.text)")
        }
        _ = try await voice.result(
            "search",
            "{\"session\":\"\(handle)\",\"text\":\"iteration\",\"mode\":\"hybrid\"}")

        try await household.test.sql(
            "UPDATE carrel.shares SET expires_at = now() WHERE id = '\(expired)'")
        _ = try await ask("share.revoke", "\"share\":\"\(revoked)\"")
        _ = try await vera.result(
            "group.removeMember", "{\"group\":\"\(left)\",\(toCarol)}")

        let shared = [first.own["document"] ?? "", first.own["uploaded"] ?? ""]
        let list = shared.map { "'\($0)'" }.joined(separator: ",")
        visible = try await Belongings.read(
            .session(first.id), on: household.test.pool
        ) { table in
            switch table.name {
            case "documents": "t.id IN (\(list))"
            case "pages", "document_chunks": "t.document_id IN (\(list))"
            case "sections":
                "t.page_id IN (SELECT p.id FROM carrel.pages AS p WHERE p.document_id IN (\(list)))"
            case "study_sessions": "true"
            default: nil
            }
        }
        let everything = try await Belongings.read(
            .account(household.vera.profile), on: household.test.pool)
        hidden = everything.all.subtracting(visible.all)
        values =
            Set(
                everything.some + visible.some + (everything.ids["documents"] ?? [])
                    + (everything.ids["document_chunks"] ?? [])
            ).sorted()
        markers = names
        self.household = household
    }

    // MARK: Trying

    /// Everything, or only what a recipient may ask.
    mutating func run(onlyReadings: Bool = false) async throws {
        for method in ProtocolDescription.methods where method.needs == "session" {
            let isReading = Self.readings.contains(method.name)
            if onlyReadings, !isReading { continue }
            let answer = try await voice.ask(method.name, Place.sample(of: method, own))
            cases += 1
            checkLeak(answer, method)
            if answer.outcome != (isReading ? "result" : "forbidden") {
                note(method, "asked for what is shared: \(answer.text)")
            }
            for place in Place.all(of: method) where place.kind != .handle {
                try await check(place, isReading)
            }
        }
        try await checkLists()
        try await checkSearches()
        if !onlyReadings { try await checkElsewhere() }
    }

    /// What is no method on a session knows of the session that it can be opened, and nothing else.
    private mutating func checkElsewhere() async throws {
        for method in ProtocolDescription.methods
        where method.needs == "account" && method.scope != "admin" {
            // Groups she belongs to she may see: ShareTests.
            for place in Place.all(of: method)
            where place.kind != .row(of: "groups") && !place.kind.isForAnybody {
                try await check(place, method.name == "session.open")
            }
        }
    }

    private func own(_ parameter: String) -> String {
        switch parameter {
        case "handle": handle
        case "document", "documents": visible.ids["documents"]?.first ?? ""
        case "chunk": visible.ids["document_chunks"]?.first ?? ""
        default: household.vera.first.own[parameter] ?? "none"
        }
    }

    /// Every id of everything that is Vera's: what is shared is found, and the rest is nowhere.
    private mutating func check(_ place: Place, _ isReading: Bool) async throws {
        let random = UUID().uuidString.lowercased()
        let control = try await voice.ask(place.method.name, place.request(random, own))
        let answers = try await voice.ask(
            place.method.name, each: values.map { place.request($0, own) })
        cases += values.count
        if !isReading, place.method.needs == "session", control.outcome != "forbidden" {
            note(place.method, control.text)
        }
        for (value, answer) in zip(values, answers) {
            checkLeak(answer, place.method, telling: [value])
            if isReading, case .row(let table) = place.kind,
                visible.ids[table]?.contains(value) == true
            {
                if answer.outcome != "result" {
                    note(place.method, "\(place), of \(value), which is shared: \(answer.text)")
                }
            } else if answer.normal(value) != control.normal(random) {
                note(
                    place.method,
                    "\(place), of \(value): \(answer.text), where nothing gets \(control.text)")
            }
        }
    }

    /// Lists hold what is shared and nothing else.
    private mutating func checkLists() async throws {
        for (method, member, table) in [
            ("document.list", "documents", "documents"),
            ("chunk.list", "chunks", "document_chunks"),
        ] {
            let answer = try await voice.ask(method, "{\"session\":\"\(handle)\",\"limit\":500}")
            let found = answer.at("result", member)?.array?.compactMap { $0.at("id")?.string } ?? []
            compare(Set(found), Set(visible.ids[table] ?? []), method, answer)
        }
        for document in visible.ids["documents"] ?? [] {
            for method in ["document.get", "document.text", "page.list", "section.list"] {
                let answer = try await voice.ask(
                    method, "{\"session\":\"\(handle)\",\"document\":\"\(document)\"}")
                cases += 1
                if answer.outcome != "result" { note(method, answer.text) }
            }
        }
    }

    /// Searches that everything matches, in every mode and with everything around a hit.
    private mutating func checkSearches() async throws {
        let children = try await household.test.children(visible.ids["documents"] ?? [])
        let vector = Vector.encode([1] + Array(repeating: 0, count: 767))
        for mode in ["dense", "lexical", "hybrid"] {
            for expand in ["none", "siblings", "section", "page"] {
                for query in ["\"text\":\"iteration\"", "\"vectorB64\":\"\(vector)\""]
                where mode == "dense" || query.contains("text") {
                    let options = "\"k\":100,\"mode\":\"\(mode)\",\"expand\":\"\(expand)\""
                    let answer = try await voice.ask(
                        "search", "{\"session\":\"\(handle)\",\(query),\(options)}")
                    cases += 1
                    compare(answer.chunks, children, "search", answer)
                    let batch = try await voice.ask(
                        "search.batch",
                        "{\"session\":\"\(handle)\",\"queries\":[{\(query)}],\(options)}")
                    cases += 1
                    compare(
                        batch.at("result", "results", "0")?.chunks ?? [], children, "search.batch",
                        batch)
                }
            }
        }
    }

    private mutating func compare(
        _ found: Set<String>, _ expected: Set<String>, _ method: String, _ answer: JSONValue
    ) {
        if found != expected {
            note(
                method,
                "found \(found.sorted()), shared are \(expected.sorted()): \(answer.text)")
        }
        checkLeak(answer, method)
    }

    // MARK: Findings

    private mutating func checkLeak(
        _ answer: JSONValue, _ method: ProtocolDescription.Entry, telling given: Set<String> = []
    ) {
        checkLeak(answer, method.name, telling: given)
    }

    private mutating func checkLeak(
        _ answer: JSONValue, _ method: String, telling given: Set<String> = []
    ) {
        let text = answer.text
        let leaked =
            text.identifiers.intersection(hidden).subtracting(given).first
            ?? markers.first(where: text.contains)
        if let leaked { note(method, "tells of \(leaked): \(text.prefix(400))") }
    }

    private mutating func note(_ method: ProtocolDescription.Entry, _ violation: String) {
        note(method.name, violation)
    }

    private mutating func note(_ method: String, _ violation: String) {
        faulty.insert(method)
        violations.append("\(method): Carol \(violation)")
    }
}

extension JSONValue {
    /// The chunks of an answer's hits, all children of a passage among them.
    fileprivate var chunks: Set<String> {
        let hits = (at("result", "hits") ?? at("hits"))?.array.map(Array.init) ?? []
        return Set(
            hits.flatMap { hit in
                [hit.at("chunk")?.string].compactMap(\.self)
                    + (hit.at("passage", "children")?.array?.compactMap { $0.at("chunk")?.string }
                        ?? [])
            })
    }
}

extension TestServer {
    /// The child chunks of documents.
    fileprivate func children(_ documents: [String]) async throws -> Set<String> {
        try await pool.withConnection(as: .service) { db in
            let rows = try await db.query(
                Statement(
                    "isolation.children",
                    """
                    SELECT id::text FROM carrel.document_chunks
                    WHERE type = 'CHILD' AND document_id = ANY($1::text[]::uuid[])
                    """), documents)
            return try Set(rows.map { row throws(PostgresError) in try row.get(0) as String })
        }
    }
}
