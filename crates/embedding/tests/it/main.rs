//! The model as it is shipped: what its vectors mean, and that it holds out.

mod files;
mod model;
