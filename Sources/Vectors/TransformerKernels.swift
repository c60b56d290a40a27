// The one Swift file that calls CKernels' transformer.h.

internal import CKernels

/// What a transformer layer does besides products with weights, for one instruction set.
///
/// All functions take raw rows and trust their shapes: `Embedding`'s encoder is the caller that
/// checks a model's shapes once, when it is loaded.
@safe package struct TransformerKernels: Sendable {
    // Points to a constant of the C library.
    private nonisolated(unsafe) let table: UnsafePointer<carrel_transformer_kernels>

    /// The fastest this processor runs.
    package static let current = unsafe TransformerKernels(table: carrel_transformer_kernels())

    /// Those that this build and this processor can run, best first; "plain" is last.
    package static let available = ["avx512", "avx2", "neon", "plain"].compactMap(named)

    /// The table of that name, nil where it cannot run.
    package static func named(_ name: String) -> TransformerKernels? {
        unsafe carrel_transformer_kernels_named(name).map {
            unsafe TransformerKernels(table: $0)
        }
    }

    private init(table: UnsafePointer<carrel_transformer_kernels>) { unsafe self.table = table }

    package var name: String { unsafe String(cString: table.pointee.name) }

    /// x += bias, for each row of x `[rows × columns]`.
    package func addBias(
        _ x: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>, rows: Int, columns: Int
    ) {
        unsafe table.pointee.add_bias(x, bias, rows, columns)
    }

    /// x = gelu(x + bias) with the exact (erf) GELU, within 1e-6.
    package func biasGELU(
        _ x: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>, rows: Int, columns: Int
    ) {
        unsafe table.pointee.bias_gelu(x, bias, rows, columns)
    }

    /// x = layerNorm(x + y + bias)·gamma + beta; without y, bias is not read.
    package func addNorm(
        _ x: UnsafeMutablePointer<Float>, adding y: UnsafePointer<Float>?,
        bias: UnsafePointer<Float>?, gamma: UnsafePointer<Float>, beta: UnsafePointer<Float>,
        epsilon: Float, rows: Int, columns: Int
    ) {
        unsafe table.pointee.add_norm(x, y, bias, gamma, beta, epsilon, rows, columns)
    }

    /// Each row becomes softmax(scale · row).
    package func softmax(
        _ x: UnsafeMutablePointer<Float>, scale: Float, rows: Int, columns: Int
    ) {
        unsafe table.pointee.softmax(x, scale, rows, columns)
    }

    /// One head over one sequence: out = softmax(scale · Q·Kᵀ)·V, rows `stride` floats apart.
    ///
    /// `scratch` holds `attentionScratch(length:width:)` floats.
    package func attention(
        q: UnsafePointer<Float>, k: UnsafePointer<Float>, v: UnsafePointer<Float>, stride: Int,
        length: Int, width: Int, scale: Float, out: UnsafeMutablePointer<Float>, outStride: Int,
        scratch: UnsafeMutablePointer<Float>
    ) {
        unsafe table.pointee.attention(
            q, k, v, stride, length, width, scale, out, outStride, scratch)
    }

    /// Floats of scratch for one call of `attention`.
    package static func attentionScratch(length: Int, width: Int) -> Int {
        carrel_attention_scratch(length, width)
    }
}
