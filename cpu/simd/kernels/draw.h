// What the draw of a token needs of a row of logits. The mask's logit is NOWHERE, so that it has no
// probability. All rows are padded to a multiple of 16 values with NOWHERE. Source: cpu/draw.go.

// statistics are those of one row at temperature 1.
typedef struct statistics {
    int32_t best;     // the most probable token, the lowest id among equals
    float top;        // its logit
    float total;      // of e^(logit - top)
    float entropy;    // nats
} statistics;

void KERNEL(measure)(const float *logits, int vocab, statistics *out) {
    vf tops = load(logits);
    for (int v = LANES; v < vocab; v += LANES) tops = larger(tops, load(logits + v));
    float top = highest(tops);
    int best = 0;
    while (logits[best] != top) best++;

    vf total = all(0), weighted = all(0);
    for (int v = 0; v < vocab; v += LANES) {
        vf d = load(logits + v) - top, e = vexp(d);
        total += e;
        weighted += e * d;
    }
    float z = sum(total);
    out->best = best;
    out->top = top;
    out->total = z;
    out->entropy = sum(weighted) / z;
}

// weigh fills weights with e^((logit - top)·scale) of every token.
void KERNEL(weigh)(const float *logits, int vocab, float top, float scale, float *weights) {
    for (int v = 0; v < vocab; v += LANES) save(weights + v, vexp((load(logits + v) - top) * scale));
}

// above sums the weights of tokens whose logit is at least cut, or counts them if weights is null.
float KERNEL(above)(const float *logits, const float *weights, int vocab, float cut) {
    vf total = all(0);
    for (int v = 0; v < vocab; v += LANES) {
        vf w = weights ? load(weights + v) : all(1);
        total += pick(load(logits + v) >= all(cut), w, all(0));
    }
    return sum(total);
}
