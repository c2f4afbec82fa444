//! The directory of organisations: names, plans, states and wrapped keys. What is inside them is in their own stores.

use std::collections::BTreeMap;

use domain::lifetimes::Lifetimes;
use domain::plan::PlanName;
use domain::status::OrgStatus;
use domain::text::OrgName;
use domain::{OrgId, Time, UserId};
use serde::{Deserialize, Serialize};

use super::ControlTx;
use crate::sql::{Json, after_id};
use crate::{Error, OrNotFound, Result};

/// An organisation, as the directory knows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Organisation {
    /// The id.
    pub id: OrgId,
    /// What it is called.
    pub name: OrgName,
    /// A short label made out of the name; not unique.
    pub slug: String,
    /// Its plan.
    pub plan: PlanName,
    /// Its state.
    pub status: OrgStatus,
    /// Whether it was made for one person at their sign-up.
    pub personal: bool,
    /// Its time zone, an IANA name: months and days of budgets and quotas begin there.
    pub time_zone: String,
    /// When a closing organisation will be erased.
    pub closes_at: Option<Time>,
    /// Counts changes, for ETags.
    pub version: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// Adds an organisation in the state [`OrgStatus::Creating`], with a new key; it counts among those that its maker has made.
/// # Errors
/// As the database.
pub async fn insert(tx: &mut ControlTx, organisation: &Organisation, maker: UserId) -> Result<()> {
    let (wrapped_by, wrapped) = crate::rotation::new_org_key(tx, organisation.id).await?;
    tx.sql(
        "INSERT INTO organisations (id, name, slug, plan, status, personal, time_zone, wrapped_key, wrapped_by, made_by, created_at,
                                    updated_at)
         VALUES ($1, $2, $3, $4, 'creating', $5, $6, $7, $8, $9, $10, $10)",
    )
    .bind(organisation.id)
    .bind(&organisation.name)
    .bind(&organisation.slug)
    .bind(organisation.plan.as_str())
    .bind(organisation.personal)
    .bind(&organisation.time_zone)
    .bind(wrapped)
    .bind(wrapped_by)
    .bind(maker)
    .bind(organisation.created_at)
    .run()
    .await?;
    Ok(())
}

/// Says that the organisation's store exists: it can be entered from now on.
/// # Errors
/// As the database.
pub async fn activate(tx: &mut ControlTx, id: OrgId) -> Result<()> {
    let now = tx.now();
    tx.sql("UPDATE organisations SET status = 'active', updated_at = $2 WHERE id = $1 AND status = 'creating'")
        .bind(id)
        .bind(now)
        .run()
        .await?;
    tx.shift_authority();
    Ok(())
}

/// The organisation with this id, if there is one. For callers whose right to see it is established.
/// # Errors
/// As the database.
pub async fn find(tx: &mut ControlTx, id: OrgId) -> Result<Option<Organisation>> {
    tx.sql(
        "SELECT id, name, slug, plan, status, personal, time_zone, closes_at, version, created_at, updated_at
         FROM organisations WHERE id = $1",
    )
    .bind(id)
    .optional()
    .await
}

/// The organisation with this id. For callers whose right to see it is established.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(tx: &mut ControlTx, id: OrgId) -> Result<Organisation> {
    find(tx, id).await.or_not_found("organisation")
}

/// Writes back what can change of an organisation; counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn update(tx: &mut ControlTx, organisation: &Organisation) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE organisations SET name = $2, slug = $3, plan = $4, status = $5, time_zone = $6, closes_at = $7,
                                      version = version + 1, updated_at = $8
             WHERE id = $1 AND version = $9",
        )
        .bind(organisation.id)
        .bind(&organisation.name)
        .bind(&organisation.slug)
        .bind(organisation.plan.as_str())
        .bind(organisation.status)
        .bind(&organisation.time_zone)
        .bind(organisation.closes_at)
        .bind(now)
        .bind(organisation.version)
        .run()
        .await?;
    tx.shift_authority();
    if changed == 0 { Err(Error::Stale("organisation")) } else { Ok(()) }
}

/// Starts to close an organisation that is in use or suspended; its row is kept until the given time. Counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given, or the organisation is neither.
pub async fn close(tx: &mut ControlTx, organisation: &Organisation, closes_at: Time, by: UserId) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE organisations SET reopens_as = status, status = 'closing', closes_at = $2, closing_at = $3, closing_by = $4,
                                      version = version + 1, updated_at = $3
             WHERE id = $1 AND version = $5 AND status IN ('active', 'past_due', 'suspended')",
        )
        .bind(organisation.id)
        .bind(closes_at)
        .bind(now)
        .bind(by)
        .bind(organisation.version)
        .run()
        .await?;
    tx.shift_authority();
    if changed == 0 { Err(Error::Stale("organisation")) } else { Ok(()) }
}

/// Undoes the closing of an organisation: it is again what it was before. Counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given, or the organisation is not closing.
pub async fn reopen(tx: &mut ControlTx, organisation: &Organisation) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE organisations SET status = reopens_as, reopens_as = NULL, closes_at = NULL, closing_at = NULL, closing_by = NULL,
                                      version = version + 1, updated_at = $2
             WHERE id = $1 AND version = $3 AND status = 'closing'",
        )
        .bind(organisation.id)
        .bind(now)
        .bind(organisation.version)
        .run()
        .await?;
    tx.shift_authority();
    if changed == 0 { Err(Error::Stale("organisation")) } else { Ok(()) }
}

/// An organisation's own limits on sign-ins, with the organisation's version.
/// # Errors
/// [`Error::NotFound`] when there is no such organisation.
pub async fn lifetimes(tx: &mut ControlTx, id: OrgId) -> Result<(Lifetimes, i64)> {
    let found: Option<(Json<Lifetimes>, i64)> =
        tx.sql("SELECT lifetimes, version FROM organisations WHERE id = $1").bind(id).optional().await?;
    let (Json(lifetimes), version) = found.ok_or(Error::NotFound("organisation"))?;
    Ok((lifetimes, version))
}

/// Sets an organisation's own limits on sign-ins; counts the version up. They hold for sessions that exist, too.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn set_lifetimes(tx: &mut ControlTx, id: OrgId, version: i64, lifetimes: &Lifetimes) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql("UPDATE organisations SET lifetimes = $3, version = version + 1, updated_at = $4 WHERE id = $1 AND version = $2")
        .bind(id)
        .bind(version)
        .bind(serde_json::to_string(lifetimes).unwrap_or_default())
        .bind(now)
        .run()
        .await?;
    tx.shift_authority();
    if changed == 0 { Err(Error::Stale("organisation")) } else { Ok(()) }
}

/// The limits on sign-ins of the organisation that a session works in: the one given, else the person's first.
/// # Errors
/// As the database.
pub async fn lifetimes_for(tx: &mut ControlTx, user: UserId, org: Option<OrgId>) -> Result<Lifetimes> {
    let found: Option<Json<Lifetimes>> = tx
        .sql(
            "SELECT o.lifetimes FROM memberships m JOIN organisations o ON o.id = m.org_id
             WHERE m.user_id = $1 AND ($2 IS NULL OR m.org_id = $2) AND m.standing = 'active' AND o.status <> 'creating'
             ORDER BY m.created_at, m.id LIMIT 1",
        )
        .bind(user)
        .bind(org)
        .optional()
        .await?;
    Ok(found.map(|Json(lifetimes)| lifetimes).unwrap_or_default())
}

/// An organisation of a person, with their role in it.
#[derive(Debug, Clone, Deserialize)]
pub struct Belonging {
    /// The organisation.
    pub id: OrgId,
    /// Its name.
    pub name: OrgName,
    /// Its label.
    pub slug: String,
    /// Its plan.
    pub plan: PlanName,
    /// Its state.
    pub status: OrgStatus,
    /// Whether it was made for one person.
    pub personal: bool,
    /// The person's role there.
    pub role: domain::role::Role,
    /// Since when they belong to it.
    pub joined_at: Time,
}

/// The organisations that a person can enter, the oldest stay first; at most `limit`, after the stay given.
/// # Errors
/// As the database.
pub async fn of_person(tx: &mut ControlTx, user: UserId, after: Option<OrgId>, limit: i64) -> Result<Vec<Belonging>> {
    tx.sql(
        "SELECT o.id, o.name, o.slug, o.plan, o.status, o.personal, m.role, m.created_at AS joined_at
         FROM memberships m JOIN organisations o ON o.id = m.org_id
         WHERE m.user_id = $1 AND m.standing = 'active' AND o.status NOT IN ('creating', 'erasing') AND m.org_id > $2
         ORDER BY m.org_id LIMIT $3",
    )
    .bind(user)
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// Organisations whose making was interrupted before the given time.
/// # Errors
/// As the database.
pub async fn unfinished(tx: &mut ControlTx, before: Time) -> Result<Vec<OrgId>> {
    tx.sql("SELECT id FROM organisations WHERE status = 'creating' AND created_at < $1 ORDER BY id LIMIT 1000")
        .bind(before)
        .all()
        .await
}

/// How many organisations there are that a person has made, whoever owns them now.
/// # Errors
/// As the database.
pub async fn count_made_by(tx: &mut ControlTx, user: UserId) -> Result<i64> {
    tx.sql("SELECT count(*) FROM organisations WHERE made_by = $1").bind(user).one().await
}

/// Organisations that a person closed and that are to be erased at exactly the given time: they close because the account does.
/// # Errors
/// As the database.
pub async fn closing_with(tx: &mut ControlTx, user: UserId, closes_at: Time) -> Result<Vec<OrgId>> {
    tx.sql("SELECT id FROM organisations WHERE status = 'closing' AND closes_at = $2 AND closing_by = $1 ORDER BY id")
        .bind(user)
        .bind(closes_at)
        .all()
        .await
}

/// Who asked for the end of an organisation, and when.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Ending {
    /// The organisation.
    pub id: OrgId,
    /// Who closed it; nobody when the directory does not know.
    pub closing_by: Option<UserId>,
    /// When.
    pub closing_at: Option<Time>,
}

/// Closing organisations whose grace period ended by the given time, those that wait longest first; at most `limit`.
/// # Errors
/// As the database.
pub async fn due(tx: &mut ControlTx, by: Time, limit: i64) -> Result<Vec<Ending>> {
    tx.sql(
        "SELECT id, closing_by, closing_at FROM organisations WHERE status = 'closing' AND closes_at <= $1 ORDER BY closes_at, id LIMIT $2",
    )
    .bind(by)
    .bind(limit)
    .all()
    .await
}

/// Begins to erase a closing organisation whose grace period has ended by now; says whether it was one. From here on nobody can
/// enter, and its keys and the sessions in it have ended.
/// # Errors
/// As the database.
pub async fn begin_erasing(tx: &mut ControlTx, id: OrgId) -> Result<bool> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE organisations SET status = 'erasing', version = version + 1, updated_at = $2
             WHERE id = $1 AND status = 'closing' AND closes_at <= $2",
        )
        .bind(id)
        .bind(now)
        .run()
        .await?;
    if changed > 0 {
        tx.sql("UPDATE sessions SET revoked_at = $2 WHERE org_id = $1 AND revoked_at IS NULL")
            .bind(id)
            .bind(now)
            .run()
            .await?;
        tx.sql("UPDATE api_keys SET revoked_at = $2 WHERE org_id = $1 AND (revoked_at IS NULL OR revoked_at > $2)")
            .bind(id)
            .bind(now)
            .run()
            .await?;
    }
    tx.shift_authority();
    Ok(changed > 0)
}

/// Organisations that are being erased since the given time or longer, those that wait longest first; at most `limit`.
/// # Errors
/// As the database.
pub async fn erasing(tx: &mut ControlTx, since: Time, limit: i64) -> Result<Vec<OrgId>> {
    tx.sql(
        "SELECT id FROM organisations WHERE status = 'erasing' AND updated_at <= $1 ORDER BY updated_at, id LIMIT $2",
    )
    .bind(since)
    .bind(limit)
    .all()
    .await
}

/// All organisations, by id, for the operator: at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut ControlTx, after: Option<OrgId>, limit: i64) -> Result<Vec<Organisation>> {
    tx.sql(
        "SELECT id, name, slug, plan, status, personal, time_zone, closes_at, version, created_at, updated_at
         FROM organisations WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// How many organisations there are.
/// # Errors
/// As the database.
pub async fn count(tx: &mut ControlTx) -> Result<i64> {
    tx.sql("SELECT count(*) FROM organisations").one().await
}

pub(crate) async fn wrapped_key(tx: &mut ControlTx, id: OrgId) -> Result<Vec<u8>> {
    let key = tx.sql("SELECT wrapped_key FROM organisations WHERE id = $1").bind(id).optional::<Vec<u8>>().await;
    // One whose key was destroyed is as good as gone.
    key.map(|key| key.filter(|key| !key.is_empty())).or_not_found("organisation")
}

/// Destroys the key of an organisation that is being erased: what is left of its file anywhere opens no more.
pub(crate) async fn shred(tx: &mut ControlTx, id: OrgId) -> Result<()> {
    tx.sql("UPDATE organisations SET wrapped_key = $2 WHERE id = $1 AND status = 'erasing'")
        .bind(id)
        .bind(Vec::new())
        .unaudited("part of the erasure, whose beginning and end are recorded")
        .run()
        .await?;
    Ok(())
}

/// Removes an organisation that is being erased with all that the control database holds of it; says how many rows each table gave.
/// # Errors
/// As the database.
pub async fn remove(tx: &mut ControlTx, id: OrgId) -> Result<BTreeMap<String, i64>> {
    let mut removed = BTreeMap::new();
    let mut count = |table: &str, rows: u64| removed.insert(table.to_owned(), i64::try_from(rows).unwrap_or(i64::MAX));
    count("sessions", tx.sql("DELETE FROM sessions WHERE org_id = $1").bind(id).run().await?);
    count("mails", tx.sql("DELETE FROM mails WHERE org_id = $1").bind(id).run().await?);
    count("deliveries", tx.sql("DELETE FROM deliveries WHERE org_id = $1").bind(id).run().await?);
    count("webhook_turns", tx.sql("DELETE FROM webhook_turns WHERE org_id = $1").bind(id).run().await?);
    count("invitations", tx.sql("DELETE FROM invitations WHERE org_id = $1").bind(id).run().await?);
    count("mail_domains", tx.sql("DELETE FROM mail_domains WHERE org_id = $1").bind(id).run().await?);
    count("removals", tx.sql("DELETE FROM removals WHERE org_id = $1").bind(id).run().await?);
    count("removed_mailboxes", tx.sql("DELETE FROM removed_mailboxes WHERE org_id = $1").bind(id).run().await?);
    count("api_keys", tx.sql("DELETE FROM api_keys WHERE org_id = $1").bind(id).run().await?);
    count("plan_overrides", tx.sql("DELETE FROM plan_overrides WHERE org_id = $1").bind(id).run().await?);
    count("memberships", tx.sql("DELETE FROM memberships WHERE org_id = $1").bind(id).run().await?);
    count("former_stays", tx.sql("DELETE FROM former_stays WHERE org_id = $1").bind(id).run().await?);
    let rows = tx.sql("DELETE FROM organisations WHERE id = $1 AND status = 'erasing'").bind(id).run().await?;
    count("organisations", rows);
    tx.shift_authority();
    Ok(removed)
}
