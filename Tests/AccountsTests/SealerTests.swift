// Sealing: no database, some files.

import Accounts
import Foundation
import TestSupport
import Testing

@Suite("Sealed values")
struct SealerTests {
    private let profile = UUID(uuidString: "00112233-4455-6677-8899-AABBCCDDEEFF")!
    private let row = UUID(uuidString: "0F0E0D0C-0B0A-0908-0706-050403020100")!
    private var place: SealedPlace { SealedPlace(.totpSecret, of: profile, row: row) }

    /// The bytes 0, 1, 2 … 31.
    private let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    private let other = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="

    private func sealer(_ text: String) throws -> Sealer { Sealer(try KeyRing(parsing: text)) }

    private func path() throws -> String {
        try TestDirectory.make("keys-\(UUID().uuidString)") + "/var/master.keys"
    }

    @Test("A value sealed by another implementation of the format opens, and hashes agree with it")
    func knownValues() throws {
        // Made with Python's cryptography 48 (HKDF, AESGCM) and hmac.
        let sealed = Data(
            base64Encoded: "AQAHAAECAwQFBgcICQoLSTrEjCt7FmyRG+FwhHHSJSfd2MRIkYk9+q2s9w==")!
        let sealer = try sealer("7:\(key)")
        #expect(try sealer.open(Array(sealed), at: place) == Array("twelve bytes".utf8))
        #expect(
            sealer.keyedHash("123456789", for: .socialSecurityNumber, of: profile)
                == "5d2bc78f85e669f1c0c69acb1b6481459e356828879c4dc4e4ea361f3ca36689")
    }

    @Test("What was sealed opens again, whatever its length, and never looks the same twice")
    func roundTrip() throws {
        let sealer = try sealer(key)
        for count in [0, 1, 15, 16, 17, 4096] {
            let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            let (first, second) = (
                try sealer.seal(plain, at: place), try sealer.seal(plain, at: place)
            )
            #expect(first != second)
            #expect(first.count == 3 + 12 + count + 16)
            #expect(try sealer.open(first, at: place) == plain)
        }
    }

    @Test("A sealed value opens in no other row, column or account")
    func places() throws {
        let sealer = try sealer(key)
        let sealed = try sealer.seal([1, 2, 3], at: place)
        for elsewhere in [
            SealedPlace(.totpSecret, of: profile, row: profile),
            SealedPlace(.totpSecret, of: profile, row: row, row),
            SealedPlace(.accountNumber, of: profile, row: row),
            SealedPlace(.totpSecret, of: row, row: row),
        ] {
            #expect(throws: SealingError.notOpened) { try sealer.open(sealed, at: elsewhere) }
        }
    }

    @Test("A sealed value with any byte changed, or cut anywhere, does not open")
    func tampering() throws {
        let sealer = try sealer(key)
        let sealed = try sealer.seal(Array("secret".utf8), at: place)
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(throws: SealingError.self) { try sealer.open(changed, at: place) }
            #expect(throws: SealingError.self) {
                try sealer.open(Array(sealed[..<index]), at: place)
            }
        }
    }

    @Test("The newest key seals, older ones open, and a value is sealed anew only when it must be")
    func rotation() throws {
        let (before, after) = (try sealer("1:\(key)"), try sealer("2:\(other),1:\(key)"))
        let old = try before.seal([7], at: place)
        #expect(try after.open(old, at: place) == [7])
        let new = try #require(try after.reseal(old, at: place))
        #expect(new.starts(with: after.newestHeader) && !old.starts(with: after.newestHeader))
        #expect(try after.open(new, at: place) == [7])
        #expect(try after.reseal(new, at: place) == nil)
        #expect(throws: SealingError.unknownKey(2)) { try before.open(new, at: place) }
    }

    @Test("A hash differs by account and key; after a rotation the old one is still looked for")
    func hashes() throws {
        let (before, after) = (try sealer("1:\(key)"), try sealer("1:\(key),2:\(other)"))
        func hash(_ sealer: Sealer, _ profile: UUID) -> String {
            sealer.keyedHash("123456789", for: .socialSecurityNumber, of: profile)
        }
        #expect(hash(before, profile) != hash(before, row))
        #expect(hash(before, profile) != hash(after, profile))
        #expect(
            after.keyedHashes("123456789", for: .socialSecurityNumber, of: profile)
                == [hash(before, profile), hash(after, profile)])
    }

    @Test("A key of another length, without a number among several, or twice is refused unquoted")
    func parsing() {
        for text in [
            "", "c2hvcnQ=", "\(key),\(other)", "1:\(key),1:\(other)", "0:\(key)", "x:\(key)",
            "70000:\(key)", "1:\(key)x",
        ] {
            #expect(throws: MasterKeyError.invalid(source: nil)) { try KeyRing(parsing: text) }
        }
        #expect(!"\(MasterKeyError.invalid(source: nil))".contains(key))
    }

    @Test("The first start makes the file for its owner alone; later ones read the same key")
    func file() throws {
        let path = try path()
        let sealed = try Sealer(try KeyRing(file: path)).seal([5], at: place)
        #expect(try Sealer(try KeyRing(file: path)).open(sealed, at: place) == [5])
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test("A file that others may read, or that holds something else, is refused")
    func fileRefused() throws {
        let path = try path()
        _ = try KeyRing(file: path)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(throws: MasterKeyError.exposed(path: path)) { try KeyRing(file: path) }
        for text in ["", "1", "1 short\n", "1 \(key)\n1 \(other)\n", "one \(key)\n"] {
            try Data(text.utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            #expect(throws: MasterKeyError.invalid(source: path)) { try KeyRing(file: path) }
        }
    }

    @Test("A server that is running opens what another sealed with a key added since")
    func addedKey() throws {
        let path = try path()
        let (running, ring) = (Sealer(try KeyRing(file: path)), try KeyRing(file: path))
        let old = try running.seal([1], at: place)
        #expect(try ring.addKey() == 2)
        let new = try Sealer(ring).seal([2], at: place)
        #expect(try running.open(new, at: place) == [2])
        #expect(try running.open(old, at: place) == [1])
        #expect(try running.seal([3], at: place).starts(with: Sealer(ring).newestHeader))
        #expect(throws: MasterKeyError.noFile) { try KeyRing(parsing: key).addKey() }
    }

    @Test("Processes that make the file, or add keys, at once lose none")
    func racing() async throws {
        let path = try path()
        let sealed = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let ring = try KeyRing(file: path)
                    _ = try ring.addKey()
                    return try Sealer(ring).seal([9], at: place)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let sealer = Sealer(try KeyRing(file: path))
        for value in sealed { #expect(try sealer.open(value, at: place) == [9]) }
        #expect(sealer.newestHeader == [1, 0, 9])
    }
}
