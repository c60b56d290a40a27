// NEON: every 64-bit ARM.
#include "encoding.h"
#include "estimates.h"
#include "rotation.h"
#include "tables.h"

#if defined(__aarch64__)
#include <arm_neon.h>

// Sixteen registers of two doubles are the 32 running sums; the folds are those of plain.c.
static inline double folded(float64x2_t *s) {
    for (int half = 8; half > 0; half /= 2)
        for (int j = 0; j < half; j++) s[j] = vaddq_f64(s[j], s[j + half]);
    return vgetq_lane_f64(s[0], 0) + vgetq_lane_f64(s[0], 1);
}

static double dot(const float *a, const float *b, size_t n) {
    float64x2_t s[16] = {0};
    size_t i = 0;
    for (; i + 32 <= n; i += 32)
        for (int j = 0; j < 8; j++) {
            float32x4_t x = vld1q_f32(a + i + 4 * j), y = vld1q_f32(b + i + 4 * j);
            s[2 * j] = vfmaq_f64(s[2 * j], vcvt_f64_f32(vget_low_f32(x)),
                                 vcvt_f64_f32(vget_low_f32(y)));
            s[2 * j + 1] = vfmaq_f64(s[2 * j + 1], vcvt_high_f64_f32(x), vcvt_high_f64_f32(y));
        }
    return folded(s) + carrel_plain.dot(a + i, b + i, n - i);
}

// Not fused: the square of a difference of floats is not exact in double.
static double squared_l2(const float *a, const float *b, size_t n) {
    float64x2_t s[16] = {0};
    size_t i = 0;
    for (; i + 32 <= n; i += 32)
        for (int j = 0; j < 8; j++) {
            float32x4_t x = vld1q_f32(a + i + 4 * j), y = vld1q_f32(b + i + 4 * j);
            float64x2_t low = vsubq_f64(vcvt_f64_f32(vget_low_f32(x)),
                                        vcvt_f64_f32(vget_low_f32(y)));
            float64x2_t high = vsubq_f64(vcvt_high_f64_f32(x), vcvt_high_f64_f32(y));
            s[2 * j] = vaddq_f64(s[2 * j], vmulq_f64(low, low));
            s[2 * j + 1] = vaddq_f64(s[2 * j + 1], vmulq_f64(high, high));
        }
    return folded(s) + carrel_plain.squared_l2(a + i, b + i, n - i);
}

static void widen_f16(const uint16_t *from, float *to, size_t n) {
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        vst1q_f32(to + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from + i))));
    carrel_plain.widen_f16(from + i, to + i, n - i);
}

static void narrow_f16(const float *from, uint16_t *to, size_t n) {
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        vst1_u16(to + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(from + i))));
    carrel_plain.narrow_f16(from + i, to + i, n - i);
}

static void bit_scan(const uint8_t *table, const uint8_t *codes, size_t columns, size_t groups,
                     uint16_t *sums) {
    const uint8x16_t nibble = vdupq_n_u8(15);
    for (size_t quarter = 0; quarter < 4 * groups; quarter++) {
        const uint8_t *code = codes + quarter / 4 * columns * 64 + quarter % 4 * 16;
        uint16x8_t first = vdupq_n_u16(0), second = first;
        for (size_t c = 0; c < columns; c++) {
            uint8x16_t x = vld1q_u8(code + 64 * c);
            uint8x16_t s = vaddq_u8(vqtbl1q_u8(vld1q_u8(table + 32 * c), vandq_u8(x, nibble)),
                                    vqtbl1q_u8(vld1q_u8(table + 32 * c + 16), vshrq_n_u8(x, 4)));
            first = vaddw_u8(first, vget_low_u8(s));
            second = vaddw_high_u8(second, s);
        }
        vst1q_u16(sums + 16 * quarter, first);
        vst1q_u16(sums + 16 * quarter + 8, second);
    }
}

static inline int32_t int8_dot(const int16_t *query, const int8_t *row, size_t n) {
    int32x4_t s = vdupq_n_s32(0), t = s;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        int8x16_t x = vld1q_s8(row + i);
        int16x8_t low = vmovl_s8(vget_low_s8(x)), high = vmovl_high_s8(x);
        int16x8_t y = vld1q_s16(query + i), z = vld1q_s16(query + i + 8);
        s = vmlal_s16(s, vget_low_s16(low), vget_low_s16(y));
        t = vmlal_high_s16(t, low, y);
        s = vmlal_s16(s, vget_low_s16(high), vget_low_s16(z));
        t = vmlal_high_s16(t, high, z);
    }
    int32_t rest = 0;
    if (i < n) carrel_plain.int8_scan(query + i, row + i, n - i, 1, &rest);
    return vaddvq_s32(vaddq_s32(s, t)) + rest;
}

static void int8_scan(const int16_t *query, const int8_t *rows, size_t n, size_t count,
                      int32_t *dots) {
    for (size_t i = 0; i < count; i++) {
        carrel_prefetch_next(rows + i * n, n);
        dots[i] = int8_dot(query, rows + i * n, n);
    }
}

static void int8_gathered(const int16_t *query, const int8_t *rows, size_t n,
                          const uint32_t *indexes, size_t count, int32_t *dots) {
    for (size_t i = 0; i < count; i++) {
        carrel_prefetch_gathered(rows, n, indexes, i, count);
        dots[i] = int8_dot(query, rows + indexes[i] * n, n);
    }
}

static size_t select_rows(const float *estimates, const float *errors, float weight,
                          float threshold, size_t count, uint32_t *indexes) {
    const float32x4_t w = vdupq_n_f32(weight), least = vdupq_n_f32(threshold);
    size_t found = 0, i = 0;
    for (; i + 4 <= count; i += 4) {
        float32x4_t upper = vaddq_f32(vld1q_f32(estimates + i),
                                      vmulq_f32(w, vld1q_f32(errors + i)));
        uint32x4_t hits = vcgeq_f32(upper, least);
        if (!vmaxvq_u32(hits)) continue;
        uint32_t hit[4];
        vst1q_u32(hit, hits);
        for (size_t j = 0; j < 4; j++)
            if (hit[j]) indexes[found++] = (uint32_t)(i + j);
    }
    size_t rest = carrel_plain.select(estimates + i, errors + i, weight, threshold, count - i,
                                      indexes + found);
    for (size_t j = 0; j < rest; j++) indexes[found + j] += (uint32_t)i;
    return found + rest;
}

ESTIMATES()
ENCODING()
ROTATION()

const struct carrel_kernels carrel_neon = {
    .name = "neon",
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
