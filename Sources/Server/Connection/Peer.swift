// What a connection knows about its client, shared by the requests of that connection. Handles,
// uploads and subscriptions live here, so they are bound to connection and account by where they
// are, and go when the connection goes.

import Accounts
import NIOCore
import Postgres
import Synchronization
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

final class Peer: Sendable {
    private struct State {
        var principal: Principal?
        var isStrict = false
        var client: String?
        var sessions: [String: OpenSession] = [:]
        var uploads: [String: Upload] = [:]
        var subscriptions: [UUID: Task<Void, Never>] = [:]
        var isClosed = false

        /// Forgets what was opened; what must be stopped is returned.
        mutating func empty() -> (subscriptions: [Task<Void, Never>], uploads: [Upload]) {
            defer { (sessions, uploads, subscriptions) = ([:], [:], [:]) }
            return (Array(subscriptions.values), Array(uploads.values))
        }
    }

    private let state = Mutex(State())
    private let channel: any Channel

    /// Names the connection in the log and in the request ids of refusals.
    let name: String

    /// Where the client is; nil when that is no IP address.
    let address: INET?

    init(name: String, channel: any Channel) {
        self.name = name
        self.channel = channel
        address = channel.remoteAddress?.ipAddress.flatMap { INET($0) }
    }

    // MARK: Who

    var principal: Principal? { state.withLock { $0.principal } }
    var isStrict: Bool { state.withLock { $0.isStrict } }

    /// What the client says it is.
    var client: String? { state.withLock { $0.client } }

    func introduce(_ principal: Principal?, isStrict: Bool, client: String? = nil) {
        state.withLock {
            $0.principal = principal
            $0.isStrict = isStrict
            $0.client = client
        }
    }

    /// Somebody logged in on this connection. False when somebody is in already.
    func enter(_ principal: Principal) -> Bool {
        state.withLock { state in
            guard state.principal == nil else { return false }
            state.principal = principal
            return true
        }
    }

    /// Who was in is out, and nothing they opened stays.
    func leave() {
        let (subscriptions, uploads) = state.withLock { state in
            state.principal = nil
            return state.empty()
        }
        for subscription in subscriptions { subscription.cancel() }
        for upload in uploads { upload.discard() }
    }

    // MARK: Sessions

    /// The handle of a session; the one it has already when it was opened so before.
    func open(
        _ session: UUID, model: UUID, reach: Reach = .whole, for principal: Principal
    ) -> String {
        state.withLock { state in
            let known = state.sessions.values.first {
                $0.id == session && $0.model == model && $0.reach == reach
            }
            if let known { return known.handle }
            let handle = "h_" + Peer.token()
            state.sessions[handle] = OpenSession(
                handle: handle, id: session, model: model, reach: reach, principal: principal)
            return handle
        }
    }

    func session(_ handle: String) -> OpenSession? { state.withLock { $0.sessions[handle] } }

    /// Forgets a session that was deleted.
    func close(_ session: UUID) {
        state.withLock { state in state.sessions = state.sessions.filter { $0.value.id != session }
        }
    }

    // MARK: Uploads

    /// Keeps an upload under a new name; nil when too many are open.
    func add(_ upload: Upload, limit: Int) -> String? {
        state.withLock { state in
            guard !state.isClosed, state.uploads.count < limit else { return nil }
            let name = "u_" + Peer.token()
            state.uploads[name] = upload
            return name
        }
    }

    func upload(_ name: String) -> Upload? { state.withLock { $0.uploads[name] } }

    func remove(upload name: String) -> Upload? {
        state.withLock { $0.uploads.removeValue(forKey: name) }
    }

    // MARK: Notifications

    /// Sends a line unless the client is behind with reading. Returns whether it was sent.
    func notify(_ line: ByteBuffer) -> Bool {
        guard channel.isWritable else { return false }
        channel.writeAndFlush(line, promise: nil)
        return true
    }

    /// Follows a job until it ends. False when too many are followed; true when this one is.
    func subscribe(
        to job: UUID, limit: Int, _ follow: @escaping @Sendable () async -> Void
    ) -> Bool {
        state.withLock { state in
            guard state.subscriptions[job] == nil else { return true }
            guard !state.isClosed, state.subscriptions.count < limit else { return false }
            state.subscriptions[job] = Task { [weak self] in
                await follow()
                self?.unsubscribe(job)
            }
            return true
        }
    }

    private func unsubscribe(_ job: UUID) {
        state.withLock { state in _ = state.subscriptions.removeValue(forKey: job) }
    }

    /// The connection is gone: nothing of it stays.
    func close() {
        let (subscriptions, uploads) = state.withLock { state in
            state.isClosed = true
            return state.empty()
        }
        for subscription in subscriptions { subscription.cancel() }
        for upload in uploads { upload.discard() }
    }

    /// 128 random bits in hexadecimal.
    private static func token() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

/// A session opened on this connection: the only way a method can come by a session.
struct OpenSession: Sendable {
    let handle: String
    let id: UUID
    /// The model it was opened with.
    let model: UUID
    let reach: Reach
    let principal: Principal

    /// On whose behalf the database is asked.
    var asker: Asker { principal.asker }
}
