//! Roles: the four that every organisation has, and references to custom ones.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{Level, Permission, PermissionSet};
use crate::id::{InvalidId, RoleId};

/// A role that every organisation has. Later ones hold less.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Builtin {
    /// May do everything, closing and handing over the organisation too.
    Owner,
    /// Runs the organisation: everything but closing it and handing it over.
    Admin,
    /// Works in it: reads the organisation, works in the projects and teams they were put into.
    Member,
    /// Reads what they were shown.
    Viewer,
}

impl Builtin {
    /// All four, the strongest first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer];

    /// Its name in the API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    /// What it is for, in a sentence.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Owner => "May do everything, closing and handing over the organisation too.",
            Self::Admin => {
                "Runs the organisation: everything but closing it, handing it over and setting who comes in."
            }
            Self::Member => "Works in the projects and teams they were put into.",
            Self::Viewer => "Reads what they were shown, changes nothing but their own settings.",
        }
    }

    /// What the role allows when it is held at an organisation. Held at a team or a project it allows the part that
    /// [`PermissionSet::at`] names for that level.
    #[must_use]
    pub fn permissions(self) -> PermissionSet {
        use Permission as P;
        let viewer: PermissionSet = [
            P::OrgRead,
            P::MembersRead,
            P::TeamsRead,
            P::ProjectsRead,
            P::RolesRead,
            P::ConfigRead,
            P::ConfigWrite,
            P::KnowledgeRead,
        ]
        .into_iter()
        .collect();
        let member: PermissionSet = [
            P::ProjectsCreate,
            P::KeysCreate,
            P::ModelsUse,
            P::UsageRead,
            P::BudgetsRead,
            P::ProvidersRead,
            P::ProvidersOwn,
            P::LimitsRead,
            P::KnowledgeWrite,
            P::AnswersUse,
        ]
        .into_iter()
        .collect();
        let owner_alone: PermissionSet = [P::OrgClose, P::OrgTransfer, P::OrgSecurity].into_iter().collect();
        match self {
            Self::Viewer => viewer,
            Self::Member => viewer.union(member),
            Self::Admin => PermissionSet::all().without(owner_alone),
            Self::Owner => PermissionSet::all(),
        }
    }
}

/// A role by name: a built-in one or a custom one of the organisation. As text `owner`, ..., or `rol_...`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Role {
    /// One that every organisation has.
    Builtin(Builtin),
    /// One that the organisation made.
    Custom(RoleId),
}

impl Role {
    /// The strongest role.
    pub const OWNER: Self = Self::Builtin(Builtin::Owner);
    /// The role that runs the organisation.
    pub const ADMIN: Self = Self::Builtin(Builtin::Admin);
    /// The role of people who work in it.
    pub const MEMBER: Self = Self::Builtin(Builtin::Member);
    /// The role of people who only read.
    pub const VIEWER: Self = Self::Builtin(Builtin::Viewer);
}

/// Limits a role's permissions to those that can be held at a level.
#[must_use]
pub fn held_at(level: Level, permissions: PermissionSet) -> PermissionSet {
    permissions.intersection(PermissionSet::at(level))
}

/// Text that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be owner, admin, member, viewer or the id of a custom role")]
pub struct InvalidRole;

impl FromStr for Role {
    type Err = InvalidRole;
    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        if let Some(builtin) = Builtin::ALL.into_iter().find(|b| b.as_str() == text) {
            return Ok(Self::Builtin(builtin));
        }
        text.parse().map(Self::Custom).map_err(|_: InvalidId| InvalidRole)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(builtin) => f.write_str(builtin.as_str()),
            Self::Custom(id) => id.fmt(f),
        }
    }
}

impl Serialize for Role {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Role {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Role".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(owner|admin|member|viewer|rol_[0-9a-f]{32})$",
            "description": "A built-in role or the id of a custom one.",
            "examples": ["viewer"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_covers_the_weaker_ones() {
        for pair in Builtin::ALL.windows(2) {
            assert!(pair[0].permissions().covers(pair[1].permissions()), "{pair:?}");
            assert!(!pair[1].permissions().covers(pair[0].permissions()), "{pair:?}");
        }
    }

    #[test]
    fn roles_parse_back() {
        for role in [Role::OWNER, Role::VIEWER, "rol_01932d6f4b7a7c3e9a51c0ffee15600d".parse().expect("an id")] {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert_eq!("root".parse::<Role>(), Err(InvalidRole));
    }
}
