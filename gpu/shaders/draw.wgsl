// draw takes a token from each row of logits, and measures it, on the GPU.
//   logits (R, V), draws (R): the row's uniform, and the token to take instead or NONE,
//   out (R): token, ln p(token), entropy
// One workgroup handles one row. Top-k and the nucleus are thresholds on the logit, found by bisecting
// its bits; the token is where the cumulative distribution in the order of ids crosses the uniform.
// Dispatch: R. Source: cpu/draw.go.
//#import pass
@group(0) @binding(0) var<uniform> call: Pass;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> draws: array<Draw>;
@group(0) @binding(3) var<storage, read_write> out: array<Drawn>;

struct Draw {
    uniform_: f32,
    forced: u32,
}
struct Drawn {
    token: u32,
    log_prob: f32,
    entropy: f32,
    unused: u32,
}

const SIZE = 256u;
const NONE = 0xffffffffu;
const LOWEST = -3.4e38;
var<workgroup> numbers: array<f32, SIZE>;
var<workgroup> indices: array<u32, SIZE>;
var<private> row_at: u32;

fn total(value: f32, lane: u32) -> f32 {
    numbers[lane] = value;
    workgroupBarrier();
    for (var half = SIZE / 2u; half > 0u; half /= 2u) {
        if (lane < half) {
            numbers[lane] += numbers[lane + half];
        }
        workgroupBarrier();
    }
    let sum = numbers[0];
    workgroupBarrier();
    return sum;
}

// ordered maps a float to an integer of the same order.
fn ordered(f: f32) -> u32 {
    let bits = bitcast<u32>(f);
    return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

// weight is the unnormalised probability of token v at the request's temperature; 0 below the cut.
fn weight(v: u32, top: f32, cut: u32) -> f32 {
    let l = logits[row_at + v];
    if (v == call.mask || ordered(l) < cut) {
        return 0.0;
    }
    return exp((l - top) * call.inv_temperature);
}

// above sums weights, or counts tokens, from the cut on.
fn above(cut: u32, top: f32, counting: bool, lane: u32) -> f32 {
    var sum = 0.0;
    for (var v = lane; v < call.vocab; v += SIZE) {
        if (v != call.mask && ordered(logits[row_at + v]) >= cut) {
            sum += select(weight(v, top, cut), 1.0, counting);
        }
    }
    return total(sum, lane);
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

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x;
    row_at = row * call.logit_stride;

    // pass 1: the most probable token, the lowest id among equals
    var best = NONE;
    var highest = LOWEST;
    for (var v = lane; v < call.vocab; v += SIZE) {
        let l = logits[row_at + v];
        if (v != call.mask && (best == NONE || l > highest)) {
            highest = l;
            best = v;
        }
    }
    numbers[lane] = highest;
    indices[lane] = best;
    workgroupBarrier();
    for (var half = SIZE / 2u; half > 0u; half /= 2u) {
        if (lane < half) {
            let other = numbers[lane + half];
            if (other > numbers[lane] || (other == numbers[lane] && indices[lane + half] < indices[lane])) {
                numbers[lane] = other;
                indices[lane] = indices[lane + half];
            }
        }
        workgroupBarrier();
    }
    let top = numbers[0];
    let most = indices[0];
    workgroupBarrier();

    // pass 2: normaliser and entropy at temperature 1
    var sum = 0.0;
    var weighted = 0.0;
    for (var v = lane; v < call.vocab; v += SIZE) {
        if (v != call.mask) {
            let d = logits[row_at + v] - top;
            sum += exp(d);
            weighted += exp(d) * d;
        }
    }
    let z = total(sum, lane);
    let entropy = log(z) - total(weighted, lane) / z;

    // pass 3: what top-k and top-p leave
    var cut = 0u;
    if (call.greedy == 0u && call.top_k > 0u && call.top_k < call.vocab - 1u) {
        cut = kth(f32(call.top_k), lane);
    }
    if (call.greedy == 0u && call.top_p < 1.0) {
        let mass = call.top_p * above(cut, top, false, lane);
        cut = min(nucleus(mass, cut, top, lane), ordered(top));
    }

    // pass 4: a run of neighbouring ids an invocation, then the run that the uniform falls into
    let run = (call.vocab + SIZE - 1u) / SIZE;
    let start = lane * run;
    let finish = min(start + run, call.vocab);
    var mine = 0.0;
    for (var v = start; v < finish; v++) {
        mine += weight(v, top, cut);
    }
    numbers[lane] = mine;
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
        let target_ = draws[row].uniform_ * all;
        var before = 0.0;
        var i = 0u;
        while (i < SIZE - 1u && before + numbers[i] <= target_) {
            before += numbers[i];
            i++;
        }
        for (var v = i * run; v < min((i + 1u) * run, call.vocab); v++) {
            let w = weight(v, top, cut);
            if (w > 0.0) {
                token = v;
                before += w;
                if (before > target_) {
                    break;
                }
            }
        }
    }
    if (draws[row].forced != NONE) {
        token = draws[row].forced;
    }
    out[row] = Drawn(token, logits[row_at + token] - top - log(z), entropy, 0u);
}
