// Products with a constant matrix through oneDNN, in fp32 or bf16. C on the outside: an error is a
// null pointer or a code, and no exception leaves.
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// W, reordered once into the layout this processor multiplies fastest.
struct carrel_packed;

enum carrel_arithmetic { carrel_fp32 = 0, carrel_bf16 = 1 };

/// Packs W, `outputs` rows of `inputs` floats; the floats are not needed afterwards.
/// Null when oneDNN has no such product for this processor, `*is_missing` then being 1, or when it or the
/// memory fails, `*is_missing` being 0.
struct carrel_packed *carrel_packed_create(const float *weights, size_t outputs, size_t inputs,
                                           enum carrel_arithmetic arithmetic, int *is_missing);

void carrel_packed_destroy(struct carrel_packed *packed);

/// y = x·Wᵀ for `rows` rows, fp32 in and out (rounded to bf16 on the way in for bf16). On the calling
/// thread alone; any number of threads may call at once. 0, or oneDNN's status.
int carrel_packed_multiply(const struct carrel_packed *packed, const float *x, size_t rows,
                           float *y);

/// The next count of rows that is multiplied in place; others are copied to that many and back.
size_t carrel_padded_rows(size_t rows);

/// Whether products run in the blocked kernels made for packed weights ("brgemm"), rather than in a
/// general one that BLAS would match.
int carrel_packed_is_blocked(const struct carrel_packed *packed);

/// Whether the processor multiplies bf16 faster than fp32: AMX or AVX512_BF16.
int carrel_has_fast_bf16(void);

#ifdef __cplusplus
}
#endif
