//! Collections of documents: private to their maker, shared with people and teams, or for everybody who may read knowledge in their
//! project. One that cannot be seen does not exist for the caller (`knowledge/sight.rs`).

mod create;
mod delete;
mod get;
mod list;
pub(crate) mod retention;
mod update;
mod view;

use domain::CollectionId;
use domain::access::{Permission, can};
use store::Tx;
use store::org::knowledge::collections::{Collection, Reach};
use store::org::knowledge::shares::Shared;

use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::knowledge::shares::{self, Shareable};
use crate::knowledge::sight;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/collections", "Lists the collections that the caller can see.", list::list)
        .post("/api/v1/collections", "Makes a collection of documents.", create::create)
        .get("/api/v1/collections/{id}", "Shows a collection.", get::get)
        .patch("/api/v1/collections/{id}", "Changes a collection, or who sees it.", update::update)
        .delete("/api/v1/collections/{id}", "Deletes a collection with all documents in it.", delete::delete)
        .get(
            "/api/v1/collections/{id}/shares",
            "Lists with whom a collection is shared.",
            shares::list::list::<CollectionId>,
        )
        .put(
            "/api/v1/collections/{id}/shares/users/{user_id}",
            "Shares a collection with somebody.",
            shares::users::put::<CollectionId>,
        )
        .delete(
            "/api/v1/collections/{id}/shares/users/{user_id}",
            "Ends sharing a collection with somebody.",
            shares::users::delete::<CollectionId>,
        )
        .put(
            "/api/v1/collections/{id}/shares/teams/{team_id}",
            "Shares a collection with a team and the teams below it.",
            shares::teams::put::<CollectionId>,
        )
        .delete(
            "/api/v1/collections/{id}/shares/teams/{team_id}",
            "Ends sharing a collection with a team.",
            shares::teams::delete::<CollectionId>,
        )
}

impl Shareable for CollectionId {
    type Can = can::KnowledgeWrite;
    const NAME: &'static str = "collection";
    const SHARED: &'static str = "collection.shared";
    const UNSHARED: &'static str = "collection.unshared";

    fn shared(self) -> Shared {
        Shared::Collection(self)
    }

    async fn look(self, caller: &Caller<Self::Can>, mut tx: Tx) -> Result<Tx> {
        let seen = sight::find(&mut tx, caller.scope(), Permission::KnowledgeRead, self).await?;
        if !seen.may_change(caller.scope()) {
            drop(tx);
            return Err(caller.deny(Permission::KnowledgeManage, &self.to_string()).await);
        }
        Ok(tx)
    }

    async fn widen(self, caller: &Caller<Self::Can>, tx: Tx) -> Result<(Tx, Reach)> {
        let (tx, collection) = changeable_in(caller, tx, self).await?;
        Ok((tx, collection.access))
    }

    async fn narrow(self, caller: &Caller<Self::Can>, tx: Tx) -> Result<Tx> {
        Ok(changeable_in(caller, tx, self).await?.0)
    }
}

/// A collection that the caller may change, in a transaction to do so.
async fn changeable(caller: &Caller<can::KnowledgeWrite>, id: CollectionId) -> Result<(Tx, Collection)> {
    changeable_in(caller, caller.begin().await?, id).await
}

/// The same, in a transaction that was begun already.
async fn changeable_in(caller: &Caller<can::KnowledgeWrite>, mut tx: Tx, id: CollectionId) -> Result<(Tx, Collection)> {
    let seen = sight::find(&mut tx, caller.scope(), Permission::KnowledgeRead, id).await?;
    if !seen.may_change(caller.scope()) {
        drop(tx);
        return Err(caller.deny(Permission::KnowledgeManage, &id.to_string()).await);
    }
    seen.place.require_changeable()?;
    Ok((tx, seen.collection))
}
