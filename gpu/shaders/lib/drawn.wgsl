// A candidate. Twin of gpu.drawOutput.
struct Drawn {
    token: u32,
    log_prob: f32,
    entropy: f32,
    revealed: u32, // by reveal.wgsl: 1 if the policy chose it
}
