//! Work that waits. What is to be done stands in the organisation's own store; here only when, and for whom.
//!
//! A job is queued before what it is about is committed, so nothing is ever committed that nobody comes for; one whose subject never
//! came is dropped by whoever claims it.

use std::time::Duration;

use domain::{DocumentId, Id, JobId, OrgId, SourceId, Time, UserId};
use serde::Deserialize;

use super::ControlTx;
use crate::sql::Pair;
use crate::{Engine, Result, Store, Turn};

const QUEUED: &str = "what is done is in the organisation's log";

/// A job that was claimed. Only [`claim`] makes one: it opens the organisation ([`crate::Store::enter_for`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job(Row);

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Row {
    id: JobId,
    org_id: OrgId,
    subject: DocumentId,
    user_id: UserId,
    attempts: i64,
    epoch: i64,
    created_at: Time,
}

impl Job {
    /// The id.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.0.id
    }

    /// For whom.
    #[must_use]
    pub fn org(&self) -> OrgId {
        self.0.org_id
    }

    /// Who asked for it.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.0.user_id
    }

    /// The document that it is about, for kinds that are about one.
    #[must_use]
    pub fn document(&self) -> DocumentId {
        self.0.subject
    }

    /// The archive that it is about, for kinds that are about one.
    #[must_use]
    pub fn import(&self) -> JobId {
        JobId::from_uuid(self.0.subject.uuid())
    }

    /// The source that it is about, for kinds that are about one.
    #[must_use]
    pub fn source(&self) -> SourceId {
        SourceId::from_uuid(self.0.subject.uuid())
    }

    /// How often it was claimed, this time too.
    #[must_use]
    pub fn attempts(&self) -> i64 {
        self.0.attempts
    }

    /// When it was queued.
    #[must_use]
    pub fn created_at(&self) -> Time {
        self.0.created_at
    }
}

/// Queues a job; when there is one of the same kind with the same subject it becomes due again.
/// # Errors
/// As the database.
pub async fn queue(
    tx: &mut ControlTx,
    org: OrgId,
    kind: &str,
    subject: impl Id,
    user: UserId,
    due: Time,
) -> Result<JobId> {
    let (id, now): (JobId, _) = (tx.store().ambient().id(), tx.now());
    tx.sql(
        "INSERT INTO jobs (id, org_id, kind, subject, user_id, due_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (org_id, kind, subject) DO UPDATE SET due_at = excluded.due_at, attempts = 0, epoch = jobs.epoch + 1,
           leased_until = NULL, created_at = excluded.created_at
         RETURNING id",
    )
    .bind(id)
    .bind(org)
    .bind(kind)
    .bind(DocumentId::from_uuid(subject.uuid()))
    .bind(user)
    .bind(due)
    .bind(now)
    .unaudited(QUEUED)
    .one()
    .await
}

/// As [`queue`], for work that looks by itself at all there is to do: one that is under way is left alone, and looks once more before it
/// is done.
/// # Errors
/// As the database.
pub async fn nudge(
    tx: &mut ControlTx,
    org: OrgId,
    kind: &str,
    subject: impl Id,
    user: UserId,
    due: Time,
) -> Result<JobId> {
    let (id, now): (JobId, _) = (tx.store().ambient().id(), tx.now());
    tx.sql(
        "INSERT INTO jobs (id, org_id, kind, subject, user_id, due_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (org_id, kind, subject) DO UPDATE SET due_at = excluded.due_at, attempts = 0, created_at = excluded.created_at
         RETURNING id",
    )
    .bind(id)
    .bind(org)
    .bind(kind)
    .bind(DocumentId::from_uuid(subject.uuid()))
    .bind(user)
    .bind(due)
    .bind(now)
    .unaudited(QUEUED)
    .one()
    .await
}

/// Claims the next job of a kind that is due, in a transaction of its own; begins none when there is none, so that this can be asked often.
/// # Errors
/// As the database.
pub async fn take(store: &Store, kind: &str, lease: Duration) -> Result<Option<Job>> {
    let mut tx = store.read_control().await?;
    if !is_due(&mut tx, kind).await? {
        return Ok(None);
    }
    drop(tx);
    let mut tx = store.begin_control(Turn::Free).await?;
    let claimed = claim(&mut tx, kind, lease).await?;
    tx.commit().await?;
    Ok(claimed)
}

/// Whether any job of a kind is due and not under way. Takes no lock.
async fn is_due(tx: &mut ControlTx, kind: &str) -> Result<bool> {
    let now = tx.now();
    let first: Option<JobId> = tx
        .sql(
            "SELECT id FROM jobs WHERE kind = $1 AND due_at <= $2 AND (leased_until IS NULL OR leased_until <= $2)
             ORDER BY due_at LIMIT 1",
        )
        .bind(kind)
        .bind(now)
        .optional()
        .await?;
    Ok(first.is_some())
}

/// Claims the next job that is due, of the organisation that has the fewest under way, for the length of a lease.
///
/// Each organisation's first job is sought by itself, so that nobody's backlog makes this slower for others.
/// # Errors
/// As the database.
pub async fn claim(tx: &mut ControlTx, kind: &str, lease: Duration) -> Result<Option<Job>> {
    let now = tx.now();
    tx.sql(Pair {
        sqlite: "UPDATE jobs SET leased_until = $3, attempts = attempts + 1, epoch = epoch + 1
            WHERE id = (WITH RECURSIVE waiting (org_id) AS (
                          SELECT (SELECT org_id FROM jobs WHERE kind = $1 ORDER BY org_id LIMIT 1)
                          UNION ALL
                          SELECT (SELECT next.org_id FROM jobs next WHERE next.kind = $1 AND next.org_id > waiting.org_id ORDER BY next.org_id LIMIT 1)
                          FROM waiting WHERE waiting.org_id IS NOT NULL)
                        SELECT job.id FROM waiting
                        JOIN jobs job ON job.id = (
                          SELECT due.id FROM jobs due
                          WHERE due.kind = $1 AND due.org_id = waiting.org_id AND due.due_at <= $2
                            AND (due.leased_until IS NULL OR due.leased_until <= $2)
                          ORDER BY due.due_at, due.id LIMIT 1)
                        LEFT JOIN (SELECT org_id, count(*) AS number FROM jobs INDEXED BY jobs_leased WHERE leased_until > $2 GROUP BY org_id) running
                          ON running.org_id = job.org_id
                        ORDER BY COALESCE(running.number, 0), job.due_at, job.id LIMIT 1)
            RETURNING id, org_id, subject, user_id, attempts, epoch, created_at",
        // A few of each organisation: another node may be about to claim its first. Whether one is due is asked again of the row that
        // is locked: of what was claimed between the look and the lock, PostgreSQL looks at no other row anew.
        postgres: "UPDATE jobs SET leased_until = $3, attempts = attempts + 1, epoch = epoch + 1
            WHERE id = (WITH RECURSIVE waiting (org_id) AS (
                          SELECT (SELECT org_id FROM jobs WHERE kind = $1 ORDER BY org_id LIMIT 1)
                          UNION ALL
                          SELECT (SELECT next.org_id FROM jobs next WHERE next.kind = $1 AND next.org_id > waiting.org_id ORDER BY next.org_id LIMIT 1)
                          FROM waiting WHERE waiting.org_id IS NOT NULL)
                        SELECT job.id FROM waiting
                        CROSS JOIN LATERAL (
                          SELECT due.id FROM jobs due
                          WHERE due.kind = $1 AND due.org_id = waiting.org_id AND due.due_at <= $2
                            AND (due.leased_until IS NULL OR due.leased_until <= $2)
                          ORDER BY due.due_at, due.id LIMIT 16) first
                        JOIN jobs job ON job.id = first.id AND job.due_at <= $2 AND (job.leased_until IS NULL OR job.leased_until <= $2)
                        LEFT JOIN (SELECT org_id, count(*) AS number FROM jobs WHERE leased_until > $2 GROUP BY org_id) running
                          ON running.org_id = job.org_id
                        ORDER BY COALESCE(running.number, 0), job.due_at, job.id LIMIT 1 FOR UPDATE OF job SKIP LOCKED)
            RETURNING id, org_id, subject, user_id, attempts, epoch, created_at",
    })
    .bind(kind)
    .bind(now)
    .bind(now + lease)
    .unaudited(QUEUED)
    .optional::<Row>()
    .await
    .map(|row| row.map(Job))
}

/// Prolongs the lease of a claimed job; false when somebody else has it by now, or it was queued anew.
/// # Errors
/// As the database.
pub async fn prolong(tx: &mut ControlTx, job: &Job, lease: Duration) -> Result<bool> {
    let now = tx.now();
    let kept = tx
        .sql("UPDATE jobs SET leased_until = $3 WHERE id = $1 AND epoch = $2")
        .bind(job.0.id)
        .bind(job.0.epoch)
        .bind(now + lease)
        .unaudited(QUEUED)
        .run()
        .await?;
    Ok(kept == 1)
}

/// Takes a claimed job off the queue, unless it was claimed or queued anew meanwhile.
/// # Errors
/// As the database.
pub async fn done(tx: &mut ControlTx, job: &Job) -> Result<()> {
    let gone = tx
        .sql("DELETE FROM jobs WHERE id = $1 AND epoch = $2 AND attempts = $3")
        .bind(job.0.id)
        .bind(job.0.epoch)
        .bind(job.0.attempts)
        .unaudited(QUEUED)
        .run()
        .await?;
    if gone == 0 {
        // Somebody asked for it meanwhile.
        tx.sql("UPDATE jobs SET leased_until = NULL WHERE id = $1 AND epoch = $2")
            .bind(job.0.id)
            .bind(job.0.epoch)
            .unaudited(QUEUED)
            .run()
            .await?;
    }
    Ok(())
}

/// Puts a claimed job back until later, or until it was asked for meanwhile.
/// # Errors
/// As the database.
pub async fn later(tx: &mut ControlTx, job: &Job, due: Time) -> Result<()> {
    tx.sql(
        "UPDATE jobs SET leased_until = NULL, due_at = CASE WHEN attempts = $4 THEN $3 ELSE due_at END WHERE id = $1 AND epoch = $2",
    )
        .bind(job.0.id)
        .bind(job.0.epoch)
        .bind(due)
        .bind(job.0.attempts)
        .unaudited(QUEUED)
        .run()
        .await?;
    Ok(())
}

/// Puts a claimed job whose work is done for now back until it is due again, or was asked for meanwhile; its attempts count anew.
/// # Errors
/// As the database.
pub async fn rest(tx: &mut ControlTx, job: &Job, due: Time) -> Result<()> {
    tx.sql(
        "UPDATE jobs SET leased_until = NULL, due_at = CASE WHEN attempts = $4 THEN $3 ELSE due_at END, attempts = 0
         WHERE id = $1 AND epoch = $2",
    )
    .bind(job.0.id)
    .bind(job.0.epoch)
    .bind(due)
    .bind(job.0.attempts)
    .unaudited(QUEUED)
    .run()
    .await?;
    Ok(())
}

impl Store {
    /// Gives back what was claimed by a server that is gone, so that nobody waits for the leases to run out. On PostgreSQL another node
    /// may be at work, and nothing is given back.
    /// # Errors
    /// As the database.
    pub async fn give_back_jobs(&self) -> Result<()> {
        if self.engine() == Engine::Postgres {
            return Ok(());
        }
        let mut tx = self.begin_control(Turn::Free).await?;
        tx.sql("UPDATE jobs SET leased_until = NULL, epoch = epoch + 1 WHERE leased_until IS NOT NULL")
            .unaudited(QUEUED)
            .run()
            .await?;
        tx.commit().await
    }

    /// Says that there is work.
    pub fn wake_workers(&self) {
        self.0.jobs.notify_waiters();
    }

    /// Waits until there is work.
    pub async fn work_queued(&self) {
        self.0.jobs.notified().await;
    }
}

/// How much work of a kind there is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Backlog {
    /// Which work.
    pub kind: String,
    /// Jobs, whatever they wait for.
    pub jobs: i64,
    /// Those that somebody works at.
    pub running: i64,
    /// Those that were tried before.
    pub retried: i64,
    /// When the one that waits longest was due.
    pub oldest_due_at: Time,
}

/// How much work there is, by kind.
/// # Errors
/// As the database.
pub async fn backlog(tx: &mut ControlTx) -> Result<Vec<Backlog>> {
    let now = tx.now();
    tx.sql(
        "SELECT kind, count(*) AS jobs, count(CASE WHEN leased_until > $1 THEN 1 END) AS running,
                count(CASE WHEN attempts > 1 THEN 1 END) AS retried, min(due_at) AS oldest_due_at
         FROM jobs GROUP BY kind ORDER BY kind",
    )
    .bind(now)
    .all()
    .await
}
