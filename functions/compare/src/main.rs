//! The function on Lambda.

fn main() {}
