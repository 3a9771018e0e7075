// rows_of are the two neighbouring rows of the weight that a pair of outputs comes from.
fn rows_of(pair: u32) -> vec2<u32> {
    return min(vec2<u32>(2u * pair, 2u * pair + 1u), vec2<u32>(dims.outputs - 1u));
}
