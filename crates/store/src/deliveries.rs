//! From the control database into an organisation's store.
//!
//! The two cannot commit together. So what is decided in control and must be written into an organisation (an audit entry, the
//! teams that an invitation brings, the end of a stay, what limits a key that took another's place) is queued in control in the same
//! transaction, written into the organisation under its id, and then taken off the queue. A crash at any point repeats the writing,
//! and the id makes the repetition harmless.

use domain::role::Role;
use domain::{ApiKeyId, DeliveryId, MembershipId, OrgId, ProjectId, TeamId, UserId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::audit::{Draft, Event};
use crate::control::ControlTx;
use crate::org::succession::Succession;
use crate::scope::Scope;
use crate::sql::{Access, after_id};
use crate::{Error, Result, Store, audit, org};

pub(crate) const AUDIT: &str = "audit";
pub(crate) const PLACEMENT: &str = "placement";
pub(crate) const DEPARTURE: &str = "departure";
pub(crate) const SUCCESSION: &str = "succession";

/// How many deliveries one transaction writes.
const BATCH: i64 = 100;

/// Puts a member into teams and projects, as an invitation promised.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Placement {
    /// Who.
    pub user: UserId,
    /// Their stay in the organisation.
    pub membership: MembershipId,
    /// Teams with the role there.
    pub teams: Vec<(TeamId, Role)>,
    /// Projects with the role there.
    pub projects: Vec<(ProjectId, Role)>,
}

/// Takes a person whose stay has ended out of all teams and projects, and takes away the providers they brought for themselves. They give nothing any more since the stay ended; this
/// removes what is left of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Departure {
    /// Who.
    pub user: UserId,
    /// The stay that ended; what belongs to a later one is left alone.
    pub membership: MembershipId,
}

#[derive(Deserialize)]
struct Delivery {
    id: DeliveryId,
    kind: String,
    payload: String,
}

/// Queues something for an organisation; says whether there is such an organisation.
pub(crate) async fn queue(tx: &mut ControlTx, org: OrgId, kind: &'static str, payload: String) -> Result<bool> {
    let (id, now) = (tx.store().ambient().id::<DeliveryId>(), tx.now());
    let queued = tx
        .sql(
            "INSERT INTO deliveries (id, org_id, kind, payload, created_at)
             SELECT $1, $2, $3, $4, $5 FROM organisations WHERE id = $2",
        )
        .bind(id)
        .bind(org)
        .bind(kind)
        .bind(payload)
        .bind(now)
        .unaudited("becomes an audit entry itself, or comes with one")
        .run()
        .await?;
    tx.will_deliver();
    Ok(queued == 1)
}

fn there(queued: bool) -> Result<()> {
    if queued { Ok(()) } else { Err(Error::NotFound("organisation")) }
}

impl Store {
    /// Writes all that is queued for an organisation into its store.
    /// # Errors
    /// As the databases; what was not written stays queued.
    pub async fn deliver(&self, org: OrgId) -> Result<()> {
        loop {
            let mut tx = self.read_control().await?;
            let queued: Vec<Delivery> = tx
                .sql("SELECT id, kind, payload FROM deliveries WHERE org_id = $1 ORDER BY id LIMIT $2")
                .bind(org)
                .bind(BATCH)
                .all()
                .await?;
            drop(tx);
            if queued.is_empty() {
                return Ok(());
            }
            self.write_deliveries(org, &queued).await?;
            let mut tx = self.begin_control(crate::Turn::Free).await?;
            for delivery in &queued {
                tx.sql("DELETE FROM deliveries WHERE id = $1").bind(delivery.id).unaudited("delivered").run().await?;
            }
            tx.commit().await?;
        }
    }

    async fn write_deliveries(&self, org: OrgId, queued: &[Delivery]) -> Result<()> {
        let mut tx = self.tenant(org, Access::Write).await?;
        let now = self.ambient().now();
        let mut head = None;
        for delivery in queued {
            let fresh = tx
                .sql("INSERT INTO delivered (id, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(delivery.id)
                .bind(now)
                .unaudited("bookkeeping of deliveries")
                .run()
                .await?;
            if fresh == 0 {
                continue;
            }
            match delivery.kind.as_str() {
                AUDIT => head = Some(audit::append(&mut tx, audit::from_payload(&delivery.payload)?).await?),
                PLACEMENT => {
                    org::members::place(&mut tx, &read(&delivery.payload)?, now).await?;
                }
                DEPARTURE => {
                    let departure = read(&delivery.payload)?;
                    org::members::depart(&mut tx, &departure).await?;
                    org::providers::depart(&mut tx, &departure).await?;
                    org::connections::depart(&mut tx, &departure).await?;
                    org::knowledge::shares::depart(&mut tx, &departure).await?;
                }
                SUCCESSION => {
                    let succession: Succession = read(&delivery.payload)?;
                    head = org::succession::hand_on(&mut tx, self.ambient(), &succession).await?.or(head);
                }
                other => return Err(Error::bug(format!("a delivery of unknown kind {other}"))),
            }
        }
        // Ids are unique for ever and a delivery is taken off the queue right after this commit, so a day of memory is ample.
        tx.sql("DELETE FROM delivered WHERE created_at < $1")
            .bind(now - std::time::Duration::from_hours(24))
            .unaudited("bookkeeping of deliveries")
            .run()
            .await?;
        tx.commit().await?;
        self.0.heads.grew(Some(org), head);
        if queued.iter().any(|delivery| delivery.kind == PLACEMENT) {
            self.forget_authority();
        }
        Ok(())
    }

    /// Organisations for which something is queued, in the order of their ids; at most `limit` after the one given.
    /// # Errors
    /// As the database.
    pub async fn awaiting_delivery(&self, after: Option<OrgId>, limit: i64) -> Result<Vec<OrgId>> {
        let mut tx = self.read_control().await?;
        // An organisation that is still being made has no store to write to, nor one that is being erased.
        tx.sql(
            "SELECT d.org_id FROM deliveries d JOIN organisations o ON o.id = d.org_id
             WHERE d.org_id > $1 AND o.status NOT IN ('creating', 'erasing')
             GROUP BY d.org_id ORDER BY d.org_id LIMIT $2",
        )
        .bind(after_id(after))
        .bind(limit)
        .all()
        .await
    }

    /// Waits until something is queued in this process.
    pub async fn delivery_queued(&self) {
        self.0.deliveries.notified().await;
    }
}

fn read<T: DeserializeOwned>(payload: &str) -> Result<T> {
    serde_json::from_str(payload).map_err(|error| Error::bug(error.to_string()))
}

fn write(content: &impl Serialize) -> Result<String> {
    serde_json::to_string(content).map_err(|error| Error::bug(error.to_string()))
}

impl ControlTx {
    /// Queues a member's placement into teams and projects.
    /// # Errors
    /// As the database.
    pub async fn place(&mut self, org: OrgId, placement: &Placement) -> Result<()> {
        there(queue(self, org, PLACEMENT, write(placement)?).await?)
    }

    /// Queues the removal of what is left in teams and projects of a stay that ends.
    /// # Errors
    /// As the database.
    pub async fn depart(&mut self, org: OrgId, departure: &Departure) -> Result<()> {
        there(queue(self, org, DEPARTURE, write(departure)?).await?)
    }

    /// Queues that a key gets the budgets and rate limits that stand on the one whose place it took. Those of keys that are `over`
    /// go: they limit nothing any more.
    /// # Errors
    /// As the database.
    pub async fn succeed(&mut self, scope: &Scope, old: ApiKeyId, new: ApiKeyId, over: Vec<ApiKeyId>) -> Result<()> {
        let rotated = Event::new("api_key.rotated", old);
        let by = Draft::new(self.store().ambient().id(), self.now(), scope.actor(), scope.origin(), rotated);
        let succession = Succession { old, new, over, by };
        there(queue(self, scope.org(), SUCCESSION, write(&succession)?).await?)
    }
}
