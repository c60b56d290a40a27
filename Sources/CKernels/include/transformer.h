// What a transformer layer does besides products with weights, fp32, row-major.
//
// One table per instruction set, as in kernels.h. The plain table is the meaning; the others are one
// body (transformer_body.h) compiled for each register width, so their sums run in another order
// and agree with plain to rounding only (Tests/EmbeddingTests/TransformerKernelTests.swift says how
// close, at every tail length).
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct carrel_transformer_kernels {
    /// "plain", "avx2", "avx512" or "neon".
    const char *name;

    /// x = x + bias, for each of `rows` rows of `columns`.
    void (*add_bias)(float *x, const float *bias, size_t rows, size_t columns);

    /// x = gelu(x + bias), gelu(v) = v/2 · (1 + erf(v/√2)); absolute error below 1e-6 · max(1, |v|).
    void (*bias_gelu)(float *x, const float *bias, size_t rows, size_t columns);

    /// x = norm(x + y + bias) · gamma + beta, norm over each row, biased variance plus epsilon.
    /// `y` and `bias` may be null together: then x = norm(x) · gamma + beta.
    void (*add_norm)(float *x, const float *y, const float *bias, const float *gamma,
                     const float *beta, float epsilon, size_t rows, size_t columns);

    /// Each row becomes exp(scale · (x − its maximum)), divided by the sum of these.
    void (*softmax)(float *x, float scale, size_t rows, size_t columns);

    /// One head over one sequence: out = softmax(scale · Q·Kᵀ)·V.
    ///
    /// q, k, v and out hold `length` rows of `width` floats, whose starts are `stride` (for out,
    /// `out_stride`) floats apart. `scratch` holds carrel_attention_scratch(length, width) floats.
    void (*attention)(const float *q, const float *k, const float *v, size_t stride, size_t length,
                      size_t width, float scale, float *out, size_t out_stride, float *scratch);
};

/// Floats of scratch for one call of `attention`.
size_t carrel_attention_scratch(size_t length, size_t width);

/// The table for this machine. Never null; the same pointer every time.
const struct carrel_transformer_kernels *carrel_transformer_kernels(void);

/// A table by its name; null when this build or this processor cannot run it.
const struct carrel_transformer_kernels *carrel_transformer_kernels_named(const char *name);

#ifdef __cplusplus
}
#endif
