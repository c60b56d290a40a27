// A query in four bits, and what that loses. Elementwise, so the compiler vectorises it for the
// baseline; sums run in order, in double.
#include "kernels.h"

// Adding and subtracting 1.5 · 2²³ rounds to the nearest integer, ties to even, below 2²² in
// magnitude: an instruction each, where rintf is a call for want of SSE4.1.
static inline float rounded(float value) { return (value + 0x1.8p23f) - 0x1.8p23f; }

static float largest_magnitude(const float *v, size_t n) {
    float largest = 0;
    for (size_t i = 0; i < n; i++) {
        float magnitude = __builtin_fabsf(v[i]);
        largest = magnitude > largest ? magnitude : largest;
    }
    return largest;
}

double carrel_bit_table(const float *v, size_t n, float *step, uint8_t *table) {
    const float width = largest_magnitude(v, n) / 7.5f;
    double error = 0;
    for (size_t nibble = 0; nibble < n / 4; nibble++, table += 16) {
        // With every sign negative; then each entry from the one without its highest bit. Entries are
        // half the sum of four odd levels, plus 30: 0 … 60.
        int8_t level[4];
        int all = 0;
        for (size_t i = 0; i < 4; i++) {
            float value = v[nibble * 4 + i];
            float place = width > 0 ? value / width + 7.5f : 7.5f;
            float k = rounded(place < 0 ? 0 : place > 15 ? 15 : place);
            double lost = value - (double)width * ((double)k - 7.5);
            error += lost * lost;
            level[i] = (int8_t)(2 * (int)k - 15);
            all += level[i];
        }
        table[0] = (uint8_t)(30 - all / 2);
        for (size_t bit = 0; bit < 4; bit++)
            for (size_t low = 0; low < (size_t)1 << bit; low++)
                table[((size_t)1 << bit) + low] = (uint8_t)(table[low] + level[bit]);
    }
    *step = width;
    return error;
}
