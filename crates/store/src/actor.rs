//! Who does something, and from where: what stands in the audit log beside what was done.

use domain::{ApiKeyId, UserId};

/// Where a request came from; stands in the audit log.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The id of the request.
    pub request_id: String,
    /// The address of the client, as far as trusted proxies tell it.
    pub address: String,
    /// What the client calls itself.
    pub agent: String,
}

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    Person(UserId),
    /// An API key, on behalf of its maker.
    Key {
        /// The key.
        key: ApiKeyId,
        /// Its maker.
        maker: UserId,
    },
    /// A person as operator of the installation.
    Operator(UserId),
    /// Rowhouse itself, at work that a person asked for.
    Job(UserId),
    /// Rowhouse itself: sweepers, migrations, the command line.
    System,
}

impl Actor {
    /// The person for whom a key acts.
    #[must_use]
    pub fn on_behalf_of(&self) -> Option<UserId> {
        match self {
            Self::Key { maker: user, .. } | Self::Job(user) => Some(*user),
            _ => None,
        }
    }

    /// The person whose rights are used.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::Person(user) | Self::Operator(user) | Self::Key { maker: user, .. } | Self::Job(user) => Some(*user),
            Self::System => None,
        }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(user) => user.fmt(f),
            Self::Key { key, .. } => key.fmt(f),
            Self::Operator(user) => write!(f, "operator {user}"),
            Self::Job(_) | Self::System => f.write_str("system"),
        }
    }
}
