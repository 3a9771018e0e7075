// embed looks up tokens in the embedding table, or in a part of its rows: other tokens are left alone.
//   tokens (T), weights (V, D), out (T, D)
// One invocation copies four values of one row. Dispatch: ceil(D/4/64) × T.
// Source: cpu/embed.go.
//#import pass
//#import dims
@group(0) @binding(0) var<uniform> call: Pass;
@group(0) @binding(1) var<uniform> dims: Dims;
@group(0) @binding(2) var<storage, read> tokens: array<u32>;
@group(0) @binding(3) var<storage, read> weights: array<WEIGHT>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;
//#import weights

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.y;
    let width4 = dims.stride / 4u;
    if (id.x >= width4 || row >= call.rows) {
        return;
    }
    let token = tokens[row];
    if (token >= dims.first && token - dims.first < dims.outputs) {
        out[row * width4 + id.x] = four((token - dims.first) * width4 + id.x);
    }
}
