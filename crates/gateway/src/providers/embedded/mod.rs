//! Models inside this program, which need no key and no network.

pub(crate) mod embeddings;
pub(crate) mod extractive;

/// The models inside this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Embedded {
    /// [`EXTRACTIVE`]: answers with sentences out of the passages that it is given.
    Extractive,
    /// [`MINILM`]: turns texts into vectors.
    MiniLm,
}

/// The name of the extractive model.
pub const EXTRACTIVE: &str = "rowhouse-extractive";
/// The name of the embedding model.
pub const MINILM: &str = "rowhouse-minilm";

impl Embedded {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Extractive, Self::MiniLm];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Extractive => EXTRACTIVE,
            Self::MiniLm => MINILM,
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name() == name)
    }
}
