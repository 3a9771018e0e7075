#ifndef __wasm__
#include "dispatch.h"

#define DECLARE(type, name, parameters, arguments)                                                                     \
    type unmask_##name##_base parameters;                                                                              \
    type unmask_##name##_avx2 parameters;                                                                              \
    type unmask_##name##_avx512 parameters;
UNMASK_KERNELS(DECLARE)

static int level;

int unmask_levels(void) {
#ifdef __x86_64__
    // Every processor with AVX2 has F16C too, which not every compiler can ask for.
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 1;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") ? 3 : 2;
#else
    return 1;
#endif
}

void unmask_use(int wanted) { level = wanted; }

#ifdef __x86_64__
#define CALL(type, name, parameters, arguments)                                                                        \
    type unmask_##name parameters {                                                                                    \
        if (level == 2) return unmask_##name##_avx512 arguments;                                                       \
        if (level == 1) return unmask_##name##_avx2 arguments;                                                         \
        return unmask_##name##_base arguments;                                                                         \
    }
#else
#define CALL(type, name, parameters, arguments)                                                                        \
    type unmask_##name parameters { return unmask_##name##_base arguments; }
#endif
UNMASK_KERNELS(CALL)
#endif
