/// Byte strings numbered in the order in which they first came: a dictionary of terms.
///
/// Open addressing with linear probing, at most half full; all bytes in one array. The hash is
/// Swift's (SipHash, seeded by process), so no document can be written to make its words collide.
struct ByteStrings: Sendable {
    private var bytes: [UInt8] = []
    /// Where each string ends; it begins where the one before ends.
    private var ends: [UInt32] = []
    private var hashes: [UInt32] = []
    /// Number + 1 of a string, or 0.
    private var slots: [UInt32] = Array(repeating: 0, count: 1024)

    var count: Int { ends.count }

    /// Memory held, in bytes.
    var byteCount: Int {
        bytes.capacity + 4 * (ends.capacity + hashes.capacity + slots.capacity)
    }

    /// The number of a string that is there.
    func number(of string: Span<UInt8>) -> Int? {
        let slot = self.slot(of: string, hash: Self.hash(string))
        return slots[slot] == 0 ? nil : Int(slots[slot]) - 1
    }

    /// The number of a string, which is `count` as it was before when the string is new.
    mutating func insert(_ string: Span<UInt8>) -> Int {
        let hash = Self.hash(string)
        let slot = self.slot(of: string, hash: hash)
        if slots[slot] != 0 { return Int(slots[slot]) - 1 }
        for index in string.indices { bytes.append(string[index]) }
        ends.append(UInt32(bytes.count))
        hashes.append(hash)
        slots[slot] = UInt32(ends.count)
        if 2 * ends.count > slots.count { grow() }
        return ends.count - 1
    }

    /// Gives back what growing took in advance.
    mutating func compact() {
        bytes = Array(bytes)
        ends = Array(ends)
        hashes = Array(hashes)
    }

    /// Where the string is, or the empty slot where it would go.
    private func slot(of string: Span<UInt8>, hash: UInt32) -> Int {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if hashes[number] == hash, isEqual(number, string) { return slot }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private func isEqual(_ number: Int, _ string: Span<UInt8>) -> Bool {
        let start = number == 0 ? 0 : Int(ends[number - 1])
        guard Int(ends[number]) - start == string.count else { return false }
        for index in string.indices where bytes[start + index] != string[index] { return false }
        return true
    }

    private mutating func grow() {
        let mask = slots.count * 2 - 1
        slots = Array(repeating: 0, count: mask + 1)
        for number in hashes.indices {
            var slot = Int(hashes[number]) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(number + 1)
        }
    }

    private static func hash(_ string: Span<UInt8>) -> UInt32 {
        var hasher = Hasher()
        unsafe string.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }
}
