// matmul is x·wᵀ + bias, then stored, put through GELU, or added to what is there.
//   x (T, in), weights (out, in), bias (out), out (T, out); weights may be a part of the rows
// One invocation computes 4 rows × 4 outputs, so that each load of four values feeds 16
// multiplications. Rows up to the next multiple of 4 exist in every buffer.
// Dispatch: ceil(out/4/64) × ceil(T/4). Source: cpu/matmul.go, cpu/gelu.go.
//#import dims
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: array<WEIGHT>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
//#import weights

// gelu is the tanh approximation. Beyond ±10 tanh is ±1 in f32, and some drivers overflow.
fn gelu(v: vec4<f32>) -> vec4<f32> {
    let inner = 0.7978845608028654 * (v + 0.044715 * v * v * v);
    return 0.5 * v * (1.0 + tanh(clamp(inner, vec4<f32>(-10.0), vec4<f32>(10.0))));
}

fn store(row: u32, first: u32, sum: vec4<f32>) {
    var value = sum;
    for (var i = 0u; i < 4u; i++) {
        value[i] += bias[dims.first + min(first + i, dims.outputs - 1u)];
    }
    if (dims.epilogue == 1u) {
        value = gelu(value);
    }
    for (var i = 0u; i < 4u; i++) {
        let o = first + i;
        if (o < dims.outputs) {
            let at = row * dims.out_stride + dims.first + o;
            if (dims.epilogue == 2u) {
                out[at] += value[i];
            } else {
                out[at] = value[i];
            }
        }
    }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let first = id.x * 4u;
    let row = id.y * 4u;
    if (first >= dims.outputs) {
        return;
    }
    let in4 = dims.stride / 4u;
    let last = dims.outputs - 1u;
    let w0 = first * in4;
    let w1 = min(first + 1u, last) * in4;
    let w2 = min(first + 2u, last) * in4;
    let w3 = min(first + 3u, last) * in4;
    let x0 = row * in4;
    let x1 = x0 + in4;
    let x2 = x1 + in4;
    let x3 = x2 + in4;
    var s0 = vec4<f32>();
    var s1 = vec4<f32>();
    var s2 = vec4<f32>();
    var s3 = vec4<f32>();
    for (var i = 0u; i < in4; i++) {
        let a = four(w0 + i);
        let b = four(w1 + i);
        let c = four(w2 + i);
        let d = four(w3 + i);
        let r0 = x[x0 + i];
        let r1 = x[x1 + i];
        let r2 = x[x2 + i];
        let r3 = x[x3 + i];
        s0 += vec4<f32>(dot(r0, a), dot(r0, b), dot(r0, c), dot(r0, d));
        s1 += vec4<f32>(dot(r1, a), dot(r1, b), dot(r1, c), dot(r1, d));
        s2 += vec4<f32>(dot(r2, a), dot(r2, b), dot(r2, c), dot(r2, d));
        s3 += vec4<f32>(dot(r3, a), dot(r3, b), dot(r3, c), dot(r3, d));
    }
    store(row, first, s0);
    store(row + 1u, first, s1);
    store(row + 2u, first, s2);
    store(row + 3u, first, s3);
}
