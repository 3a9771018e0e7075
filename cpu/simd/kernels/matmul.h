// matmul is x·wᵀ + bias for a few rows x (rows, in) against a large weight (outs, in), of which it
// computes the outputs from first to last; the weight is read once, in the type it is stored in.
// Source: cpu/matmul.go, cpu/gelu.go.
//
// A tile of TALL rows × WIDE outputs keeps its sums in registers, LANES partial sums each, along the
// inner dimension. x is packed, so that each tile reads it in one stream. Weights are read in the order
// in which they lie, and while a tile is computed, the next one's are fetched from memory, where an
// instruction can ask for that; elsewhere a tile is one output wide, a single stream, which processors
// fetch ahead by themselves.

// What happens to a sum; the numbers are those of kernels.Epilogue.
enum { STORE, GELU, ADD };

#define TALL 4
#if LANES == 16
#define WIDE 4
#elif LANES == 8
#define WIDE 2
#else
#define WIDE 1
#endif

// pack lays rows out for matmul: TALL rows are interleaved, LANES values of each in turn, then what is
// left of each; rows that fill no tile follow as they are.
void KERNEL(pack)(const float *x, int rows, int in, float *out) {
    int whole = in / LANES * LANES, r = 0;
    for (; r + TALL <= rows; r += TALL, x += TALL * in) {
        for (int i = 0; i < whole; i += LANES)
            for (int t = 0; t < TALL; t++, out += LANES) save(out, load(x + t * in + i));
        for (int t = 0; t < TALL; t++)
            for (int i = whole; i < in; i++) *out++ = x[t * in + i];
    }
    for (int i = 0; i < (rows - r) * in; i++) out[i] = x[i];
}

INLINE vf gelu(vf v) {
    vf u = 1.5957691216057308f * (v + 0.044715f * v * v * v); // twice the usual, for tanh by e^x
    return v / (1 + vexp(-u));
}

INLINE void finish(float *out, float value, int epilogue) {
    if (epilogue == ADD)
        *out += value;
    else if (epilogue == GELU)
        *out = gelu(all(value))[0];
    else
        *out = value;
}

#define LINE 64 // bytes of a cache line

#define TILES(W, LOAD, LOAD1, NAME)                                                                                    \
    INLINE void NAME##_tile(int tall, int wide, const float *x, int in, const W *w, const float *bias, float *out,    \
                            int stride, int epilogue) {                                                                \
        vf acc[TALL][WIDE];                                                                                            \
        UNROLL for (int r = 0; r < tall; r++) UNROLL for (int o = 0; o < wide; o++) acc[r][o] = all(0);                \
        int whole = in / LANES * LANES;                                                                                \
        for (int i = 0; i < whole; i += LANES) {                                                                       \
            vf v[WIDE];                                                                                                \
            UNROLL for (int o = 0; o < wide; o++) {                                                                    \
                v[o] = LOAD(w + o * in + i);                                                                           \
                __builtin_prefetch(w + (wide + o) * in + i);                                                           \
            }                                                                                                          \
            UNROLL for (int r = 0; r < tall; r++) {                                                                    \
                vf row = load(x + tall * i + r * LANES);                                                               \
                UNROLL for (int o = 0; o < wide; o++) acc[r][o] += row * v[o];                                         \
            }                                                                                                          \
        }                                                                                                              \
        UNROLL for (int r = 0; r < tall; r++) UNROLL for (int o = 0; o < wide; o++) {                                  \
            float total = sum(acc[r][o]);                                                                              \
            const float *rest = x + tall * whole + r * (in - whole) - whole;                                           \
            for (int i = whole; i < in; i++) total += rest[i] * LOAD1(w[o * in + i]);                                  \
            finish(out + r * stride + o, bias ? total + bias[o] : total, epilogue);                                    \
        }                                                                                                              \
    }                                                                                                                  \
    INLINE void NAME##_column(int wide, const float *x, int rows, int in, const W *w, const float *bias, float *out,  \
                              int stride, int epilogue) {                                                              \
        int r = 0;                                                                                                     \
        for (; r + TALL <= rows; r += TALL)                                                                            \
            NAME##_tile(TALL, wide, x + r * in, in, w, bias, out + r * stride, stride, epilogue);                      \
        for (; r < rows; r++) NAME##_tile(1, wide, x + r * in, in, w, bias, out + r * stride, stride, epilogue);       \
    }                                                                                                                  \
    void KERNEL(NAME)(const float *x, int rows, int in, const W *w, const float *bias, float *out, int stride,         \
                      int first, int last, int epilogue) {                                                             \
        int o = first;                                                                                                 \
        for (; o + WIDE <= last; o += WIDE)                                                                            \
            NAME##_column(WIDE, x, rows, in, w + (int64_t)o * in, bias ? bias + o : 0, out + o, stride, epilogue);     \
        for (; o < last; o++)                                                                                          \
            NAME##_column(1, x, rows, in, w + (int64_t)o * in, bias ? bias + o : 0, out + o, stride, epilogue);        \
    }

INLINE float widen1_f32(float v) { return v; }
TILES(float, load, widen1_f32, matmul_f32)
TILES(half, widen, widen1, matmul_f16)
