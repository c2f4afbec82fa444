//! Giving roles at teams and projects: nobody gives more than they hold there, and only to who belongs to the organisation.

use domain::UserId;
use domain::access::{Level, Requires};
use domain::authoriser::Object;
use domain::role::{Role, held_at};
use schemars::JsonSchema;
use serde::Deserialize;
use store::control::memberships::{self, Membership};
use tenancy::roles;

use super::caller::Caller;
use super::error::{Problem, Result};

/// A role to give.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GiveRole {
    pub(crate) role: Role,
}

impl<P: Requires> Caller<P> {
    /// Refuses when the role gives more at the object than the caller holds there.
    pub(crate) async fn may_give(&self, role: Role, object: Object) -> Result<()> {
        let mut tx = self.read().await?;
        let gives = match roles::permissions(&mut tx, role).await {
            Err(tenancy::Error::Store(store::Error::NotFound(_))) => {
                return Err(Problem::field("role", "names no role of the organisation"));
            }
            gives => gives?,
        };
        drop(tx);
        let (level, name) = match object {
            Object::Organisation => (Level::Organization, "organisation".to_owned()),
            Object::Team(id) => (Level::Team, id.to_string()),
            Object::Project { id, .. } => (Level::Project, id.to_string()),
        };
        self.told(roles::within(self.scope().grants().at(object), held_at(level, gives)), name).await
    }

    /// The stay of a person who is to get a role.
    pub(crate) async fn member(&self, user: UserId) -> Result<Membership> {
        let mut tx = self.store().read_control().await?;
        let membership = memberships::find(&mut tx, self.org(), user).await?;
        membership.ok_or_else(|| Problem::field("user_id", "is not a member of the organisation; invite them first"))
    }
}
