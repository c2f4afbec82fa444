//! Who belongs to which organisation, and with which role there.

use domain::email::Email;
use domain::role::Role;
use domain::status::Standing;
use domain::text::PersonName;
use domain::{MembershipId, OrgId, Time, UserId};
use serde::{Deserialize, Serialize};

use super::{ControlTx, sessions};
use crate::sql::after_id;
use crate::{Error, OrNotFound, OrTaken, Result, Store, Turn};

/// A person's stay in an organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Membership {
    /// The id of this stay; a later stay of the same person has another.
    pub id: MembershipId,
    /// The organisation.
    pub org_id: OrgId,
    /// The person.
    pub user_id: UserId,
    /// The role at the organisation.
    pub role: Role,
    /// Whether they may act there.
    pub standing: Standing,
    /// When they last did something there, to the minute.
    pub seen_at: Option<Time>,
    /// Counts changes, for ETags.
    pub version: i64,
    /// Since when they belong to it.
    pub created_at: Time,
}

/// A member with name and address, as lists show it.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    /// The stay.
    pub id: MembershipId,
    /// The person.
    pub user_id: UserId,
    /// Their name.
    pub name: PersonName,
    /// Their mail address.
    pub email: Email,
    /// The role at the organisation.
    pub role: Role,
    /// Whether they may act there.
    pub standing: Standing,
    /// When they last did something there.
    pub seen_at: Option<Time>,
    /// Counts changes, for ETags.
    pub version: i64,
    /// Since when they belong to it.
    pub created_at: Time,
}

/// Adds a member.
/// # Errors
/// [`Error::Taken`] when the person belongs to the organisation already.
pub async fn insert(tx: &mut ControlTx, membership: &Membership) -> Result<()> {
    tx.sql(
        "INSERT INTO memberships (id, org_id, user_id, role, standing, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(membership.id)
    .bind(membership.org_id)
    .bind(membership.user_id)
    .bind(membership.role)
    .bind(membership.standing)
    .bind(membership.created_at)
    .run()
    .await
    .or_taken("membership")?;
    tx.shift_authority();
    Ok(())
}

/// A person's stay in an organisation, if they belong to it.
/// # Errors
/// As the database.
pub async fn find(tx: &mut ControlTx, org: OrgId, user: UserId) -> Result<Option<Membership>> {
    tx.sql(
        "SELECT id, org_id, user_id, role, standing, seen_at, version, created_at FROM memberships WHERE org_id = $1 AND user_id = $2",
    )
    .bind(org)
    .bind(user)
    .optional()
    .await
}

/// A member of an organisation, with name and address.
/// # Errors
/// [`Error::NotFound`] when the person does not belong to it.
pub async fn get(tx: &mut ControlTx, org: OrgId, user: UserId) -> Result<Member> {
    tx.sql(
        "SELECT m.id, m.user_id, p.name, p.email, m.role, m.standing, m.seen_at, m.version, m.created_at
         FROM memberships m JOIN people p ON p.id = m.user_id WHERE m.org_id = $1 AND m.user_id = $2",
    )
    .bind(org)
    .bind(user)
    .optional()
    .await
    .or_not_found("member")
}

/// The members of an organisation by person, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut ControlTx, org: OrgId, after: Option<UserId>, limit: i64) -> Result<Vec<Member>> {
    tx.sql(
        "SELECT m.id, m.user_id, p.name, p.email, m.role, m.standing, m.seen_at, m.version, m.created_at
         FROM memberships m JOIN people p ON p.id = m.user_id
         WHERE m.org_id = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3",
    )
    .bind(org)
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// Those who run an organisation and may act in it, owners and administrators, by person, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn leaders(tx: &mut ControlTx, org: OrgId, after: Option<UserId>, limit: i64) -> Result<Vec<Member>> {
    tx.sql(
        "SELECT m.id, m.user_id, u.name, u.email, m.role, m.standing, m.seen_at, m.version, m.created_at
         FROM memberships m JOIN people u ON u.id = m.user_id
         WHERE m.org_id = $1 AND m.user_id > $2 AND m.role IN ('owner', 'admin') AND m.standing = 'active' AND u.standing = 'active'
         ORDER BY m.user_id LIMIT $3",
    )
    .bind(org)
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// The organisations a person belongs to in any standing, at most a hundred: where their sign-ins are recorded.
/// # Errors
/// As the database.
pub async fn orgs_of(tx: &mut ControlTx, user: UserId) -> Result<Vec<OrgId>> {
    tx.sql("SELECT org_id FROM memberships WHERE user_id = $1 ORDER BY org_id LIMIT 100").bind(user).all().await
}

/// All stays of a person, in any standing.
/// # Errors
/// As the database.
pub async fn of_person(tx: &mut ControlTx, user: UserId) -> Result<Vec<Membership>> {
    tx.sql(
        "SELECT id, org_id, user_id, role, standing, seen_at, version, created_at FROM memberships WHERE user_id = $1 ORDER BY org_id",
    )
    .bind(user)
    .all()
    .await
}

/// The organisations that a person belongs or once belonged to: what they keep to themselves there stays when they leave.
/// # Errors
/// As the database.
pub async fn orgs_ever(tx: &mut ControlTx, user: UserId) -> Result<Vec<OrgId>> {
    tx.sql(
        "SELECT org_id FROM memberships WHERE user_id = $1 UNION SELECT org_id FROM former_stays WHERE user_id = $1 ORDER BY org_id",
    )
    .bind(user)
    .all()
    .await
}

/// How many members an organisation has beside this person, without those whose accounts are about to be deleted.
/// # Errors
/// As the database.
pub async fn count_staying(tx: &mut ControlTx, org: OrgId, but: UserId) -> Result<i64> {
    tx.sql(
        "SELECT count(*) FROM memberships m JOIN people p ON p.id = m.user_id
         WHERE m.org_id = $1 AND m.user_id <> $2 AND p.ends_at IS NULL",
    )
    .bind(org)
    .bind(but)
    .one()
    .await
}

/// How many members an organisation has.
/// # Errors
/// As the database.
pub async fn count(tx: &mut ControlTx, org: OrgId) -> Result<i64> {
    tx.sql("SELECT count(*) FROM memberships WHERE org_id = $1").bind(org).one().await
}

/// How many members hold a role, suspended ones too.
/// # Errors
/// As the database.
pub async fn count_role(tx: &mut ControlTx, org: OrgId, role: Role) -> Result<i64> {
    tx.sql("SELECT count(*) FROM memberships WHERE org_id = $1 AND role = $2").bind(org).bind(role).one().await
}

/// The members who hold a role, suspended ones too.
/// # Errors
/// As the database.
pub async fn of_role(tx: &mut ControlTx, org: OrgId, role: Role) -> Result<Vec<UserId>> {
    tx.sql("SELECT user_id FROM memberships WHERE org_id = $1 AND role = $2 ORDER BY user_id")
        .bind(org)
        .bind(role)
        .all()
        .await
}

/// The roles that members hold, each once, those of suspended ones too.
/// # Errors
/// As the database.
pub async fn roles_held(tx: &mut ControlTx, org: OrgId) -> Result<Vec<Role>> {
    tx.sql("SELECT DISTINCT role FROM memberships WHERE org_id = $1 ORDER BY role").bind(org).all().await
}

/// Whether the organisation has an owner beside this person who may act.
/// # Errors
/// As the database.
pub async fn has_other_owner(tx: &mut ControlTx, org: OrgId, user: UserId) -> Result<bool> {
    tx.sql(
        "SELECT EXISTS (
           SELECT 1 FROM memberships m JOIN people p ON p.id = m.user_id
           WHERE m.org_id = $1 AND m.user_id <> $2 AND m.role = 'owner' AND m.standing = 'active' AND p.standing = 'active')",
    )
    .bind(org)
    .bind(user)
    .one()
    .await
}

pub(crate) async fn touch(store: &Store, id: MembershipId) -> Result<()> {
    let mut tx = store.begin_control(Turn::Free).await?;
    let now = tx.now();
    tx.sql("UPDATE memberships SET seen_at = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
        .unaudited("last activity")
        .run()
        .await?;
    tx.commit().await
}

/// Writes back role and standing; counts the version up. The person's browser sessions get new secrets.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn update(tx: &mut ControlTx, membership: &Membership) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE memberships SET role = $3, standing = $4, version = version + 1, updated_at = $5
             WHERE org_id = $1 AND id = $2 AND version = $6",
        )
        .bind(membership.org_id)
        .bind(membership.id)
        .bind(membership.role)
        .bind(membership.standing)
        .bind(now)
        .bind(membership.version)
        .run()
        .await?;
    if changed == 0 {
        return Err(Error::Stale("member"));
    }
    sessions::renew_all(tx, membership.user_id).await
}

/// Ends a stay, and with it all sessions that are in the organisation and all keys made during it. That there was one stays known, as
/// long as there are the person and the organisation.
/// # Errors
/// As the database.
pub async fn delete(tx: &mut ControlTx, membership: &Membership) -> Result<()> {
    let now = tx.now();
    tx.sql("UPDATE sessions SET revoked_at = $3 WHERE org_id = $1 AND user_id = $2 AND revoked_at IS NULL")
        .bind(membership.org_id)
        .bind(membership.user_id)
        .bind(now)
        .run()
        .await?;
    tx.sql(
        "UPDATE api_keys SET revoked_at = $3, updated_at = $3
         WHERE org_id = $1 AND membership_id = $2 AND (revoked_at IS NULL OR revoked_at > $3)",
    )
    .bind(membership.org_id)
    .bind(membership.id)
    .bind(now)
    .run()
    .await?;
    tx.sql("DELETE FROM memberships WHERE org_id = $1 AND id = $2")
        .bind(membership.org_id)
        .bind(membership.id)
        .run()
        .await?;
    tx.sql(
        "INSERT INTO former_stays (org_id, user_id, ended_at) VALUES ($1, $2, $3)
         ON CONFLICT (org_id, user_id) DO UPDATE SET ended_at = excluded.ended_at",
    )
    .bind(membership.org_id)
    .bind(membership.user_id)
    .bind(now)
    .run()
    .await?;
    tx.shift_authority();
    Ok(())
}
