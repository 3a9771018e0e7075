// What one use of a kernel works on; fixed once a model is loaded. Twin of gpu.dims.
struct Dims {
    width: u32,       // values of an input row
    stride: u32,      // floats between input rows: width rounded up to 4
    outputs: u32,     // rows of the bound part of the weight
    out_stride: u32,  // floats between output rows
    head: u32,        // width of an attention head
    heads: u32,
    window: u32,      // positions of the cache
    epsilon: f32,     // inside LayerNorm's square root
    scale: f32,       // of attention scores: 1/sqrt(head)
    first: u32,       // row of the whole weight at which the bound part of it begins
    second: u32,      // row at which the part bound beside it begins
    unused: u32,
}
