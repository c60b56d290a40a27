// Loops over rows, for kernels whose cost per row hides an indirect call (2 ns beside 40 to 300).
#include "kernels.h"

void carrel_dot_rows(const struct carrel_kernels *kernels, const float *query, const float *rows,
                     size_t dimension, size_t count, double *out) {
    for (size_t i = 0; i < count; i++)
        out[i] = kernels->dot(query, rows + i * dimension, dimension);
}

// Survivors lie anywhere in the block, where the hardware prefetcher sees no pattern: ask for the
// next row's first kilobyte while this one is summed; the prefetcher follows from there.
void carrel_dot_gathered(const struct carrel_kernels *kernels, const float *query,
                         const float *rows, size_t dimension, const uint32_t *indexes,
                         size_t count, double *out) {
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count) {
            const char *next = (const char *)(rows + (size_t)indexes[i + 1] * dimension);
            for (size_t line = 0; line < 16 && line * 64 < dimension * 4; line++)
                __builtin_prefetch(next + 64 * line);
        }
        out[i] = kernels->dot(query, rows + (size_t)indexes[i] * dimension, dimension);
    }
}
