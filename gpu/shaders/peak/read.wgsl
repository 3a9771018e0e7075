// Reads a buffer once, in the order that memory likes: the rate is the adapter's memory bandwidth.
@group(0) @binding(0) var<storage, read> from_: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;

const EACH = 64u; // vectors an invocation reads

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var sum = vec4<f32>();
    let start = group.x * EACH * 64u + lane;
    for (var i = 0u; i < EACH; i++) {
        sum += from_[start + i * 64u];
    }
    out[group.x * 64u + lane] = sum;
}
