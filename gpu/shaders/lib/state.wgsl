// What a pass of several in a submission decides for the next: nothing is left to do when asks is 0.
struct State {
    asks: u32,        // rows of the head
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
    asked: array<u32>, // these rows of the canvas
}
