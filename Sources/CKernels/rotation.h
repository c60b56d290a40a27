// A rotation in O(n log n), written once with the compiler's vector types and compiled for each
// instruction set. Element by element, in one order and not fused, so every table gives the same bits.
#pragma once
#include "encoding.h"

// A Hadamard matrix of 256 columns is the product of one of 16 along either side of a square of
// 16 × 16: butterflies down the columns, the square turned over, and again. It is not turned back,
// which only names the results otherwise.
#define HADAMARD(TARGET)                                                                          \
    TARGET static void hadamard(float *v) {                                                       \
        carrel_floats rows[16];                                                                   \
        memcpy(rows, v, sizeof rows);                                                             \
        for (size_t side = 0; side < 2; side++) {                                                 \
            for (size_t step = 1; step < 16; step *= 2)                                           \
                for (size_t i = 0; i < 16; i++) {                                                 \
                    if (i & step) continue;                                                       \
                    carrel_floats a = rows[i], b = rows[i + step];                                \
                    rows[i] = a + b;                                                              \
                    rows[i + step] = a - b;                                                       \
                }                                                                                 \
            float square[256], turned[256];                                                       \
            memcpy(square, rows, sizeof square);                                                  \
            if (side == 1) {                                                                      \
                memcpy(v, square, sizeof square);                                                 \
                return;                                                                           \
            }                                                                                     \
            for (size_t i = 0; i < 16; i++)                                                       \
                for (size_t j = 0; j < 16; j++) turned[16 * j + i] = square[16 * i + j];          \
            memcpy(rows, turned, sizeof rows);                                                    \
        }                                                                                         \
    }

// The reflection takes from each element 2/3 of the sum of the three at its place.
#define ROTATION(TARGET)                                                                          \
    HADAMARD(TARGET)                                                                              \
    TARGET static void rotate(const float *signs, float *v) {                                     \
        for (size_t round = 0; round < 3; round++) {                                              \
            for (size_t i = 0; i < 768; i++) v[i] *= signs[768 * round + i];                      \
            for (size_t third = 0; third < 3; third++) hadamard(v + 256 * third);                 \
            for (size_t i = 0; i < 256; i++) {                                                    \
                float part = (v[i] + v[i + 256] + v[i + 512]) * (2.0f / 3.0f);                    \
                v[i] -= part;                                                                     \
                v[i + 256] -= part;                                                               \
                v[i + 512] -= part;                                                               \
            }                                                                                     \
        }                                                                                         \
    }
