// What one use of a kernel works on; fixed once a model is loaded. Twin of gpu.dims.
struct Dims {
    width: u32,       // values of an input row
    stride: u32,      // floats between input rows: width rounded up to 4
    outputs: u32,     // values of an output row, of those that this use computes
    out_stride: u32,  // floats between output rows
    epilogue: u32,    // of matmul: 0 store, 1 GELU, 2 add to what is there
    head: u32,        // width of an attention head
    epsilon: f32,     // inside LayerNorm's square root
    scale: f32,       // of attention scores: 1/sqrt(head)
    first: u32,       // row of the whole weight at which the bound part of it begins
}
