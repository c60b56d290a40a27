// Argon2id at a price that tests can pay, and once at the real one.

import Accounts
import Testing

@Suite("Passwords")
struct PasswordLaneTests {
    private let cheap = Argon2.Cost(kibibytes: 64, passes: 1)

    @Test(
        "A hash says how it was made, differs each time, and only its password matches, all of it")
    func roundTrip() async throws {
        let lane = PasswordLane(cheap)
        let long = String(repeating: "x", count: 1023)
        let hash = try await lane.hash(Password(new: long + "a"))
        #expect(hash.hasPrefix("$argon2id$v=19$m=64,t=1,p=1$"))
        #expect(try await lane.hash(Password(new: long + "a")) != hash)
        #expect(try await lane.verify(Password(long + "a"), against: hash).isRight)
        #expect(try await !lane.verify(Password(long + "b"), against: hash).isRight)
        #expect(try await !lane.verify(Password(long), against: hash).isRight)
    }

    @Test("The standard price is that of RFC 9106's second choice")
    func standard() async throws {
        let lane = PasswordLane()
        let hash = try await lane.hash(Password(new: "correct horse"))
        #expect(hash.hasPrefix("$argon2id$v=19$m=65536,t=3,p=1$"))
        #expect(
            try await lane.verify(Password("correct horse"), against: hash)
                == .init(isRight: true, newHash: nil))
    }

    @Test("A test vector of the reference implementation matches")
    func reference() async throws {
        // phc-winner-argon2, src/test.c: version 0x13, argon2id, t = 2, m = 2^8 KiB, p = 1.
        let hash =
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
        #expect(try await PasswordLane(cheap).verify(Password("password"), against: hash).isRight)
    }

    @Test("A password typed in another composition of the same letters is the same")
    func normalization() async throws {
        let lane = PasswordLane(cheap)
        let hash = try await lane.hash(Password(new: "Zu\u{308}rich ﬁne"))
        #expect(try await lane.verify(Password("Z\u{FC}rich fine"), against: hash).isRight)
    }

    @Test("A hash made at another price is replaced, when its password is right and only then")
    func rehash() async throws {
        let (lane, dearer) = (
            PasswordLane(cheap), PasswordLane(Argon2.Cost(kibibytes: 128, passes: 2))
        )
        let old = try await lane.hash(Password(new: "old password"))
        let verdict = try await dearer.verify(Password("old password"), against: old)
        let new = try #require(verdict.newHash)
        #expect(new.hasPrefix("$argon2id$v=19$m=128,t=2,p=1$"))
        #expect(
            try await dearer.verify(Password("old password"), against: new)
                == .init(isRight: true, newHash: nil))
        #expect(
            try await dearer.verify(Password("another one"), against: old)
                == .init(isRight: false, newHash: nil))
    }

    @Test("Where there is no hash, or none that can be read, the same work is done for nothing")
    func nobody() async throws {
        let lane = PasswordLane(cheap)
        #expect(try await !lane.verify(Password("any"), against: nil).isRight)
        #expect(try await !lane.verify(Password("any"), against: "!").isRight)
        #expect(lane.statistics.done == 2 && lane.statistics.waiting == 0)
    }

    @Test("A line that is full turns the next away at once, and works on")
    func full() async throws {
        let lane = PasswordLane(Argon2.Cost(kibibytes: 8 << 10, passes: 8), longest: 2)
        let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    do {
                        _ = try await lane.verify(Password("x"), against: nil)
                        return true
                    } catch AccountError.crowded {
                        return false
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.contains(true) && outcomes.contains(false))
        #expect(lane.statistics.done == outcomes.count(where: \.self))
        #expect(lane.statistics.waiting == 0)
    }
}
