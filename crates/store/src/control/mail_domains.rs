//! Mail domains whose people may join an organisation by themselves. Any organisation may claim a domain; one alone proves it.

use domain::email::Email;
use domain::role::Role;
use domain::{MailDomainId, OrgId, TeamId, Time};
use serde::{Deserialize, Serialize};

use super::ControlTx;
use super::people::Person;
use crate::sql::Json;
use crate::{Error, OrNotFound, OrTaken, Result};

/// A claimed domain: all but the secret of the link that proves it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailDomain {
    /// The id.
    pub id: MailDomainId,
    /// Who claims it.
    pub org_id: OrgId,
    /// The domain, in small letters.
    pub domain: String,
    /// The role that joining gives at the organisation.
    pub role: Role,
    /// Teams to be put into, with the role there.
    #[serde(serialize_with = "as_list")]
    pub teams: Json<Vec<(TeamId, Role)>>,
    /// Whether people may join by it.
    pub joining: bool,
    /// When it was proven to be theirs.
    pub verified_at: Option<Time>,
    /// Counts changes, for ETags.
    pub version: i64,
    /// When it was claimed.
    pub created_at: Time,
}

fn as_list<T: Serialize, S: serde::Serializer>(list: &Json<Vec<T>>, serializer: S) -> Result<S::Ok, S::Error> {
    list.0.serialize(serializer)
}

/// Adds a claim, whose link's secret has the hash.
/// # Errors
/// [`Error::Taken`] when the organisation has claimed the domain before.
pub async fn insert(tx: &mut ControlTx, claim: &MailDomain, hash: &[u8; 32], until: Time) -> Result<()> {
    tx.sql(
        "INSERT INTO mail_domains (id, org_id, domain, role, teams, joining, hash, hash_until, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
    )
    .bind(claim.id)
    .bind(claim.org_id)
    .bind(&claim.domain)
    .bind(claim.role)
    .bind(serde_json::to_string(&claim.teams.0).unwrap_or_default())
    .bind(claim.joining)
    .bind(hash)
    .bind(until)
    .bind(claim.created_at)
    .run()
    .await
    .or_taken("domain")?;
    Ok(())
}

/// A domain that an organisation has claimed.
/// # Errors
/// [`Error::NotFound`] when it has none such.
pub async fn get(tx: &mut ControlTx, org: OrgId, id: MailDomainId) -> Result<MailDomain> {
    tx.sql(
        "SELECT id, org_id, domain, role, teams, joining, verified_at, version, created_at FROM mail_domains
         WHERE org_id = $1 AND id = $2",
    )
    .bind(org)
    .bind(id)
    .optional()
    .await
    .or_not_found("mail domain")
}

/// The domains that an organisation has claimed, the oldest first; at most a hundred.
/// # Errors
/// As the database.
pub async fn list(tx: &mut ControlTx, org: OrgId) -> Result<Vec<MailDomain>> {
    tx.sql(
        "SELECT id, org_id, domain, role, teams, joining, verified_at, version, created_at FROM mail_domains
         WHERE org_id = $1 ORDER BY id LIMIT 100",
    )
    .bind(org)
    .all()
    .await
}

/// The unproven claim whose link has this hash and has not ended.
/// # Errors
/// As the database.
pub async fn find_by_hash(tx: &mut ControlTx, hash: &[u8; 32]) -> Result<Option<MailDomain>> {
    let now = tx.now();
    tx.sql(
        "SELECT id, org_id, domain, role, teams, joining, verified_at, version, created_at FROM mail_domains
         WHERE hash = $1 AND hash_until > $2 AND verified_at IS NULL",
    )
    .bind(hash)
    .bind(now)
    .optional()
    .await
}

/// Whoever has proven the domain and lets people join by it.
/// # Errors
/// As the database.
pub async fn open_to(tx: &mut ControlTx, domain: &str) -> Result<Option<MailDomain>> {
    tx.sql(
        "SELECT id, org_id, domain, role, teams, joining, verified_at, version, created_at FROM mail_domains
         WHERE domain = $1 AND verified_at IS NOT NULL AND joining = $2",
    )
    .bind(domain)
    .bind(true)
    .optional()
    .await
}

/// Gives a claim a new link; the one before is void.
/// # Errors
/// As the database.
pub async fn renew_link(tx: &mut ControlTx, id: MailDomainId, hash: &[u8; 32], until: Time) -> Result<()> {
    tx.sql("UPDATE mail_domains SET hash = $2, hash_until = $3 WHERE id = $1")
        .bind(id)
        .bind(hash)
        .bind(until)
        .run()
        .await?;
    Ok(())
}

/// Marks a domain as proven; counts the version up.
/// # Errors
/// [`Error::Taken`] when another organisation has proven it.
pub async fn verify(tx: &mut ControlTx, id: MailDomainId) -> Result<()> {
    let now = tx.now();
    tx.sql(
        "UPDATE mail_domains SET verified_at = $2, hash = NULL, hash_until = NULL, version = version + 1, updated_at = $2
         WHERE id = $1 AND verified_at IS NULL",
    )
    .bind(id)
    .bind(now)
    .run()
    .await
    .or_taken("domain")?;
    Ok(())
}

/// Writes back what joining gives and whether it is on; counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn update(tx: &mut ControlTx, claim: &MailDomain) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE mail_domains SET role = $3, teams = $4, joining = $5, version = version + 1, updated_at = $6
             WHERE org_id = $1 AND id = $2 AND version = $7",
        )
        .bind(claim.org_id)
        .bind(claim.id)
        .bind(claim.role)
        .bind(serde_json::to_string(&claim.teams.0).unwrap_or_default())
        .bind(claim.joining)
        .bind(now)
        .bind(claim.version)
        .run()
        .await?;
    if changed == 0 { Err(Error::Stale("mail domain")) } else { Ok(()) }
}

/// Gives a claim up.
/// # Errors
/// As the database.
pub async fn delete(tx: &mut ControlTx, org: OrgId, id: MailDomainId) -> Result<()> {
    tx.sql("DELETE FROM mail_domains WHERE org_id = $1 AND id = $2").bind(org).bind(id).run().await?;
    Ok(())
}

/// Notes that somebody was removed from an organisation, or left it: they do not come back by their domain, with another account for
/// the same mailbox neither.
/// # Errors
/// As the database.
pub async fn bar(tx: &mut ControlTx, org: OrgId, person: &Person) -> Result<()> {
    let now = tx.now();
    tx.sql("INSERT INTO removals (org_id, user_id, removed_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(org)
        .bind(person.id)
        .bind(now)
        .run()
        .await?;
    bar_mailbox(tx, org, &person.email).await
}

/// Notes the mailbox alone: of somebody who comes in or has another address by now, and of somebody who is erased. No other account for it
/// comes in by the domain.
/// # Errors
/// As the database.
pub async fn bar_mailbox(tx: &mut ControlTx, org: OrgId, email: &Email) -> Result<()> {
    let (now, mailbox) = (tx.now(), mailbox(tx, org, email));
    tx.sql("INSERT INTO removed_mailboxes (org_id, mailbox, removed_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(org)
        .bind(mailbox)
        .bind(now)
        .run()
        .await?;
    Ok(())
}

/// Forgets that somebody was removed or left: they were invited again.
/// # Errors
/// As the database.
pub async fn unbar(tx: &mut ControlTx, org: OrgId, person: &Person) -> Result<()> {
    let mailbox = mailbox(tx, org, &person.email);
    tx.sql("DELETE FROM removals WHERE org_id = $1 AND user_id = $2").bind(org).bind(person.id).run().await?;
    tx.sql("DELETE FROM removed_mailboxes WHERE org_id = $1 AND mailbox = $2").bind(org).bind(mailbox).run().await?;
    Ok(())
}

/// Whether somebody was removed from an organisation, or left it, and was not invited again; with this account, or with another one
/// for the same mailbox.
/// # Errors
/// As the database.
pub async fn is_barred(tx: &mut ControlTx, org: OrgId, person: &Person) -> Result<bool> {
    let mailbox = mailbox(tx, org, &person.email);
    tx.sql(
        "SELECT EXISTS (SELECT 1 FROM removals WHERE org_id = $1 AND user_id = $2)
             OR EXISTS (SELECT 1 FROM removed_mailboxes WHERE org_id = $1 AND mailbox = $3)",
    )
    .bind(org)
    .bind(person.id)
    .bind(mailbox)
    .one()
    .await
}

/// What stands for a mailbox in an organisation, and tells nothing without the house key. What follows a `+` is left out: nearly
/// everywhere it leads to the same mailbox.
fn mailbox(tx: &ControlTx, org: OrgId, email: &Email) -> [u8; 32] {
    let name = email.local_part().to_ascii_lowercase();
    let name = name.split('+').next().unwrap_or_default();
    tx.store().fingerprint("removed mailbox", format!("{org} {name}@{}", email.domain()).as_bytes())
}
