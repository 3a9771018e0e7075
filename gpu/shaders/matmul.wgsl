// matmul is x·wᵀ + bias, added to what is there: the residual connection.
//   x (T, in), weights (outs, in), bias (outs), out (T, outs); weights may be a part of the rows
// Rows up to the next multiple of 4 exist in every buffer.
// Dispatch: ceil(outs/2 / (PAIRS·LANES/SPLIT)) × ceil(T/4). Source: cpu/matmul.go.
//#import pass
//#import dims
//#import state
@group(0) @binding(0) var<uniform> call: Pass;
@group(0) @binding(1) var<uniform> dims: Dims;
@group(0) @binding(2) var<storage, read> state: State;
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> weights: array<WEIGHT>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> out: array<f32>;
//#import weights
//#import neighbours
//#import tile
//#import rows

fn finish(pair: u32, s: vec4<f32>, t: vec4<f32>) {
    let o = 2u * pair;
    for (var r = 0u; r < min(4u, call.rows - tall); r++) {
        let at = (tall + r) * dims.out_stride + dims.first + o;
        if (o < dims.outputs) {
            out[at] += s[r] + bias[dims.first + o];
        }
        if (o + 1u < dims.outputs) {
            out[at + 1u] += t[r] + bias[dims.first + o + 1u];
        }
    }
}
