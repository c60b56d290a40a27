// Where passwords are hashed: on a thread of their own that gives way to all others, one at a time.
//
// A hash keeps a core busy for a tenth of a second and walks through 64 MiB, three times. On an event
// loop or the cooperative pool it would stand before searches of a tenth of a millisecond. Several at once
// would take the memory's bandwidth, which searches need; so one thread, and a short line before it.

internal import Dispatch
internal import Foundation
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// One thread and a line of bounded length.
package final class PasswordLane: Sendable {
    package struct Statistics: Sendable, Equatable {
        /// Passwords hashed or compared, each at the whole price.
        package var done = 0
        package var waiting = 0
    }

    /// Whether a password was right, and what to store in place of the hash if it was.
    package struct Verdict: Sendable, Equatable {
        package let isRight: Bool
        package let newHash: String?

        package init(isRight: Bool, newHash: String?) {
            self.isRight = isRight
            self.newHash = newHash
        }
    }

    /// What the thread holds on to; the lane can go, and stops it when it does.
    private final class Line: Sendable {
        let state = Mutex<(jobs: [@Sendable () -> Void], statistics: Statistics)>(([], .init()))
        let arrivals = DispatchSemaphore(value: 0)

        /// Waits for the next job; nil when the lane is gone.
        func next() -> (@Sendable () -> Void)? {
            arrivals.wait()
            return state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
        }
    }

    private let line = Line()
    private let cost: Argon2.Cost
    private let longest: Int
    private let decoy: String

    /// - Parameters:
    ///   - cost: of new hashes; others are replaced when their password is next seen.
    ///   - longest: how many may wait or be worked at.
    package init(_ cost: Argon2.Cost = .standard, longest: Int = 16) {
        self.cost = cost
        self.longest = longest
        decoy = Argon2.decoy(cost)
        let thread = Thread { [line] in
            // Linux keeps a priority per thread under the thread's own id, which 0 means here.
            #if canImport(Glibc)
                _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
            #else
                _ = setpriority(PRIO_PROCESS, 0, 19)
            #endif
            while let job = line.next() { job() }
        }
        thread.name = "passwords"
        thread.start()
    }

    deinit { line.arrivals.signal() }

    package var statistics: Statistics { line.state.withLock { $0.statistics } }

    /// The hash to store.
    ///
    /// - Throws: `AccountError.crowded`.
    package func hash(_ password: Password) async throws(AccountError) -> String {
        let cost = cost
        guard let hash = try await run({ Argon2.hash(password.bytes, cost) }) else {
            throw .crowded(retryAfterMilliseconds: 1000)
        }
        return hash
    }

    /// Compares a password with a stored hash; with a decoy where there is none, which takes as long.
    ///
    /// - Throws: `AccountError.crowded`.
    package func verify(
        _ password: Password, against stored: String?
    ) async throws(AccountError) -> Verdict {
        let (cost, decoy) = (cost, decoy)
        return try await run {
            guard let stored, let isRight = Argon2.verify(password.bytes, against: stored) else {
                _ = Argon2.verify(password.bytes, against: decoy)
                return Verdict(isRight: false, newHash: nil)
            }
            let isOld = isRight && !Argon2.isCurrent(stored, cost)
            return Verdict(
                isRight: isRight, newHash: isOld ? Argon2.hash(password.bytes, cost) : nil)
        }
    }

    private func run<R: Sendable>(
        _ body: @escaping @Sendable () -> R
    ) async throws(AccountError) -> R {
        let line = line
        let longest = longest
        let result: R? = await withCheckedContinuation { continuation in
            let isTaken = line.state.withLock { state in
                guard state.statistics.waiting < longest else { return false }
                state.statistics.waiting += 1
                state.jobs.append {
                    let result = body()
                    line.state.withLock { state in
                        state.statistics.waiting -= 1
                        state.statistics.done += 1
                    }
                    continuation.resume(returning: result)
                }
                return true
            }
            if isTaken { line.arrivals.signal() } else { continuation.resume(returning: nil) }
        }
        // A tenth of a second for each in the line, and some.
        guard let result else { throw .crowded(retryAfterMilliseconds: longest * 100) }
        return result
    }
}
