// embed looks up tokens in the embedding table, which may lie in two parts.
//   tokens (≥ skip + T), weights and more (V, D), out (T, D)
// One invocation copies four values of one row. Dispatch: ceil(D/4/64) × T.
// Source: cpu/embed.go.
//#import pass
//#import dims
//#import state
@group(0) @binding(0) var<uniform> call: Pass;
@group(0) @binding(1) var<uniform> dims: Dims;
@group(0) @binding(2) var<storage, read> state: State;
@group(0) @binding(3) var<storage, read> tokens: array<u32>;
@group(0) @binding(4) var<storage, read> weights: array<WEIGHT>;
@group(0) @binding(5) var<storage, read> more: array<WEIGHT>;
@group(0) @binding(6) var<storage, read_write> out: array<vec4<f32>>;
//#import weights

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.y;
    let width4 = dims.stride / 4u;
    if (state.asks == 0u || id.x >= width4 || row >= call.rows) {
        return;
    }
    let token = tokens[call.skip + row];
    if (token >= dims.second) {
        out[row * width4 + id.x] = widen(more[(token - dims.second) * width4 + id.x]);
    } else if (token >= dims.first) {
        out[row * width4 + id.x] = four((token - dims.first) * width4 + id.x);
    }
}
