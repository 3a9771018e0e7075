// layernorm normalises rows x (rows, width) to mean 0 and variance 1, then scales and shifts them.
// The mean comes first, then the squares around it. Source: cpu/layernorm.go.
void KERNEL(layernorm)(const float *x, int rows, int width, const float *scale, const float *shift, float epsilon,
                       float *out) {
    int whole = width / LANES * LANES;
    for (int r = 0; r < rows; r++, x += width, out += width) {
        vf sums = all(0);
        for (int i = 0; i < whole; i += LANES) sums += load(x + i);
        float mean = sum(sums);
        for (int i = whole; i < width; i++) mean += x[i];
        mean /= (float)width;

        vf squares = all(0);
        for (int i = 0; i < whole; i += LANES) {
            vf d = load(x + i) - mean;
            squares += d * d;
        }
        float variance = sum(squares);
        for (int i = whole; i < width; i++) variance += (x[i] - mean) * (x[i] - mean);
        float inverse = 1 / __builtin_sqrtf(variance / (float)width + epsilon);

        for (int i = 0; i < whole; i += LANES) save(out + i, (load(x + i) - mean) * inverse * load(scale + i) + load(shift + i));
        for (int i = whole; i < width; i++) out[i] = (x[i] - mean) * inverse * scale[i] + shift[i];
    }
}
