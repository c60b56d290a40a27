// From integer sums to estimated inner products, a line each: written once and compiled for each
// instruction set by the compiler's own vectoriser. Element by element and not fused
// (-ffp-contract=off in Package.swift), so every table gives the same bits.
#pragma once
#include "kernels.h"

#define ESTIMATES(TARGET)                                                                         \
    TARGET static void bit_estimates(const uint16_t *sums, const float *bases,                    \
                                     const float *factors, float scale, float offset,             \
                                     size_t count, float *estimates) {                            \
        for (size_t i = 0; i < count; i++)                                                        \
            estimates[i] = bases[i] + factors[i] * (scale * (float)sums[i] + offset);             \
    }                                                                                             \
    TARGET static void int8_estimates(const int32_t *dots, const float *scales, float scale,      \
                                      size_t count, float *estimates) {                           \
        for (size_t i = 0; i < count; i++)                                                        \
            estimates[i] = scales[i] * (scale * (float)dots[i]);                                  \
    }
