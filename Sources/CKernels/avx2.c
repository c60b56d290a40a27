// AVX2 with FMA and F16C: Intel since Haswell (2013), AMD since Zen.
#include "encoding.h"
#include "estimates.h"
#include "rotation.h"
#include "tables.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma,f16c")))

// Eight registers of four doubles are the 32 running sums; the folds are those of plain.c.
AVX2 static inline double folded(__m256d *s) {
    for (int half = 4; half > 0; half /= 2)
        for (int j = 0; j < half; j++) s[j] = _mm256_add_pd(s[j], s[j + half]);
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(s[0]), _mm256_extractf128_pd(s[0], 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

AVX2 static double dot(const float *a, const float *b, size_t n) {
    __m256d s[8] = {0};
    size_t i = 0;
    for (; i + 32 <= n; i += 32)
        for (int j = 0; j < 8; j++)
            s[j] = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm_loadu_ps(a + i + 4 * j)),
                                   _mm256_cvtps_pd(_mm_loadu_ps(b + i + 4 * j)), s[j]);
    return folded(s) + carrel_plain.dot(a + i, b + i, n - i);
}

// Not fused: the square of a difference of floats is not exact in double.
AVX2 static double squared_l2(const float *a, const float *b, size_t n) {
    __m256d s[8] = {0};
    size_t i = 0;
    for (; i + 32 <= n; i += 32)
        for (int j = 0; j < 8; j++) {
            __m256d d = _mm256_sub_pd(_mm256_cvtps_pd(_mm_loadu_ps(a + i + 4 * j)),
                                      _mm256_cvtps_pd(_mm_loadu_ps(b + i + 4 * j)));
            s[j] = _mm256_add_pd(s[j], _mm256_mul_pd(d, d));
        }
    return folded(s) + carrel_plain.squared_l2(a + i, b + i, n - i);
}

AVX2 static void widen_f16(const uint16_t *from, float *to, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128((const void *)(from + i))));
    carrel_plain.widen_f16(from + i, to + i, n - i);
}

AVX2 static void narrow_f16(const float *from, uint16_t *to, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128((void *)(to + i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
    carrel_plain.narrow_f16(from + i, to + i, n - i);
}

// Bytes are summed as 16-bit pairs: `all` gathers even + 256·odd, `odd` the odd ones alone, and
// all − 256·odd, modulo 2¹⁶, leaves the even ones.
AVX2 static void bit_scan(const uint8_t *table, const uint8_t *codes, size_t columns,
                          size_t groups, uint16_t *sums) {
    const __m256i nibble = _mm256_set1_epi8(15);
    for (size_t half = 0; half < 2 * groups; half++) {
        const uint8_t *code = codes + half / 2 * columns * 64 + half % 2 * 32;
        __m256i all = _mm256_setzero_si256(), odd = all;
        for (size_t c = 0; c < columns; c++) {
            __m256i x = _mm256_loadu_si256((const void *)(code + 64 * c));
            __m256i low = _mm256_broadcastsi128_si256(
                _mm_loadu_si128((const void *)(table + 32 * c)));
            __m256i high = _mm256_broadcastsi128_si256(
                _mm_loadu_si128((const void *)(table + 32 * c + 16)));
            __m256i s = _mm256_add_epi8(
                _mm256_shuffle_epi8(low, _mm256_and_si256(x, nibble)),
                _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble)));
            all = _mm256_add_epi16(all, s);
            odd = _mm256_add_epi16(odd, _mm256_srli_epi16(s, 8));
        }
        __m256i even = _mm256_sub_epi16(all, _mm256_slli_epi16(odd, 8));
        __m256i low = _mm256_unpacklo_epi16(even, odd), high = _mm256_unpackhi_epi16(even, odd);
        uint16_t *out = sums + 32 * half;
        _mm256_storeu_si256((void *)out, _mm256_permute2x128_si256(low, high, 0x20));
        _mm256_storeu_si256((void *)(out + 16), _mm256_permute2x128_si256(low, high, 0x31));
    }
}

AVX2 static inline int32_t int8_dot(const int16_t *query, const int8_t *row, size_t n) {
    __m256i s = _mm256_setzero_si256(), t = s;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m256i x = _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)(row + i)));
        __m256i y = _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)(row + i + 16)));
        s = _mm256_add_epi32(
            s, _mm256_madd_epi16(x, _mm256_loadu_si256((const void *)(query + i))));
        t = _mm256_add_epi32(
            t, _mm256_madd_epi16(y, _mm256_loadu_si256((const void *)(query + i + 16))));
    }
    s = _mm256_add_epi32(s, t);
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1));
    int32_t rest = 0;
    if (i < n) carrel_plain.int8_scan(query + i, row + i, n - i, 1, &rest);
    return _mm_cvtsi128_si32(four) + rest;
}

AVX2 static void int8_scan(const int16_t *query, const int8_t *rows, size_t n, size_t count,
                           int32_t *dots) {
    for (size_t i = 0; i < count; i++) {
        carrel_prefetch_next(rows + i * n, n);
        dots[i] = int8_dot(query, rows + i * n, n);
    }
}

AVX2 static void int8_gathered(const int16_t *query, const int8_t *rows, size_t n,
                               const uint32_t *indexes, size_t count, int32_t *dots) {
    for (size_t i = 0; i < count; i++) {
        carrel_prefetch_gathered(rows, n, indexes, i, count);
        dots[i] = int8_dot(query, rows + indexes[i] * n, n);
    }
}

AVX2 static size_t select_rows(const float *estimates, const float *errors, float weight,
                               float threshold, size_t count, uint32_t *indexes) {
    const __m256 w = _mm256_set1_ps(weight), least = _mm256_set1_ps(threshold);
    size_t found = 0, i = 0;
    for (; i + 8 <= count; i += 8) {
        __m256 upper = _mm256_add_ps(_mm256_loadu_ps(estimates + i),
                                     _mm256_mul_ps(w, _mm256_loadu_ps(errors + i)));
        unsigned hits = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(upper, least, _CMP_GE_OQ));
        for (; hits; hits &= hits - 1)
            indexes[found++] = (uint32_t)i + (uint32_t)__builtin_ctz(hits);
    }
    size_t rest = carrel_plain.select(estimates + i, errors + i, weight, threshold, count - i,
                                      indexes + found);
    for (size_t j = 0; j < rest; j++) indexes[found + j] += (uint32_t)i;
    return found + rest;
}

ESTIMATES(AVX2)
ENCODING(AVX2)
ROTATION(AVX2)

const struct carrel_kernels carrel_avx2 = {
    .name = "avx2",
    .dot = dot,
    .squared_l2 = squared_l2,
    .widen_f16 = widen_f16,
    .narrow_f16 = narrow_f16,
    .bit_scan = bit_scan,
    .int8_scan = int8_scan,
    .int8_gathered = int8_gathered,
    .bit_estimates = bit_estimates,
    .int8_estimates = int8_estimates,
    ENCODERS,
    .rotate = rotate,
    .select = select_rows,
};
#endif
