//! What state an organisation, a person or a membership is in, and what that state lets happen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The state of an organisation. Each changes what is possible:
///
/// | status | sign in and read | change things | export | spend |
/// |---|---|---|---|---|
/// | active | yes | yes | yes | yes |
/// | past due | yes | yes | yes | no |
/// | suspended | owners only | no | owners | no |
/// | closing | owners only | undo the closing | owners | no |
/// | erasing | no | no | no | no |
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrgStatus {
    /// Being made: its rows exist, its store may not. Nobody can enter; whoever finds it finishes or removes it.
    Creating,
    /// In good standing.
    Active,
    /// A payment is late: nothing that costs money runs.
    PastDue,
    /// Stopped by the operator: members are out, owners may read and export.
    Suspended,
    /// Its owner asked for deletion; undone until the grace period ends.
    Closing,
    /// Its grace period is over: what is in it is being destroyed. Nobody can enter, and it does not come back.
    Erasing,
}

impl OrgStatus {
    /// Whether anybody but its owners can enter.
    #[must_use]
    pub fn admits_members(self) -> bool {
        matches!(self, Self::Active | Self::PastDue)
    }

    /// Whether owners can enter.
    #[must_use]
    pub fn admits_owners(self) -> bool {
        self.is_whole()
    }

    /// Whether its store is there: not before it was made, nor while it is destroyed.
    #[must_use]
    pub fn is_whole(self) -> bool {
        !matches!(self, Self::Creating | Self::Erasing)
    }

    /// Whether anything may be changed by its people.
    #[must_use]
    pub fn admits_writes(self) -> bool {
        self.admits_members()
    }

    /// Whether anything may run that costs money.
    #[must_use]
    pub fn admits_spending(self) -> bool {
        self == Self::Active
    }

    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Suspended => "suspended",
            Self::Closing => "closing",
            Self::Erasing => "erasing",
        }
    }
}

/// The state of a person's account, or of a person's stay in an organisation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// May act.
    Active,
    /// May not act until restored.
    Suspended,
}

impl Standing {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}
