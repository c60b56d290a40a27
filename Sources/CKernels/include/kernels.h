// One table of functions per instruction set, chosen once when first asked for.
//
// The plain table is the meaning of each function. The others do the same arithmetic in the same
// order, so that every table gives the same bits and an answer does not depend on the machine; the
// one test in Tests/VectorsTests/KernelTests.swift runs every table at every length against plain.
//
// Sums of products of floats are accumulated in double. A product of two 24-bit significands has at
// most 48 bits and is exact in double, so a fused multiply-add and a multiply followed by an add
// agree, overflow and underflow cannot happen for any finite input of sensible length, and the
// result is off by less than n·2⁻⁵³·Σ|aᵢbᵢ|: rounded to float it is, but for rare halfway cases, the
// correctly rounded dot product. The order is fixed: 32 running sums, where sum j takes the elements
// i ≡ j (mod 32), folded by halves (j += j + 16, + 8, … + 1), then the last n mod 32 elements one
// after another.
//
// Pointers need no alignment. Rows are row-major without gaps. Lengths may be zero.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What fewer bits made of a vector v: v ≈ scale · x.
struct carrel_quantized {
    float scale;
    /// ‖v − scale · x‖².
    double squared_error;
    /// ‖scale · x‖².
    double squared_length;
};

/// What the signs of a vector leave out: Σ vᵢ² and Σ |vᵢ|.
struct carrel_signs {
    double square, sum;
};

struct carrel_kernels {
    /// "plain", "avx2", "avx512", "avx512vnni" or "neon".
    const char *name;

    /// Σ aᵢ·bᵢ.
    double (*dot)(const float *a, const float *b, size_t n);

    /// Σ (aᵢ − bᵢ)².
    double (*squared_l2)(const float *a, const float *b, size_t n);

    /// IEEE half to float; exact. Signalling NaNs come out quiet.
    void (*widen_f16)(const uint16_t *from, float *to, size_t n);

    /// Float to IEEE half; nearest, ties to even, overflow to infinity.
    void (*narrow_f16)(const float *from, uint16_t *to, size_t n);

    /// For each row of 1-bit codes, the sum of one table entry per four bits.
    ///
    /// Codes lie in groups of 64 rows, byte by byte: byte c of row r of group g is
    /// codes[(g·columns + c)·64 + r]. The table has 32 entries a column: [32c + v] is what the low
    /// nibble v of byte c adds, [32c + 16 + v] the high one. Entries are at most 127 and their sum
    /// below 2¹⁶; `sums` takes 64 · groups of them.
    ///
    /// Looking four bits up in a register (PQ Fast Scan, André et al., VLDB 2015; RaBitQ §3.3.2)
    /// costs 9 instructions for every 64 bytes of codes; popcounts of four bit planes cost 12 with
    /// VPOPCNTDQ and 26 without, and a sum across the row on top. 10,000 rows of 768 bits: 30 µs with
    /// AVX-512, 53 with AVX2 (Xeon 2.5 GHz, warm), against 81 for a prototype with VPOPCNTDQ.
    void (*bit_scan)(const uint8_t *table, const uint8_t *codes, size_t columns, size_t groups,
                     uint16_t *sums);

    /// dots[i] = Σ query·row i, exactly, for `count` rows one after another.
    ///
    /// |query| is at most 16,256 = 127 · 128, so that it splits into two signed bytes, and the caller
    /// keeps n · 128 · max|query| below 2³¹: n ≤ 1,023 does.
    void (*int8_scan)(const int16_t *query, const int8_t *rows, size_t n, size_t count,
                      int32_t *dots);

    /// The same for row indexes[i].
    void (*int8_gathered)(const int16_t *query, const int8_t *rows, size_t n,
                          const uint32_t *indexes, size_t count, int32_t *dots);

    /// estimates[i] = bases[i] + factors[i] · (scale · sums[i] + offset).
    void (*bit_estimates)(const uint16_t *sums, const float *bases, const float *factors,
                          float scale, float offset, size_t count, float *estimates);

    /// estimates[i] = scales[i] · (scale · dots[i]).
    void (*int8_estimates)(const int32_t *dots, const float *scales, float scale, size_t count,
                           float *estimates);

    /// The rows i, ascending, with estimates[i] + weight · errors[i] ≥ threshold (float, not
    /// fused). Returns how many; `indexes` has room for `count`. NaN is never selected.
    size_t (*select)(const float *estimates, const float *errors, float weight, float threshold,
                     size_t count, uint32_t *indexes);

    /// x[i] = v[i] / scale to the nearest, with scale = max|v| / 127. Finite v only.
    struct carrel_quantized (*quantize_int8)(const float *v, size_t n, int8_t *x);

    /// The same with 16,256 levels either side.
    struct carrel_quantized (*quantize_int16)(const float *v, size_t n, int16_t *x);

    /// Bit b of code[stride · c] says whether v[8c + b] is positive. n is a multiple of 8.
    struct carrel_signs (*signs)(const float *v, size_t n, size_t stride, uint8_t *code);

    /// r = v − c; returns Σ cᵢ·rᵢ.
    double (*residual)(const float *v, const float *c, size_t n, float *r);

    /// Rotates v, 768 numbers, in three rounds: each element times its sign, a Hadamard matrix for each
    /// third of v, and a reflection that mixes the thirds.
    ///
    /// `signs` are 3 × 768 of ±1/16, so that lengths are kept. 1.7 µs with AVX2, 3.0 plain (Zen 3);
    /// a product with a matrix of bytes took 23 and one of floats 96.
    void (*rotate)(const float *signs, float *v);
};

/// The table for this machine. Never null; the same pointer every time.
const struct carrel_kernels *carrel_kernels(void);

/// A table by its name; null when this build or this processor cannot run it.
const struct carrel_kernels *carrel_kernels_named(const char *name);

/// The names of all tables, runnable here or not, best first; ends with null.
const char *const *carrel_kernel_names(void);

/// out[i] = dot(query, row i), for `count` rows one after another.
void carrel_dot_rows(const struct carrel_kernels *kernels, const float *query, const float *rows,
                     size_t dimension, size_t count, double *out);

/// out[i] = dot(query, row indexes[i]).
void carrel_dot_gathered(const struct carrel_kernels *kernels, const float *query,
                         const float *rows, size_t dimension, const uint32_t *indexes,
                         size_t count, double *out);

/// Four bits an element, v[i] ≈ step · (k − 7.5) with k in 0 … 15 and the largest magnitude at
/// either end, as the table that `bit_scan` reads: a set bit adds its element and a clear one takes it
/// away, so that Σ ±v[i] ≈ step · (sum − 30 · n/4) for the sum of entries that a code selects.
///
/// Writes 4 · n entries of at most 60 and the step; returns the squared length of what was lost. n is a
/// multiple of 4.
double carrel_bit_table(const float *v, size_t n, float *step, uint8_t *table);

#ifdef __cplusplus
}
#endif
