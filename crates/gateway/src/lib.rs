//! The model layer: reads what clients ask of models, sends it to whoever serves the model, and brings the answer back with what
//! it used. It knows neither databases nor what a model costs; whoever calls it holds money before [`send`] and settles after.
//!
//! ```text
//! bytes -> request::ClientRequest::read -> (hold) -> Upstream::prepare -> Upstream::send -> Answer -> (settle) -> bytes
//!                                             ^ breaker::Breakers lets in          | failed: route::next says what then
//!                                             +-----------------------------------+
//! ```
//!
//! Where client and upstream speak the same dialect, bytes go through as they came and only what must change is changed
//! (`request/rewrite.rs`, `stream/`). Where they do not, both sides are read into neutral types (`dialect/`).
//!
//! [`send`]: providers::Upstream::send

pub mod breaker;
pub mod dialect;
pub mod error;
pub mod providers;
pub mod request;
pub mod responses;
pub mod route;
pub mod shape;
pub mod stream;
pub mod usage;

pub use error::{RequestError, UpstreamError};
pub use providers::{Answer, Upstream};
pub use request::{ClientRequest, Operation};
pub use stream::{Frame, ModelStream, Outcome, Words};
pub use usage::Usage;

/// The wire formats that clients and upstreams speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's chat completions and embeddings, and everything that imitates them.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
}
