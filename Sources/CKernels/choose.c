// Which table this processor runs.
//
// The compiler's own detection asks the operating system too (XGETBV), so a processor whose kernel
// does not save the wide registers is not offered them. The choice is made on first use and cannot
// change; two threads asking at once compute the same answer.
#include "tables.h"

#include <stdatomic.h>
#include <string.h>

static const char *const names[] = {"avx512vnni", "avx512", "avx2", "neon", "plain", NULL};

const char *const *carrel_kernel_names(void) { return names; }

#if defined(__x86_64__)
static int has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c");
}

static int has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static int has_vnni(void) { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }
#endif

const struct carrel_kernels *carrel_kernels_named(const char *name) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!strcmp(name, "avx512vnni")) return has_vnni() ? &carrel_avx512vnni : NULL;
    if (!strcmp(name, "avx512")) return has_avx512() ? &carrel_avx512 : NULL;
    if (!strcmp(name, "avx2")) return has_avx2() ? &carrel_avx2 : NULL;
#elif defined(__aarch64__)
    if (!strcmp(name, "neon")) return &carrel_neon;
#endif
    return strcmp(name, "plain") ? NULL : &carrel_plain;
}

const struct carrel_kernels *carrel_kernels(void) {
    static _Atomic(const struct carrel_kernels *) chosen;
    const struct carrel_kernels *table = atomic_load_explicit(&chosen, memory_order_acquire);
    for (const char *const *name = names; !table; name++) table = carrel_kernels_named(*name);
    atomic_store_explicit(&chosen, table, memory_order_release);
    return table;
}
