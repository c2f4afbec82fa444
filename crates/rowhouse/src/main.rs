//! The one binary of Rowhouse.

fn main() {}
