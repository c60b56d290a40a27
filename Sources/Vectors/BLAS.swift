// The one Swift file that calls CBLAS.
//
// All matrices are row-major. The library behind the interface is whatever Debian's alternatives
// name: OpenBLAS where it is installed, the reference implementation otherwise.

internal import CBLAS

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Linear algebra in bulk.
package enum BLAS {
    /// Keeps OpenBLAS to the calling thread, for the whole process.
    ///
    /// With two threads on two cores it is slower than with one (1,000 rows against a query: 8 ms
    /// instead of 0.14), and we run requests side by side instead. Found by name at run time,
    /// because the reference BLAS has no such function and needs none. Idempotent.
    package static func pinToOneThread() { pinned }

    private static let pinned: Void = {
        guard let handle = unsafe dlopen(nil, RTLD_NOW) else { return }
        defer { unsafe _ = dlclose(handle) }
        guard let symbol = unsafe dlsym(handle, "openblas_set_num_threads") else { return }
        typealias SetThreads = @convention(c) (CInt) -> Void
        unsafe unsafeBitCast(symbol, to: SetThreads.self)(1)
    }()

    /// C = alpha · op(A) · op(B) + beta · C.
    ///
    /// Shapes: op(A) `[m × k]`, op(B) `[k × n]`, C `[m × n]`; op transposes when asked. The leading
    /// dimensions default to rows without gaps. With beta 0, C need not be initialised.
    ///
    /// - Complexity: O(m·n·k), no allocation here.
    package static func gemm(
        transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int,
        alpha: Float = 1, a: UnsafePointer<Float>, leadingA: Int? = nil,
        b: UnsafePointer<Float>, leadingB: Int? = nil,
        beta: Float = 0, c: UnsafeMutablePointer<Float>, leadingC: Int? = nil
    ) {
        unsafe cblas_sgemm(
            CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans,
            transposeB ? CblasTrans : CblasNoTrans, CInt(m), CInt(n), CInt(k), alpha,
            a, CInt(leadingA ?? (transposeA ? m : k)), b, CInt(leadingB ?? (transposeB ? k : n)),
            beta, c, CInt(leadingC ?? n))
    }

    /// y = alpha · op(A) · x + beta · y.
    ///
    /// Shapes: A `[rows × columns]`; x and y as op(A) says.
    package static func gemv(
        transpose: Bool = false, rows: Int, columns: Int, alpha: Float = 1,
        a: UnsafePointer<Float>, x: UnsafePointer<Float>, beta: Float = 0,
        y: UnsafeMutablePointer<Float>
    ) {
        unsafe cblas_sgemv(
            CblasRowMajor, transpose ? CblasTrans : CblasNoTrans, CInt(rows), CInt(columns),
            alpha, a, CInt(columns), x, 1, beta, y, 1)
    }

    /// Σ xᵢ·yᵢ, in whatever order the library likes.
    package static func dot(
        _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int
    ) -> Float {
        unsafe cblas_sdot(CInt(count), x, 1, y, 1)
    }
}
