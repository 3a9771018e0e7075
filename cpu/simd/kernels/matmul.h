// matmul is x·wᵀ + bias for a few rows x (rows, in) against a large weight (outs, in), of which it
// computes the outputs from first to last; the weight is read once, in the type it is stored in.
// Source: cpu/matmul.go, cpu/gelu.go.
//
// A tile of TALL rows × WIDE outputs keeps its sums in registers, LANES partial sums each, along the
// inner dimension. x is packed, so that each tile reads it in one stream. The outputs of a tile lie far
// apart, so that the weight is read in WIDE streams from one end to the other: processors then fetch
// it ahead of time, which no instruction can ask for in WebAssembly.

// What happens to a sum; the numbers are those of kernels.Epilogue.
enum { STORE, GELU, ADD };

#define TALL 4
#if LANES == 16
#define WIDE 4
#elif LANES == 8
#define WIDE 2
#else
#define WIDE 2
#endif

// pack lays rows out for matmul: TALL rows are interleaved, LANES values of each in turn, then what is
// left of each; rows that fill no tile follow as they are. folded says whether the weight is f16.
void KERNEL(pack)(const float *x, int rows, int in, int folded, float *out) {
    float by = folded ? FOLD : 1;
    int whole = in / LANES * LANES, r = 0;
    for (; r + TALL <= rows; r += TALL, x += TALL * in) {
        for (int i = 0; i < whole; i += LANES)
            for (int t = 0; t < TALL; t++, out += LANES) save(out, load(x + t * in + i) * by);
        for (int t = 0; t < TALL; t++)
            for (int i = whole; i < in; i++) *out++ = x[t * in + i] * by;
    }
    for (int i = 0; i < (rows - r) * in; i++) out[i] = x[i] * by;
}

INLINE vf gelu(vf v) {
    vf u = 1.5957691216057308f * (v + 0.044715f * v * v * v); // twice the usual, for tanh by e^x
    return v / (1 + vexp(-u));
}

INLINE void finish(float *out, float value, int epilogue) {
    if (epilogue == ADD)
        *out += value;
    else
        *out = value;
}

// activate applies GELU to what a matmul stored.
INLINE void activate(float *out, int rows, int stride, int first, int last) {
    for (int r = 0; r < rows; r++, out += stride) {
        int o = first;
        for (; o + LANES <= last; o += LANES) save(out + o, gelu(load(out + o)));
        for (; o < last; o++) out[o] = gelu(all(out[o]))[0];
    }
}

#define TILES(W, LOAD, LOAD1, UNDO, NAME)                                                                               \
    INLINE void NAME##_tile(int tall, int wide, const float *x, int in, const W *w, int64_t apart, const float *bias,  \
                            float *out, int stride, int gap, int epilogue) {                                           \
        vf acc[TALL][WIDE];                                                                                            \
        UNROLL for (int r = 0; r < tall; r++) UNROLL for (int o = 0; o < wide; o++) acc[r][o] = all(0);                \
        int whole = in / LANES * LANES;                                                                                \
        for (int i = 0; i < whole; i += LANES) {                                                                       \
            vf v[WIDE];                                                                                                \
            UNROLL for (int o = 0; o < wide; o++) {                                                                    \
                v[o] = LOAD(w + o * apart + i);                                                                        \
                __builtin_prefetch(w + o * apart + in + i);                                                            \
            }                                                                                                          \
            UNROLL for (int r = 0; r < tall; r++) {                                                                    \
                vf row = load(x + tall * i + r * LANES);                                                               \
                UNROLL for (int o = 0; o < wide; o++) acc[r][o] = madd(row, v[o], acc[r][o]);                          \
            }                                                                                                          \
        }                                                                                                              \
        UNROLL for (int r = 0; r < tall; r++) UNROLL for (int o = 0; o < wide; o++) {                                  \
            float total = sum(acc[r][o]);                                                                              \
            const float *rest = x + tall * whole + r * (in - whole) - whole;                                           \
            for (int i = whole; i < in; i++) total += rest[i] * LOAD1(w[o * apart + i]);                               \
            finish(out + r * stride + o * gap, bias ? total * UNDO + bias[o * gap] : total * UNDO, epilogue);          \
        }                                                                                                              \
    }                                                                                                                  \
    INLINE void NAME##_column(int wide, const float *x, int rows, int in, const W *w, const float *bias, float *out,  \
                              int stride, int gap, int epilogue) {                                                     \
        int64_t apart = (int64_t)gap * in;                                                                             \
        int r = 0;                                                                                                     \
        for (; r + TALL <= rows; r += TALL)                                                                            \
            NAME##_tile(TALL, wide, x + r * in, in, w, apart, bias, out + r * stride, stride, gap, epilogue);          \
        for (; r < rows; r++)                                                                                          \
            NAME##_tile(1, wide, x + r * in, in, w, apart, bias, out + r * stride, stride, gap, epilogue);             \
    }                                                                                                                  \
    void KERNEL(NAME)(const float *x, int rows, int in, const W *w, const float *bias, float *out, int stride,         \
                      int first, int last, int epilogue) {                                                             \
        int gap = (last - first) / WIDE, o = first;                                                                    \
        for (; o < first + gap; o++)                                                                                   \
            NAME##_column(WIDE, x, rows, in, w + (int64_t)o * in, bias ? bias + o : 0, out + o, stride, gap, epilogue); \
        for (o = first + WIDE * gap; o < last; o++)                                                                    \
            NAME##_column(1, x, rows, in, w + (int64_t)o * in, bias ? bias + o : 0, out + o, stride, 0, epilogue);     \
        if (epilogue == GELU) activate(out, rows, stride, first, last);                                                \
    }

INLINE float widen1_f32(float v) { return v; }
TILES(float, load, widen1_f32, 1, matmul_f32)
TILES(half, widen, widen1, UNFOLD, matmul_f16)
