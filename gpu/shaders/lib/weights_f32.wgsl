// Weights stored as f32, four at a time.
fn four(i: u32) -> vec4<f32> {
    return weights[i];
}
