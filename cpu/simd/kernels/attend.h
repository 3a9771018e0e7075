// attend is softmax(q·kᵀ)·v of one head for a few rows, each seeing the first limits[r] positions.
//   q and out (rows, stride), at the head's first column; keys and values as rope files them;
//   scores (TALL, room): room for a multiple of GROUP positions.
// Keys lie so that a vector holds LANES positions of one dimension: scores need no sums across lanes.
// Source: cpu/attend.go.
#define PAIR 2

// score fills scores (tall, room) for all positions up to limit.
INLINE void score(int tall, const float *q, int stride, const float *keys, int head, int limit, float *scores, int room) {
    for (int p = 0; p < limit; p += GROUP, keys += head * GROUP) {
        for (int i = 0; i < GROUP; i += PAIR * LANES) {
            vf acc[TALL][PAIR];
            UNROLL for (int r = 0; r < tall; r++) UNROLL for (int j = 0; j < PAIR; j++) acc[r][j] = all(0);
            for (int d = 0; d < head; d++) {
                vf k[PAIR];
                UNROLL for (int j = 0; j < PAIR; j++) k[j] = load(keys + d * GROUP + i + j * LANES);
                __builtin_prefetch(keys + (head + d) * GROUP + i);
                if (PAIR * LANES > 16) __builtin_prefetch(keys + (head + d) * GROUP + i + 16);
                UNROLL for (int r = 0; r < tall; r++) {
                    vf x = all(q[r * stride + d]);
                    UNROLL for (int j = 0; j < PAIR; j++) acc[r][j] = madd(x, k[j], acc[r][j]);
                }
            }
            UNROLL for (int r = 0; r < tall; r++) UNROLL for (int j = 0; j < PAIR; j++) save(scores + r * room + p + i + j * LANES, acc[r][j]);
        }
    }
}

// soften turns scores (limit) into e^(score - highest), zero beyond limit and up to room, and returns
// their sum.
INLINE float soften(float *scores, int limit, int room) {
    float top = scores[0];
    int whole = limit / LANES * LANES;
    vf tops = all(top);
    for (int i = 0; i < whole; i += LANES) tops = larger(tops, load(scores + i));
    top = highest(tops);
    for (int i = whole; i < limit; i++) top = most(top, scores[i]);
    for (int i = limit; i < room; i++) scores[i] = -1e30f;
    vf total = all(0);
    for (int i = 0; i < room; i += LANES) {
        vf e = vexp(load(scores + i) - top);
        save(scores + i, e);
        total += e;
    }
    return sum(total);
}

// blend adds up values, weighted by scores (tall, room), for the dimensions of one head.
INLINE void blend(int tall, const float *scores, int room, const float *values, int head, int limit, const float *totals,
                  float *out, int stride) {
    int wide = (head + 15) & ~15;
    int step = wide % (PAIR * LANES) ? LANES : PAIR * LANES, pair = step / LANES;
    for (int d = 0; d < wide; d += step) {
        vf acc[TALL][PAIR];
        UNROLL for (int r = 0; r < tall; r++) UNROLL for (int j = 0; j < PAIR; j++) acc[r][j] = all(0);
        const float *v = values + d;
        for (int p = 0; p < limit; p++, v += wide) {
            vf value[PAIR];
            value[0] = load(v);
            __builtin_prefetch(v + 16 * wide);
            value[1] = load(v + (pair - 1) * LANES);
            UNROLL for (int r = 0; r < tall; r++) {
                vf weight = all(scores[r * room + p]);
                UNROLL for (int j = 0; j < PAIR; j++) acc[r][j] = madd(weight, value[j], acc[r][j]);
            }
        }
        UNROLL for (int r = 0; r < tall; r++) UNROLL for (int j = 0; j < PAIR; j++) {
            int at = d + j * LANES;
            if (j >= pair) continue;
            vf result = acc[r][j] / totals[r];
            if (at + LANES <= head)
                save(out + r * stride + at, result);
            else
                UNROLL for (int i = 0; i < LANES; i++) if (at + i < head) out[r * stride + at + i] = result[i];
        }
    }
}

INLINE void attend_rows(int tall, const float *q, int stride, const float *keys, const float *values, int head,
                        const int32_t *limits, float *scores, int room, float *out) {
    int limit = limits[tall - 1], used = (limit + GROUP - 1) / GROUP * GROUP;
    score(tall, q, stride, keys, head, limit, scores, room);
    float totals[TALL];
    UNROLL for (int r = 0; r < tall; r++) totals[r] = soften(scores + r * room, limits[r], used);
    blend(tall, scores, room, values, head, limit, totals, out, stride);
}

void KERNEL(attend)(const float *q, int rows, int stride, const float *keys, const float *values, int head,
                    const int32_t *limits, float *scores, int room, float *out) {
    int r = 0;
    for (; r + TALL <= rows; r += TALL)
        attend_rows(TALL, q + r * stride, stride, keys, values, head, limits + r, scores, room, out + r * stride);
    for (; r < rows; r++)
        attend_rows(1, q + r * stride, stride, keys, values, head, limits + r, scores, room, out + r * stride);
}
