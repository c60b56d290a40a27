// Which keys and logins were checked in full, and what the session's row said then. While it says the
// same, that row alone vouches for them (`study_sessions.authority`), and a search that spares the row
// too is at least not one of a key that was revoked.

package import Foundation
package import Library
import Synchronization

/// What checks have said, until something is taken back.
package final class Vouchers: Sendable {
    private struct Pair: Hashable {
        let credential: UUID
        let session: UUID
    }

    private struct Word {
        let authority: Int64
        let until: ContinuousClock.Instant?
    }

    private struct State {
        var words: [Pair: Word] = [:]
        var generation = 0
    }

    private static let most = 10_000

    private let state = Mutex(State())

    /// To be asked for before the check begins, and given to `vouch`.
    package var generation: Int { state.withLock { $0.generation } }

    /// A check that began at `generation` found a credential good for a session. Ignored if anything was
    /// taken back since: the check may have been earlier.
    package func vouch(for credential: UUID?, _ checked: CheckedSession, since generation: Int) {
        guard let credential, checked.isCredentialValid else { return }
        let until = checked.secondsLeft.map { ContinuousClock.now.advanced(by: .seconds($0)) }
        let pair = Pair(credential: credential, session: checked.session.version.id)
        state.withLock { state in
            guard state.generation == generation else { return }
            if state.words.count >= Self.most { state.words = [:] }
            state.words[pair] = Word(authority: checked.session.authority, until: until)
        }
    }

    /// Whether a credential is known to be good for a session whose row says this `authority`, or, for who
    /// does not look at the row, said it when it was checked. Nobody's search needs no voucher.
    package func holds(
        for credential: UUID?, in session: UUID, at authority: Int64? = nil
    ) -> Bool {
        guard let credential else { return true }
        let pair = Pair(credential: credential, session: session)
        guard let word = state.withLock({ $0.words[pair] }) else { return false }
        return (authority ?? word.authority) == word.authority
            && word.until.map { ContinuousClock.now < $0 } ?? true
    }

    /// Something was taken back, or may have been: said by a notification
    /// (`CredentialRepository.channel`), or by this server, which did it.
    package func forgetAll() {
        state.withLock { state in
            state.generation += 1
            state.words = [:]
        }
    }
}
