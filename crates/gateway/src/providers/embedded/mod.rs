//! Models inside this program, which need no key and no network.

pub(crate) mod extractive;

/// The models inside this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Embedded {
    /// [`EXTRACTIVE`]: answers with sentences out of the passages that it is given.
    Extractive,
}

/// The name of the extractive model.
pub const EXTRACTIVE: &str = "rowhouse-extractive";
