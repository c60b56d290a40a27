// AVX-512 F, BW, DQ and VL: Intel servers since Skylake (2017), AMD since Zen 4.
//
// Two tables share what needs no more than that; the second scans int8 rows by VNNI (Cascade Lake,
// 2019).
#include "encoding.h"
#include "estimates.h"
#include "rotation.h"
#include "tables.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")))

// Four registers of eight doubles are the 32 running sums; the folds are those of plain.c.
AVX512 static inline double folded(__m512d *s) {
    for (int half = 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) s[j] = _mm512_add_pd(s[j], s[j + half]);
    __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(s[0]), _mm512_extractf64x4_pd(s[0], 1));
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

AVX512 static double dot(const float *a, const float *b, size_t n) {
    __m512d s[4] = {0};
    size_t i = 0;
    for (; i + 32 <= n; i += 32)
        for (int j = 0; j < 4; j++)
            s[j] = _mm512_fmadd_pd(_mm512_cvtps_pd(_mm256_loadu_ps(a + i + 8 * j)),
                                   _mm512_cvtps_pd(_mm256_loadu_ps(b + i + 8 * j)), s[j]);
    return folded(s) + carrel_plain.dot(a + i, b + i, n - i);
}

// Not fused: the square of a difference of floats is not exact in double.
AVX512 static double squared_l2(const float *a, const float *b, size_t n) {
    __m512d s[4] = {0};
    size_t i = 0;
    for (; i + 32 <= n; i += 32)
        for (int j = 0; j < 4; j++) {
            __m512d d = _mm512_sub_pd(_mm512_cvtps_pd(_mm256_loadu_ps(a + i + 8 * j)),
                                      _mm512_cvtps_pd(_mm256_loadu_ps(b + i + 8 * j)));
            s[j] = _mm512_add_pd(s[j], _mm512_mul_pd(d, d));
        }
    return folded(s) + carrel_plain.squared_l2(a + i, b + i, n - i);
}

AVX512 static void widen_f16(const uint16_t *from, float *to, size_t n) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        _mm512_storeu_ps(to + i, _mm512_cvtph_ps(_mm256_loadu_si256((const void *)(from + i))));
    carrel_plain.widen_f16(from + i, to + i, n - i);
}

AVX512 static void narrow_f16(const float *from, uint16_t *to, size_t n) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        _mm256_storeu_si256((void *)(to + i), _mm512_cvtps_ph(_mm512_loadu_ps(from + i),
                                                              _MM_FROUND_TO_NEAREST_INT));
    carrel_plain.narrow_f16(from + i, to + i, n - i);
}

// The sums of even and odd bytes are kept as in avx2.c.
AVX512 static void bit_scan(const uint8_t *table, const uint8_t *codes, size_t columns,
                            size_t groups, uint16_t *sums) {
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    for (size_t g = 0; g < groups; g++, codes += columns * 64, sums += 64) {
        __m512i all = _mm512_setzero_si512(), odd = all;
        for (size_t c = 0; c < columns; c++) {
            __m512i x = _mm512_loadu_si512(codes + 64 * c);
            __m512i low = _mm512_broadcast_i32x4(
                _mm_loadu_si128((const void *)(table + 32 * c)));
            __m512i high = _mm512_broadcast_i32x4(
                _mm_loadu_si128((const void *)(table + 32 * c + 16)));
            __m512i s = _mm512_add_epi8(
                _mm512_shuffle_epi8(low, _mm512_and_si512(x, nibble)),
                _mm512_shuffle_epi8(high, _mm512_and_si512(_mm512_srli_epi16(x, 4), nibble)));
            all = _mm512_add_epi16(all, s);
            odd = _mm512_add_epi16(odd, _mm512_srli_epi16(s, 8));
        }
        __m512i even = _mm512_sub_epi16(all, _mm512_slli_epi16(odd, 8));
        __m512i low = _mm512_unpacklo_epi16(even, odd), high = _mm512_unpackhi_epi16(even, odd);
        _mm512_storeu_si512(sums, _mm512_permutex2var_epi64(low, first, high));
        _mm512_storeu_si512(sums + 32, _mm512_permutex2var_epi64(low, second, high));
    }
}

AVX512 static size_t select_rows(const float *estimates, const float *errors, float weight,
                                 float threshold, size_t count, uint32_t *indexes) {
    const __m512 w = _mm512_set1_ps(weight), least = _mm512_set1_ps(threshold);
    const __m512i lanes =
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t found = 0, i = 0;
    for (; i + 16 <= count; i += 16) {
        __m512 upper = _mm512_add_ps(_mm512_loadu_ps(estimates + i),
                                     _mm512_mul_ps(w, _mm512_loadu_ps(errors + i)));
        __mmask16 hits = _mm512_cmp_ps_mask(upper, least, _CMP_GE_OQ);
        if (!hits) continue;  // Nearly always: one row in a hundred survives.
        _mm512_mask_compressstoreu_epi32(indexes + found, hits,
                                         _mm512_add_epi32(lanes, _mm512_set1_epi32((int)i)));
        found += (size_t)__builtin_popcount(hits);
    }
    size_t rest = carrel_plain.select(estimates + i, errors + i, weight, threshold, count - i,
                                      indexes + found);
    for (size_t j = 0; j < rest; j++) indexes[found + j] += (uint32_t)i;
    return found + rest;
}

// Without VNNI rows are widened to 16 bits, multiplied by the query's 16 and summed in pairs.
AVX512 static inline int32_t int8_dot(const int16_t *query, const int8_t *row, size_t n) {
    __m512i s = _mm512_setzero_si512(), t = s;
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        __m512i x = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const void *)(row + i)));
        __m512i y = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const void *)(row + i + 32)));
        s = _mm512_add_epi32(s, _mm512_madd_epi16(x, _mm512_loadu_si512(query + i)));
        t = _mm512_add_epi32(t, _mm512_madd_epi16(y, _mm512_loadu_si512(query + i + 32)));
    }
    int32_t rest = 0;
    if (i < n) carrel_plain.int8_scan(query + i, row + i, n - i, 1, &rest);
    return _mm512_reduce_add_epi32(_mm512_add_epi32(s, t)) + rest;
}

AVX512 static void int8_scan(const int16_t *query, const int8_t *rows, size_t n, size_t count,
                             int32_t *dots) {
    for (size_t i = 0; i < count; i++) {
        carrel_prefetch_next(rows + i * n, n);
        dots[i] = int8_dot(query, rows + i * n, n);
    }
}

AVX512 static void int8_gathered(const int16_t *query, const int8_t *rows, size_t n,
                                 const uint32_t *indexes, size_t count, int32_t *dots) {
    for (size_t i = 0; i < count; i++) {
        carrel_prefetch_gathered(rows, n, indexes, i, count);
        dots[i] = int8_dot(query, rows + indexes[i] * n, n);
    }
}

#define VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")))

// VPDPBUSD multiplies four unsigned bytes by four signed ones and sums them. So the rows are moved up
// by 128 and the query y is split into 128 · high + low; what the 128 added, 128 · Σy, comes off at the
// end. The parts may pass 2³¹ and wrap round; the whole does not, so it is right modulo 2³².
enum { WIDEST = 1024 };
struct split {
    _Alignas(64) int8_t high[WIDEST], low[WIDEST];
    uint32_t excess;
};

VNNI static void split_query(const int16_t *query, size_t n, struct split *parts) {
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        int high = (query[i] + 64) >> 7;
        parts->high[i] = (int8_t)high;
        parts->low[i] = (int8_t)(query[i] - 128 * high);
        sum += query[i];
    }
    parts->excess = 128 * (uint32_t)sum;
}

VNNI static inline int32_t split_dot(const struct split *parts, const int16_t *query,
                                     const int8_t *row, size_t n) {
    const __m512i up = _mm512_set1_epi8(-128);
    __m512i high = _mm512_setzero_si512(), low = high;
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        __m512i x = _mm512_xor_si512(_mm512_loadu_si512(row + i), up);
        high = _mm512_dpbusd_epi32(high, x, _mm512_load_si512(parts->high + i));
        low = _mm512_dpbusd_epi32(low, x, _mm512_load_si512(parts->low + i));
    }
    int32_t rest = 0;
    if (i < n) carrel_plain.int8_scan(query + i, row + i, n - i, 1, &rest);
    __m512i both = _mm512_add_epi32(_mm512_slli_epi32(high, 7), low);
    uint32_t sum = (uint32_t)_mm512_reduce_add_epi32(both) - parts->excess;
    return (int32_t)(sum + (uint32_t)rest);
}

VNNI static void int8_scan_vnni(const int16_t *query, const int8_t *rows, size_t n, size_t count,
                                int32_t *dots) {
    size_t whole = n / 64 * 64;
    if (whole > WIDEST) return int8_scan(query, rows, n, count, dots);
    struct split parts;
    split_query(query, whole, &parts);
    for (size_t i = 0; i < count; i++) {
        carrel_prefetch_next(rows + i * n, n);
        dots[i] = split_dot(&parts, query, rows + i * n, n);
    }
}

VNNI static void int8_gathered_vnni(const int16_t *query, const int8_t *rows, size_t n,
                                    const uint32_t *indexes, size_t count, int32_t *dots) {
    size_t whole = n / 64 * 64;
    if (whole > WIDEST) return int8_gathered(query, rows, n, indexes, count, dots);
    struct split parts;
    split_query(query, whole, &parts);
    for (size_t i = 0; i < count; i++) {
        carrel_prefetch_gathered(rows, n, indexes, i, count);
        dots[i] = split_dot(&parts, query, rows + indexes[i] * n, n);
    }
}

ESTIMATES(AVX512)
ENCODING(AVX512)
ROTATION(AVX512)

#define SHARED                                                                  \
    .dot = dot, .squared_l2 = squared_l2, .widen_f16 = widen_f16,               \
    .narrow_f16 = narrow_f16, .bit_scan = bit_scan, .select = select_rows,       \
    .bit_estimates = bit_estimates, .int8_estimates = int8_estimates, ENCODERS,  \
    .rotate = rotate

const struct carrel_kernels carrel_avx512 = {
    .name = "avx512", SHARED, .int8_scan = int8_scan, .int8_gathered = int8_gathered};
const struct carrel_kernels carrel_avx512vnni = {
    .name = "avx512vnni", SHARED, .int8_scan = int8_scan_vnni, .int8_gathered = int8_gathered_vnni};
#endif
