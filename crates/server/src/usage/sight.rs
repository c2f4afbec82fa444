//! Whose rows a caller sees: their own, or all of what they ask about.

use domain::access::{Permission, can};
use domain::authoriser::Object;
use store::ledger::entries::Filter;
use store::org::projects;
use store::{Scope, Store};

use crate::http::caller::{Caller, Local};
use crate::http::error::{Problem, Result};

/// Narrows what is asked for to what the caller sees.
pub(super) async fn narrow(local: Local<can::UsageRead>, asked: Filter) -> Result<(Caller<can::UsageRead>, Filter)> {
    let caller = local.each();
    let grants = caller.scope().grants();
    if !grants.allow_anywhere(Permission::UsageRead) {
        return Err(caller.deny(Permission::UsageRead, "organisation").await);
    }
    let mut of = asked;
    // A key for one project asks about that one.
    if let Some(only) = grants.only_project
        && of.project.replace(only).is_some_and(|asked| asked != only)
    {
        return Err(Problem::not_found());
    }
    if !sees_all(caller.store(), caller.scope(), &of).await? {
        if let Some(other) = of.user.filter(|user| *user != caller.user()) {
            return Err(caller.deny(Permission::UsageAll, &other.to_string()).await);
        }
        of.user = Some(caller.user());
    }
    Ok((caller, of))
}

/// Whether a scope sees all rows of what is asked for, not its own person's alone.
pub(super) async fn sees_all(store: &Store, scope: &Scope, of: &Filter) -> store::Result<bool> {
    let grants = scope.grants();
    let allows = |object| grants.allow(Permission::UsageAll, object);
    if allows(Object::Organisation) || of.team.is_some_and(|team| allows(Object::Team(team))) {
        return Ok(true);
    }
    let Some(id) = of.project else { return Ok(false) };
    let project = projects::find(&mut store.open(scope).read().await?, id).await?;
    Ok(project.is_some_and(|project| allows(Object::Project { id, open: project.open })))
}
