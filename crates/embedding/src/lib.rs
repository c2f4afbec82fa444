//! The embedding model inside this program: all-MiniLM-L6-v2, which needs no key, no network and no download.
//!
//! ```text
//! Embedder::query ────► lane of queries ────┐
//!                                           ├─► engine: tokens ─► model ─► mean ─► length 1
//! Embedder::passages ─► lane of passages ───┘
//! ```
//!
//! A vector takes milliseconds of one core, so all of it happens on threads of its own (`lane.rs`), never on those that serve
//! requests. Queries and passages have different threads: whoever asks does not wait behind whoever loads a library. Where the model
//! comes from and what it may be used for stands in `models/all-minilm-l6-v2/`.

mod embedder;
mod engine;
mod lane;

pub use embedder::Embedder;

/// The name of the model, as its makers give it. It stands beside each stored vector.
pub const MODEL: &str = "all-minilm-l6-v2";
/// How many numbers a vector has.
pub const DIMENSIONS: usize = 384;
/// How many tokens of a text are read, the marks at both ends included. What is behind them has no part in the vector.
pub const MAX_TOKENS: usize = 256;
/// How many bytes of a text are read at most, however few tokens they give: a bound on work. Prose has about five for a token.
pub const MAX_BYTES: usize = 16 << 10;
/// The most texts that may be given at once.
pub const MAX_TEXTS: usize = 2048;

/// A text as the model sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// Its direction: of length 1, so that the cosine of two texts is the sum of products.
    pub vector: Box<[f32; DIMENSIONS]>,
    /// How many tokens were read for it, the marks at both ends included.
    pub tokens: usize,
}

/// Why there is no vector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Too many texts wait already: try again shortly.
    #[error("too many texts wait to be embedded")]
    Busy,
    /// More than [`MAX_TEXTS`] were given at once.
    #[error("more than {MAX_TEXTS} texts at once")]
    TooMany,
    /// The model failed, for this text or for all: a fault of this program.
    #[error("the embedding model failed: {0}")]
    Failed(String),
}
