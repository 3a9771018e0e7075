// Vectors of LANES floats, in the vector extensions that GCC and Clang share. A file that includes the
// kernels defines LANES and ISA (the suffix of its functions) first; everything here is compiled once
// for each instruction set.
//
// The same source becomes the WebAssembly module, which shares its memory with Go: no function may
// need a stack in memory, so there are no local arrays but those that the compiler keeps in registers,
// and no tables.
#include <stdint.h>
#if LANES > 4
#include <immintrin.h>
#endif

typedef float vf __attribute__((vector_size(4 * LANES)));
typedef int32_t vi __attribute__((vector_size(4 * LANES)));
typedef float vf_memory __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#define JOIN_(name, isa) name##_##isa
#define JOIN(name, isa) JOIN_(name, isa)
#define KERNEL(name) JOIN(unmask_##name, ISA)

INLINE vf load(const float *p) { return *(const vf_memory *)p; }
INLINE void save(float *p, vf v) { *(vf_memory *)p = v; }
INLINE vf all(float x) { return x - (vf){}; }
// madd is a·b + c, rounded once where the instruction set can.
#ifdef __wasm_relaxed_simd__
INLINE vf madd(vf a, vf b, vf c) { return __builtin_wasm_relaxed_madd_f32x4(a, b, c); }
#else
INLINE vf madd(vf a, vf b, vf c) { return a * b + c; }
#endif
INLINE vf pick(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
INLINE vf larger(vf a, vf b) { return pick(a > b, a, b); }

// sum adds the lanes of a vector, and highest takes their maximum, in halves.
INLINE float sum4(float __attribute__((vector_size(16))) v) { return (v[0] + v[2]) + (v[1] + v[3]); }
INLINE float most(float a, float b) { return a > b ? a : b; }
INLINE float most4(float __attribute__((vector_size(16))) v) { return most(most(v[0], v[2]), most(v[1], v[3])); }
#if LANES == 4
INLINE float sum(vf v) { return sum4(v); }
INLINE float highest(vf v) { return most4(v); }
#elif LANES == 8
INLINE float sum(vf v) { return sum4(_mm256_castps256_ps128(v) + _mm256_extractf128_ps(v, 1)); }
INLINE float highest(vf v) { return most4(_mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1))); }
#else
INLINE float sum(vf v) { return _mm512_reduce_add_ps(v); }
INLINE float highest(vf v) { return _mm512_reduce_max_ps(v); }
#endif

// half is a weight stored as f16; widen loads LANES of them, and widen1 one, both FOLD·UNFOLD times too
// small: pack multiplies the other operand by FOLD, and a finished sum is multiplied by UNFOLD.
typedef uint16_t half;

// An f16 that is shifted to the place of an f32's exponent and fraction is 2^112 too small, for the
// exponents' biases differ by 112; subnormal numbers come out right as well. Weights are finite. Where
// there is no instruction for it, the factor is left to FOLD and UNFOLD, of which neither overflows.
#ifdef __wasm_simd128__
#define FOLD 0x1p96f
#define UNFOLD 0x1p16f
#else
#define FOLD 1.0f
#define UNFOLD 1.0f
#endif
INLINE float widen1(half h) {
    union { uint32_t u; float f; } v = {(uint32_t)(h & 0x7fff) << 13 | (uint32_t)(h & 0x8000) << 16};
    return v.f * (0x1p112f / FOLD / UNFOLD);
}
#if LANES == 4 && defined(__ARM_NEON)
#include <arm_neon.h>
INLINE vf widen(const half *p) { return (vf)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
#elif LANES == 4 && defined(__wasm_simd128__)
#include <wasm_simd128.h>
INLINE vf widen(const half *p) {
    // Sign-extended and shifted, the sign fills bits 28 to 31; only the last is wanted.
    v128_t bits = wasm_v128_and(wasm_i32x4_shl(wasm_i32x4_load16x4(p), 13), wasm_i32x4_splat((int32_t)0x8fffffff));
    return (vf)bits;
}
#elif LANES == 4
INLINE vf widen(const half *p) { return (vf){widen1(p[0]), widen1(p[1]), widen1(p[2]), widen1(p[3])}; }
#elif LANES == 8
INLINE vf widen(const half *p) { return (vf)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
#else
INLINE vf widen(const half *p) { return (vf)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
#endif

// vexp is e^x to 2 units in the last place, and 0 below -87.
INLINE vf vexp(vf x) {
    const float shift = 0x1.8p23f; // adding it rounds to an integer, which then stands in the low bits
    vf kept = pick(x > all(88), all(88), x);
    vf shifted = kept * 1.44269504f + shift;
    vf n = shifted - shift;
    vf r = kept - n * 0.693359375f + n * 2.12194440e-4f;
    vf p = all(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1;
    vf scaled = (vf)((vi)p + ((vi)shifted << 23));
    return pick(x < all(-87), all(0), scaled);
}
