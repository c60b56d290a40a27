#if canImport(Glibc)
    internal import Glibc
#endif

/// Descriptors to wait for, as `pselect` takes them: it alone among the portable calls waits to the
/// nanosecond. At most 1,024, which the macros of C would not check.
struct DescriptorSet {
    private var bits = fd_set()
    private var highest: Int32 = -1

    mutating func insert(_ descriptor: Int32) {
        precondition((0..<1_024).contains(descriptor), "descriptor \(descriptor) of at most 1,024")
        unsafe withUnsafeMutableBytes(of: &bits) {
            unsafe $0[Int(descriptor) / 8] |= 1 << (descriptor % 8)
        }
        highest = max(highest, descriptor)
    }

    func contains(_ descriptor: Int32) -> Bool {
        unsafe withUnsafeBytes(of: bits) {
            unsafe $0[Int(descriptor) / 8] >> (descriptor % 8) & 1 == 1
        }
    }

    /// Leaves in each set what is ready; false when nothing was before the time was over.
    static func wait(
        _ readable: inout DescriptorSet, _ writable: inout DescriptorSet, nanoseconds: Int64
    ) -> Bool {
        var time = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        let count = max(readable.highest, writable.highest) + 1
        return unsafe pselect(count, &readable.bits, &writable.bits, nil, &time, nil) > 0
    }
}
