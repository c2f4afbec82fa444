//! Checks that the demo world is as it was made: each check stands alone, so that one that fails hides no other.

use std::collections::BTreeSet;

use domain::OrgId;
use domain::access::Permission;
use domain::authoriser::Object;
use domain::prices::Prices;
use domain::role::Builtin;
use store::control::{api_keys, organisations};
use store::ledger::entries::{self, Search};
use store::org::{audits, budgets, projects, teams};
use store::{Origin, Refusal, Scope, Stop};

use super::usage::{Call, calls};
use super::{KEYS, PLOTS, Plot, RESIDENTS, TEAMS, belongings, is, sign_in, sign_out};
use crate::{House, Result};

/// One check and what came of it.
#[derive(Debug, Clone)]
pub struct Check {
    /// What was looked at.
    pub what: String,
    /// What was found, when it is as it should be; otherwise what is wrong.
    pub outcome: std::result::Result<String, String>,
}

/// Checks all of the demo world.
/// # Errors
/// As the databases. What is not as it should be is no error but the outcome of a check.
pub async fn verify(house: &House) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    let mut rows = 0;
    let mut orgs = Vec::new();
    for plot in &PLOTS {
        let resident = &RESIDENTS[plot.owner];
        match locate(house, plot).await? {
            None => note(&mut checks, plot.name, Err(format!("{} has no such organisation", resident.email))),
            Some(org) => {
                orgs.push(org);
                rows += check_org(house, plot, org, &mut checks).await?;
            }
        }
    }
    note(&mut checks, "usage rows in all", equal(rows, 100));
    if let [acme, globex, _] = orgs[..] {
        check_roles(house, acme, &mut checks).await?;
        check_walls(house, acme, globex, &mut checks).await?;
    }
    Ok(checks)
}

fn note(checks: &mut Vec<Check>, what: impl Into<String>, outcome: std::result::Result<String, String>) {
    checks.push(Check { what: what.into(), outcome });
}

fn equal(found: impl std::fmt::Display, wanted: impl std::fmt::Display) -> std::result::Result<String, String> {
    let (found, wanted) = (found.to_string(), wanted.to_string());
    if found == wanted { Ok(found) } else { Err(format!("{found} instead of {wanted}")) }
}

async fn locate(house: &House, plot: &Plot) -> Result<Option<OrgId>> {
    let email = domain::email::Email::new(RESIDENTS[plot.owner].email);
    let Ok(email) = email else { return Ok(None) };
    let mut tx = house.store.read_control().await?;
    let Some(person) = store::control::people::find_by_email(&mut tx, &email).await? else { return Ok(None) };
    drop(tx);
    Ok(belongings(house, person.id).await?.iter().find(|belonging| is(belonging, plot)).map(|known| known.id))
}

/// Checks what is inside an organisation, as its owner sees it; gives the number of usage rows.
async fn check_org(house: &House, plot: &Plot, org: OrgId, checks: &mut Vec<Check>) -> Result<i64> {
    let name = plot.name;
    let visit = match sign_in(house, &RESIDENTS[plot.owner], org).await {
        Ok(visit) => visit,
        Err(error) => {
            note(checks, format!("{name}: owner signs in"), Err(error.to_string()));
            return Ok(0);
        }
    };
    house.store.deliver(org).await?;
    let mut tx = house.store.read_control().await?;
    let organisation = organisations::get(&mut tx, org).await?;
    let keys = api_keys::list(&mut tx, org, None, None, 10).await?;
    drop(tx);
    note(checks, format!("{name}: plan"), equal(organisation.plan.as_str(), plot.plan));
    let first = name == PLOTS[0].name;
    let wanted = if first { KEYS.len() } else { 0 };
    note(checks, format!("{name}: keys"), equal(keys.len(), wanted));

    let mut tx = house.store.open(&visit.scope).read().await?;
    let budgets = budgets::list(&mut tx, None, 10).await?;
    let found = budgets
        .iter()
        .map(|b| format!("{} {} {} a {}", b.kind.as_str(), b.amount_micros / 1_000_000, b.currency, b.period.as_str()));
    let wanted = format!("hard {} USD a month", plot.dollars);
    note(checks, format!("{name}: budget"), equal(found.collect::<Vec<_>>().join(", "), wanted));

    let mut books = house.store.read_ledger(&visit.scope).await?;
    let mut books = books.page(&visit.scope)?;
    let rows = entries::list(&mut books, &Search::default(), None, 1000).await?;
    let wanted = calls(plot.calls);
    note(checks, format!("{name}: usage rows"), equal(rows.len(), wanted.len()));
    let prices = Prices::builtin();
    let costs = wanted.iter().filter_map(|call| Some(call.cost(&prices.quote(call.model, tx.now())?.price)));
    let sum = |of: fn(&Call) -> i64| wanted.iter().map(of).sum::<i64>();
    let found = format!(
        "{} + {} tokens, {} millionths of USD",
        rows.iter().map(|row| row.input_tokens).sum::<i64>(),
        rows.iter().map(|row| row.output_tokens).sum::<i64>(),
        rows.iter().map(|row| row.cost_micros).sum::<i64>()
    );
    let wanted = format!(
        "{} + {} tokens, {} millionths of USD",
        sum(|row| row.input_tokens),
        sum(|row| row.output_tokens),
        costs.sum::<i64>()
    );
    note(checks, format!("{name}: usage sums"), equal(found, wanted));

    let projects = projects::list_all(&mut tx, None, None, 100).await?;
    let names = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let found = names(projects.iter().map(|project| project.name.as_str()).collect());
    let wanted = names(plot.projects.iter().map(|(name, ..)| *name).collect());
    note(checks, format!("{name}: projects"), equal(joined(&found), joined(&wanted)));

    let found = tree(&teams::list(&mut tx, None, 100).await?);
    let wanted = if first {
        TEAMS.iter().map(|(name, above, _)| path(above.map(|at| TEAMS[at].0), name)).collect()
    } else {
        BTreeSet::new()
    };
    note(checks, format!("{name}: teams"), equal(joined(&found), joined(&wanted)));

    let chain = audits::verify(&mut tx, &[]).await?;
    drop(tx);
    let outcome = chain.fault.map_or(Ok(format!("{} entries", chain.entries)), Err);
    note(checks, format!("{name}: audit chain"), outcome);
    let faults = house.store.org_faults(org).await?;
    note(
        checks,
        format!("{name}: no orphans"),
        if faults.is_empty() { Ok("0".into()) } else { Err(faults.join("; ")) },
    );
    sign_out(house, &visit).await?;
    Ok(i64::try_from(rows.len()).unwrap_or(i64::MAX))
}

fn tree(teams: &[teams::Team]) -> BTreeSet<String> {
    let name_of = |id| teams.iter().find(|team| team.id == id).map_or("?", |team| team.name.as_str());
    teams.iter().map(|team| path(team.parent_id.map(name_of), team.name.as_str())).collect()
}

fn path(above: Option<&str>, name: &str) -> String {
    above.map_or_else(|| name.to_owned(), |above| format!("{above} > {name}"))
}

fn joined(names: &BTreeSet<String>) -> String {
    if names.is_empty() { "none".into() } else { names.iter().cloned().collect::<Vec<_>>().join(", ") }
}

/// Checks that each resident can sign in, and may do what their role says and no more.
async fn check_roles(house: &House, acme: OrgId, checks: &mut Vec<Check>) -> Result<()> {
    for resident in &RESIDENTS {
        let what = format!("{}: {}", resident.email, resident.role);
        let visit = match sign_in(house, resident, acme).await {
            Ok(visit) => visit,
            Err(error) => {
                note(checks, what, Err(error.to_string()));
                continue;
            }
        };
        note(checks, what, role_of(&visit.scope, resident.role));
        sign_out(house, &visit).await?;
    }
    Ok(())
}

fn role_of(scope: &Scope, wanted: domain::role::Role) -> std::result::Result<String, String> {
    let grants = scope.grants();
    equal(grants.role, wanted)?;
    let builtin = Builtin::ALL.into_iter().find(|builtin| domain::role::Role::Builtin(*builtin) == wanted);
    let allowed = builtin.map(Builtin::permissions).unwrap_or_default();
    let wrong = Permission::ALL
        .iter()
        .find(|permission| allowed.contains(**permission) != grants.allow(**permission, Object::Organisation));
    match wrong {
        Some(permission) => Err(format!("{permission} is not as the role says")),
        None => Ok(format!("{} permissions", allowed.iter().count())),
    }
}

/// Checks that somebody who does not belong to an organisation is turned away at its door.
async fn check_walls(house: &House, home: OrgId, foreign: OrgId, checks: &mut Vec<Check>) -> Result<()> {
    let outsider = &RESIDENTS[3];
    let what = format!("{} at the door of {}", outsider.email, PLOTS[1].name);
    let Ok(visit) = sign_in(house, outsider, home).await else {
        note(checks, what, Err("they cannot sign in".into()));
        return Ok(());
    };
    let outcome = match house.store.enter(&visit.principal, Some(foreign), None, Origin::default()).await {
        Err(Stop::Refused(Refusal::NotAMember)) => Ok("turned away".into()),
        Err(stop) => Err(stop.to_string()),
        Ok(_) => Err("they were let in".into()),
    };
    note(checks, what, outcome);
    sign_out(house, &visit).await
}
