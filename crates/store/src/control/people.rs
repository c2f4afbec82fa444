//! People: who can sign in.

use std::collections::BTreeMap;

use domain::email::Email;
use domain::status::Standing;
use domain::text::PersonName;
use domain::{Ambient, Time, UserId};
use serde::{Deserialize, Serialize};

use super::ControlTx;
use crate::sql::after_id;
use crate::{OrNotFound, OrTaken, Result};

/// A person. Serialises without any secret, as the audit log hashes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Person {
    /// The id.
    pub id: UserId,
    /// The mail address as typed.
    pub email: Email,
    /// What they are called.
    pub name: PersonName,
    /// The hash of the password in PHC or bcrypt form; none for people who sign in elsewhere.
    #[serde(skip_serializing)]
    pub password_hash: Option<String>,
    /// Whether they may act.
    pub standing: Standing,
    /// Whether they operate the installation.
    pub operator: bool,
    /// When the mail address was verified.
    pub verified_at: Option<Time>,
    /// The sealed seed of the second factor.
    #[serde(skip_serializing)]
    pub totp_seed: Option<Vec<u8>>,
    /// Since when the second factor is asked for.
    pub totp_on_at: Option<Time>,
    /// The last time step whose code was used.
    #[serde(skip_serializing)]
    pub totp_step: Option<i64>,
    /// Until when the deletion of the account can be undone, when it was asked for.
    pub ends_at: Option<Time>,
    /// Who asked for it: the person, or an operator.
    pub ends_by: Option<UserId>,
    /// Counts changes, for ETags.
    pub version: i64,
    /// When they signed up.
    pub created_at: Time,
    /// When they last changed something.
    pub updated_at: Time,
}

impl Person {
    /// Somebody who has just come: active, no operator, with neither password, verified address nor second factor.
    #[must_use]
    pub fn new(ambient: &Ambient, email: Email, name: PersonName) -> Self {
        let now = ambient.now();
        Self {
            id: ambient.id(),
            email,
            name,
            password_hash: None,
            standing: Standing::Active,
            operator: false,
            verified_at: None,
            totp_seed: None,
            totp_on_at: None,
            totp_step: None,
            ends_at: None,
            ends_by: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }
}

/// Adds a person.
/// # Errors
/// [`crate::Error::Taken`] when the mail address is in use; upper and lower case count as the same.
pub async fn insert(tx: &mut ControlTx, person: &Person) -> Result<()> {
    tx.sql(
        "INSERT INTO people (id, email, email_key, name, password_hash, standing, operator, verified_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
    )
    .bind(person.id)
    .bind(&person.email)
    .bind(person.email.normalised())
    .bind(&person.name)
    .bind(person.password_hash.clone())
    .bind(person.standing)
    .bind(person.operator)
    .bind(person.verified_at)
    .bind(person.created_at)
    .run()
    .await
    .or_taken("email")?;
    Ok(())
}

/// The person with this id, if there is one.
/// # Errors
/// As the database.
pub async fn find(tx: &mut ControlTx, id: UserId) -> Result<Option<Person>> {
    tx.sql(
        "SELECT id, email, name, password_hash, standing, operator, verified_at, totp_seed, totp_on_at, totp_step, ends_at, ends_by,
                version, created_at, updated_at
         FROM people WHERE id = $1",
    )
    .bind(id)
    .optional()
    .await
}

/// The person with this id.
/// # Errors
/// [`crate::Error::NotFound`] when there is none.
pub async fn get(tx: &mut ControlTx, id: UserId) -> Result<Person> {
    find(tx, id).await.or_not_found("person")
}

/// The person with this mail address, if there is one.
/// # Errors
/// As the database.
pub async fn find_by_email(tx: &mut ControlTx, email: &Email) -> Result<Option<Person>> {
    tx.sql(
        "SELECT id, email, name, password_hash, standing, operator, verified_at, totp_seed, totp_on_at, totp_step, ends_at, ends_by,
                version, created_at, updated_at
         FROM people WHERE email_key = $1",
    )
    .bind(email.normalised())
    .optional()
    .await
}

/// People by id, for the operator: those whose mail address holds a text, upper and lower case alike; at most `limit` after the one
/// given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut ControlTx, part: &str, after: Option<UserId>, limit: i64) -> Result<Vec<Person>> {
    // What the text has of a pattern stands for itself.
    let text = part.to_ascii_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    tx.sql(
        r"SELECT id, email, name, password_hash, standing, operator, verified_at, totp_seed, totp_on_at, totp_step, ends_at, ends_by,
                 version, created_at, updated_at
          FROM people WHERE id > $1 AND email_key LIKE $2 ESCAPE '\' ORDER BY id LIMIT $3",
    )
    .bind(after_id(after))
    .bind(format!("%{text}%"))
    .bind(limit)
    .all()
    .await
}

/// Those who run the installation and can sign in, by id, at most `limit`.
/// # Errors
/// As the database.
pub async fn operators(tx: &mut ControlTx, limit: i64) -> Result<Vec<Person>> {
    tx.sql(
        "SELECT id, email, name, password_hash, standing, operator, verified_at, totp_seed, totp_on_at, totp_step, ends_at, ends_by,
                version, created_at, updated_at
         FROM people WHERE operator = $1 AND standing = 'active' ORDER BY id LIMIT $2",
    )
    .bind(true)
    .bind(limit)
    .all()
    .await
}

/// Writes back what can change of a person; counts the version up.
/// # Errors
/// [`crate::Error::Taken`] when the mail address is in use; [`crate::Error::Stale`] when the person's version is not the one given.
pub async fn update(tx: &mut ControlTx, person: &Person) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE people SET email = $2, email_key = $3, name = $4, password_hash = $5, standing = $6, operator = $7, verified_at = $8,
                               totp_seed = $9, totp_on_at = $10, totp_step = $11, ends_at = $12, ends_by = $13, version = version + 1,
                               updated_at = $14
             WHERE id = $1 AND version = $15",
        )
        .bind(person.id)
        .bind(&person.email)
        .bind(person.email.normalised())
        .bind(&person.name)
        .bind(person.password_hash.clone())
        .bind(person.standing)
        .bind(person.operator)
        .bind(person.verified_at)
        .bind(person.totp_seed.clone())
        .bind(person.totp_on_at)
        .bind(person.totp_step)
        .bind(person.ends_at)
        .bind(person.ends_by)
        .bind(now)
        .bind(person.version)
        .run()
        .await
        .or_taken("email")?;
    tx.shift_authority();
    if changed == 0 { Err(crate::Error::Stale("person")) } else { Ok(()) }
}

/// Puts a hash with today's cost in the place of the one given; says whether that one still stood there.
/// # Errors
/// As the database.
pub async fn rehash(tx: &mut ControlTx, id: UserId, old: &str, new: &str) -> Result<bool> {
    let changed = tx
        .sql("UPDATE people SET password_hash = $3 WHERE id = $1 AND password_hash = $2")
        .bind(id)
        .bind(old)
        .bind(new)
        .run()
        .await?;
    Ok(changed > 0)
}

/// Notes the time step whose code a person has used; says whether no code of that step or a later one was used before.
/// # Errors
/// As the database.
pub async fn use_step(tx: &mut ControlTx, id: UserId, step: i64) -> Result<bool> {
    let used = tx
        .sql("UPDATE people SET totp_step = $2 WHERE id = $1 AND (totp_step IS NULL OR totp_step < $2)")
        .bind(id)
        .bind(step)
        .unaudited("part of a sign-in or a step-up, which is recorded")
        .run()
        .await?;
    Ok(used > 0)
}

/// People the undoing of whose deletion ended by the given time, those that wait longest first; at most `limit`.
/// # Errors
/// As the database.
pub async fn ended(tx: &mut ControlTx, by: Time, limit: i64) -> Result<Vec<UserId>> {
    tx.sql("SELECT id FROM people WHERE ends_at <= $1 ORDER BY ends_at, id LIMIT $2").bind(by).bind(limit).all().await
}

/// Removes a person with all that the control database holds of them but ids; says how many rows each table gave. Their stays must
/// have ended.
/// # Errors
/// As the database.
pub async fn remove(tx: &mut ControlTx, person: &Person) -> Result<BTreeMap<String, i64>> {
    let (id, email) = (person.id, person.email.normalised());
    let mut removed = BTreeMap::new();
    let mut count = |table: &str, rows: u64| removed.insert(table.to_owned(), i64::try_from(rows).unwrap_or(i64::MAX));
    let mails = tx
        .sql("DELETE FROM mails WHERE user_id = $1 OR recipient = $2 OR lower(recipient) = $3")
        .bind(id)
        .bind(&person.email)
        .bind(email.clone());
    count("mails", mails.run().await?);
    count("invitations", tx.sql("DELETE FROM invitations WHERE email_key = $1").bind(email).run().await?);
    let families =
        tx.sql("DELETE FROM refresh_tokens WHERE session_id IN (SELECT id FROM sessions WHERE user_id = $1)");
    count("refresh_tokens", families.bind(id).run().await?);
    count("sessions", tx.sql("DELETE FROM sessions WHERE user_id = $1").bind(id).run().await?);
    count("removals", tx.sql("DELETE FROM removals WHERE user_id = $1").bind(id).run().await?);
    count("former_stays", tx.sql("DELETE FROM former_stays WHERE user_id = $1").bind(id).run().await?);
    count("tickets", tx.sql("DELETE FROM tickets WHERE user_id = $1").bind(id).run().await?);
    count("recovery_codes", tx.sql("DELETE FROM recovery_codes WHERE user_id = $1").bind(id).run().await?);
    count("identities", tx.sql("DELETE FROM identities WHERE user_id = $1").bind(id).run().await?);
    count("people", tx.sql("DELETE FROM people WHERE id = $1").bind(id).run().await?);
    tx.shift_authority();
    Ok(removed)
}
