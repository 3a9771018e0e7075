// The kernels for what every machine of an architecture has: SSE2, NEON, or WebAssembly's SIMD.
#define LANES 4
#define ISA base
#include "kernels.h"
