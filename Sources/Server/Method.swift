// The table of methods. One entry says who may call it, what it takes and what it runs; nothing else
// decides.

import Accounts
import Retrieval
import Wire

/// A method of the protocol.
struct Method: Sendable {
    typealias Prompt = @Sendable (inout Call, inout JSONWriter) throws -> Void
    typealias Open = @Sendable (inout Call, inout JSONWriter) async throws -> Void
    typealias ForAccount = @Sendable (inout Call, Principal, inout JSONWriter) async throws -> Void
    typealias Search = @Sendable (inout Call, OpenSession) throws -> SearchRequest
    typealias ForSession =
        @Sendable (inout Call, OpenSession, inout JSONWriter) async throws ->
        Void

    /// What must be so before a method runs.
    enum Needs: Equatable {
        /// That nobody is introduced yet.
        case greeting
        /// That the connection is initialized, whoever is there.
        case initialized
        case nothing
        case account(Scope)
        case session(Scope)
    }

    /// What runs. A method on a session is handed the session its handle stands for: it cannot
    /// be written without one, nor name another.
    ///
    /// A prompt one runs on the event loop before the next line is looked at, so it takes
    /// microseconds and waits for nothing: a task would cost it three times the work.
    enum Body: Sendable {
        case prompt(Prompt)
        case open(Open)
        case account(ForAccount)
        case session(ForSession)
        /// Reads a search; how it is answered is for the connection to say (`SearchDesk`).
        case search(Search)
    }

    let name: String
    let needs: Needs
    /// What it does, in a sentence.
    let summary: String
    /// What it takes, the session's handle first where it needs one. The body reads exactly these;
    /// a test holds it to that.
    let params: [Parameter]
    /// The same, and what all methods take.
    let declared: [Parameter]
    let body: Body

    private init(
        _ name: String, _ needs: Needs, _ summary: String, _ params: [Parameter], _ body: Body
    ) {
        self.name = name
        self.needs = needs
        self.summary = summary
        self.body = body
        if case .session = needs {
            self.params = [.handle("session")] + params
        } else {
            self.params = params
        }
        declared = self.params + Parameter.common
    }

    /// Reads the parameters, does the work, writes the members of the result.
    func run(_ call: inout Call, _ result: inout JSONWriter) async throws {
        switch body {
        case .prompt(let body): try body(&call, &result)
        case .open(let body): try await body(&call, &result)
        case .account(let body):
            let principal = try await stillAuthorized(call)
            try await body(&call, principal, &result)
        case .session(let body):
            _ = try await stillAuthorized(call)
            let session = try session(of: &call)
            try await body(&call, session, &result)
        case .search(let read):
            let session = try session(of: &call)
            let request = try read(&call, session)
            try await answer(call, &result) { try await Method.limited(request, session, call) }
        }
    }

    /// Answers a search in a task. Whose account is gone is told so, rather than that the session is.
    func answer(
        _ call: Call, _ result: inout JSONWriter, _ request: () async throws -> SearchRequest
    ) async throws {
        do {
            try await result.search(try await request(), call)
        } catch {
            if WireError(translating: error).kind == .sessionClosed {
                _ = try await stillAuthorized(call)
            }
            throw error
        }
    }

    /// Who asks, looked up again: a key revoked, a login ended or an account deactivated a moment ago, by
    /// any server, is refused now. (A search reads the same with its session's revision.)
    private func stillAuthorized(_ call: Call) async throws -> Principal {
        guard let known = call.peer.principal else { return try authorized(call) }
        let principal = try await call.services.gatekeeper.recheck(known)
        try require(principal)
        return principal
    }

    /// The session whose handle is given.
    func session(of call: inout Call) throws -> OpenSession {
        _ = try authorized(call)
        let handle = try call.params.string("session", maximumBytes: 64)
        guard let session = call.peer.session(handle) else {
            throw WireError(
                .sessionClosed, "This handle is not open here; open the session again.",
                field: "session")
        }
        guard session.reach == .whole || Method.forRecipients.contains(name) else {
            throw WireError(
                .forbidden, "What is shared of this session may be read and searched only.",
                field: "session")
        }
        return session
    }

    private func authorized(_ call: Call) throws -> Principal {
        guard let principal = call.peer.principal else {
            throw WireError(.unauthenticated, "This needs an API key or a login.")
        }
        try require(principal)
        return principal
    }

    private func require(_ principal: Principal) throws {
        switch needs {
        case .account(let scope), .session(let scope): try principal.require(scope)
        case .greeting, .initialized, .nothing: break
        }
    }
}

extension Method {
    private static let families = [
        connection, sessions, documents, uploads, parts, searches, imports, plans, topics, chats,
        jobs, operators, audits, folders, quotas, groups, shares,
        authentication, secondFactors, keys, accounts, clouds, borrowers, citations, reembeddings,
        reembeddingTexts,
    ]

    /// Every method, as the families list them.
    static let listed = Array(families.joined())

    /// Every method, by name.
    static let all = Dictionary(uniqueKeysWithValues: listed.map { ($0.name, $0) })

    static func prompt(
        _ name: String, _ summary: String, _ params: [Parameter] = [],
        _ body: @escaping Prompt
    ) -> Method {
        Method(name, .nothing, summary, params, .prompt(body))
    }

    static func open(
        _ name: String, needs: Needs = .nothing, _ summary: String,
        _ params: [Parameter] = [], _ body: @escaping Open
    ) -> Method {
        Method(name, needs, summary, params, .open(body))
    }

    static func account(
        _ name: String, _ scope: Scope, _ summary: String, _ params: [Parameter] = [],
        _ body: @escaping ForAccount
    ) -> Method {
        Method(name, .account(scope), summary, params, .account(body))
    }

    static func session(
        _ name: String, _ scope: Scope, _ summary: String, _ params: [Parameter] = [],
        _ body: @escaping ForSession
    ) -> Method {
        Method(name, .session(scope), summary, params, .session(body))
    }

    static func search(
        _ name: String, _ scope: Scope, _ summary: String, _ params: [Parameter] = [],
        _ body: @escaping Search
    ) -> Method {
        Method(name, .session(scope), summary, params, .search(body))
    }
}

extension [Parameter] {
    /// What a list takes (`ListPage`), after what it lists of.
    static func paged(_ own: [Parameter] = []) -> [Parameter] {
        let limit = Parameter.optionalInteger("limit", in: 1...Limits.standard.pageEntries)
        return own + [limit, .optionalString("cursor")]
    }

    /// What a creating method takes (`once`), so that it can be sent again after a lost answer.
    static func repeatable(_ own: [Parameter]) -> [Parameter] {
        own + [.optionalString("idempotencyKey", maximumBytes: 64)]
    }
}
