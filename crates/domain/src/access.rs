//! The catalogue of permissions, and sets of them.
//!
//! A permission is one thing that somebody may do. Roles are sets of permissions, routes name the one they need. The catalogue is
//! closed: text that names none of these is refused, never ignored.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a permission can be held. What is held at an organisation holds in all its teams, and in the projects one can see.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The whole organisation.
    Organization,
    /// One team and the teams below it.
    Team,
    /// One project.
    Project,
}

/// Says which permission a route needs; implemented by the types in [`can`] and by nothing else.
pub trait Requires: Send + Sync + 'static {
    /// The permission.
    const PERMISSION: Permission;
}

macro_rules! permissions {
    ($($name:ident = $text:literal at $($level:ident)|+ : $doc:literal;)+) => {
        /// One thing that somebody may do.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
        pub enum Permission {
            $(#[doc = $doc] $name,)+
        }

        impl Permission {
            /// The whole catalogue, in its order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name in the API and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// What it allows, as words that complete "may ...".
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $doc),+ }
            }

            /// The levels at which it can be held.
            #[must_use]
            pub const fn levels(self) -> &'static [Level] {
                match self { $(Self::$name => &[$(Level::$level),+]),+ }
            }
        }

        /// One type per permission, for the signatures of routes: `Caller<can::TeamsCreate>`.
        pub mod can {
            use super::{Permission, Requires};
            $(
                #[doc = concat!("May ", $doc)]
                #[derive(Debug)]
                pub enum $name {}
                impl Requires for $name {
                    const PERMISSION: Permission = Permission::$name;
                }
            )+
        }
    };
}

permissions! {
    OrgRead = "org.read" at Organization: "see the organisation, its plan and its limits";
    OrgUpdate = "org.update" at Organization: "change the organisation's name and settings";
    OrgClose = "org.close" at Organization: "close the organisation, and undo that";
    OrgTransfer = "org.transfer" at Organization: "hand the organisation to another owner";
    OrgSecurity = "org.security" at Organization: "set how long sign-ins last and which mail domains may join";
    MembersRead = "members.read" at Organization: "see who belongs to the organisation";
    MembersUpdate = "members.update" at Organization: "change the roles of members, suspend and restore them";
    MembersRemove = "members.remove" at Organization: "remove members";
    MembersActivity = "members.activity" at Organization: "see each member's last activity and cost";
    InvitationsRead = "invitations.read" at Organization: "see open invitations";
    InvitationsCreate = "invitations.create" at Organization: "invite people";
    InvitationsRevoke = "invitations.revoke" at Organization: "take invitations back";
    TeamsRead = "teams.read" at Organization | Team: "see teams and who is in them";
    TeamsCreate = "teams.create" at Organization | Team: "make teams, or teams below a team";
    TeamsUpdate = "teams.update" at Organization | Team: "rename and move teams";
    TeamsDelete = "teams.delete" at Organization | Team: "delete teams";
    TeamsMembers = "teams.members" at Organization | Team: "put people into teams and take them out";
    ProjectsRead = "projects.read" at Organization | Project: "see projects";
    ProjectsCreate = "projects.create" at Organization: "make projects and run those as their admin";
    ProjectsUpdate = "projects.update" at Organization | Project: "change, archive and restore projects";
    ProjectsDelete = "projects.delete" at Organization | Project: "delete projects";
    ProjectsMembers = "projects.members" at Organization | Project: "give people and teams access to projects";
    ProjectsAll = "projects.all" at Organization: "reach every project, private ones too";
    RolesRead = "roles.read" at Organization: "see roles and what they allow";
    RolesWrite = "roles.write" at Organization: "make and change custom roles";
    KeysCreate = "keys.create" at Organization | Project: "make API keys and manage the own ones";
    KeysManage = "keys.manage" at Organization | Project: "see, limit and revoke the API keys of others";
    ConfigRead = "config.read" at Organization: "read the own configuration";
    ConfigWrite = "config.write" at Organization: "change the own configuration";
    ModelsUse = "models.use" at Organization | Project: "call models, which costs money";
    UsageRead = "usage.read" at Organization | Team | Project: "see what they used themselves and what it cost";
    UsageAll = "usage.all" at Organization | Team | Project: "see what everybody used and what it cost";
    BudgetsRead = "budgets.read" at Organization | Team | Project: "see the budgets that apply to them";
    BudgetsAll = "budgets.all" at Organization: "see all budgets";
    BudgetsWrite = "budgets.write" at Organization: "make, change, increase and delete budgets";
    ProvidersRead = "providers.read" at Organization | Project: "see which models there are, who provides them and how they are routed";
    ProvidersOwn = "providers.own" at Organization: "bring providers of models and their keys for the own use";
    ProvidersWrite = "providers.write" at Organization | Project: "set up providers of models with their keys and prices, and routes";
    LimitsRead = "limits.read" at Organization: "see rate limits";
    LimitsWrite = "limits.write" at Organization: "set rate limits";
    KnowledgeRead = "knowledge.read" at Organization | Project: "search and read the documents they were given";
    KnowledgeWrite = "knowledge.write" at Organization | Project: "make collections and add documents";
    KnowledgeManage = "knowledge.manage" at Organization | Project: "change and delete what others added, unless it is private";
    AnswersUse = "answers.use" at Organization | Project: "ask questions and keep conversations";
    WebhooksRead = "webhooks.read" at Organization: "see webhooks and what was sent to them";
    WebhooksWrite = "webhooks.write" at Organization: "set up webhooks, renew their secrets and try them";
    AuditRead = "audit.read" at Organization: "search the audit log";
    AuditExport = "audit.export" at Organization: "export the audit log";
    AccessExplain = "access.explain" at Organization: "ask why somebody may or may not do a thing";
}

impl Permission {
    /// Whether using it changes something; what only reads goes on in a suspended organisation.
    #[must_use]
    pub const fn changes(self) -> bool {
        !matches!(
            self,
            Self::OrgRead
                | Self::MembersRead
                | Self::MembersActivity
                | Self::InvitationsRead
                | Self::TeamsRead
                | Self::ProjectsRead
                | Self::ProjectsAll
                | Self::RolesRead
                | Self::ConfigRead
                | Self::UsageRead
                | Self::UsageAll
                | Self::BudgetsRead
                | Self::BudgetsAll
                | Self::KnowledgeRead
                | Self::ProvidersRead
                | Self::LimitsRead
                | Self::WebhooksRead
                | Self::AuditRead
                | Self::AuditExport
                | Self::AccessExplain
        )
    }
}

/// Text that names no permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("names no permission; GET /api/v1/permissions lists them")]
pub struct UnknownPermission;

impl FromStr for Permission {
    type Err = UnknownPermission;
    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        Self::ALL.iter().copied().find(|p| p.as_str() == text).ok_or(UnknownPermission)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Permission {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Permission {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Permission".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Self::ALL.iter().map(|p| p.as_str()).collect();
        schemars::json_schema!({ "type": "string", "enum": names, "description": "One thing that somebody may do." })
    }
}

/// A set of permissions.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct PermissionSet(u128);

const _: () = assert!(Permission::ALL.len() <= 128, "a PermissionSet has 128 places");

impl PermissionSet {
    /// No permission at all.
    pub const EMPTY: Self = Self(0);

    /// Every permission.
    #[must_use]
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Those that can be held at the given level.
    #[must_use]
    pub fn at(level: Level) -> Self {
        Permission::ALL.iter().copied().filter(|p| p.levels().contains(&level)).collect()
    }

    /// Whether the set holds the permission.
    #[must_use]
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// Whether the set holds everything that `other` holds.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this one and not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, in the order of the catalogue.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |p| self.contains(*p))
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, p| bits | 1 << p as u32))
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::as_str)).finish()
    }
}

impl Serialize for PermissionSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for PermissionSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Permission>::deserialize(deserializer).map(|list| list.into_iter().collect())
    }
}

impl JsonSchema for PermissionSet {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PermissionSet".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let item = generator.subschema_for::<Permission>();
        schemars::json_schema!({ "type": "array", "items": item, "uniqueItems": true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_parse_back() {
        for p in Permission::ALL {
            assert_eq!(p.as_str().parse(), Ok(*p));
        }
        let mut names: Vec<_> = Permission::ALL.iter().map(|p| p.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Permission::ALL.len());
        assert_eq!("teams.*".parse::<Permission>(), Err(UnknownPermission));
    }

    #[test]
    fn a_set_covers_its_parts_only() {
        let small: PermissionSet = [Permission::TeamsRead].into_iter().collect();
        let large = small.union([Permission::OrgClose].into_iter().collect());
        assert!(large.covers(small));
        assert!(!small.covers(large));
        assert!(large.without(small).contains(Permission::OrgClose));
        assert_eq!(PermissionSet::all().iter().count(), Permission::ALL.len());
    }
}
