// The tables known to this build. Private to CKernels.
#pragma once
#include "kernels.h"

extern const struct carrel_kernels carrel_plain;

#if defined(__x86_64__)
extern const struct carrel_kernels carrel_avx2;
extern const struct carrel_kernels carrel_avx512;
extern const struct carrel_kernels carrel_avx512vnni;
#elif defined(__aarch64__)
extern const struct carrel_kernels carrel_neon;
#endif

/// Asks for `n` bytes from an address on, which need not be anyone's: nothing is read that is not there.
static inline void carrel_prefetch(uintptr_t address, size_t n) {
    for (size_t byte = 0; byte < n; byte += 64) __builtin_prefetch((const void *)(address + byte));
}

/// Rows read in order: what lies a page further on. The processor's own prefetcher stops at pages of
/// 4 KB; the int8 scan of 10,000 rows took 366 µs with 1.5 KB, 325 with 4 and 342 with 8.
static inline void carrel_prefetch_next(const int8_t *row, size_t n) {
    carrel_prefetch((uintptr_t)row + 4096, n);
}

/// Rows read by index: the fourth after this one. They lie anywhere, and each would be waited for.
static inline void carrel_prefetch_gathered(const int8_t *rows, size_t n, const uint32_t *indexes,
                                            size_t i, size_t count) {
    if (i + 4 < count) carrel_prefetch((uintptr_t)(rows + indexes[i + 4] * n), n);
}
