// Weights stored as f16, four at a time, on a device that has the type.
fn widen(packed: vec4<f16>) -> vec4<f32> {
    return vec4<f32>(packed);
}

fn four(i: u32) -> vec4<f32> {
    return widen(weights[i]);
}
