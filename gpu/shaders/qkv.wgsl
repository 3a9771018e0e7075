// qkv normalises rows, projects them to queries, keys and values, rotates queries and keys by their
// positions, and files keys and values in the block cache.
//   x (T, D), norm (2, D): scale and shift, weights (3D, D), turns (n, head/2): cosine and sine,
//   q (T, H, head), already scaled; keys (H, head/4, n, 4); values (H, n, head); head rounded up to 4
// Keys lie so that neighbouring invocations of attend read neighbouring positions. The pair of outputs
// that an invocation computes together is the pair that a rotation turns; weights may be a part of the
// rows, of whole heads.
// Dispatch: ceil(3D/2 / (PAIRS·LANES/SPLIT)) × ceil(T/4).
// Source: cpu/layernorm.go, cpu/matmul.go, cpu/rope.go.
//#import pass
//#import dims
//#import state
@group(0) @binding(0) var<uniform> call: Pass;
@group(0) @binding(1) var<uniform> dims: Dims;
@group(0) @binding(2) var<storage, read> state: State;
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> weights: array<WEIGHT>;
@group(0) @binding(6) var<storage, read> turns: array<vec2<f32>>;
@group(0) @binding(7) var<storage, read_write> q: array<f32>;
@group(0) @binding(8) var<storage, read_write> keys: array<f32>;
@group(0) @binding(9) var<storage, read_write> values: array<f32>;
//#import weights
//#import tile
//#import rows

// rows_of are dimensions j and j + head/2 of a head of the queries, the keys or the values.
fn rows_of(pair: u32) -> vec2<u32> {
    let half = dims.head / 2u;
    let first = min(pair / half * dims.head + pair % half, dims.outputs - 1u);
    return vec2<u32>(first, min(first + half, dims.outputs - 1u));
}

fn finish(local: u32, s: vec4<f32>, t: vec4<f32>) {
    let pair = local + dims.first / 2u;
    let half = dims.head / 2u;
    let each = dims.heads * half;
    let section = pair / each;
    let head = pair % each / half;
    let j = pair % half;
    let wide = (dims.head + 3u) / 4u * 4u;
    if (2u * local >= dims.outputs) {
        return;
    }
    for (var r = 0u; r < min(4u, call.rows - tall); r++) {
        let row = tall + r;
        let position = call.base + row;
        if (section == 2u) {
            let at = (head * dims.window + position) * wide;
            values[at + j] = s[r];
            values[at + j + half] = t[r];
            continue;
        }
        let turn = turns[position * half + j];
        let a = s[r] * turn.x - t[r] * turn.y;
        let b = t[r] * turn.x + s[r] * turn.y;
        if (section == 0u) {
            let at = (row * dims.heads + head) * wide;
            q[at + j] = a * dims.scale;
            q[at + j + half] = b * dims.scale;
        } else {
            let from4 = head * (wide / 4u);
            keys[((from4 + j / 4u) * dims.window + position) * 4u + j % 4u] = a;
            keys[((from4 + (j + half) / 4u) * dims.window + position) * 4u + (j + half) % 4u] = b;
        }
    }
}
