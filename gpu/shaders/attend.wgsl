// attend is softmax(q·kᵀ)·v against the block cache, a tile of keys at a time, and keeps no scores
// (FlashAttention). q, keys and values as qkv.wgsl leaves them; out (T, D).
// One workgroup handles one head of four rows, which lie in the lanes of a vector: a key or value that
// is loaded serves all four. Its invocations first score up to four keys each, then sum values, four
// or eight dimensions each, sharing the keys. Row t sees the committed tokens and the rows up to the end of its
// own block. Dispatch: ceil(T/4) × H. Source: cpu/attend.go.
//#import pass
//#import dims
//#import state
@group(0) @binding(0) var<uniform> call: Pass;
@group(0) @binding(1) var<uniform> dims: Dims;
@group(0) @binding(2) var<storage, read> state: State;
@group(0) @binding(3) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> keys: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> out: array<f32>;

const SIZE = LANESu;
const KEYS = 4u; // scored by one invocation
const LOWEST = -3.0e38;
const wide4 = QUADSu; // vectors of a head
const SPREAD = wide4 / PARTSu; // invocations that share a value
const QUERIES = 4u * wide4;
const TILE = KEYS * SIZE;
var<workgroup> query: array<vec4<f32>, QUERIES>;
var<workgroup> weight: array<vec4<f32>, TILE>; // four rows in a vector; last, sums
var<workgroup> partial: array<vec4<f32>, SIZE>;

// highest is the maximum over all invocations, in two stages: barriers cost more than loads.
fn highest(value: vec4<f32>, lane: u32) -> vec4<f32> {
    partial[lane] = value;
    workgroupBarrier();
    if (lane < 8u) {
        var best = partial[lane];
        for (var i = lane + 8u; i < SIZE; i += 8u) {
            best = max(best, partial[i]);
        }
        partial[lane] = best;
    }
    workgroupBarrier();
    var all = partial[0];
    for (var i = 1u; i < 8u; i++) {
        all = max(all, partial[i]);
    }
    return all;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (state.asks == 0u) {
        return;
    }
    let tall = group.x * 4u;
    let head = group.y;
    let rows = min(tall + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(call.rows - 1u));
    let limits = call.base + min((rows / call.block + 1u) * call.block, vec4<u32>(call.rows));
    let limit = limits.w; // the highest, as limits do not decrease
    for (var i = lane; i < QUERIES; i += SIZE) {
        query[i] = q[(rows[i / wide4] * dims.heads + head) * wide4 + i % wide4];
    }
    workgroupBarrier();

    // Where the second half of a tile works: PARTS quads of dimensions, one share of the keys.
    let quad = lane % SPREAD;
    let shares = SIZE / SPREAD;
    let share = lane / SPREAD;
    let key_at = head * wide4 * dims.window;
    let value_at = head * dims.window * wide4 + quad;

    var best = vec4<f32>(LOWEST);
    var totals = vec4<f32>();
//#for p PARTS
//#for r 4
    var sum_$p_$r = vec4<f32>();
//#end
//#end
    for (var first = 0u; first < limit; first += TILE) {
        // scores of KEYS keys
//#for k 4
        let at_$k = first + lane + $ku * SIZE;
        let from_$k = key_at + min(at_$k, limit - 1u);
        var score_$k = vec4<f32>();
//#end
        if (at_0 < limit) {
            for (var d = 0u; d < wide4; d++) {
//#for r 4
                let q$r = query[$ru * wide4 + d];
//#end
//#for k 4
                let k$k = keys[from_$k + d * dims.window];
                score_$k += vec4<f32>(dot(q0, k$k), dot(q1, k$k), dot(q2, k$k), dot(q3, k$k));
//#end
            }
        }
//#for k 4
        score_$k = select(vec4<f32>(LOWEST), score_$k, vec4<u32>(at_$k) < limits);
//#end
        let top = max(best, highest(max(max(score_0, score_1), max(score_2, score_3)), lane));
//#for k 4
        weight[lane + $ku * SIZE] = select(vec4<f32>(), exp(score_$k - top), vec4<u32>(at_$k) < limits);
//#end
        let shrink = exp(best - top);
        best = top;
        workgroupBarrier();

        // values, weighted
        totals *= shrink;
//#for p PARTS
        sum_$p_0 *= shrink.x;
        sum_$p_1 *= shrink.y;
        sum_$p_2 *= shrink.z;
        sum_$p_3 *= shrink.w;
//#end
        if (share < shares) {
            let count = min(TILE, limit - first);
            for (var k = share; k < count; k += shares) {
                let w = weight[k];
                totals += w;
//#for p PARTS
                let v$p = values[value_at + (first + k) * wide4 + $pu * SPREAD];
                sum_$p_0 += w.x * v$p;
                sum_$p_1 += w.y * v$p;
                sum_$p_2 += w.z * v$p;
                sum_$p_3 += w.w * v$p;
//#end
            }
        }
        workgroupBarrier();
    }

    // the shares of the keys come together
    partial[lane] = totals;
    workgroupBarrier();
    var all = vec4<f32>();
    for (var i = 0u; i < shares; i++) {
        all += partial[i * SPREAD];
    }
//#for p PARTS
    workgroupBarrier();
//#for r 4
    weight[$ru * SIZE + lane] = sum_$p_$r;
//#end
    workgroupBarrier();
    for (var j = lane; j < 4u * SPREAD; j += SIZE) {
        let r = j / SPREAD;
        let first_$p = ($pu * SPREAD + j % SPREAD) * 4u;
        if (tall + r < call.rows) {
            var sum = vec4<f32>();
            for (var i = 0u; i < shares; i++) {
                sum += weight[r * SIZE + i * SPREAD + j % SPREAD];
            }
            sum /= all[r];
            let to = (tall + r) * dims.out_stride + head * dims.head + first_$p;
            for (var d = 0u; d < min(4u, dims.head - first_$p); d++) {
                out[to + d] = sum[d];
            }
        }
    }
//#end
}
