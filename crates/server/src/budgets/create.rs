//! `POST /api/v1/budgets`: makes a budget. What was spent in the period before it was made counts.

use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::limits::Period;
use domain::money::{Currency, Micros};
use domain::{AgentId, ApiKeyId, Id, OrgId, ProjectId, TeamId, UserId};
use metering::rules::Unclear;
use schemars::JsonSchema;
use serde::Deserialize;
use store::Json;
use store::audit::Event;
use store::control::{api_keys, memberships};
use store::org::budgets::{self, Budget, Strictness, Subject};
use store::org::{projects, teams};

use super::standing::{changed, standing};
use super::{BudgetLevel, BudgetView, thresholds};
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Created, Versioned};

/// The most budgets of an organisation: each call looks through them.
const MOST: i64 = 1000;

/// A budget to make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateBudget {
    level: BudgetLevel,
    /// The team, project, person, key or agent; left out for the organisation.
    #[serde(default)]
    id: Option<String>,
    period: Period,
    amount_micros: Micros,
    /// The operator must have given a rate for it, unless it is USD.
    currency: Currency,
    kind: Strictness,
    /// At how many percent somebody is told; 50, 80 and 100 when left out, nobody when empty.
    #[serde(default)]
    alerts: Option<Vec<u16>>,
}

pub(crate) async fn create(
    caller: Caller<can::BudgetsWrite>,
    Body(body): Body<CreateBudget>,
) -> Result<Versioned<Created<BudgetView>>> {
    let now = caller.ambient().now();
    let budget = Budget {
        id: caller.ambient().id(),
        level: body.level.into(),
        subject: subject(&caller, body.level, body.id.as_deref()).await?,
        period: body.period,
        amount_micros: body.amount_micros.get(),
        currency: body.currency,
        kind: body.kind,
        alerts: Json(thresholds(body.alerts)?),
        increase_micros: 0,
        increase_until: None,
        increase_by: None,
        made_by: caller.user(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    if let Err(Unclear::NoRate(currency)) = caller.app().rules.exchange(budget.currency, now) {
        let why = format!("has no rate of exchange: the operator has given none for {currency}");
        return Err(Problem::field("currency", why));
    }
    let standing = standing(&caller, &budget).await?;
    let mut tx = caller.begin().await?;
    if budgets::count(&mut tx).await? >= MOST {
        return Err(Problem::new("conflict", format!("There are {MOST} budgets, the most there may be; delete some.")));
    }
    budgets::insert(&mut tx, &budget).await?;
    tx.record(Event::new("budget.created", budget.id).after(&budget)).await?;
    let view = BudgetView::of(budget.clone(), standing.as_ref(), now);
    let reply = caller.commit(tx, Versioned(budget.version, Created(view))).await?;
    changed(&caller, &budget).await;
    Ok(reply)
}

/// What the budget limits: something of the organisation that the caller can see. Anything else is as unknown as if it never existed.
async fn subject(caller: &Caller<can::BudgetsWrite>, level: BudgetLevel, id: Option<&str>) -> Result<Option<Subject>> {
    fn read<I: Id + std::str::FromStr<Err = domain::InvalidId>>(id: Option<&str>) -> Result<I> {
        let id = id.ok_or_else(|| Problem::field("id", "must name what the budget is for"))?;
        id.parse().map_err(|error: domain::InvalidId| Problem::field("id", error.to_string()))
    }
    let grants = caller.scope().grants();
    let uuid = match level {
        BudgetLevel::Organization => {
            if id.is_some() && read::<OrgId>(id)? != caller.org() {
                return Err(Problem::not_found());
            }
            return Ok(None);
        }
        BudgetLevel::Team => {
            let team: TeamId = read(id)?;
            teams::get(&mut caller.read().await?, team).await?;
            if !grants.allow(Permission::TeamsRead, Object::Team(team)) {
                return Err(Problem::not_found());
            }
            team.uuid()
        }
        BudgetLevel::Project => {
            let project = projects::get(&mut caller.read().await?, read::<ProjectId>(id)?).await?;
            let object = Object::Project { id: project.id, open: project.open };
            if !grants.allow(Permission::ProjectsRead, object) {
                return Err(Problem::not_found());
            }
            project.id.uuid()
        }
        BudgetLevel::User => {
            let user: UserId = read(id)?;
            memberships::get(&mut caller.store().read_control().await?, caller.org(), user).await?;
            user.uuid()
        }
        BudgetLevel::Key => {
            let key = read::<ApiKeyId>(id)?;
            let key = api_keys::get(&mut caller.store().read_control().await?, caller.org(), key).await?;
            let manages = grants.allow_anywhere(Permission::KeysManage);
            if key.user_id != caller.user() && !manages {
                return Err(Problem::not_found());
            }
            key.id.uuid()
        }
        BudgetLevel::Agent => {
            // There are no agents yet, so none is known.
            read::<AgentId>(id)?;
            return Err(Problem::not_found());
        }
    };
    Ok(Some(Subject(uuid)))
}
