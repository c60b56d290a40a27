// The meaning of every kernel, in portable C. The other tables call these for their tails.
#include "encoding.h"
#include "estimates.h"
#include "rotation.h"
#include "tables.h"

#include <string.h>

enum { LANES = 32 };

static double folded(double *lanes) {
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t j = 0; j < half; j++) lanes[j] += lanes[j + half];
    return lanes[0];
}

static double dot(const float *a, const float *b, size_t n) {
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++) lanes[j] += (double)a[i + j] * (double)b[i + j];
    double rest = 0;
    for (; i < n; i++) rest += (double)a[i] * (double)b[i];
    return folded(lanes) + rest;
}

static double squared_l2(const float *a, const float *b, size_t n) {
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++) {
            double difference = (double)a[i + j] - (double)b[i + j];
            lanes[j] += difference * difference;
        }
    double rest = 0;
    for (; i < n; i++) {
        double difference = (double)a[i] - (double)b[i];
        rest += difference * difference;
    }
    return folded(lanes) + rest;
}

// Half: 1 sign, 5 exponent (bias 15), 10 fraction. Float: 1, 8 (bias 127), 23.

static float widened(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = (half >> 10) & 0x1f, fraction = half & 0x3ff;
    float value;
    if (exponent == 0) {  // Zero or subnormal: fraction · 2⁻²⁴, exact in float.
        value = (float)fraction * 0x1p-24f;
        uint32_t bits;
        memcpy(&bits, &value, 4);
        bits |= sign;
        memcpy(&value, &bits, 4);
        return value;
    }
    uint32_t bits = sign | fraction << 13;
    if (exponent == 31) bits |= 0x7f800000 | (fraction ? 0x400000 : 0);
    else bits |= (exponent + 112) << 23;
    memcpy(&value, &bits, 4);
    return value;
}

static uint16_t narrowed(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    bits &= 0x7fffffff;
    if (bits > 0x7f800000) return sign | 0x7e00 | (bits >> 13 & 0x1ff);  // NaN, made quiet
    if (bits >= 0x477ff000) return sign | 0x7c00;  // from 65,520, which rounds to infinity
    uint32_t kept, dropped, dropped_bits;
    if (bits >= 0x38800000) {  // 2⁻¹⁴, the smallest normal half
        dropped_bits = 13;
        kept = (bits - 0x38000000) >> 13;
        dropped = bits & 0x1fff;
    } else {
        uint32_t exponent = bits >> 23;
        if (exponent < 102) return sign;  // below 2⁻²⁵, half of the smallest subnormal
        uint32_t significand = (bits & 0x7fffff) | 0x800000;
        dropped_bits = 126 - exponent;
        kept = significand >> dropped_bits;
        dropped = significand & ((1u << dropped_bits) - 1);
    }
    uint32_t halfway = 1u << (dropped_bits - 1);
    // A carry out of the fraction moves the exponent up by one, as it should.
    kept += dropped > halfway || (dropped == halfway && (kept & 1));
    return sign | (uint16_t)kept;
}

static void widen_f16(const uint16_t *from, float *to, size_t n) {
    for (size_t i = 0; i < n; i++) to[i] = widened(from[i]);
}

static void narrow_f16(const float *from, uint16_t *to, size_t n) {
    for (size_t i = 0; i < n; i++) to[i] = narrowed(from[i]);
}

static void bit_scan(const uint8_t *table, const uint8_t *codes, size_t columns, size_t groups,
                     uint16_t *sums) {
    for (size_t g = 0; g < groups; g++, codes += columns * 64, sums += 64) {
        for (size_t r = 0; r < 64; r++) sums[r] = 0;
        for (size_t c = 0; c < columns; c++)
            for (size_t r = 0; r < 64; r++) {
                uint8_t code = codes[c * 64 + r];
                sums[r] += table[c * 32 + (code & 15)] + table[c * 32 + 16 + (code >> 4)];
            }
    }
}

static int32_t int8_dot(const int16_t *query, const int8_t *row, size_t n) {
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += (int32_t)query[i] * row[i];
    return sum;
}

static void int8_scan(const int16_t *query, const int8_t *rows, size_t n, size_t count,
                      int32_t *dots) {
    for (size_t i = 0; i < count; i++) dots[i] = int8_dot(query, rows + i * n, n);
}

static void int8_gathered(const int16_t *query, const int8_t *rows, size_t n,
                          const uint32_t *indexes, size_t count, int32_t *dots) {
    for (size_t i = 0; i < count; i++) dots[i] = int8_dot(query, rows + indexes[i] * n, n);
}

static size_t select_rows(const float *estimates, const float *errors, float weight,
                          float threshold, size_t count, uint32_t *indexes) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        if (estimates[i] + weight * errors[i] >= threshold) indexes[found++] = (uint32_t)i;
    return found;
}

ESTIMATES()
ENCODING()
ROTATION()

const struct carrel_kernels carrel_plain = {
    .name = "plain",
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
