//! Which rate limits a caller sees: those of nobody in particular, their own, and those of projects that they see; all, whoever sets limits.

use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::limits::Level;
use domain::{ApiKeyId, Id, LimitId, ProjectId};
use store::control::api_keys;
use store::org::projects;
use store::org::rate_limits::{self, RateLimit};

use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};

/// Limits that are read at once.
const BATCH: i64 = 100;

/// What a caller sees of rate limits. One that cannot be seen does not exist for them.
pub(super) struct Sight<'a> {
    caller: &'a Caller<can::LimitsRead>,
    all: bool,
}

impl<'a> Sight<'a> {
    pub(super) fn of(caller: &'a Caller<can::LimitsRead>) -> Self {
        let all = caller.scope().grants().allow(Permission::LimitsWrite, Object::Organisation);
        Self { caller, all }
    }

    /// The first that the caller sees after one, at most so many. Read on until there are, so that what is hidden leaves no gap to count.
    pub(super) async fn list(&self, mut after: Option<LimitId>, most: i64) -> Result<Vec<RateLimit>> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut seen = Vec::new();
        loop {
            let rows = rate_limits::list(&mut self.caller.read().await?, after, BATCH).await?;
            after = rows.last().map(|row| row.id);
            let is_last = i64::try_from(rows.len()).unwrap_or(0) < BATCH;
            for row in rows {
                if self.sees(&row).await? {
                    seen.push(row);
                }
            }
            if is_last || seen.len() >= most {
                seen.truncate(most);
                return Ok(seen);
            }
        }
    }

    /// The rate limit with an id; 404 when the caller does not see it.
    pub(super) async fn get(&self, id: LimitId) -> Result<RateLimit> {
        let limit = rate_limits::get(&mut self.caller.read().await?, id).await?;
        if self.sees(&limit).await? { Ok(limit) } else { Err(Problem::not_found()) }
    }

    async fn sees(&self, limit: &RateLimit) -> Result<bool> {
        let Some(subject) = limit.subject.map(|subject| subject.0).filter(|_| !self.all) else { return Ok(true) };
        let caller = self.caller;
        Ok(match limit.level {
            Level::User => subject == caller.user().uuid(),
            Level::Project => {
                let project = projects::find(&mut caller.read().await?, ProjectId::from_uuid(subject)).await?;
                project.is_some_and(|project| {
                    let object = Object::Project { id: project.id, open: project.open };
                    caller.scope().grants().allow(Permission::ProjectsRead, object)
                })
            }
            Level::Key => {
                let mut tx = caller.store().read_control().await?;
                match api_keys::get(&mut tx, caller.org(), ApiKeyId::from_uuid(subject)).await {
                    Ok(key) => key.user_id == caller.user(),
                    Err(store::Error::NotFound(_)) => false,
                    Err(error) => return Err(error.into()),
                }
            }
            Level::Organization | Level::Team | Level::Agent | Level::Run => false,
        })
    }
}
