// The kernels for what every machine of an architecture has: SSE2, NEON, or WebAssembly's SIMD.
#define LANES 4
#define ISA base
#include "kernels.h"

#ifdef __wasm__
// Which of the two WebAssembly modules this is.
int32_t unmask_fused(void) {
#ifdef __wasm_relaxed_simd__
    return 1;
#else
    return 0;
#endif
}
#endif
