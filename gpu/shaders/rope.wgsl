// rope rotates queries and keys by their positions and files keys and values in the block cache.
//   qkv (T, 3D), turns (n, head/2): cosine and sine, q (T, D), keys and values (n, D)
// One invocation turns one pair of dimensions, j and j + head/2 of a head, of one row.
// Dispatch: ceil(D/2/64) × T. Source: cpu/rope.go.
//#import pass
//#import dims
@group(0) @binding(0) var<uniform> call: Pass;
@group(0) @binding(1) var<uniform> dims: Dims;
@group(0) @binding(2) var<storage, read> qkv: array<f32>;
@group(0) @binding(3) var<storage, read> turns: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> q: array<f32>;
@group(0) @binding(5) var<storage, read_write> keys: array<f32>;
@group(0) @binding(6) var<storage, read_write> values: array<f32>;

fn turn(a: f32, b: f32, by: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(a * by.x - b * by.y, b * by.x + a * by.y);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.y;
    if (id.x >= dims.outputs / 2u || row >= call.rows) {
        return;
    }
    let half = dims.head / 2u;
    let j = id.x % half;
    let lo = id.x / half * dims.head + j;
    let hi = lo + half;
    let position = call.base + row;
    let by = turns[position * half + j];
    let start = row * dims.stride;

    let query = turn(qkv[start + lo], qkv[start + hi], by);
    q[row * dims.out_stride + lo] = query.x;
    q[row * dims.out_stride + hi] = query.y;

    let at = position * dims.out_stride;
    let key = turn(qkv[start + dims.outputs + lo], qkv[start + dims.outputs + hi], by);
    keys[at + lo] = key.x;
    keys[at + hi] = key.y;
    values[at + lo] = qkv[start + 2u * dims.outputs + lo];
    values[at + hi] = qkv[start + 2u * dims.outputs + hi];
}
