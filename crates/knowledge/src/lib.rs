//! What an organisation knows: documents on their way in ([`intake`]), passages found by words and by meaning ([`search`]), and what a
//! model is told and may cite ([`brief`]).
//!
//! Nobody's rights are decided here. Whoever searches says which collections the asker sees, read in the transaction that searches.

pub mod brief;
pub mod intake;
pub mod search;
mod vectors;

pub use vectors::{MODEL, Vectors};
