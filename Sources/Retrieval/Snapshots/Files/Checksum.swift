// The one Swift file that calls xxHash.

internal import CXXHash

/// XXH3 in 64 bits: finds damage, not malice. 2⁻⁶⁴ of all damage passes.
enum Checksum {
    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        unsafe XXH3_64bits(bytes.baseAddress, bytes.count)
    }

    /// Of what comes in pieces.
    @safe struct Running: ~Copyable {
        private let state: OpaquePointer

        init() {
            unsafe state = XXH3_createState()!
            unsafe _ = XXH3_64bits_reset(state)
        }

        deinit { unsafe _ = XXH3_freeState(state) }

        func add(_ bytes: UnsafeRawBufferPointer) {
            unsafe _ = XXH3_64bits_update(state, bytes.baseAddress, bytes.count)
        }

        var value: UInt64 { unsafe XXH3_64bits_digest(state) }
    }
}
