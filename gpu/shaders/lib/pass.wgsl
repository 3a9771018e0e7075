// What changes from pass to pass. Twin of gpu.passUniform.
struct Pass {
    base: u32,            // committed tokens before the pass
    rows: u32,            // T
    asks: u32,            // rows of the head
    block: u32,           // L'
    vocab: u32,           // V
    mask: u32,            // id without probability
    logit_stride: u32,    // floats between rows of logits
    top_k: u32,           // 0: all
    inv_temperature: f32,
    top_p: f32,           // 1: all
    greedy: u32,          // 1: the most probable token
    unused: u32,
}
