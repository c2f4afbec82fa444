//! With whom a collection or a conversation is shared, as it is shown.

use domain::Time;
use schemars::JsonSchema;
use serde::Serialize;
use store::org::knowledge::collections::{Sharer, Subject};

/// Whether it is a person or a team.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ShareLevel {
    User,
    Team,
}

/// Somebody with whom a collection or a conversation is shared.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Share")]
pub(crate) struct ShareView {
    level: ShareLevel,
    /// The person or the team.
    id: String,
    /// Since when.
    created_at: Time,
}

impl ShareView {
    pub(crate) fn of(subject: Subject, created_at: Time) -> Self {
        let level = match subject {
            Subject::User(_) => ShareLevel::User,
            Subject::Team(_) => ShareLevel::Team,
        };
        Self { level, id: id_of(subject), created_at }
    }
}

/// Who it is, whatever stay it is for.
pub(crate) fn subject_of(with: Sharer) -> Subject {
    match with {
        Sharer::User(user, _) => Subject::User(user),
        Sharer::Team(team) => Subject::Team(team),
    }
}

/// The id, for the log.
pub(crate) fn id_of(subject: Subject) -> String {
    match subject {
        Subject::User(user) => user.to_string(),
        Subject::Team(team) => team.to_string(),
    }
}
