// In step with everybody who writes. Notifications are hints that make the next search find its
// snapshot caught up already; what makes an answer right is the revision read with it.

package import Foundation
import Library
import Postgres
import Synchronization

extension SnapshotCache {
    /// Hears of others' changes until the task is cancelled.
    ///
    /// Whenever listening begins, at first or again, every session in memory is checked: what was
    /// announced meanwhile is lost.
    package func follow() async {
        await removeOrphans()
        let listener = Listener(
            pool.configuration,
            channels: [SessionRepository.channel, CredentialRepository.channel])
        for await event in listener.events() {
            switch event {
            case .listening, .overflowed:
                vouchers.forgetAll()
                await checkAll()
                isFollowing.store(true, ordering: .releasing)
            case .notification(let notification)
            where notification.channel == CredentialRepository.channel:
                vouchers.forgetAll()
            case .notification(let notification):
                if let (session, revision) = Self.parse(notification.payload) {
                    noticed(session, revision)
                }
            case .interrupted: isFollowing.store(false, ordering: .releasing)
            }
        }
        isFollowing.store(false, ordering: .releasing)
    }

    /// Removes the files of sessions that are gone: deleted while they were not in memory here.
    private func removeOrphans() async {
        guard let files else { return }
        let sessions = files.sessions()
        let versions = try? await pool.withConnection(as: .service) { db in
            try await SessionRepository.revision(ids: sessions, on: db)
        }
        guard let versions else { return }
        for session in sessions where versions[session] == nil { files.remove(session) }
    }

    /// A revision of a session was committed, somebody says: catches up, ahead of the next search.
    package func noticed(_ session: UUID, _ revision: Int64) {
        state.withLock { state in
            guard let entry = state.entries[session] else { return }
            if entry.snapshot == nil, entry.flight == nil { return }
            if let snapshot = entry.snapshot, snapshot.revision >= revision { return }
            // Not a floor: nobody vouches for the number, and it is only a hint to look again.
            if entry.flight != nil { state.entries[session]!.heard = revision }
            _ = flight(session, &state)
        }
    }

    /// This process has committed a change: catches up before it is acknowledged.
    ///
    /// When that fails the snapshot is dropped, so that no search of this process sees less than what
    /// was acknowledged.
    package func committed(_ session: UUID) async {
        let isHere = state.withLock { state in
            state.wrote()
            return state.entries[session] != nil
        }
        guard isHere else { return }
        do {
            let versions = try await pool.withConnection(as: .service) { db in
                try await SessionRepository.revision(ids: [session], on: db)
            }
            guard let revision = versions[session]?.revision else { return forget(session) }
            // A build that is under way must not be published without this change.
            state.withLock { state in
                guard let entry = state.entries[session] else { return }
                state.entries[session]!.floor = max(entry.floor, revision)
            }
            _ = try await current(session, atLeast: revision)
        } catch {
            forget(session)
        }
    }

    /// Compares every session in memory with the database.
    private func checkAll() async {
        while !Task.isCancelled {
            let held = state.withLock { state in
                state.entries.compactMapValues { $0.snapshot?.revision }
            }
            if held.isEmpty { return }
            do {
                let now = try await pool.withConnection(as: .service) { db in
                    try await SessionRepository.revision(ids: Array(held.keys), on: db)
                }
                for (session, revision) in held {
                    if let version = now[session], version.revision >= revision {
                        noticed(session, version.revision)
                    } else {
                        forget(session)
                    }
                }
                return
            } catch {
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    private static func parse(_ payload: String) -> (UUID, Int64)? {
        let parts = payload.split(separator: " ")
        guard parts.count == 2, let session = UUID(uuidString: String(parts[0])),
            let revision = Int64(parts[1])
        else { return nil }
        return (session, revision)
    }
}
