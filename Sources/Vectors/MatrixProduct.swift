// The one seam for products with a model's weights, and the one Swift file that calls COneDNN.
//
// fp32 goes through oneDNN where it has kernels for packed weights, and through `cblas_sgemm`
// everywhere else. One core of a Cascade Lake at 2.5 GHz, MiniLM's four shapes, the best of nine runs
// on a machine with other work (so the numbers compare, but are no peak), sgemm with W transposed as
// it is called here:
//
//     rows at once        8     16     32     64    256
//     sgemm (GFLOP/s)    22     39     55     77     79
//     packed            69    100    116    127    124
//
// BLAS packs the weights anew in every call; here they are packed once when the model is loaded.

internal import COneDNN

/// How products are computed; sums are fp32 either way.
package enum Arithmetic: String, Sendable, CaseIterable {
    case fp32
    /// Inputs and weights rounded to 8 bits of precision; for processors made for it.
    case bf16
    /// bf16 where the processor multiplies it faster (AMX, AVX512_BF16), fp32 elsewhere.
    case auto

    /// Never `auto`.
    package var resolved: Arithmetic {
        self == .auto ? (carrel_has_fast_bf16() != 0 ? .bf16 : .fp32) : self
    }
}

/// Which library multiplies.
package enum MatrixLibrary: String, Sendable {
    case blas
    case oneDNN
}

/// A constant matrix W of `outputs` rows and `inputs` columns, made ready to be multiplied with.
///
/// Any number of threads may multiply at once; each product stays on its calling thread.
@safe package final class MatrixProduct: @unchecked Sendable {
    package let outputs: Int
    package let inputs: Int
    package let arithmetic: Arithmetic
    package let library: MatrixLibrary

    // One of the two. Written in `init`, read-only after it.
    private let plain: AlignedBuffer<Float>?
    private let packed: OpaquePointer?

    /// Copies `weights`, row-major `[outputs × inputs]`.
    ///
    /// Without `library` the faster is picked. bf16 is always oneDNN's.
    ///
    /// - Throws: `noProduct` when the library has none of this arithmetic for this processor, as bf16
    ///   without AVX-512; `allocation` when there is no memory for the copy.
    package init(
        weights: UnsafePointer<Float>, outputs: Int, inputs: Int, arithmetic: Arithmetic = .fp32,
        library: MatrixLibrary? = nil
    ) throws(VectorError) {
        self.outputs = outputs
        self.inputs = inputs
        self.arithmetic = arithmetic.resolved
        let bf16 = arithmetic.resolved == .bf16
        if library != .blas || bf16 {
            var isMissing: Int32 = 0
            let made = unsafe carrel_packed_create(
                weights, outputs, inputs, bf16 ? carrel_bf16 : carrel_fp32, &isMissing)
            if let made = unsafe made {
                if unsafe bf16 || library == .oneDNN || carrel_packed_is_blocked(made) != 0 {
                    unsafe packed = made
                    plain = nil
                    self.library = .oneDNN
                    return
                }
                unsafe carrel_packed_destroy(made)
            } else if bf16 || library == .oneDNN {
                if isMissing != 0 { throw .noProduct(self.arithmetic) }
                throw .allocation(bytes: outputs * inputs * (bf16 ? 2 : 4))
            }
        }
        guard let copy = AlignedBuffer<Float>(count: outputs * inputs) else {
            throw .allocation(bytes: outputs * inputs * 4)
        }
        unsafe copy.base.update(from: weights, count: outputs * inputs)
        plain = copy
        unsafe packed = nil
        self.library = .blas
        BLAS.pinToOneThread()
    }

    deinit { if let packed = unsafe packed { unsafe carrel_packed_destroy(packed) } }

    /// The next row count from `count` on that is multiplied in place.
    ///
    /// Kernels are compiled for a row count, so only some counts have one; others cost a copy of
    /// input and output. A caller that owns its buffers rounds up and lets the last rows be anything
    /// finite.
    package static func paddedCount(_ count: Int) -> Int { carrel_padded_rows(count) }

    /// y = x·Wᵀ for `count` rows: x `[count × inputs]`, y `[count × outputs]`, not overlapping.
    ///
    /// - Complexity: O(count·inputs·outputs). The first product of a new row count compiles a kernel
    ///   for it, once.
    package func multiply(
        _ x: UnsafePointer<Float>, count: Int, into y: UnsafeMutablePointer<Float>
    ) {
        guard count > 0 else { return }
        if let plain {
            unsafe BLAS.gemm(
                transposeB: true, m: count, n: outputs, k: inputs, a: x, b: plain.base, c: y)
        } else {
            let status = unsafe carrel_packed_multiply(packed, x, count, y)
            precondition(status == 0, "oneDNN could not multiply \(count) rows: status \(status)")
        }
    }
}
