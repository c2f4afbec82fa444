//! Services outside that a person connects with a key of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionKind {
    /// Notion.
    Notion,
}

impl ConnectionKind {
    /// All that there are.
    pub const ALL: [Self; 1] = [Self::Notion];

    /// The name in the API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notion => "notion",
        }
    }
}
