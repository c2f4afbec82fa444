//! Who sees which collection.
//!
//! A collection is seen by who holds the permission at its project, or at the organisation when it has none; one that is not for its
//! whole project by its maker, and by those with whom it is shared, as far as they hold the permission at all. Nobody sees what
//! another keeps private, whatever their role.
//!
//! What a source brought that has readers of its own lies in circles within its collection
//! ([`circles`]). A circle is seen by those of its readers who see that collection, by their verified
//! address, and by nobody else: neither by whoever set the source up nor by who manages knowledge there.
//!
//! It is decided in the transaction that reads what is in the collections: what was taken away before that is not found.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::Permission;
use domain::authoriser::{Grants, Object};
use domain::{CollectionId, MembershipId, ProjectId, UserId};
use store::org::knowledge::circles;
use store::org::knowledge::collections::{self, Collection, Reach};
use store::org::knowledge::shares;
use store::{Error, Result, Scope, Stay, Tx};

use super::place::{Place, held, is_left_out};
use crate::http::error::Problem;

/// The collections in which the caller may do a thing, by id. With a project selected, those of that project alone.
/// # Errors
/// As the database.
pub(crate) async fn seen(tx: &mut Tx, scope: &Scope, permission: Permission) -> Result<Vec<Collection>> {
    let sight = Sight::of(tx, Looker::of(scope), permission).await?;
    let open: BTreeMap<ProjectId, bool> = collections::places(tx).await?.into_iter().collect();
    let is_open = |id: &ProjectId| open.get(id).copied().unwrap_or(false);
    let mut all = collections::list(tx, None, collections::MOST).await?;
    all.retain(|collection| {
        let object =
            collection.project_id.map_or(Object::Organisation, |id| Object::Project { id, open: is_open(&id) });
        sight.sees(collection, object)
    });
    let around: BTreeSet<CollectionId> = all.iter().map(|collection| collection.id).collect();
    let Sight { circles, .. } = sight;
    all.extend(circles.into_iter().filter(|circle| circle.within.is_some_and(|id| around.contains(&id))));
    all.sort_by_key(|collection| collection.id);
    Ok(all)
}

/// The collection with this id, when the caller may do a thing in it.
/// # Errors
/// [`Error::NotFound`] when there is none, and when the caller does not see it.
pub(crate) async fn find(tx: &mut Tx, scope: &Scope, permission: Permission, id: CollectionId) -> Result<Seen> {
    find_as(tx, Looker::of(scope), permission, id).await
}

/// As [`find`], for somebody who need not be the caller.
/// # Errors
/// [`Error::NotFound`] when there is none, and when they do not see it.
pub(crate) async fn find_as(tx: &mut Tx, looker: Looker<'_>, permission: Permission, id: CollectionId) -> Result<Seen> {
    let collection = collections::get(tx, id).await?;
    let place = Place::of(tx, collection.project_id).await?;
    let sight = Sight::of(tx, looker, permission).await?;
    let sees = match collection.within {
        None => sight.sees(&collection, place.object),
        Some(around) => {
            let around = collections::get(tx, around).await?;
            sight.circles.iter().any(|circle| circle.id == id) && sight.sees(&around, place.object)
        }
    };
    if sees { Ok(Seen { collection, place }) } else { Err(Error::NotFound("collection")) }
}

/// A collection that the caller sees.
pub(crate) struct Seen {
    pub(crate) collection: Collection,
    pub(crate) place: Place,
}

impl Seen {
    /// Whether the caller may change it, share it and take it away: who made it, and who manages knowledge there. A circle is its source's.
    pub(crate) fn may_change(&self, scope: &Scope) -> bool {
        self.collection.within.is_none() && self.may_change_others(scope.user(), scope.grants())
    }

    /// Refuses to bring something into it when nothing there changes, and into a circle: its readers are the source's to say.
    pub(crate) fn require_open(&self) -> crate::http::error::Result<()> {
        if self.collection.within.is_some() {
            return Err(Problem::new("conflict", "Only its source brings documents here."));
        }
        self.place.require_changeable()
    }

    /// Whether the caller may change and take away something in it that somebody added: who added it, whoever may change the whole
    /// collection, and who manages knowledge there.
    pub(crate) fn may_change_added(&self, scope: &Scope, added_by: UserId) -> bool {
        let (user, grants) = (scope.user(), scope.grants());
        self.is_own(user, grants, added_by) || self.may_change_others(user, grants)
    }

    /// Whether somebody who holds this may change and take away in it what others added, as [`Self::may_change_added`] has it: for work in
    /// the background, which is done for them.
    pub(crate) fn may_change_others(&self, user: UserId, grants: &Grants) -> bool {
        let private = self.collection.access == Reach::Private;
        let manages = !private && grants.allow(Permission::KnowledgeManage, self.place.object);
        manages || (self.collection.within.is_none() && self.is_own(user, grants, self.collection.made_by))
    }

    fn is_own(&self, user: UserId, grants: &Grants, made_by: UserId) -> bool {
        made_by == user && held(grants, Permission::KnowledgeWrite, self.place.object)
    }
}

/// Whose sight it is.
#[derive(Clone, Copy)]
pub(crate) struct Looker<'a> {
    user: UserId,
    membership: MembershipId,
    grants: &'a Grants,
    address: Option<&'a str>,
    /// The only project that the request is about.
    project: Option<ProjectId>,
}

impl<'a> Looker<'a> {
    /// Who calls.
    pub(crate) fn of(scope: &'a Scope) -> Self {
        Self {
            user: scope.user(),
            membership: scope.membership(),
            grants: scope.grants(),
            address: scope.address(),
            project: scope.selected_project(),
        }
    }

    /// A member for whom something is done that they do not ask for now.
    pub(crate) fn member(user: UserId, stay: &'a Stay) -> Self {
        let Stay { membership, grants, address } = stay;
        Self { user, membership: *membership, grants, address: address.as_deref(), project: None }
    }
}

/// What somebody sees, as far as it is not said by the collection itself.
struct Sight<'a> {
    looker: Looker<'a>,
    permission: Permission,
    /// What is shared with the person, or with a team that they are in.
    shared: BTreeSet<CollectionId>,
    /// Of which circles the person is a reader, wherever they are.
    circles: Vec<Collection>,
}

impl<'a> Sight<'a> {
    async fn of(tx: &mut Tx, looker: Looker<'a>, permission: Permission) -> Result<Self> {
        let shared = shares::collections(tx, looker.user, looker.membership).await?;
        let circles = match looker.address {
            Some(address) => circles::of_reader(tx, address).await?,
            None => Vec::new(),
        };
        Ok(Self { looker, permission, shared: shared.into_iter().collect(), circles })
    }

    /// Whether a collection is seen that is within no other.
    fn sees(&self, collection: &Collection, place: Object) -> bool {
        let Looker { user, grants, project, .. } = self.looker;
        if is_left_out(project, collection.project_id) {
            return false;
        }
        let own = collection.made_by == user;
        let holds = || held(grants, self.permission, place);
        match collection.access {
            Reach::Project => grants.allow(self.permission, place),
            Reach::Private => own && holds(),
            Reach::Shared => (own || self.shared.contains(&collection.id)) && holds(),
        }
    }
}
