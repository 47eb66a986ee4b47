//! The desk shell.

fn main() {}
