//! Who sees which collection.
//!
//! A collection is seen by who holds the permission at its project, or at the organisation when it has none; one that is not for its
//! whole project by its maker, and by those with whom it is shared, as far as they hold the permission at all. Nobody sees what
//! another keeps private, whatever their role.
//!
//! It is decided in the transaction that reads what is in the collections: what was taken away before that is not found.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::Permission;
use domain::authoriser::Object;
use domain::{CollectionId, ProjectId, UserId};
use store::org::knowledge::collections::{self, Collection, Reach};
use store::{Error, Result, Scope, Tx};

use super::place::{Place, holds, is_left_out};

/// The collections in which the caller may do a thing, by id. With a project selected, those of that project alone.
/// # Errors
/// As the database.
pub(crate) async fn seen(tx: &mut Tx, scope: &Scope, permission: Permission) -> Result<Vec<Collection>> {
    let sight = Sight::of(tx, scope, permission).await?;
    let open: BTreeMap<ProjectId, bool> = collections::places(tx).await?.into_iter().collect();
    let is_open = |id: &ProjectId| open.get(id).copied().unwrap_or(false);
    let mut all = collections::list(tx, None, collections::MOST).await?;
    all.retain(|collection| {
        let object =
            collection.project_id.map_or(Object::Organisation, |id| Object::Project { id, open: is_open(&id) });
        sight.sees(collection, object)
    });
    Ok(all)
}

/// The collection with this id, when the caller may do a thing in it.
/// # Errors
/// [`Error::NotFound`] when there is none, and when the caller does not see it.
pub(crate) async fn find(tx: &mut Tx, scope: &Scope, permission: Permission, id: CollectionId) -> Result<Seen> {
    let collection = collections::get(tx, id).await?;
    let place = Place::of(tx, collection.project_id).await?;
    if !Sight::of(tx, scope, permission).await?.sees(&collection, place.object) {
        return Err(Error::NotFound("collection"));
    }
    Ok(Seen { collection, place })
}

/// A collection that the caller sees.
pub(crate) struct Seen {
    pub(crate) collection: Collection,
    pub(crate) place: Place,
}

impl Seen {
    /// Whether the caller may change it, share it and take it away: who made it, and who manages knowledge there.
    pub(crate) fn may_change(&self, scope: &Scope) -> bool {
        self.may_change_what(scope, self.collection.made_by)
    }

    /// Whether the caller may change and take away something in it that somebody added: who added it, whoever may change the whole
    /// collection, and who manages knowledge there.
    pub(crate) fn may_change_added(&self, scope: &Scope, added_by: UserId) -> bool {
        self.may_change_what(scope, added_by) || self.may_change(scope)
    }

    fn may_change_what(&self, scope: &Scope, made_by: UserId) -> bool {
        let own = made_by == scope.user() && holds(scope, Permission::KnowledgeWrite, self.place.object);
        let private = self.collection.access == Reach::Private;
        own || (!private && scope.grants().allow(Permission::KnowledgeManage, self.place.object))
    }
}

/// What a caller sees, as far as it is not said by the collection itself.
struct Sight<'a> {
    scope: &'a Scope,
    permission: Permission,
    /// What is shared with the person, or with a team that they are in.
    shared: BTreeSet<CollectionId>,
}

impl<'a> Sight<'a> {
    async fn of(tx: &mut Tx, scope: &'a Scope, permission: Permission) -> Result<Self> {
        let shared = collections::shared(tx, scope.user(), scope.membership()).await?;
        Ok(Self { scope, permission, shared: shared.into_iter().collect() })
    }

    fn sees(&self, collection: &Collection, place: Object) -> bool {
        if is_left_out(self.scope, collection.project_id) {
            return false;
        }
        let own = collection.made_by == self.scope.user();
        match collection.access {
            Reach::Project => self.scope.grants().allow(self.permission, place),
            Reach::Private => own && holds(self.scope, self.permission, place),
            Reach::Shared => (own || self.shared.contains(&collection.id)) && holds(self.scope, self.permission, place),
        }
    }
}
