//! Which organisations have something to tell their webhooks, and when to look: a mark for each, so that nobody opens all stores to
//! find those few. What is to be told stands in the organisation's own store.

use domain::{OrgId, Time};

use super::ControlTx;
use crate::{Result, Store, Turn};

/// Whether it is any organisation's turn. Takes no lock, so it can be asked often.
/// # Errors
/// As the database.
pub async fn is_due(tx: &mut ControlTx) -> Result<bool> {
    let now = tx.now();
    let first: Option<OrgId> = tx
        .sql(
            "SELECT t.org_id FROM webhook_turns t JOIN organisations o ON o.id = t.org_id
             WHERE t.due_at <= $1 AND o.status IN ('active', 'past_due') ORDER BY t.due_at LIMIT 1",
        )
        .bind(now)
        .optional()
        .await?;
    Ok(first.is_some())
}

/// Takes turns, those that wait longest, at most `limit`. Nobody else takes them until the given time; whoever finds them afterwards
/// may. Those of organisations that may not spend rest.
/// # Errors
/// As the database.
pub async fn take(tx: &mut ControlTx, until: Time, limit: i64) -> Result<Vec<OrgId>> {
    let now = tx.now();
    // What holds inside is asked again outside: one that waited for another one's lock sees only there that the turn is taken.
    tx.sql(
        "UPDATE webhook_turns SET due_at = $2
         WHERE org_id IN (
           SELECT t.org_id FROM webhook_turns t JOIN organisations o ON o.id = t.org_id
           WHERE t.due_at <= $1 AND o.status IN ('active', 'past_due') ORDER BY t.due_at LIMIT $3)
           AND due_at <= $1
         RETURNING org_id",
    )
    .bind(now)
    .bind(until)
    .bind(limit)
    .unaudited("bookkeeping of what is sent")
    .all()
    .await
}

/// Ends a turn that was taken until the given time: the next one is at `next`, or there is none. What has been due for long waits from
/// now on, behind those who waited for this turn to end. When the mark was set anew meanwhile it stays as it is.
/// # Errors
/// As the database.
pub async fn end(tx: &mut ControlTx, org: OrgId, taken_until: Time, next: Option<Time>) -> Result<()> {
    match next {
        Some(next) => {
            let next = next.max(tx.now());
            tx.sql("UPDATE webhook_turns SET due_at = $3 WHERE org_id = $1 AND due_at = $2")
                .bind(org)
                .bind(taken_until)
                .bind(next)
                .unaudited("bookkeeping of what is sent")
                .run()
                .await?;
        }
        None => {
            tx.sql("DELETE FROM webhook_turns WHERE org_id = $1 AND due_at = $2")
                .bind(org)
                .bind(taken_until)
                .unaudited("bookkeeping of what is sent")
                .run()
                .await?;
        }
    }
    Ok(())
}

/// Marks that an organisation has something to tell from a time on.
/// # Errors
/// As the database.
pub async fn mark(tx: &mut ControlTx, org: OrgId, at: Time) -> Result<()> {
    let now = tx.now();
    tx.sql(
        "INSERT INTO webhook_turns (org_id, due_at, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (org_id) DO UPDATE SET due_at = CASE WHEN webhook_turns.due_at < excluded.due_at THEN webhook_turns.due_at
                                                          ELSE excluded.due_at END",
    )
    .bind(org)
    .bind(at)
    .bind(now)
    .unaudited("bookkeeping of what is sent")
    .run()
    .await?;
    Ok(())
}

impl Store {
    /// Marks that an organisation has something to tell now, and wakes whoever tells in this process.
    /// # Errors
    /// As the database.
    pub async fn mark_webhook_turn(&self, org: OrgId) -> Result<()> {
        let mut tx = self.begin_control(Turn::Free).await?;
        let now = tx.now();
        mark(&mut tx, org, now).await?;
        tx.commit().await?;
        self.0.webhook_turns.notify_one();
        Ok(())
    }

    /// Waits until an organisation is marked in this process.
    pub async fn webhook_turn_marked(&self) {
        self.0.webhook_turns.notified().await;
    }
}
