// Idempotency keys: a retry after a lost answer gives the first result again.

import Accounts
import Crypto
import Library
import NIOCore
import Postgres
import Synchronization
import Wire

/// Runs work that fits one transaction; with a key, at most once per account in 24 hours.
///
/// The answer is remembered in the transaction that does the work: either both are there or
/// neither. `work` writes the members of the result, asking on the account's behalf unless `asker` is given.
func onceInTransaction(
    _ key: String?, _ call: Call, _ principal: Principal, as asker: Asker? = nil,
    _ result: inout JSONWriter,
    _ work: @Sendable (Transaction, inout JSONWriter) async throws -> Void
) async throws {
    let (profile, method) = (principal.profileID, call.method)
    let key = key.map(principal.ownKey)
    let answer = try await call.services.pool.withTransaction(
        as: asker ?? principal.asker
    ) { db -> String in
        if let key {
            let first = try await IdempotencyRepository.recall(
                profileID: profile, key: key, method: method, on: db)
            if let first { return first }
        }
        var writer = JSONWriter.object()
        try await work(db, &writer)
        let text = writer.endObject()
        if let key {
            try await IdempotencyRepository.remember(
                profileID: profile, key: key, method: method, response: text, on: db)
        }
        return text
    }
    try result.members(ofObject: answer)
}

/// The same for work that has transactions of its own (files, imports).
///
/// The answer is remembered after the work. A process that dies between the two forgets the key:
/// a repeated file then is a `conflict` naming the document, a repeated import adds its chunks
/// again unless they carry ids. Two requests with one key at once: the second is told `busy`.
func once(
    _ key: String?, _ call: Call, _ principal: Principal, _ result: inout JSONWriter,
    _ work: @Sendable (inout JSONWriter) async throws -> Void
) async throws {
    guard let key = key.map(principal.ownKey) else { return try await work(&result) }
    let (profile, method, pool) = (principal.profileID, call.method, call.services.pool)
    let claim = "\(profile) \(key)"
    guard underWay.withLock({ $0.insert(claim).inserted }) else {
        throw WireError(
            .busy, "A request with this idempotency key is under way.", field: "idempotencyKey",
            retryAfterMilliseconds: 200)
    }
    defer { underWay.withLock { claims in _ = claims.remove(claim) } }
    let first = try await pool.withTransaction(as: principal.asker) { db in
        try await IdempotencyRepository.recall(
            profileID: profile, key: key, method: method, on: db)
    }
    if let first { return try result.members(ofObject: first) }
    var writer = JSONWriter.object()
    try await work(&writer)
    let text = writer.endObject()
    try await pool.withTransaction(as: principal.asker) { db in
        try await IdempotencyRepository.remember(
            profileID: profile, key: key, method: method, response: text, on: db)
    }
    try result.members(ofObject: text)
}

extension Principal {
    /// The name under which an answer is remembered. A key of one session has names of its own: what the
    /// account was answered elsewhere is not its to hear.
    fileprivate func ownKey(_ key: String) -> String {
        guard let boundSession, (1...64).contains(key.utf8.count) else { return key }
        let digest = SHA256.hash(data: Array("\(boundSession.wireText) \(key)".utf8))
        return digest.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }
}

private let underWay = Mutex<Set<String>>([])

extension JSONWriter {
    /// A writer inside an object of its own.
    fileprivate static func object() -> JSONWriter {
        var writer = JSONWriter()
        writer.begin()
        return writer
    }

    fileprivate consuming func endObject() -> String {
        end()
        return text
    }

    /// The members of an object that is JSON text already.
    fileprivate mutating func members(ofObject text: String) throws {
        guard let object = try JSONParser().parse(ByteBuffer(string: text)).root.object else {
            throw WireError(.internal, "The remembered answer cannot be read.")
        }
        for (name, value) in object {
            key(name)
            self.value(value)
        }
    }
}
