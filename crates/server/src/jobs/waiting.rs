//! What documents wait for when their passages are embedded by a model elsewhere, and the work on all passages as a job.

use domain::access::Permission;
use domain::authoriser::Object;
use knowledge::MODEL;
use store::org::knowledge::embedding::{self, Embedding};
use store::{Scope, Tx};

use super::{JobKind, JobState, JobView};
use crate::embedding::percent;

/// By which model passages are embedded, if that was chosen.
pub(super) struct Waiting(Option<Embedding>);

impl Waiting {
    pub(super) async fn read(tx: &mut Tx) -> store::Result<Self> {
        Ok(Self(embedding::find(tx).await?))
    }

    /// Says why a document that waits for its embedding does.
    pub(super) fn explain(&self, mut job: JobView) -> JobView {
        let elsewhere = self.0.as_ref().filter(|row| row.current != MODEL);
        if job.state == JobState::Searchable
            && let Some(fault) = elsewhere.and_then(|row| row.fault.as_ref())
        {
            job.error = Some(fault.0.clone());
        }
        job
    }

    /// The work on all passages, for who may read knowledge of the whole organisation. How many there are is told in percent: the
    /// number would tell of what colleagues keep private.
    pub(super) async fn job(&self, tx: &mut Tx, scope: &Scope) -> store::Result<Option<JobView>> {
        let Some(row) =
            self.0.as_ref().filter(|_| scope.grants().allow(Permission::KnowledgeRead, Object::Organisation))
        else {
            return Ok(None);
        };
        let (model, state, done) = match &row.coming {
            Some(coming) => (coming, JobState::Reading, percent(tx, coming).await?),
            None => (&row.current, JobState::Done, 100),
        };
        Ok(Some(JobView {
            id: row.job_id,
            kind: JobKind::Embedding,
            collection_id: None,
            document_id: None,
            name: model.clone(),
            state,
            done,
            total: Some(100),
            error: row.fault.as_ref().map(|fault| fault.0.clone()),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }))
    }
}
