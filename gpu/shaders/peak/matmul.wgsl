// A plain matmul, as one would write it first and then unroll: x (T, in), w (outs, in), out (T, outs).
// Each invocation computes 4 rows × 8 outputs from storage, with nothing fused and nothing shared. The
// best rate it reaches is what the engine's kernels are measured against.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;

const IN = 192u;   // vectors of a row
const OUTS = 3072u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let first = id.x * 8u;
    let row = id.y * 4u;
    if (first >= OUTS) {
        return;
    }
//#for o 8
    var s$o = vec4<f32>();
//#end
    for (var i = 0u; i < IN; i++) {
        let r0 = x[row * IN + i];
        let r1 = x[(row + 1u) * IN + i];
        let r2 = x[(row + 2u) * IN + i];
        let r3 = x[(row + 3u) * IN + i];
//#for o 8
        let w$o = w[(first + $ou) * IN + i];
        s$o += vec4<f32>(dot(r0, w$o), dot(r1, w$o), dot(r2, w$o), dot(r3, w$o));
//#end
    }
//#for r 4
    out[((row + $ru) * OUTS + first) / 4u] = vec4<f32>(s0[$r], s1[$r], s2[$r], s3[$r]);
    out[((row + $ru) * OUTS + first) / 4u + 1u] = vec4<f32>(s4[$r], s5[$r], s6[$r], s7[$r]);
//#end
}
