// attend is softmax(q·kᵀ/√head)·v against the block cache, one tile of keys at a time.
//   q (T, D), keys and values (n, D), out (T, D)
// One workgroup handles one head of one row: its invocations first score a key each, then sum values,
// a dimension each (up to four, so a head may have 256). Row t sees the committed tokens and the rows
// up to the end of its own block. Dispatch: T × H. Source: cpu/attend.go.
//#import pass
//#import dims
@group(0) @binding(0) var<uniform> call: Pass;
@group(0) @binding(1) var<uniform> dims: Dims;
@group(0) @binding(2) var<storage, read> q: array<f32>;
@group(0) @binding(3) var<storage, read> keys: array<f32>;
@group(0) @binding(4) var<storage, read> values: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

const SIZE = 64u;
const LOWEST = -3.4e38;
var<workgroup> query: array<f32, 256>;
var<workgroup> weight: array<f32, SIZE>;
var<workgroup> highest: array<f32, SIZE>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x;
    let column = group.y * dims.head;
    let limit = call.base + min((row / call.block + 1u) * call.block, call.rows);
    for (var d = lane; d < dims.head; d += SIZE) {
        query[d] = q[row * dims.stride + column + d] * dims.scale;
    }
    workgroupBarrier();

    var best = LOWEST;
    var total = 0.0;
    var sum = vec4<f32>();
    for (var first = 0u; first < limit; first += SIZE) {
        // pass 1: one key an invocation
        var score = LOWEST;
        if (first + lane < limit) {
            score = 0.0;
            let at = (first + lane) * dims.stride + column;
            for (var d = 0u; d < dims.head; d++) {
                score += query[d] * keys[at + d];
            }
        }
        highest[lane] = score;
        workgroupBarrier();
        for (var half = SIZE / 2u; half > 0u; half /= 2u) {
            if (lane < half) {
                highest[lane] = max(highest[lane], highest[lane + half]);
            }
            workgroupBarrier();
        }
        let next = max(best, highest[0]);
        weight[lane] = select(0.0, exp(score - next), first + lane < limit);
        workgroupBarrier();

        // pass 2: one dimension an invocation, over the keys of the tile
        let shrink = exp(best - next);
        best = next;
        total *= shrink;
        sum *= shrink;
        let count = min(SIZE, limit - first);
        for (var k = 0u; k < count; k++) {
            let w = weight[k];
            total += w;
            let at = (first + k) * dims.stride + column;
            for (var i = 0u; i < 4u; i++) {
                let d = lane + i * SIZE;
                if (d < dims.head) {
                    sum[i] += w * values[at + d];
                }
            }
        }
        workgroupBarrier();
    }
    for (var i = 0u; i < 4u; i++) {
        let d = lane + i * SIZE;
        if (d < dims.head) {
            out[row * dims.stride + column + d] = sum[i] / total;
        }
    }
}
