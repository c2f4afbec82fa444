//! All passages of an organisation are embedded by a model elsewhere, or by the one that takes the place of the current one.
//!
//! One job an organisation, whatever documents come meanwhile: a server elsewhere may be slow or away, and holds up nobody but its own
//! organisation. What is done is committed a page at a time, so work that was cut off goes on where it was. The old model's vectors
//! answer until every passage that is found by its meaning has one of the new; then they change place in one transaction.
//!
//! What a server refuses is said on the row and tried again, ever more seldom, for a month. When it refuses some passages alone, because
//! one is too long for it or says what it does not take, those are left without a vector, and found by their words.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::UserId;
use serde_json::json;
use store::audit::Event;
use store::control::jobs::{self, Job};
use store::org::knowledge::chunks::{self, Chunk, Vector};
use store::org::knowledge::embedding::{self, Embedding};
use store::{Json, Scope, Turn};

use crate::MODEL;
use crate::intake::{Done, Error, Intake, LEASE, LOOKS, MOMENT, SHORTEST, in_words};
use crate::models::{self, Refusal};
use crate::wide;

/// The kind of job that embeds an organisation's passages by a model that is not the one inside, or no longer is, or is again.
pub const REEMBED: &str = "reembed";

/// Passages in one call.
const PAGE: i64 = 32;
/// Calls before other organisations have their turn, refused ones, too.
const CALLS: usize = 50;
/// How long a call may take, and one with [`PLAIN`] after it. Together less than a lease.
const PATIENCE: Duration = Duration::from_mins(1);
const BRIEF: Duration = Duration::from_secs(15);
/// A text that every model takes: who refuses it, too, refuses all.
const PLAIN: &str = "A house has a door.";
/// How long is waited at least and at most before something that was refused is tried again, and for how long it is tried at all.
const SOON: Duration = Duration::from_secs(2);
const SELDOM: Duration = Duration::from_hours(1);
const GIVEN_UP: Duration = Duration::from_hours(32 * 24);
/// A job is queued before the choice that it is for is committed: so long it does not believe that there is nothing to do.
const SETTLED: Duration = Duration::from_secs(10);

impl Intake {
    /// Queues the work on an organisation's passages.
    /// # Errors
    /// As the control database.
    pub async fn queue_reembed(&self, scope: &Scope, user: UserId) -> store::Result<()> {
        let mut tx = self.store().begin_control(Turn::Org(scope.org())).await?;
        jobs::nudge(&mut tx, scope.org(), REEMBED, scope.org(), user, self.store().ambient().now()).await?;
        tx.commit().await?;
        self.store().wake_workers();
        Ok(())
    }

    pub(crate) async fn reembed(&self, job: &Job) -> Result<Done, Error> {
        let scope = self.store().enter_for(job).await?;
        self.follow_the_usual(&scope, job).await?;
        let mut work = Work::new(self, &scope);
        let (mut calls, mut looks) = (0, 0);
        while calls < CALLS {
            match work.step(calls % 2 == 0).await? {
                Step::Did => calls += 1,
                // What it is for may be about to be committed.
                Step::Nothing if calls == 0 && looks < LOOKS => {
                    looks += 1;
                    tokio::time::sleep(MOMENT).await;
                    continue;
                }
                Step::Nothing => return work.end(job).await,
            }
            let mut tx = self.store().begin_control(Turn::Free).await?;
            let mine = jobs::prolong(&mut tx, job, LEASE).await?;
            tx.commit().await?;
            if !mine {
                return Ok(Done::Done);
            }
        }
        Ok(Done::Later(Duration::ZERO))
    }

    /// An organisation that chose nothing has what the operator says now.
    async fn follow_the_usual(&self, scope: &Scope, job: &Job) -> Result<(), Error> {
        let org = self.store().open(scope);
        let usual = self.elsewhere().usual();
        let mut tx = org.read().await?;
        let row = embedding::find(&mut tx).await?;
        drop(tx);
        if !self.is_behind(row.as_ref()) || row.as_ref().is_some_and(|row| row.choice.is_some()) {
            return Ok(());
        }
        let mut tx = org.begin().await?;
        let mut row = match embedding::find(&mut tx).await? {
            Some(row) if row.choice.is_some() => return Ok(()),
            Some(row) => row,
            None => first(job.user(), job.id(), self.store().ambient().now()),
        };
        row.aim(usual);
        row.job_id = job.id();
        embedding::choose(&mut tx, &row).await?;
        let detail = json!({ "model": usual, "by": "the installation" });
        tx.record(Event::new("embedding.chosen", scope.org()).after(&row).detail(detail)).await?;
        Ok(tx.commit().await?)
    }

    /// Whether passages should be embedded by another model than they are or will be.
    #[must_use]
    pub fn is_behind(&self, row: Option<&Embedding>) -> bool {
        let wanted = row.and_then(|row| row.choice.as_deref()).unwrap_or(self.elsewhere().usual());
        let (current, coming) = row.map_or((MODEL, None), |row| (row.current.as_str(), row.coming.as_deref()));
        coming.unwrap_or(current) != wanted
    }
}

/// The row of an organisation that has not chosen yet.
#[must_use]
pub fn first(user: UserId, job_id: domain::JobId, now: domain::Time) -> Embedding {
    Embedding {
        choice: None,
        current: MODEL.to_owned(),
        size: i64::try_from(::embedding::DIMENSIONS).ok(),
        coming: None,
        coming_size: None,
        fault: None,
        failing_since: None,
        job_id,
        made_by: user,
        version: 0,
        created_at: now,
        updated_at: now,
    }
}

enum Step {
    /// A page was embedded or refused, or the models changed place.
    Did,
    /// There is nothing more that could be done now.
    Nothing,
}

struct Work<'a> {
    intake: &'a Intake,
    scope: &'a Scope,
    /// How far each model is, in this run.
    after: BTreeMap<String, i64>,
    /// How many passages are in the next call of a model that refused more.
    widths: BTreeMap<String, i64>,
    /// Models that gave vectors since they last refused a passage.
    able: BTreeSet<String>,
    refused: BTreeMap<String, Refusal>,
    /// Whether a page was embedded.
    did: bool,
}

impl<'a> Work<'a> {
    fn new(intake: &'a Intake, scope: &'a Scope) -> Self {
        Self {
            intake,
            scope,
            after: BTreeMap::new(),
            widths: BTreeMap::new(),
            able: BTreeSet::new(),
            refused: BTreeMap::new(),
            did: false,
        }
    }

    /// Does the next thing. Both models are asked in turn, so that new documents do not wait for the end of a change.
    async fn step(&mut self, coming_first: bool) -> Result<Step, Error> {
        let org = self.intake.store().open(self.scope);
        let mut tx = org.read().await?;
        let Some(row) = embedding::find(&mut tx).await? else { return Ok(Step::Nothing) };
        // By the model inside, documents are embedded one by one as they come.
        let current = (row.current != MODEL).then(|| row.current.clone());
        let mut models: Vec<String> = row.coming.clone().into_iter().chain(current).collect();
        if !coming_first {
            models.reverse();
        }
        let mut due = None;
        for model in models.into_iter().filter(|model| !self.refused.contains_key(model)) {
            let after = self.after.get(&model).copied().unwrap_or(i64::MIN);
            let width = self.widths.get(&model).copied().unwrap_or(PAGE);
            let page = embedding::lacking(&mut tx, &model, after, width).await?;
            if !page.is_empty() {
                due = Some((model, page));
                break;
            }
        }
        drop(tx);
        if let Some((model, page)) = due {
            match self.page(&row, &model, &page).await? {
                None => {
                    self.able.insert(model.clone());
                    self.pass(model, &page);
                }
                Some(refusal) => self.narrow(&row, model, &page, refusal).await?,
            }
            return Ok(Step::Did);
        }
        match row.coming {
            Some(coming) if !self.refused.contains_key(&coming) => {
                if !self.switch(&row.current, &coming).await? {
                    // Passages came meanwhile.
                    self.after.remove(&coming);
                }
                Ok(Step::Did)
            }
            _ => Ok(Step::Nothing),
        }
    }

    /// Goes on after a page. By and by more is asked for again at a time, when a part of one was.
    fn pass(&mut self, model: String, page: &[Chunk]) {
        self.did = true;
        if let Some(width) = self.widths.get_mut(&model) {
            *width = (*width * 2).min(PAGE);
        }
        let last = page.last().map_or(i64::MIN, |chunk| chunk.number);
        self.after.insert(model, last);
    }

    /// What becomes of a page that was refused. When other texts are not, half of it is asked for next, and at last one passage, which is
    /// left without a vector when it is refused alone.
    async fn narrow(&mut self, row: &Embedding, model: String, page: &[Chunk], refusal: Refusal) -> Result<(), Error> {
        let of_all = if refusal.is_of_the_request() { self.probe(row, &model).await.err() } else { Some(refusal) };
        if let Some(refusal) = of_all {
            self.refused.insert(model, refusal);
            return Ok(());
        }
        if let [chunk] = page {
            self.leave_out(&model, chunk).await?;
            // So a server that begins to refuse everything costs one passage its vector at most.
            self.able.remove(&model);
            self.pass(model, page);
        } else {
            let half = i64::try_from(page.len() / 2).unwrap_or(1);
            self.widths.insert(model, half);
        }
        Ok(())
    }

    /// Sees whether a model gives vectors at all; gives the refusal when it does not.
    async fn probe(&mut self, row: &Embedding, model: &str) -> Result<(), Refusal> {
        if !self.able.contains(model) {
            self.ask(row, model, vec![PLAIN.to_owned()], BRIEF).await?;
            self.able.insert(model.to_owned());
        }
        Ok(())
    }

    /// Leaves a passage without a vector of a model, for good: until another model is chosen.
    async fn leave_out(&self, model: &str, chunk: &Chunk) -> Result<(), Error> {
        let mut tx = self.intake.store().open(self.scope).begin().await?;
        let row = embedding::find(&mut tx).await?;
        // Another model may have been chosen meanwhile.
        let Some(row) = row.filter(|row| row.size_of(model).is_some()) else { return Ok(()) };
        chunks::embed(&mut tx, model, &Vector::none(chunk)).await?;
        if row.current == model {
            chunks::count_embedded(&mut tx, chunk.document_id, model).await?;
        }
        tx.commit().await?;
        tracing::warn!(org = %self.scope.org(), model, passage = %chunk.id, "a passage is refused, and found by its words alone");
        Ok(())
    }

    /// The vectors of texts, within a time.
    async fn ask(
        &self,
        row: &Embedding,
        model: &str,
        texts: Vec<String>,
        patience: Duration,
    ) -> Result<Vec<Vec<f32>>, Refusal> {
        let size = row.size_of(model).flatten();
        let asked = models::passages(self.intake.elsewhere(), self.scope, model, size, texts);
        tokio::time::timeout(patience, asked).await.unwrap_or_else(|_| {
            let message = "The embedding model's server did not answer in time.";
            Err(Refusal::new("upstream_timeout", message))
        })
    }

    /// Embeds passages; gives the refusal when the model gave no vectors.
    async fn page(&self, row: &Embedding, model: &str, page: &[Chunk]) -> Result<Option<Refusal>, Error> {
        let texts = page.iter().map(|chunk| in_words(&chunk.heading, &chunk.text)).collect();
        let vectors = match self.ask(row, model, texts, PATIENCE).await {
            Ok(vectors) => vectors,
            Err(refusal) => return Ok(Some(refusal)),
        };
        let given = vectors.first().and_then(|vector| i64::try_from(vector.len()).ok()).unwrap_or(0);
        let mut tx = self.intake.store().open(self.scope).begin().await?;
        let known = embedding::find(&mut tx).await?.and_then(|now| Some((now.size_of(model)?, now.current == model)));
        // Another model may have been chosen meanwhile.
        let Some((size, is_current)) = known else { return Ok(None) };
        match size {
            None => embedding::learn(&mut tx, model, given).await?,
            Some(size) if size == given => {}
            // It was chosen anew, and learned anew.
            Some(_) => return Ok(None),
        }
        for (chunk, vector) in page.iter().zip(&vectors) {
            chunks::embed(&mut tx, model, &wide::stored(vector, chunk.number, chunk.collection)).await?;
        }
        if is_current {
            for document in page.iter().map(|chunk| chunk.document_id).collect::<BTreeSet<_>>() {
                chunks::count_embedded(&mut tx, document, model).await?;
            }
        }
        tx.commit().await?;
        Ok(None)
    }

    /// Lets the coming model answer, if nothing is lost by that.
    async fn switch(&self, current: &str, coming: &str) -> Result<bool, Error> {
        let mut tx = self.intake.store().open(self.scope).begin().await?;
        if !embedding::switch(&mut tx, coming).await? {
            return Ok(false);
        }
        let detail = json!({ "from": current, "to": coming });
        tx.record(Event::new("embedding.switched", self.scope.org()).detail(detail)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Notes how it ended, and says when to go on.
    async fn end(self, job: &Job) -> Result<Done, Error> {
        let store = self.intake.store();
        let mut tx = store.open(self.scope).begin().await?;
        let row = embedding::find(&mut tx).await?;
        let failed = row.as_ref().is_some_and(|row| row.fault.is_some());
        let Some(refusal) = self.refused.into_values().next() else {
            if failed {
                embedding::note(&mut tx, None).await?;
                tx.commit().await?;
            }
            let waited = store.ambient().now().since(job.created_at());
            return Ok(if waited < SETTLED { Done::Later(waited.max(SHORTEST)) } else { Done::Done });
        };
        if failed && self.did {
            embedding::note(&mut tx, None).await?;
        }
        tracing::warn!(org = %self.scope.org(), code = refusal.fault.code, "passages wait for their embedding");
        embedding::note(&mut tx, Some(&Json(refusal.fault))).await?;
        let since = embedding::find(&mut tx).await?.and_then(|row| row.failing_since);
        tx.commit().await?;
        let failing = since.map_or(Duration::ZERO, |since| store.ambient().now().since(since));
        if failing > GIVEN_UP {
            return Ok(Done::Done);
        }
        let asked = refusal.retry_after.unwrap_or_default();
        Ok(Done::Later(failing.max(asked).clamp(SOON, SELDOM)))
    }
}
