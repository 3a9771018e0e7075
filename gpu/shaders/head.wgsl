// head is the final norm and the LM head, for the asked rows of the canvas alone.
//   x (T, D), norm (2, D): scale and shift, weights (V, D), bias (V), out (asks, V)
// Dispatch: ceil(V/2 / (PAIRS·LANES/SPLIT)) × ceil(asks/4).
// Source: cpu/layernorm.go, cpu/matmul.go.
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

var<private> tall: u32; // first of the asked rows in the tile

fn finish(pair: u32, s: vec4<f32>, t: vec4<f32>) {
    let o = 2u * pair;
    for (var r = 0u; r < min(4u, state.asks - tall); r++) {
        let at = (tall + r) * dims.out_stride + dims.first + o;
        if (o < dims.outputs) {
            out[at] = s[r] + bias[dims.first + o];
        }
        if (o + 1u < dims.outputs) {
            out[at + 1u] = t[r] + bias[dims.first + o + 1u];
        }
    }
}

fn row_of(i: u32) -> u32 {
    return call.lead + state.asked[min(i, state.asks - 1u)];
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (group.y * 4u >= state.asks) {
        return;
    }
    tall = group.y * 4u;
    tile(group.x, vec4<u32>(row_of(tall), row_of(tall + 1u), row_of(tall + 2u), row_of(tall + 3u)), lane);
}
