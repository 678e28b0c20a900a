//! Does nothing, successfully.

fn main() {}
