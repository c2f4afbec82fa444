//! Which budgets a caller sees: those that apply to them, or all.

use std::collections::BTreeSet;

use domain::access::{Permission, can};
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
pub(super) struct Sight<'a> {
    caller: &'a Caller<can::BudgetsRead>,
    all: bool,
    /// The teams that the person is in, and those above.
    teams: BTreeSet<TeamId>,
}

impl<'a> Sight<'a> {
    pub(super) async fn of(caller: &'a Caller<can::BudgetsRead>) -> Result<Self> {
        let grants = caller.scope().grants();
        if !grants.allow_anywhere(Permission::BudgetsRead) {
            return Err(caller.deny(Permission::BudgetsRead, "organisation").await);
        }
        let all = [Permission::BudgetsAll, Permission::BudgetsWrite];
        let all = all.into_iter().any(|permission| grants.allow(permission, Object::Organisation));
        let teams = if all || grants.only_project.is_some() { BTreeSet::new() } else { own_teams(caller).await? };
        Ok(Self { caller, all, teams })
    }

    pub(super) async fn sees(&self, budget: &Budget) -> Result<bool> {
        if self.all {
            return Ok(true);
        }
        let caller = self.caller;
        let everywhere = caller.scope().grants().only_project.is_none();
        let Some(subject) = budget.subject.map(|subject| subject.0) else {
            return Ok(caller.allows(Object::Organisation));
        };
        Ok(match budget.level {
            Level::User => everywhere && subject == caller.user().uuid(),
            Level::Team => self.teams.contains(&TeamId::from_uuid(subject)),
            Level::Project => {
                let mut tx = caller.read().await?;
                let project = projects::find(&mut tx, ProjectId::from_uuid(subject)).await?;
                let object = project.map(|project| Object::Project { id: project.id, open: project.open });
                object.is_some_and(|object| {
                    caller.allows(object) && caller.scope().grants().allow(Permission::ProjectsRead, object)
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

    /// The budget with an id; 404 when the caller does not see it.
    pub(super) async fn get(&self, id: BudgetId) -> Result<Budget> {
        let mut tx = self.caller.read().await?;
        let budget = budgets::get(&mut tx, id).await?;
        drop(tx);
        if self.sees(&budget).await? { Ok(budget) } else { Err(Problem::not_found()) }
    }
}

/// The teams that the caller's person is in by their present stay, and those above.
async fn own_teams(caller: &Caller<can::BudgetsRead>) -> Result<BTreeSet<TeamId>> {
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
