// reveal applies the policy to the candidates of one pass: it writes the tokens revealed into the
// canvas, marks them for the host, and says what the next pass asks for.
//   drawn (slots, slot_rows): the candidates, in the order of state.asked; tokens; state
// One invocation handles one candidate. Dispatch: 1. Source: runtime/policy.
//#import pass
//#import drawn
struct State {
    asks: u32,
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
    asked: array<u32>,
}
@group(0) @binding(0) var<uniform> call: Pass;
@group(0) @binding(1) var<storage, read_write> state: State;
@group(0) @binding(2) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(3) var<storage, read_write> drawn: array<Drawn>;

// Rules; twins of the constants in gpu/program.go. HOST leaves everything to the host.
const HOST = 0u;
const LISTED = 1u;     // the one row that was asked for
const STATIC = 2u;     // the most confident, as many as the parameter says
const CONFIDENCE = 3u; // whose logarithmic probability is at least the parameter
const FACTOR = 4u;     // the n most confident, while n·(1-p of the n-th) is below the parameter
const ENTROPY = 5u;    // the most certain, while the entropies of those before sum to at most the parameter

const SIZE = 64u;
var<workgroup> key: array<f32, SIZE>;    // what candidates are ranked by, the highest first
var<workgroup> sorted: array<f32, SIZE>; // probability or entropy, by rank
var<workgroup> masks: array<u32, SIZE>;  // 1 where a row is still masked
var<workgroup> many: u32;                // revealed

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
    let asks = state.asks;
    let at = call.slot * call.slot_rows + lane;
    let mine = lane < asks;
    var candidate = Drawn(0u, 0.0, 0.0, 0u);
    if (mine) {
        candidate = drawn[at];
    }
    key[lane] = select(candidate.log_prob, -candidate.entropy, call.rule == ENTROPY);
    workgroupBarrier();

    var rank = 0u;
    for (var i = 0u; i < asks; i++) {
        rank += u32(key[i] > key[lane] || (key[i] == key[lane] && i < lane));
    }
    if (mine) {
        sorted[rank] = select(exp(candidate.log_prob), candidate.entropy, call.rule == ENTROPY);
    }
    workgroupBarrier();
    if (lane == 0u) {
        var n = min(1u, asks);
        if (call.rule == FACTOR) {
            while (n < asks && f32(n + 1u) * (1.0 - sorted[n]) < call.parameter) {
                n++;
            }
        } else if (call.rule == ENTROPY) {
            var sum = sorted[0];
            while (n < asks && sum <= call.parameter) {
                sum += sorted[n];
                n++;
            }
        } else if (call.rule == STATIC) {
            n = min(asks, u32(call.parameter));
        }
        many = n;
    }
    workgroupBarrier();

    var chosen = rank < many;
    if (call.rule == CONFIDENCE) {
        chosen = rank == 0u || candidate.log_prob >= call.parameter;
    }
    if (mine && chosen) {
        let row = state.asked[lane];
        tokens[call.skip + call.lead + row] = candidate.token;
        drawn[at].revealed = 1u;
    }
    storageBarrier();

    // what is still masked, in the order of rows
    masks[lane] = 0u;
    if (lane < call.canvas_rows) {
        masks[lane] = u32(tokens[call.skip + call.lead + lane] == call.mask);
    }
    workgroupBarrier();
    if (lane != 0u) {
        return;
    }
    if (call.rule == LISTED) {
        state.asked[0] = call.next_row;
        state.asks = u32(call.next_row < call.canvas_rows);
        return;
    }
    var left = 0u;
    for (var i = 0u; i < call.canvas_rows; i++) {
        if (masks[i] == 1u) {
            state.asked[left] = i;
            left++;
        }
    }
    state.asks = left;
}
