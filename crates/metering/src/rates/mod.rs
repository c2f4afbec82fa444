//! Rate limits: how much may be done in a minute, and how much at the same time.
//!
//! [`Gatekeeper::admit`] takes one call, its tokens and a slot from every limit on its path, or from none. `rule` says which limits
//! those are, `cell` what is left of one. What was taken is counted in this process (`local`) or, when several nodes share the
//! work, on a Redis or Valkey server (`shared`), in one round trip. While that server is away, each node keeps to its share.

pub mod cell;
mod gatekeeper;
mod local;
mod pass;
pub mod rule;
mod shared;
mod tally;
mod wire;

pub use gatekeeper::Gatekeeper;
pub use pass::{Headers, Limited, Pass, Refused};
pub use shared::Sharing;
pub use tally::RefusedBy;
pub use wire::{Address, BadAddress};
