// Weights stored as f16, four at a time; needs no f16 arithmetic on the device.
fn widen(packed: vec2<u32>) -> vec4<f32> {
    return vec4<f32>(unpack2x16float(packed.x), unpack2x16float(packed.y));
}

fn four(i: u32) -> vec4<f32> {
    return widen(weights[i]);
}
