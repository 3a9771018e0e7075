#ifdef __x86_64__
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx512vl,avx2,fma,f16c")
#endif
#define LANES 16
#define ISA avx512
#include "kernels.h"
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
