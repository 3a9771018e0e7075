// The kernels by the instruction set that the machine has; see the headers that define them.
#include <stdint.h>

typedef uint16_t half;
typedef struct statistics statistics; // see draw.h

#define UNMASK_KERNELS(X)                                                                                              \
    X(void, pack, (const float *x, int rows, int in, int folded, float *out), (x, rows, in, folded, out))              \
    X(void, matmul_f32, (const float *x, int rows, int in, const float *w, const float *bias, float *out, int stride,  \
                         int first, int last, int epilogue),                                                           \
      (x, rows, in, w, bias, out, stride, first, last, epilogue))                                                      \
    X(void, matmul_f16, (const float *x, int rows, int in, const half *w, const float *bias, float *out, int stride,   \
                         int first, int last, int epilogue),                                                           \
      (x, rows, in, w, bias, out, stride, first, last, epilogue))                                                      \
    X(void, layernorm, (const float *x, int rows, int width, const float *scale, const float *shift, float epsilon,    \
                        float *out),                                                                                   \
      (x, rows, width, scale, shift, epsilon, out))                                                                    \
    X(void, rope, (const float *qkv, int rows, int width, int head, int base, int window, const float *turns,          \
                   float scale, float *q, float *keys, float *values),                                                 \
      (qkv, rows, width, head, base, window, turns, scale, q, keys, values))                                           \
    X(void, attend, (const float *q, int rows, int stride, const float *keys, const float *values, int head,           \
                     const int32_t *limits, float *scores, int room, float *out),                                      \
      (q, rows, stride, keys, values, head, limits, scores, room, out))                                                \
    X(void, measure, (const float *logits, int vocab, statistics *out), (logits, vocab, out))                                \
    X(void, weigh, (const float *logits, int vocab, float top, float scale, float *weights),                           \
      (logits, vocab, top, scale, weights))                                                                            \
    X(float, above, (const float *logits, const float *weights, int vocab, float cut), (logits, weights, vocab, cut))

#define UNMASK_DECLARE(type, name, parameters, arguments) type unmask_##name parameters;
UNMASK_KERNELS(UNMASK_DECLARE)

// unmask_levels is the number of instruction sets that this machine can use, and unmask_use chooses
// one of them, the widest being the last.
int unmask_levels(void);
void unmask_use(int level);
