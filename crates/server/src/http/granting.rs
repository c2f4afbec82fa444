//! Giving roles at teams and projects: nobody gives more than they hold there, and only to who belongs to the organisation.

use domain::UserId;
use domain::access::{Level, Requires};
use domain::authoriser::Object;
use domain::role::{Role, held_at};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Tx;
use store::control::memberships::{self, Membership};
use store::org::audits;
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

    /// A transaction on the organisation's store, and the stay of a person who is to get a role in it.
    ///
    /// The stay is read when nobody else writes to the store any more: whoever ends it after that must write there too, behind this
    /// transaction, and takes the role away again. Read before, a role could come to a stay that is over.
    pub(crate) async fn begin_with_member(&self, user: UserId) -> Result<(Tx, Membership)> {
        // The connections in the usual order, control first; it shows what is there when it is first read.
        let mut control = self.store().read_control().await?;
        let mut tx = self.begin().await?;
        // With its first statement a transaction has its turn.
        audits::head(&mut tx).await?;
        let membership = memberships::find(&mut control, self.org(), user).await?;
        let membership = membership
            .ok_or_else(|| Problem::field("user_id", "is not a member of the organisation; invite them first"))?;
        Ok((tx, membership))
    }
}
