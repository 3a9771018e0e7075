// layernorm normalises rows to mean 0 and variance 1, then scales and shifts them.
//   x (T, D), rows (R): which rows of x to take, scale (D), shift (D), out (R, D)
// One workgroup handles one row; the mean comes first, then the squares around it, as in the oracle.
// Dispatch: R. Source: cpu/layernorm.go.
//#import dims
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> rows: array<u32>;
@group(0) @binding(3) var<storage, read> scale: array<f32>;
@group(0) @binding(4) var<storage, read> shift: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

const SIZE = 64u;
var<workgroup> partial: array<f32, SIZE>;

// total adds one value of each invocation.
fn total(value: f32, lane: u32) -> f32 {
    partial[lane] = value;
    workgroupBarrier();
    for (var half = SIZE / 2u; half > 0u; half /= 2u) {
        if (lane < half) {
            partial[lane] += partial[lane + half];
        }
        workgroupBarrier();
    }
    let sum = partial[0];
    workgroupBarrier();
    return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let start = rows[group.x] * dims.stride;
    let finish = group.x * dims.stride;

    // pass 1: mean
    var sum = 0.0;
    for (var i = lane; i < dims.width; i += SIZE) {
        sum += x[start + i];
    }
    let mean = total(sum, lane) / f32(dims.width);

    // pass 2: variance
    var squares = 0.0;
    for (var i = lane; i < dims.width; i += SIZE) {
        let d = x[start + i] - mean;
        squares += d * d;
    }
    let inverse = 1.0 / sqrt(total(squares, lane) / f32(dims.width) + dims.epsilon);

    for (var i = lane; i < dims.width; i += SIZE) {
        out[finish + i] = (x[start + i] - mean) * inverse * scale[i] + shift[i];
    }
}
