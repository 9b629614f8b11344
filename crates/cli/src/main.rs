//! The `chainrule` command line.
fn main() {}
