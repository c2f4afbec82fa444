//! `GET /api/v1/usage/summary`: sums of what was used in a month or between two times, in the organisation's time zone.

use std::collections::BTreeMap;

use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::id::Uuid;
use domain::limits::{Period, Span};
use domain::time_zone::TimeZoneName;
use domain::{AgentId, ApiKeyId, Id, ProjectId, TeamId, Time, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::ledger::entries::Filter;
use store::ledger::summary::{self, ById, ByText, Group, Sums};

use super::sight::narrow;
use super::teams::{roll_up, tree};
use super::{SumsView, span};
use crate::http::body::Query;
use crate::http::caller::{Caller, Local};
use crate::http::error::Result;
use crate::http::reply::Found;

/// By what the rows are summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum By {
    /// By day in the organisation's time zone.
    #[default]
    Day,
    /// By person.
    User,
    /// By team: each alone, and with those below.
    Team,
    /// By project.
    Project,
    /// By agent.
    Agent,
    /// By model.
    Model,
    /// By API key.
    Key,
    /// By what was done.
    Operation,
    /// By how it ended.
    Outcome,
}

/// What to sum, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SumUsage {
    /// A month in the organisation's time zone, such as `2026-11`; this one when no time is given.
    month: Option<String>,
    /// Not before this time.
    from: Option<Time>,
    /// Before this time.
    until: Option<Time>,
    /// `day` when left out.
    #[serde(default)]
    by: By,
    /// Only this person's.
    user: Option<UserId>,
    /// Only this API key's.
    key: Option<ApiKeyId>,
    /// Only this project's.
    project: Option<ProjectId>,
    /// Only this team's, without those below.
    team: Option<TeamId>,
    /// Only this agent's.
    agent: Option<AgentId>,
}

/// Sums of what was used.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UsageSummary")]
pub(crate) struct SummaryView {
    by: By,
    from: Time,
    until: Option<Time>,
    time_zone: TimeZoneName,
    /// Whether these are sums over what everybody used, and not the caller alone.
    everybody: bool,
    /// All together; exactly what the entries of `data` add up to.
    total: SumsView,
    data: Vec<GroupView>,
}

/// What one of them used.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UsageGroup")]
struct GroupView {
    /// The day, id, model, operation or outcome; null for what counts to none.
    key: Option<String>,
    /// For a team, its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// For a team, the one above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<TeamId>,
    /// For a team, whether it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<bool>,
    #[serde(flatten)]
    sums: SumsView,
    /// For a team, together with all teams below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    with_below: Option<SumsView>,
}

impl GroupView {
    fn plain(key: Option<String>, sums: Sums) -> Self {
        Self { key, name: None, parent_id: None, deleted: None, sums: sums.into(), with_below: None }
    }
}

pub(crate) async fn summary(local: Local<can::UsageRead>, Query(query): Query<SumUsage>) -> Result<Found<SummaryView>> {
    let SumUsage { month, from, until, by, user, key, project, team, agent } = query;
    let asked = Filter { user, key, project, team, agent, run: None };
    let (caller, of) = narrow(local, asked).await?;
    let rules = caller.app().rules.of(caller.scope()).await?;
    let this_month = rules.span(Period::Month, caller.ambient().now());
    let span = span(month.as_deref(), from, until, rules.zone(), this_month)?;
    let (total, data) = match by {
        By::Day => by_day(&caller, span, of, rules.zone()).await?,
        By::Team => by_team(&caller, span, of).await?,
        By::User => by_id::<UserId>(&caller, ById::User, span, of).await?,
        By::Project => by_id::<ProjectId>(&caller, ById::Project, span, of).await?,
        By::Agent => by_id::<AgentId>(&caller, ById::Agent, span, of).await?,
        By::Key => by_id::<ApiKeyId>(&caller, ById::Key, span, of).await?,
        By::Model => by_text(&caller, ByText::Model, span, of).await?,
        By::Operation => by_text(&caller, ByText::Operation, span, of).await?,
        By::Outcome => by_text(&caller, ByText::Outcome, span, of).await?,
    };
    Ok(Found(SummaryView {
        by,
        from: span.from,
        until: span.until,
        time_zone: rules.zone().clone(),
        everybody: of.user.is_none(),
        total: total.into(),
        data,
    }))
}

type Summed = (Sums, Vec<GroupView>);

fn total<K>(groups: &[Group<K>]) -> Sums {
    groups.iter().fold(Sums::default(), |sum, group| sum.and(group.sums))
}

async fn by_id<I: Id>(caller: &Caller<can::UsageRead>, by: ById, span: Span, of: Filter) -> Result<Summed> {
    let groups = ids(caller, by, span, of).await?;
    let text = |id: Uuid| I::from_uuid(id).to_string();
    let view = |group: &Group<Option<Uuid>>| GroupView::plain(group.key.map(text), group.sums);
    Ok((total(&groups), groups.iter().map(view).collect()))
}

async fn ids(caller: &Caller<can::UsageRead>, by: ById, span: Span, of: Filter) -> Result<Vec<Group<Option<Uuid>>>> {
    let mut tx = caller.store().read_ledger(caller.scope()).await?;
    Ok(summary::by_id(&mut tx.page(caller.scope())?, by, span, of).await?)
}

async fn by_text(caller: &Caller<can::UsageRead>, by: ByText, span: Span, of: Filter) -> Result<Summed> {
    let mut tx = caller.store().read_ledger(caller.scope()).await?;
    let groups = summary::by_text(&mut tx.page(caller.scope())?, by, span, of).await?;
    let sum = total(&groups);
    Ok((sum, groups.into_iter().map(|group| GroupView::plain(Some(group.key), group.sums)).collect()))
}

async fn by_day(caller: &Caller<can::UsageRead>, span: Span, of: Filter, zone: &TimeZoneName) -> Result<Summed> {
    let mut tx = caller.store().read_ledger(caller.scope()).await?;
    let groups = summary::by_quarter(&mut tx.page(caller.scope())?, span, of).await?;
    let mut days = BTreeMap::new();
    for group in &groups {
        let sums: &mut Sums = days.entry(zone.date(group.key)).or_default();
        *sums = sums.and(group.sums);
    }
    let data = days.into_iter().map(|(day, sums)| GroupView::plain(Some(day.to_string()), sums)).collect();
    Ok((total(&groups), data))
}

async fn by_team(caller: &Caller<can::UsageRead>, span: Span, of: Filter) -> Result<Summed> {
    let tree = tree(&mut caller.read().await?).await?;
    let groups = ids(caller, ById::Team, span, of).await?;
    let grants = caller.scope().grants();
    let view = |(team, sums): (Option<TeamId>, super::teams::RolledUp)| {
        let visible = team.filter(|team| grants.allow(Permission::TeamsRead, Object::Team(*team)));
        let place = visible.and_then(|team| tree.get(&team));
        GroupView {
            name: place.map(|place| place.name.to_string()),
            parent_id: place.and_then(|place| place.parent),
            deleted: place.map(|place| place.deleted),
            with_below: Some(sums.with_below.into()),
            ..GroupView::plain(team.map(|team| team.to_string()), sums.own)
        }
    };
    Ok((total(&groups), roll_up(&groups, &tree).into_iter().map(view).collect()))
}
