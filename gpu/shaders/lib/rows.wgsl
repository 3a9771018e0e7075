// A kernel over all rows of a pass, four a tile; tile and finish do the work.
var<private> tall: u32; // first row of the tile

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (state.asks == 0u) {
        return;
    }
    tall = group.y * 4u;
    tile(group.x, tall + vec4<u32>(0u, 1u, 2u, 3u), lane);
}
