// Weights stored as f32, four at a time.
fn widen(plain: vec4<f32>) -> vec4<f32> {
    return plain;
}

fn four(i: u32) -> vec4<f32> {
    return widen(weights[i]);
}
