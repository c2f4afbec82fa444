//! What an organisation knows: documents on their way in ([`intake`]), embedded by a model of its choice ([`models`]), passages found by
//! words and by meaning ([`search`]) and put into order ([`rerank`]), which of
//! them can support an answer ([`support`]), what a model is told ([`brief`]), what it may cite ([`citing`]), and what of its words may
//! go out ([`outgoing`]).
//!
//! Nobody's rights are decided here. Whoever searches says which collections the asker sees, read in the transaction that searches.

pub mod brief;
pub mod citing;
mod dot;
pub mod highlights;
pub mod intake;
mod known;
mod matrix;
mod meaning;
pub mod models;
pub mod outgoing;
mod reembed;
pub mod rerank;
#[cfg(test)]
mod sample;
pub mod search;
pub mod support;
mod wide;

pub use known::{MODEL, Memory};
pub use matrix::{Matrix, stored};
pub use meaning::Meaning;
pub use reembed::first;
