// rope rotates queries and keys by their positions, and files keys and values in the block cache.
//   qkv (rows, 3·width), turns (n, 2, head/2): cosines, then sines; q (rows, width), already scaled
// The cache of a layer is laid out for attend, a head after the other: keys in groups of GROUP
// positions, (n/GROUP, head, GROUP); values (n, wide), with rows of head padded to a multiple of 16.
// Source: cpu/rope.go.
#define GROUP 32

void KERNEL(rope)(const float *qkv, int rows, int width, int head, int base, int window, const float *turns, float scale,
                  float *q, float *keys, float *values) {
    int half_ = head / 2, wide = (head + 15) & ~15;
    for (int t = 0; t < rows; t++, qkv += 3 * width, q += width) {
        int position = base + t;
        const float *cosine = turns + (int64_t)position * head, *sine = cosine + half_;
        for (int h = 0; h < width / head; h++) {
            const float *from = qkv + h * head, *key = from + width, *value = key + width;
            float *to = q + h * head;
            float *k = keys + ((int64_t)h * window + position / GROUP * GROUP) * head + position % GROUP;
            float *v = values + ((int64_t)h * window + position) * wide;
            for (int j = 0; j < half_; j++) {
                float c = cosine[j], s = sine[j];
                to[j] = (from[j] * c - from[half_ + j] * s) * scale;
                to[half_ + j] = (from[half_ + j] * c + from[j] * s) * scale;
                k[j * GROUP] = key[j] * c - key[half_ + j] * s;
                k[(half_ + j) * GROUP] = key[half_ + j] * c + key[j] * s;
            }
            for (int j = 0; j < head; j++) v[j] = value[j];
        }
    }
}
