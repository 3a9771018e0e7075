// A tile of a matmul x·wᵀ: four rows of x times the outputs of one workgroup. The kernel that imports
// it says which rows of the weight belong together (rows_of), which row of x stands in the tile (row_of),
// and what becomes of the sums (finish).
//
// SPLIT neighbouring invocations share the inner dimension, so that they read neighbouring memory, and
// compute PAIRS pairs of outputs for all four rows: each vector loaded feeds 16 multiplications. x is
// held in workgroup memory, normalised on the way where the kernel has a norm.
const CHUNK = HELDu / 4u; // vectors of each row of x that are held at once

var<workgroup> held: array<vec4<f32>, HELDu>;

//#if NORM
// total adds one value of each invocation, for four rows.
fn total(value: vec4<f32>, lane: u32) -> vec4<f32> {
    held[lane] = value;
    workgroupBarrier();
    for (var half = LANESu / 2u; half > 0u; half /= 2u) {
        if (lane < half) {
            held[lane] += held[lane + half];
        }
        workgroupBarrier();
    }
    let sum = held[0];
    workgroupBarrier();
    return sum;
}

fn ones(v: vec4<f32>) -> f32 {
    return dot(v, vec4<f32>(1.0));
}
//#end

fn tile(group: u32, rows: vec4<u32>, lane: u32) {
    let in4 = dims.stride / 4u;
    let unit = group * (LANESu / SPLITu) + lane / SPLITu;
    let part = lane % SPLITu;
//#for p PAIRS
    let outputs_$p = rows_of(unit * PAIRSu + $pu);
    let a$p = outputs_$p.x * in4;
    let b$p = outputs_$p.y * in4;
    var s$p = vec4<f32>();
    var t$p = vec4<f32>();
//#end
    let start = rows * in4;
//#if NORM
    // The mean comes first, then the squares around it, as in the oracle. Padding is zero, and what it
    // adds to the squares is taken off again.
    var sums = vec4<f32>();
    for (var i = lane; i < in4; i += LANESu) {
        sums += vec4<f32>(ones(x[start.x + i]), ones(x[start.y + i]), ones(x[start.z + i]), ones(x[start.w + i]));
    }
    let width = f32(dims.width);
    let mean = total(sums, lane) / width;
    var squares = vec4<f32>();
    for (var i = lane; i < in4; i += LANESu) {
        let d0 = x[start.x + i] - mean.x;
        let d1 = x[start.y + i] - mean.y;
        let d2 = x[start.z + i] - mean.z;
        let d3 = x[start.w + i] - mean.w;
        squares += vec4<f32>(dot(d0, d0), dot(d1, d1), dot(d2, d2), dot(d3, d3));
    }
    let padding = f32(dims.stride - dims.width);
    let variance = (total(squares, lane) - padding * mean * mean) / width;
    let inverse = 1.0 / sqrt(variance + dims.epsilon);
//#end
    for (var first = 0u; first < in4; first += CHUNK) {
        let count = min(CHUNK, in4 - first);
        workgroupBarrier();
        for (var i = lane; i < count; i += LANESu) {
            let at = first + i;
//#if NORM
            let scale = norm[at];
            let shift = norm[in4 + at];
            held[i] = (x[start.x + at] - mean.x) * inverse.x * scale + shift;
            held[CHUNK + i] = (x[start.y + at] - mean.y) * inverse.y * scale + shift;
            held[2u * CHUNK + i] = (x[start.z + at] - mean.z) * inverse.z * scale + shift;
            held[3u * CHUNK + i] = (x[start.w + at] - mean.w) * inverse.w * scale + shift;
//#else
            held[i] = x[start.x + at];
            held[CHUNK + i] = x[start.y + at];
            held[2u * CHUNK + i] = x[start.z + at];
            held[3u * CHUNK + i] = x[start.w + at];
//#end
        }
        workgroupBarrier();
        for (var i = part; i < count; i += SPLITu) {
            let r0 = held[i];
            let r1 = held[CHUNK + i];
            let r2 = held[2u * CHUNK + i];
            let r3 = held[3u * CHUNK + i];
//#for p PAIRS
            let u$p = four(a$p + first + i);
            let v$p = four(b$p + first + i);
            s$p += vec4<f32>(dot(r0, u$p), dot(r1, u$p), dot(r2, u$p), dot(r3, u$p));
            t$p += vec4<f32>(dot(r0, v$p), dot(r1, v$p), dot(r2, v$p), dot(r3, v$p));
//#end
        }
    }
//#if SPLIT
    // Invocations of a unit add their parts: through registers where there are subgroups, otherwise
    // through workgroup memory, a pair each.
//#if SUBGROUPS
//#for p PAIRS
    s$p = add_parts(s$p);
    t$p = add_parts(t$p);
    if (part == $pu % SPLITu) {
        finish(unit * PAIRSu + $pu, s$p, t$p);
    }
//#end
//#else
    workgroupBarrier();
//#for p PAIRS
    held[(lane * PAIRSu + $pu) * 2u] = s$p;
    held[(lane * PAIRSu + $pu) * 2u + 1u] = t$p;
//#end
    workgroupBarrier();
    for (var p = part; p < PAIRSu; p += SPLITu) {
        var s = vec4<f32>();
        var t = vec4<f32>();
        for (var i = 0u; i < SPLITu; i++) {
            let at = ((lane - part + i) * PAIRSu + p) * 2u;
            s += held[at];
            t += held[at + 1u];
        }
        finish(unit * PAIRSu + p, s, t);
    }
//#end
//#else
//#for p PAIRS
    finish(unit * PAIRSu + $pu, s$p, t$p);
//#end
//#end
}
//#if SUBGROUPS

fn add_parts(value: vec4<f32>) -> vec4<f32> {
    var v = value;
    for (var step = SPLITu / 2u; step > 0u; step /= 2u) {
        v += subgroupShuffleXor(v, step);
    }
    return v;
}
//#end
