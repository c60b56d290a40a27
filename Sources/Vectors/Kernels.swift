// The one Swift file that calls CKernels.
//
// Everything here takes pointers and counts and is unsafe; the types built on it (`Block`,
// `UnitVector`, `Scorer` …) check lengths once and keep the pointers to themselves.

internal import CKernels

/// The table of C functions chosen for this processor, or one asked for by name.
@safe package struct Kernels: Sendable {
    /// What this machine runs best; the same for the life of the process.
    package static let current = unsafe Kernels(table: carrel_kernels())

    /// The tables that this build and this processor can run, best first; "plain" is always last.
    package static let available: [Kernels] = {
        var found: [Kernels] = []
        var name = unsafe carrel_kernel_names()!
        while let text = unsafe name.pointee {
            if let table = unsafe carrel_kernels_named(text) {
                unsafe found.append(Kernels(table: table))
            }
            unsafe name += 1
        }
        return found
    }()

    /// The table of that name, nil where it cannot run.
    package static func named(_ name: String) -> Kernels? {
        available.first { $0.name == name }
    }

    /// "plain", "avx2", "avx512", "avx512vnni" or "neon".
    package var name: String { unsafe String(cString: table.pointee.name) }

    // Points to a constant of the C library; valid for ever and never written.
    private nonisolated(unsafe) let table: UnsafePointer<carrel_kernels>

    private init(table: UnsafePointer<carrel_kernels>) { unsafe self.table = table }
}

// Single vectors, for callers that hold arrays. One call into C each.
extension Kernels {
    /// Σ aᵢ·bᵢ, accumulated in double in the order that `kernels.h` fixes: the same bits on every
    /// machine and whatever the vectors' place in memory.
    ///
    /// - Precondition: equal lengths.
    package func dot(_ a: [Float], _ b: [Float]) -> Double {
        precondition(a.count == b.count, "\(a.count) numbers against \(b.count)")
        return unsafe a.withUnsafeBufferPointer { x in
            unsafe b.withUnsafeBufferPointer { y in
                unsafe table.pointee.dot(x.baseAddress, y.baseAddress, x.count)
            }
        }
    }

    /// Σ (aᵢ − bᵢ)², accumulated as `dot`.
    ///
    /// - Precondition: equal lengths.
    package func squaredL2(_ a: [Float], _ b: [Float]) -> Double {
        precondition(a.count == b.count, "\(a.count) numbers against \(b.count)")
        return unsafe a.withUnsafeBufferPointer { x in
            unsafe b.withUnsafeBufferPointer { y in
                unsafe table.pointee.squared_l2(x.baseAddress, y.baseAddress, x.count)
            }
        }
    }

    /// Halves (as bit patterns) to floats, exactly.
    package func widened(halves: [UInt16]) -> [Float] {
        unsafe [Float](unsafeUninitializedCapacity: halves.count) { to, count in
            unsafe halves.withUnsafeBufferPointer { from in
                unsafe table.pointee.widen_f16(from.baseAddress, to.baseAddress, from.count)
            }
            count = halves.count
        }
    }

    /// Floats to halves (as bit patterns): nearest, ties to even, overflow to infinity.
    package func narrowed(floats: [Float]) -> [UInt16] {
        unsafe [UInt16](unsafeUninitializedCapacity: floats.count) { to, count in
            unsafe floats.withUnsafeBufferPointer { from in
                unsafe table.pointee.narrow_f16(from.baseAddress, to.baseAddress, from.count)
            }
            count = floats.count
        }
    }
}

// A rotation.
extension Kernels {
    /// Rotates `v` where it is; see `Rotation` and `kernels.h`.
    ///
    /// - Precondition: 768 numbers, and three times as many signs of ±1/16.
    package func rotate(_ v: inout [Float], signs: [Float]) {
        precondition(v.count == 768 && signs.count == 3 * 768, "\(v.count), \(signs.count)")
        unsafe table.pointee.rotate(signs, &v)
    }

    /// The same where a caller keeps memory of its own.
    func rotate(at v: UnsafeMutablePointer<Float>, signs: UnsafePointer<Float>) {
        unsafe table.pointee.rotate(signs, v)
    }
}

// Many rows at once.
extension Kernels {
    /// products[i] = query · row i, for `count` rows of `dimension` floats without gaps.
    func dotRows(
        _ query: UnsafePointer<Float>, _ rows: UnsafePointer<Float>, dimension: Int, count: Int,
        into products: UnsafeMutablePointer<Double>
    ) {
        unsafe carrel_dot_rows(table, query, rows, dimension, count, products)
    }

    /// products[i] = query · row indexes[i].
    func dotGathered(
        _ query: UnsafePointer<Float>, _ rows: UnsafePointer<Float>, dimension: Int,
        indexes: UnsafePointer<UInt32>, count: Int, into products: UnsafeMutablePointer<Double>
    ) {
        unsafe carrel_dot_gathered(table, query, rows, dimension, indexes, count, products)
    }

    /// For each of `groups` · 64 rows of codes, the sum of the table's entries; see `kernels.h`.
    func bitScan(
        table entries: UnsafePointer<UInt8>, codes: UnsafePointer<UInt8>, columns: Int,
        groups: Int, into sums: UnsafeMutablePointer<UInt16>
    ) {
        unsafe table.pointee.bit_scan(entries, codes, columns, groups, sums)
    }

    /// estimates[i] = bases[i] + factors[i] · (scale · sums[i] + offset).
    func bitEstimates(
        _ sums: UnsafePointer<UInt16>, bases: UnsafePointer<Float>, factors: UnsafePointer<Float>,
        scale: Float, offset: Float, count: Int, into estimates: UnsafeMutablePointer<Float>
    ) {
        unsafe table.pointee.bit_estimates(
            sums, bases, factors, scale, offset, count, estimates)
    }

    /// dots[i] = y · row i, in integers.
    func int8Scan(_ query: Int8Query, _ rows: Int8Rows, into dots: UnsafeMutablePointer<Int32>) {
        unsafe table.pointee.int8_scan(
            query.values, rows.bytes.base, rows.dimension, rows.count, dots)
    }

    /// dots[i] = y · row indexes[i], in integers.
    func int8Gathered(
        _ query: Int8Query, _ rows: Int8Rows, indexes: UnsafePointer<UInt32>, count: Int,
        into dots: UnsafeMutablePointer<Int32>
    ) {
        unsafe table.pointee.int8_gathered(
            query.values, rows.bytes.base, rows.dimension, indexes, count, dots)
    }

    /// estimates[i] = scales[i] · (scale · dots[i]).
    func int8Estimates(
        _ dots: UnsafePointer<Int32>, _ scales: UnsafePointer<Float>, scale: Float, count: Int,
        into estimates: UnsafeMutablePointer<Float>
    ) {
        unsafe table.pointee.int8_estimates(dots, scales, scale, count, estimates)
    }

    /// Writes the rows whose estimate + weight · error reaches the threshold, and counts them.
    func select(
        _ estimates: UnsafePointer<Float>, errors: UnsafePointer<Float>, weight: Float,
        threshold: Float, count: Int, into indexes: UnsafeMutablePointer<UInt32>
    ) -> Int {
        unsafe table.pointee.select(estimates, errors, weight, threshold, count, indexes)
    }
}

// Fewer bits.
extension Kernels {
    /// v ≈ scale · x in bytes; ‖v − scale · x‖ and ‖scale · x‖.
    func quantize(
        _ v: UnsafePointer<Float>, count: Int, into x: UnsafeMutablePointer<Int8>
    ) -> (scale: Float, error: Double, length: Double) {
        let result = unsafe table.pointee.quantize_int8(v, count, x)
        return (
            result.scale, result.squared_error.squareRoot(),
            result.squared_length.squareRoot()
        )
    }

    /// The same in 15 bits.
    func quantize(
        _ v: UnsafePointer<Float>, count: Int, into x: UnsafeMutablePointer<Int16>
    ) -> (scale: Float, error: Double, length: Double) {
        let result = unsafe table.pointee.quantize_int16(v, count, x)
        return (
            result.scale, result.squared_error.squareRoot(),
            result.squared_length.squareRoot()
        )
    }

    /// The signs of v, eight to a byte and `stride` bytes apart; Σ vᵢ² and Σ |vᵢ|.
    func signs(
        _ v: UnsafePointer<Float>, count: Int, stride: Int, into code: UnsafeMutablePointer<UInt8>
    ) -> (square: Double, sum: Double) {
        let result = unsafe table.pointee.signs(v, count, stride, code)
        return (result.square, result.sum)
    }

    /// r = v − c; Σ cᵢ·rᵢ.
    func residual(
        _ v: UnsafePointer<Float>, _ c: UnsafePointer<Float>, count: Int,
        into r: UnsafeMutablePointer<Float>
    ) -> Double {
        unsafe table.pointee.residual(v, c, count, r)
    }

    /// v in four bits as the table of sums that `bitScan` reads; the step between two levels, and
    /// the squared length of what was lost.
    static func bitTable(_ v: [Float], into table: inout [UInt8]) -> (
        step: Float, squaredError: Double
    ) {
        precondition(v.count % 4 == 0, "\(v.count) elements are not whole nibbles")
        precondition(table.count == v.count * 4, "\(table.count) entries for \(v.count) elements")
        var step: Float = 0
        let squaredError = unsafe carrel_bit_table(v, v.count, &step, &table)
        return (step, squaredError)
    }
}
