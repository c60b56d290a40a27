// Fewer bits for many rows: written once with the compiler's vector types and compiled for each
// instruction set. Element by element and not fused, with sixteen running sums folded by halves and
// the last n mod 16 elements one after another, so every table gives the same bits.
#pragma once
#include "kernels.h"

#include <string.h>

typedef float carrel_floats __attribute__((vector_size(64)));
typedef double carrel_doubles __attribute__((vector_size(128)));
typedef int32_t carrel_words __attribute__((vector_size(64)));
typedef int8_t carrel_int8_t16 __attribute__((vector_size(16)));
typedef int16_t carrel_int16_t16 __attribute__((vector_size(32)));

// Adding and subtracting 1.5 · 2²³ rounds to the nearest integer, ties to even, below 2²² in
// magnitude: an instruction each, where rintf is a call for want of SSE4.1.
#define ROUNDED(value) (((value) + 0x1.8p23f) - 0x1.8p23f)

#define FOLD(sums, result)                                                                        \
    do {                                                                                          \
        double lanes[16];                                                                         \
        memcpy(lanes, &(sums), sizeof lanes);                                                     \
        for (size_t half = 8; half > 0; half /= 2)                                                \
            for (size_t j = 0; j < half; j++) lanes[j] += lanes[j + half];                        \
        (result) = lanes[0];                                                                      \
    } while (0)

// A subnormal scale is coarse and can push a quotient past the limit; hence the clamp. A scale that
// has vanished leaves zeros, and all of the vector as error.
#define QUANTIZE(TARGET, NAME, INTEGER, LIMIT)                                                    \
    TARGET static struct carrel_quantized NAME(const float *v, size_t n, INTEGER##_t *x) {        \
        carrel_floats most = {0}, part;                                                           \
        size_t i = 0;                                                                             \
        for (; i + 16 <= n; i += 16) {                                                            \
            memcpy(&part, v + i, sizeof part);                                                    \
            most = __builtin_elementwise_max(most, __builtin_elementwise_abs(part));              \
        }                                                                                         \
        float largest = 0;                                                                        \
        for (size_t j = 0; j < 16; j++) largest = most[j] > largest ? most[j] : largest;          \
        for (; i < n; i++) {                                                                      \
            float magnitude = __builtin_fabsf(v[i]);                                              \
            largest = magnitude > largest ? magnitude : largest;                                  \
        }                                                                                         \
        const float scale = largest / LIMIT;                                                      \
        carrel_doubles errors = {0}, lengths = {0};                                               \
        const carrel_floats zero = {0}, limit = zero + LIMIT;                                     \
        for (i = 0; i + 16 <= n; i += 16) {                                                       \
            memcpy(&part, v + i, sizeof part);                                                    \
            carrel_floats level = scale > 0 ? part / scale : zero;                                \
            level = __builtin_elementwise_max(__builtin_elementwise_min(level, limit), -limit);   \
            level = ROUNDED(level);                                                               \
            carrel_words words = __builtin_convertvector(level, carrel_words);                    \
            carrel_##INTEGER##_t16 narrow = __builtin_convertvector(words, carrel_##INTEGER##_t16); \
            memcpy(x + i, &narrow, sizeof narrow);                                                \
            carrel_doubles kept = (double)scale * __builtin_convertvector(level, carrel_doubles); \
            carrel_doubles lost = __builtin_convertvector(part, carrel_doubles) - kept;           \
            errors += lost * lost;                                                                \
            lengths += kept * kept;                                                               \
        }                                                                                         \
        double error, length;                                                                     \
        FOLD(errors, error);                                                                      \
        FOLD(lengths, length);                                                                    \
        for (; i < n; i++) {                                                                      \
            float level = scale > 0 ? v[i] / scale : 0;                                           \
            level = level > LIMIT ? LIMIT : level < -LIMIT ? -LIMIT : level;                      \
            level = ROUNDED(level);                                                               \
            x[i] = (INTEGER##_t)level;                                                            \
            double kept = (double)scale * level, lost = v[i] - kept;                              \
            error += lost * lost;                                                                 \
            length += kept * kept;                                                                \
        }                                                                                         \
        return (struct carrel_quantized){scale, error, length};                                   \
    }

// The words of a comparison are −1 where it holds; each keeps its own bit and all are joined.
#define SIGNS(TARGET)                                                                             \
    TARGET static struct carrel_signs signs(const float *v, size_t n, size_t stride,              \
                                            uint8_t *code) {                                      \
        const carrel_words bits = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, \
                                   16384, 32768};                                                 \
        carrel_doubles squares = {0}, magnitudes = {0};                                           \
        size_t i = 0;                                                                             \
        for (; i + 16 <= n; i += 16) {                                                            \
            carrel_floats part;                                                                   \
            memcpy(&part, v + i, sizeof part);                                                    \
            int32_t both = __builtin_reduce_or((part > 0) & bits);                                \
            code[i / 8 * stride] = (uint8_t)both;                                                 \
            code[(i / 8 + 1) * stride] = (uint8_t)(both >> 8);                                    \
            carrel_doubles wide = __builtin_convertvector(part, carrel_doubles);                  \
            squares += wide * wide;                                                               \
            magnitudes += __builtin_elementwise_abs(wide);                                        \
        }                                                                                         \
        struct carrel_signs result;                                                               \
        FOLD(squares, result.square);                                                             \
        FOLD(magnitudes, result.sum);                                                             \
        if (i < n) {                                                                              \
            uint8_t byte = 0;                                                                     \
            for (size_t bit = 0; bit < 8; bit++) {                                                \
                double value = v[i + bit];                                                        \
                byte |= (uint8_t)((value > 0) << bit);                                            \
                result.square += value * value;                                                   \
                result.sum += __builtin_fabs(value);                                              \
            }                                                                                     \
            code[i / 8 * stride] = byte;                                                          \
        }                                                                                         \
        return result;                                                                            \
    }

#define RESIDUAL(TARGET)                                                                          \
    TARGET static double residual(const float *v, const float *c, size_t n, float *r) {           \
        carrel_doubles products = {0};                                                            \
        size_t i = 0;                                                                             \
        for (; i + 16 <= n; i += 16) {                                                            \
            carrel_floats a, b;                                                                   \
            memcpy(&a, v + i, sizeof a);                                                          \
            memcpy(&b, c + i, sizeof b);                                                          \
            a -= b;                                                                               \
            memcpy(r + i, &a, sizeof a);                                                          \
            products += __builtin_convertvector(a, carrel_doubles) *                              \
                        __builtin_convertvector(b, carrel_doubles);                               \
        }                                                                                         \
        double product;                                                                           \
        FOLD(products, product);                                                                  \
        for (; i < n; i++) {                                                                      \
            r[i] = v[i] - c[i];                                                                   \
            product += (double)c[i] * (double)r[i];                                               \
        }                                                                                         \
        return product;                                                                           \
    }

#define ENCODING(TARGET)                                                                          \
    QUANTIZE(TARGET, quantize_int8, int8, 127.0f)                                                 \
    QUANTIZE(TARGET, quantize_int16, int16, 16256.0f)                                             \
    SIGNS(TARGET)                                                                                 \
    RESIDUAL(TARGET)

#define ENCODERS                                                                                  \
    .quantize_int8 = quantize_int8, .quantize_int16 = quantize_int16, .signs = signs,             \
    .residual = residual
