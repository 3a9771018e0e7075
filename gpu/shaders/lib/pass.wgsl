// What changes from pass to pass. Twin of gpu.passUniform.
struct Pass {
    base: u32,            // committed tokens before the pass
    rows: u32,            // T: those that the pass commits, then the canvas
    skip: u32,            // entries of tokens before those of the pass
    lead: u32,            // rows of the pass before the canvas
    block: u32,           // L'
    vocab: u32,           // V
    mask: u32,            // id without probability
    logit_stride: u32,    // floats between rows of logits
    top_k: u32,           // 0: all
    inv_temperature: f32,
    top_p: f32,           // 1: all
    greedy: u32,          // 1: the most probable token
    rule: u32,            // of reveal.wgsl: which candidates are revealed
    parameter: f32,       // of the rule
    slot: u32,            // number of the pass in its submission
    row: u32,             // of the canvas, that rule LISTED asks for
    next_row: u32,        // that it asks for in the pass after
    canvas_rows: u32,     // rows of the canvas
    slot_rows: u32,       // entries of draws and drawn for each slot
    unused: u32,
}
