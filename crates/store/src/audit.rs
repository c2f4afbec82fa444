//! The audit log: one append-only chain per organisation, and one for the installation.
//!
//! An entry's hash covers the entry and the hash before it, sequence numbers have no gaps, and an entry is written in the
//! transaction of the change that it tells of. What is decided in the control database about an organisation is queued there, in
//! the same transaction, and written into the organisation's chain right after ([`crate::deliveries`]).

use std::collections::BTreeMap;

use domain::{AuditId, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::actor::{Actor, Origin};
use crate::error::{Error, Result};
use crate::keys::sha256;
use crate::sql::Transaction;

/// What happened, to what.
#[derive(Debug, Clone)]
pub struct Event {
    action: &'static str,
    object: String,
    before: Option<[u8; 32]>,
    after: Option<[u8; 32]>,
    detail: Value,
}

impl Event {
    /// An event such as `team.created` about an object such as `tea_...`.
    #[must_use]
    pub fn new(action: &'static str, object: impl std::fmt::Display) -> Self {
        Self {
            action,
            object: object.to_string(),
            before: None,
            after: None,
            detail: Value::Object(serde_json::Map::new()),
        }
    }

    /// The object as it was: its hash is kept, not its content.
    #[must_use]
    pub fn before(mut self, object: &impl Serialize) -> Self {
        self.before = Some(hash_of(object));
        self
    }

    /// The object as it is now: its hash is kept, not its content.
    #[must_use]
    pub fn after(mut self, object: &impl Serialize) -> Self {
        self.after = Some(hash_of(object));
        self
    }

    /// A few words more: names of roles, counts, reasons; never a secret, never content.
    #[must_use]
    pub fn detail(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }
}

fn hash_of(object: &impl Serialize) -> [u8; 32] {
    sha256(serde_json::to_vec(object).unwrap_or_default())
}

/// An event with who, when and whence: all that is hashed but its place in the chain.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub(crate) id: AuditId,
    at: Time,
    actor: String,
    behalf: Option<String>,
    action: String,
    object: String,
    before: Option<[u8; 32]>,
    after: Option<[u8; 32]>,
    address: String,
    request_id: String,
    detail: Value,
}

impl Draft {
    pub(crate) fn new(id: AuditId, at: Time, actor: &Actor, origin: &Origin, event: Event) -> Self {
        let Event { action, object, before, after, detail } = event;
        Self {
            id,
            at,
            actor: actor.to_string(),
            behalf: actor.on_behalf_of().map(|user| user.to_string()),
            action: action.to_owned(),
            object,
            before,
            after,
            address: origin.address.clone(),
            request_id: origin.request_id.clone(),
            detail,
        }
    }

    /// Another event of the same moment: by the same actor, and from where they were.
    pub(crate) fn along(&self, id: AuditId, event: Event) -> Self {
        let Event { action, object, before, after, detail } = event;
        Self { id, action: action.to_owned(), object, before, after, detail, ..self.clone() }
    }
}

/// An entry of the log as it stands in the chain.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Its place, from 1 without gaps.
    pub seq: i64,
    /// Its id.
    pub id: AuditId,
    /// When it happened.
    pub at: Time,
    /// Who did it: a person, a key, or `system`.
    pub actor: String,
    /// For whom, when the actor is a key.
    pub behalf: Option<String>,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// SHA-256 of the object before.
    pub before: Option<Vec<u8>>,
    /// SHA-256 of the object after.
    pub after: Option<Vec<u8>>,
    /// The address it came from.
    pub address: String,
    /// The request it came with.
    pub request_id: String,
    /// A few words more, as JSON text, exactly as hashed.
    pub detail: String,
    /// SHA-256 over the hash before and this entry.
    pub hash: Vec<u8>,
}

impl Entry {
    /// The hash this entry must have after an entry with the hash `previous`: SHA-256 over that hash and the entry as a JSON list.
    #[must_use]
    pub fn chain(&self, previous: &[u8]) -> [u8; 32] {
        let fields = (
            self.seq,
            self.id,
            self.at.micros(),
            (&self.actor, &self.behalf, &self.action, &self.object),
            (&self.before, &self.after),
            (&self.address, &self.request_id, &self.detail),
        );
        let canonical = serde_json::to_vec(&fields).unwrap_or_default();
        sha256([previous, &canonical].concat())
    }
}

/// The last entry's place and hash.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Head {
    /// The place; 0 when the chain is empty.
    pub seq: i64,
    /// The hash; 32 zero bytes when the chain is empty.
    pub hash: Vec<u8>,
}

/// Appends an entry to the chain that the transaction's database holds, and gives the chain's new head.
pub(crate) async fn append(transaction: &mut Transaction, draft: Draft) -> Result<Head> {
    // The update comes first: it takes the row's lock, so that writers queue for their place in the chain.
    let head: Head =
        transaction.sql("UPDATE audit_head SET seq = seq + 1 WHERE one = 1 RETURNING seq, hash").one().await?;
    let mut entry = Entry {
        seq: head.seq,
        id: draft.id,
        at: draft.at,
        actor: draft.actor,
        behalf: draft.behalf,
        action: draft.action,
        object: draft.object,
        before: draft.before.map(Vec::from),
        after: draft.after.map(Vec::from),
        address: draft.address,
        request_id: draft.request_id,
        detail: draft.detail.to_string(),
        hash: Vec::new(),
    };
    entry.hash = entry.chain(&head.hash).to_vec();
    transaction
        .sql(
            "INSERT INTO audit (seq, id, at, actor, behalf, action, object, before, after, address, request_id, detail, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(entry.seq)
        .bind(entry.id)
        .bind(entry.at)
        .bind(entry.actor)
        .bind(entry.behalf)
        .bind(entry.action)
        .bind(entry.object)
        .bind(entry.before)
        .bind(entry.after)
        .bind(entry.address)
        .bind(entry.request_id)
        .bind(entry.detail)
        .bind(entry.hash.clone())
        .run()
        .await?;
    transaction.sql("UPDATE audit_head SET hash = $1 WHERE one = 1").bind(&entry.hash[..]).run().await?;
    transaction.settle_audit();
    Ok(Head { seq: entry.seq, hash: entry.hash })
}

/// What to look for in the log; empty fields match all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Who did it, as text.
    pub actor: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// To what.
    pub object: Option<String>,
    /// Not before this time.
    pub from: Option<Time>,
    /// Before this time.
    pub until: Option<Time>,
}

pub(crate) async fn list(transaction: &mut Transaction, filter: Filter, below: i64, limit: i64) -> Result<Vec<Entry>> {
    // One text for each index: written as one, with all conditions optional, `SQLite` would walk the whole log.
    let statement = if filter.object.is_some() {
        transaction.sql(
            "SELECT seq, id, at, actor, behalf, action, object, before, after, address, request_id, detail, hash FROM audit
             WHERE object = $4 AND seq < $1 AND ($2 IS NULL OR actor = $2 OR behalf = $2) AND ($3 IS NULL OR action = $3)
               AND ($5 IS NULL OR at >= $5) AND ($6 IS NULL OR at < $6)
             ORDER BY seq DESC LIMIT $7",
        )
    } else if filter.action.is_some() {
        transaction.sql(
            "SELECT seq, id, at, actor, behalf, action, object, before, after, address, request_id, detail, hash FROM audit
             WHERE action = $3 AND seq < $1 AND ($2 IS NULL OR actor = $2 OR behalf = $2) AND ($4 IS NULL OR object = $4)
               AND ($5 IS NULL OR at >= $5) AND ($6 IS NULL OR at < $6)
             ORDER BY seq DESC LIMIT $7",
        )
    } else if filter.actor.is_some() {
        // Whose entry it is stands in one of two columns: from each the newest, by its own index, and of these the newest.
        transaction.sql(
            "SELECT seq, id, at, actor, behalf, action, object, before, after, address, request_id, detail, hash FROM (
               SELECT * FROM (SELECT * FROM audit WHERE actor = $2 AND seq < $1 AND ($3 IS NULL OR action = $3)
                 AND ($4 IS NULL OR object = $4) AND ($5 IS NULL OR at >= $5) AND ($6 IS NULL OR at < $6)
                 ORDER BY seq DESC LIMIT $7) own
               UNION SELECT * FROM (SELECT * FROM audit WHERE behalf = $2 AND seq < $1 AND ($3 IS NULL OR action = $3)
                 AND ($4 IS NULL OR object = $4) AND ($5 IS NULL OR at >= $5) AND ($6 IS NULL OR at < $6)
                 ORDER BY seq DESC LIMIT $7) on_behalf) found
             ORDER BY seq DESC LIMIT $7",
        )
    } else {
        transaction.sql(
            "SELECT seq, id, at, actor, behalf, action, object, before, after, address, request_id, detail, hash FROM audit
             WHERE seq < $1 AND ($2 IS NULL OR actor = $2) AND ($3 IS NULL OR action = $3)
               AND ($4 IS NULL OR object = $4) AND ($5 IS NULL OR at >= $5) AND ($6 IS NULL OR at < $6)
             ORDER BY seq DESC LIMIT $7",
        )
    };
    statement
        .bind(below)
        .bind(filter.actor)
        .bind(filter.action)
        .bind(filter.object)
        .bind(filter.from)
        .bind(filter.until)
        .bind(limit)
        .all()
        .await
}

pub(crate) async fn following(transaction: &mut Transaction, above: i64, limit: i64) -> Result<Vec<Entry>> {
    transaction
        .sql(
            "SELECT seq, id, at, actor, behalf, action, object, before, after, address, request_id, detail, hash FROM audit
             WHERE seq > $1 ORDER BY seq LIMIT $2",
        )
        .bind(above)
        .bind(limit)
        .all()
        .await
}

/// As [`list`], in the order of the chain.
pub(crate) async fn list_rising(
    transaction: &mut Transaction,
    filter: Filter,
    above: i64,
    limit: i64,
) -> Result<Vec<Entry>> {
    transaction
        .sql(
            "SELECT seq, id, at, actor, behalf, action, object, before, after, address, request_id, detail, hash FROM audit
             WHERE seq > $1 AND ($2 IS NULL OR actor = $2 OR behalf = $2) AND ($3 IS NULL OR action = $3)
               AND ($4 IS NULL OR object = $4) AND ($5 IS NULL OR at >= $5) AND ($6 IS NULL OR at < $6)
             ORDER BY seq LIMIT $7",
        )
        .bind(above)
        .bind(filter.actor)
        .bind(filter.action)
        .bind(filter.object)
        .bind(filter.from)
        .bind(filter.until)
        .bind(limit)
        .all()
        .await
}

pub(crate) async fn head(transaction: &mut Transaction) -> Result<Head> {
    transaction.sql("SELECT seq, hash FROM audit_head WHERE one = 1").one().await
}

/// The outcome of a verification.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Verified {
    /// How many entries the chain has.
    pub entries: i64,
    /// How many signed heads were compared with it.
    pub heads: usize,
    /// The first thing that is wrong, if anything is.
    pub fault: Option<String>,
}

/// Walks a whole chain: no gaps, each hash right, the head as noted, and each signed head on it.
pub(crate) async fn verify(transaction: &mut Transaction, heads: &[Head]) -> Result<Verified> {
    const STEP: i64 = 1000;
    let head = head(transaction).await?;
    // All of one place must fit: a chain that was cut and has grown again has two signed heads there.
    let mut expected: BTreeMap<i64, Vec<&[u8]>> = BTreeMap::new();
    for head in heads {
        expected.entry(head.seq).or_default().push(&head.hash);
    }
    let (mut seq, mut hash) = (0, vec![0; 32]);
    let fault = 'walk: loop {
        let entries = following(transaction, seq, STEP).await?;
        if entries.is_empty() {
            break None;
        }
        for entry in entries {
            if entry.seq != seq + 1 {
                break 'walk Some(format!("entry {} is missing", seq + 1));
            }
            if entry.chain(&hash).as_slice() != entry.hash {
                break 'walk Some(format!("entry {} was changed", entry.seq));
            }
            if expected.remove(&entry.seq).is_some_and(|signed| signed.iter().any(|hash| *hash != entry.hash)) {
                break 'walk Some(format!("entry {} is not the one that was signed", entry.seq));
            }
            (seq, hash) = (entry.seq, entry.hash);
        }
    };
    let fault = fault.or_else(|| {
        if head.seq != seq || head.hash != hash {
            return Some(format!("the chain ends at {seq}, its head says {}", head.seq));
        }
        expected
            .last_key_value()
            .map(|(signed, _)| format!("the chain ends at {seq}, but entry {signed} was signed: the end was cut off"))
    });
    Ok(Verified { entries: seq, heads: heads.len(), fault })
}

/// A draft on its way from the control database into an organisation's chain.
pub(crate) fn to_payload(draft: &Draft) -> Result<String> {
    serde_json::to_string(draft).map_err(|error| Error::bug(error.to_string()))
}

pub(crate) fn from_payload(payload: &str) -> Result<Draft> {
    serde_json::from_str(payload).map_err(|error| Error::bug(error.to_string()))
}

/// The detail of an entry as JSON.
#[must_use]
pub fn detail_of(entry: &Entry) -> Value {
    serde_json::from_str(&entry.detail).unwrap_or(Value::Null)
}
