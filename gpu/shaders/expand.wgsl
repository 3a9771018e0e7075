// expand is the first half of the MLP: GELU(norm(x)·wᵀ + bias).
//   x (T, D), norm (2, D): scale and shift, weights (F, D), bias (F), out (T, F)
// Dispatch: ceil(F/2 / (PAIRS·LANES/SPLIT)) × ceil(T/4).
// Source: cpu/layernorm.go, cpu/matmul.go, cpu/gelu.go.
//#import pass
//#import dims
//#import state
@group(0) @binding(0) var<uniform> call: Pass;
@group(0) @binding(1) var<uniform> dims: Dims;
@group(0) @binding(2) var<storage, read> state: State;
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> weights: array<WEIGHT>;
@group(0) @binding(6) var<storage, read> bias: array<f32>;
@group(0) @binding(7) var<storage, read_write> out: array<f32>;
//#import weights
//#import neighbours
//#import tile
//#import rows

// gelu is the tanh approximation. Beyond ±10 tanh is ±1 in f32, and some drivers overflow.
fn gelu(v: vec4<f32>) -> vec4<f32> {
    let inner = 0.7978845608028654 * (v + 0.044715 * v * v * v);
    return 0.5 * v * (1.0 + tanh(clamp(inner, vec4<f32>(-10.0), vec4<f32>(10.0))));
}

fn finish(pair: u32, s: vec4<f32>, t: vec4<f32>) {
    let o = 2u * pair;
    if (o >= dims.outputs) {
        return;
    }
    let last = min(o + 1u, dims.outputs - 1u);
    let a = gelu(s + bias[dims.first + o]);
    let b = gelu(t + bias[dims.first + last]);
    for (var r = 0u; r < min(4u, call.rows - tall); r++) {
        let at = (tall + r) * dims.out_stride + dims.first;
        out[at + o] = a[r];
        if (last > o) {
            out[at + last] = b[r];
        }
    }
}
