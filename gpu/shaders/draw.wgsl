// draw takes a token from each row of logits, and measures it, on the GPU.
//   logits (asks, V), draws (slots, slot_rows): a canvas row's uniform, and the token to take instead or
//   NONE; out (slots, slot_rows): the candidates of asked rows, in their order
// One workgroup handles one row. Top-k and the nucleus are thresholds on the logit, found by bisecting
// its bits; the token is where the cumulative distribution in the order of ids crosses the uniform.
// Dispatch: asks. Source: cpu/draw.go.
//#import pass
//#import state
//#import drawn
@group(0) @binding(0) var<uniform> call: Pass;
@group(0) @binding(1) var<storage, read> state: State;
@group(0) @binding(2) var<storage, read> logits: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> draws: array<Draw>;
@group(0) @binding(4) var<storage, read_write> out: array<Drawn>;

struct Draw {
    uniform_: f32,
    forced: u32,
}

const SIZE = 256u;
const STAGE = 16u; // invocations of the second stage of a sum
const NONE = 0xffffffffu;
const LOWEST = -3.4e38;
var<workgroup> numbers: array<f32, SIZE>;
var<workgroup> indices: array<u32, SIZE>;
var<private> row_at: u32; // in vectors
var<private> quads: u32;  // in a row

// total adds one value of each invocation, in two stages: barriers cost more than loads.
fn total(value: f32, lane: u32) -> f32 {
    numbers[lane] = value;
    workgroupBarrier();
    if (lane < STAGE) {
        for (var i = lane + STAGE; i < SIZE; i += STAGE) {
            numbers[lane] += numbers[i];
        }
    }
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i < STAGE; i++) {
        sum += numbers[i];
    }
    workgroupBarrier();
    return sum;
}

// ordered maps floats to integers of the same order.
fn ordered(f: vec4<f32>) -> vec4<u32> {
    let bits = bitcast<vec4<u32>>(f);
    return select(bits | vec4<u32>(0x80000000u), ~bits, (bits & vec4<u32>(0x80000000u)) != vec4<u32>());
}

// four_logits are those of tokens 4v to 4v + 3; the mask and what is no token have no probability.
fn four_logits(v: u32) -> vec4<f32> {
    let id = vec4<u32>(4u * v) + vec4<u32>(0u, 1u, 2u, 3u);
    return select(vec4<f32>(LOWEST), logits[row_at + v], (id < vec4<u32>(call.vocab)) & (id != vec4<u32>(call.mask)));
}

// weights are unnormalised probabilities at the request's temperature; 0 below the cut.
fn weights(l: vec4<f32>, top: f32, cut: u32) -> vec4<f32> {
    let e = exp(max((l - top) * call.inv_temperature, vec4<f32>(-100.0)));
    return select(vec4<f32>(), e, (ordered(l) >= vec4<u32>(cut)) & (l > vec4<f32>(LOWEST)));
}

fn across(v: vec4<f32>) -> f32 {
    return v.x + v.y + v.z + v.w;
}

// above sums weights, or counts tokens, from the cut on.
fn above(cut: u32, top: f32, counting: bool, lane: u32) -> f32 {
    var sum = vec4<f32>();
    for (var v = lane; v < quads; v += SIZE) {
        let l = four_logits(v);
        if (counting) {
            sum += select(vec4<f32>(), vec4<f32>(1.0), (ordered(l) >= vec4<u32>(cut)) & (l > vec4<f32>(LOWEST)));
        } else {
            sum += weights(l, top, cut);
        }
    }
    return total(across(sum), lane);
}

// kth is the highest cut that lets at least k tokens through.
fn kth(k: f32, lane: u32) -> u32 {
    var low = 0u;
    for (var bit = 0x80000000u; bit > 0u; bit >>= 1u) {
        if (above(low | bit, 0.0, true, lane) >= k) {
            low |= bit;
        }
    }
    return low;
}

// nucleus is the lowest cut, not below floor, whose tokens weigh at most mass.
fn nucleus(mass: f32, floor: u32, top: f32, lane: u32) -> u32 {
    var low = 0u;
    for (var bit = 0x80000000u; bit > 0u; bit >>= 1u) {
        let cut = low | bit;
        if (above(max(cut, floor), top, false, lane) > mass) {
            low = cut;
        }
    }
    return max(low + 1u, floor);
}

// take keeps the more probable of two tokens at the place of the first.
fn take(first: u32, other: u32) {
    if (numbers[other] > numbers[first] || (numbers[other] == numbers[first] && indices[other] < indices[first])) {
        numbers[first] = numbers[other];
        indices[first] = indices[other];
    }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (group.x >= state.asks) {
        return;
    }
    let at = call.slot * call.slot_rows;
    let choice = draws[at + state.asked[group.x]];
    row_at = group.x * (call.logit_stride / 4u);
    quads = call.logit_stride / 4u;

    // pass 1: the most probable token, the lowest id among equals
    var best = NONE;
    var highest = LOWEST;
    for (var v = lane; v < quads; v += SIZE) {
        let l = four_logits(v);
        for (var i = 0u; i < 4u; i++) {
            if (l[i] > highest) {
                highest = l[i];
                best = 4u * v + i;
            }
        }
    }
    numbers[lane] = highest;
    indices[lane] = best;
    workgroupBarrier();
    if (lane < STAGE) {
        for (var i = lane + STAGE; i < SIZE; i += STAGE) {
            take(lane, i);
        }
    }
    workgroupBarrier();
    if (lane == 0u) {
        for (var i = 1u; i < STAGE; i++) {
            take(0u, i);
        }
    }
    workgroupBarrier();
    let top = numbers[0];
    let most = indices[0];
    workgroupBarrier();

    // pass 2: normaliser and entropy at temperature 1
    var sum = vec4<f32>();
    var weighted = vec4<f32>();
    for (var v = lane; v < quads; v += SIZE) {
        let d = max(four_logits(v) - top, vec4<f32>(-100.0));
        let e = exp(d);
        sum += e;
        weighted += e * d;
    }
    let z = total(across(sum), lane);
    let entropy = log(z) - total(across(weighted), lane) / z;

    // pass 3: what top-k and top-p leave
    var cut = 0u;
    if (call.greedy == 0u && call.top_k > 0u && call.top_k < call.vocab - 1u) {
        cut = kth(f32(call.top_k), lane);
    }
    if (call.greedy == 0u && call.top_p < 1.0) {
        let mass = call.top_p * above(cut, top, false, lane);
        cut = min(nucleus(mass, cut, top, lane), ordered(vec4<f32>(top)).x);
    }

    // pass 4: a run of neighbouring ids an invocation, then the run that the uniform falls into
    let run = (quads + SIZE - 1u) / SIZE;
    let start = lane * run;
    var mine = vec4<f32>();
    if (call.greedy == 0u) {
        for (var v = start; v < min(start + run, quads); v++) {
            mine += weights(four_logits(v), top, cut);
        }
    }
    numbers[lane] = across(mine);
    workgroupBarrier();
    if (lane != 0u) {
        return;
    }
    var token = most;
    if (call.greedy == 0u) {
        var all = 0.0;
        for (var i = 0u; i < SIZE; i++) {
            all += numbers[i];
        }
        let target_ = choice.uniform_ * all;
        var before = 0.0;
        var i = 0u;
        while (i < SIZE - 1u && before + numbers[i] <= target_) {
            before += numbers[i];
            i++;
        }
        var found = false;
        for (var v = i * run; v < min((i + 1u) * run, quads) && !found; v++) {
            let w = weights(four_logits(v), top, cut);
            for (var j = 0u; j < 4u && !found; j++) {
                if (w[j] > 0.0) {
                    token = 4u * v + j;
                    before += w[j];
                    found = before > target_;
                }
            }
        }
    }
    if (choice.forced != NONE) {
        token = choice.forced;
    }
    out[at + group.x] = Drawn(token, logits[row_at + token / 4u][token % 4u] - top - log(z), entropy, 0u);
}
