// The tables of transformer.h: the plain one, then one per register width of transformer_body.h.
#include "transformer.h"

#include <math.h>
#include <string.h>

// Keys and queries are worked on in tiles; the widest tile is 64 keys (four AVX-512 registers) by
// 6 queries. Scratch: K transposed, padded to whole tiles, then the scores of one tile of queries.
enum { TILE_KEYS = 64, TILE_QUERIES = 6 };

static size_t padded(size_t length) { return (length + TILE_KEYS - 1) / TILE_KEYS * TILE_KEYS; }

size_t carrel_attention_scratch(size_t length, size_t width) {
    return padded(length) * (width + TILE_QUERIES);
}

// Plain.

static void plain_add_bias(float *x, const float *bias, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) x[r * columns + c] += bias[c];
}

static float gelu(float v) { return 0.5f * v * (1.0f + erff(v * 0.70710678118654752f)); }

static void plain_bias_gelu(float *x, const float *bias, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            x[r * columns + c] = gelu(x[r * columns + c] + bias[c]);
}

static void plain_add_norm(float *x, const float *y, const float *bias, const float *gamma,
                           const float *beta, float epsilon, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++, x += columns) {
        if (y)
            for (size_t c = 0; c < columns; c++) x[c] += y[r * columns + c] + bias[c];
        float mean = 0, variance = 0;
        for (size_t c = 0; c < columns; c++) mean += x[c];
        mean /= (float)columns;
        for (size_t c = 0; c < columns; c++) variance += (x[c] - mean) * (x[c] - mean);
        float inverse = 1.0f / sqrtf(variance / (float)columns + epsilon);
        for (size_t c = 0; c < columns; c++) x[c] = (x[c] - mean) * inverse * gamma[c] + beta[c];
    }
}

static void plain_softmax(float *x, float scale, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++, x += columns) {
        float top = -INFINITY, sum = 0;
        for (size_t c = 0; c < columns; c++) top = fmaxf(top, x[c]);
        for (size_t c = 0; c < columns; c++) sum += x[c] = expf(scale * (x[c] - top));
        for (size_t c = 0; c < columns; c++) x[c] /= sum;
    }
}

static void plain_attention(const float *q, const float *k, const float *v, size_t stride,
                            size_t length, size_t width, float scale, float *out,
                            size_t out_stride, float *scratch) {
    for (size_t i = 0; i < length; i++) {
        for (size_t j = 0; j < length; j++) {
            scratch[j] = 0;
            for (size_t d = 0; d < width; d++) scratch[j] += q[i * stride + d] * k[j * stride + d];
        }
        plain_softmax(scratch, scale, 1, length);
        for (size_t d = 0; d < width; d++) {
            float sum = 0;
            for (size_t j = 0; j < length; j++) sum += scratch[j] * v[j * stride + d];
            out[i * out_stride + d] = sum;
        }
    }
}

static const struct carrel_transformer_kernels plain = {
    "plain", plain_add_bias, plain_bias_gelu, plain_add_norm, plain_softmax, plain_attention};

// One body, a table per register width. The vector types are the compiler's; the attribute lets it
// use the instructions in these functions only.

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define LANES 8
#define TABLE avx2
#include "transformer_body.h"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), \
                             apply_to = function)
#define LANES 16
#define TABLE avx512
#include "transformer_body.h"
#pragma clang attribute pop
#elif defined(__aarch64__)
#define LANES 4
#define TABLE neon
#include "transformer_body.h"
#endif

const struct carrel_transformer_kernels *carrel_transformer_kernels_named(const char *name) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    int has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    int has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") &&
                     __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                     __builtin_cpu_supports("avx512vl");
    if (!strcmp(name, "avx512")) return has_avx512 ? &avx512 : NULL;
    if (!strcmp(name, "avx2")) return has_avx2 ? &avx2 : NULL;
#elif defined(__aarch64__)
    if (!strcmp(name, "neon")) return &neon;
#endif
    return strcmp(name, "plain") ? NULL : &plain;
}

const struct carrel_transformer_kernels *carrel_transformer_kernels(void) {
    static const char *const names[] = {"avx512", "avx2", "neon", "plain"};
    const struct carrel_transformer_kernels *table = NULL;
    for (size_t i = 0; !table; i++) table = carrel_transformer_kernels_named(names[i]);
    return table;
}
