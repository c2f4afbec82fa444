//! Which budgets a caller sees: those that apply to them, or all.

use std::collections::BTreeSet;

use domain::access::{Permission, Requires, can};
use domain::authoriser::Object;
use domain::limits::Level;
use domain::{ApiKeyId, BudgetId, Id, ProjectId, TeamId};
use store::control::api_keys;
use store::org::budgets::{self, Budget};
use store::org::{members, projects, teams};

use crate::http::caller::Caller;
use crate::http::cursor::MOST;
use crate::http::error::{Problem, Result};

/// What a caller sees of budgets.
pub(crate) struct Sight<'a, P> {
    caller: &'a Caller<P>,
    /// Whether they see any.
    reads: bool,
    all: bool,
    /// The teams that the person is in, and those above.
    teams: BTreeSet<TeamId>,
}

impl<'a> Sight<'a, can::BudgetsRead> {
    /// For who asks for budgets: refuses who may see none.
    pub(super) async fn of(caller: &'a Caller<can::BudgetsRead>) -> Result<Self> {
        let sight = Self::beside(caller).await?;
        if sight.reads { Ok(sight) } else { Err(caller.deny(Permission::BudgetsRead, "organisation").await) }
    }

    /// The budget with an id; 404 when the caller does not see it.
    pub(super) async fn get(&self, id: BudgetId) -> Result<Budget> {
        let mut tx = self.caller.read().await?;
        let budget = budgets::get(&mut tx, id).await?;
        drop(tx);
        if self.sees(&budget).await? { Ok(budget) } else { Err(Problem::not_found()) }
    }
}

impl<'a, P: Requires> Sight<'a, P> {
    /// For who asks for something else that tells of budgets, too: who may see none sees none.
    pub(crate) async fn beside(caller: &'a Caller<P>) -> Result<Self> {
        let grants = caller.scope().grants();
        let reads = grants.allow_anywhere(Permission::BudgetsRead);
        let all = [Permission::BudgetsAll, Permission::BudgetsWrite];
        let all = reads && all.into_iter().any(|permission| grants.allow(permission, Object::Organisation));
        let nowhere = !reads || all || grants.only_project.is_some();
        let teams = if nowhere { BTreeSet::new() } else { own_teams(caller).await? };
        Ok(Self { caller, reads, all, teams })
    }

    pub(crate) async fn sees(&self, budget: &Budget) -> Result<bool> {
        if self.all || !self.reads {
            return Ok(self.all);
        }
        let (caller, grants) = (self.caller, self.caller.scope().grants());
        let everywhere = grants.only_project.is_none();
        let Some(subject) = budget.subject.map(|subject| subject.0) else {
            return Ok(grants.allow(Permission::BudgetsRead, Object::Organisation));
        };
        Ok(match budget.level {
            Level::User => everywhere && subject == caller.user().uuid(),
            Level::Team => self.teams.contains(&TeamId::from_uuid(subject)),
            Level::Project => {
                let mut tx = caller.read().await?;
                let project = projects::find(&mut tx, ProjectId::from_uuid(subject)).await?;
                let object = project.map(|project| Object::Project { id: project.id, open: project.open });
                object.is_some_and(|object| {
                    let both = [Permission::BudgetsRead, Permission::ProjectsRead];
                    both.into_iter().all(|permission| grants.allow(permission, object))
                })
            }
            Level::Key => {
                let id = ApiKeyId::from_uuid(subject);
                let mut tx = caller.store().read_control().await?;
                let own = match api_keys::get(&mut tx, caller.org(), id).await {
                    Ok(key) => key.user_id == caller.user(),
                    Err(store::Error::NotFound(_)) => false,
                    Err(error) => return Err(error.into()),
                };
                // A key for one project sees of all keys itself.
                own && (everywhere || caller.scope().key().is_some_and(|(key, _)| key == id))
            }
            Level::Organization | Level::Agent | Level::Run => false,
        })
    }
}

/// The teams that the caller's person is in by their present stay, and those above.
async fn own_teams<P: Requires>(caller: &Caller<P>) -> Result<BTreeSet<TeamId>> {
    let mut tx = caller.read().await?;
    let direct = members::of_person::<TeamId>(&mut tx, caller.user(), None, MOST.into()).await?;
    let stay = caller.scope().membership();
    let mut found = BTreeSet::new();
    for place in direct.into_iter().filter(|one| one.membership_id == stay) {
        let mut next = Some(place.place_id);
        while let Some(team) = next.filter(|team| found.insert(*team)) {
            next = teams::find(&mut tx, team).await?.and_then(|team| team.parent_id);
        }
    }
    Ok(found)
}
