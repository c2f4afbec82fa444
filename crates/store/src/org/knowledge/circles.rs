//! What a source brings that is not for everybody who sees its collection: it lies in collections within that one, a circle for each set of
//! readers. Readers are mail addresses, and groups of the source, of which it says who is in them.
//!
//! So a passage carries the number of its circle, and whatever is decided by collections is decided for it, too. A circle is never shared
//! with anybody else; whoever reads it must see the collection that it is within as well, which is decided above this.

use std::collections::{BTreeMap, BTreeSet};

use domain::email::Email;
use domain::{CollectionId, SourceId};

use super::collections::{self, Collection, Reach};
use super::sources::Source;
use super::{citings, forgotten, retention};
use crate::Result;
use crate::keys::sha256;
use crate::org::Tx;
use crate::setup::hex;

const FOLLOWS: &str = "follows what the source says, whose setting up is in the log, as is each document of it";
/// What stands in columns for an address, a group and a set of readers.
const ADDRESS: &str = "readers.address";
const GROUP: &str = "readers.group";
const SET: &str = "circles.readers";

/// Who reads something, as its source says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Readers {
    addresses: BTreeSet<String>,
    groups: BTreeSet<String>,
}

impl Readers {
    /// People by their mail addresses, and groups by their names at the source. What is no address is nobody's.
    #[must_use]
    pub fn new(addresses: &[String], groups: &[String]) -> Self {
        Self {
            addresses: addresses.iter().filter_map(|text| normal(text)).collect(),
            groups: groups.iter().cloned().collect(),
        }
    }
}

/// An address as people are found by it.
fn normal(text: &str) -> Option<String> {
    Email::new(text).ok().map(|email| email.normalised())
}

/// The circles that somebody with a verified address is in, by id.
/// # Errors
/// As the database.
pub async fn of_reader(tx: &mut Tx, address: &str) -> Result<Vec<Collection>> {
    let address = tx.stand_in(ADDRESS, address)?;
    tx.sql(
        "SELECT id, number, project_id, name, description, access, made_by, version, created_at, updated_at, retain_days, due_at, within
         FROM collections WHERE within IS NOT NULL AND id IN (
           SELECT collection_id FROM circle_readers WHERE kind = 'address' AND reader = $1
           UNION SELECT r.collection_id FROM group_members m
             JOIN circle_readers r ON r.kind = 'group' AND r.reader = m.name
             JOIN circles c ON c.collection_id = r.collection_id AND c.source_id = m.source_id
             WHERE m.address = $1)
         ORDER BY id",
    )
    .bind(address)
    .all()
    .await
}

/// The circles within a collection, by id.
/// # Errors
/// As the database.
pub async fn within(tx: &mut Tx, id: CollectionId) -> Result<Vec<Collection>> {
    tx.sql(
        "SELECT id, number, project_id, name, description, access, made_by, version, created_at, updated_at, retain_days, due_at, within
         FROM collections WHERE within = $1 ORDER BY id",
    )
    .bind(id)
    .all()
    .await
}

/// The circle of these readers of a source, which is made if there is none, and whether it was; `around` is the collection of the source.
/// # Errors
/// As the database.
pub async fn of(tx: &mut Tx, source: &Source, around: &Collection, readers: &Readers) -> Result<(Collection, bool)> {
    let set = hex(&sha256(serde_json::to_vec(&(&readers.addresses, &readers.groups)).unwrap_or_default()));
    let set = tx.stand_in(SET, &set)?;
    let known: Option<CollectionId> = tx
        .sql("SELECT collection_id FROM circles WHERE source_id = $1 AND readers = $2")
        .bind(source.id)
        .bind(&set)
        .optional()
        .await?;
    if let Some(id) = known {
        return Ok((collections::get(tx, id).await?, false));
    }
    let (id, now) = (tx.ambient().id(), tx.now());
    let due_at = match around.retain_days {
        Some(days) => Some(retention::first_run(tx, id, days).await?),
        None => None,
    };
    let circle = Collection {
        id,
        number: 0,
        access: Reach::Shared,
        made_by: source.made_by,
        created_at: now,
        due_at,
        within: Some(around.id),
        ..around.clone()
    };
    collections::insert(tx, &circle).await?;
    tx.sql("INSERT INTO circles (collection_id, source_id, readers, created_at) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(source.id)
        .bind(&set)
        .bind(now)
        .run()
        .await?;
    let addresses = readers.addresses.iter().map(|address| ("address", ADDRESS, address));
    let groups = readers.groups.iter().map(|group| ("group", GROUP, group));
    for (kind, column, reader) in addresses.chain(groups) {
        let reader = tx.stand_in(column, reader)?;
        tx.sql("INSERT INTO circle_readers (collection_id, kind, reader, created_at) VALUES ($1, $2, $3, $4)")
            .bind(id)
            .bind(kind)
            .bind(reader)
            .bind(now)
            .run()
            .await?;
    }
    Ok((collections::get(tx, id).await?, true))
}

/// Writes down who is in the groups of a source: in these, and in no other; says whether that changed anything.
/// # Errors
/// As the database.
pub async fn regroup(tx: &mut Tx, source: SourceId, groups: &BTreeMap<String, Vec<String>>) -> Result<bool> {
    let now = tx.now();
    let mut wanted = BTreeSet::new();
    for (name, members) in groups {
        let name = tx.stand_in(GROUP, name)?;
        for address in members.iter().filter_map(|text| normal(text)) {
            wanted.insert((name.clone(), tx.stand_in(ADDRESS, &address)?));
        }
    }
    let there: Vec<(String, String)> =
        tx.sql("SELECT name, address FROM group_members WHERE source_id = $1").bind(source).all().await?;
    let there: BTreeSet<(String, String)> = there.into_iter().collect();
    for (name, address) in there.difference(&wanted) {
        tx.sql("DELETE FROM group_members WHERE source_id = $1 AND name = $2 AND address = $3")
            .bind(source)
            .bind(name)
            .bind(address)
            .run()
            .await?;
    }
    for (name, address) in wanted.difference(&there) {
        tx.sql("INSERT INTO group_members (source_id, name, address, created_at) VALUES ($1, $2, $3, $4)")
            .bind(source)
            .bind(name)
            .bind(address)
            .bind(now)
            .run()
            .await?;
    }
    Ok(wanted != there)
}

/// Takes away the circles of a source in which nothing is left.
/// # Errors
/// As the database.
pub async fn tidy(tx: &mut Tx, source: SourceId) -> Result<()> {
    tx.sql(
        "DELETE FROM collections WHERE id IN (SELECT collection_id FROM circles WHERE source_id = $1)
           AND NOT EXISTS (SELECT 1 FROM documents WHERE documents.collection_id = collections.id)",
    )
    .bind(source)
    .unaudited(FOLLOWS)
    .run()
    .await?;
    Ok(())
}

/// What is called, described and kept as a collection changes with it for the circles within.
pub(super) async fn follow(tx: &mut Tx, collection: &Collection) -> Result<()> {
    let now = tx.now();
    let soon = collection.retain_days.map(|_| now + retention::PAUSE);
    tx.sql(
        "UPDATE collections SET name = $2, description = $3,
           due_at = CASE WHEN $4 IS NULL THEN NULL WHEN retain_days = $4 THEN due_at ELSE $5 END, retain_days = $4,
           version = version + 1, updated_at = $6
         WHERE within = $1",
    )
    .bind(collection.id)
    .bind(&collection.name)
    .bind(&collection.description)
    .bind(collection.retain_days)
    .bind(soon)
    .bind(now)
    .run()
    .await?;
    Ok(())
}

/// Takes away all circles of a source with what is in them; gives the originals that this had.
pub(super) async fn dissolve(tx: &mut Tx, source: SourceId) -> Result<Vec<String>> {
    let originals: Vec<String> = tx
        .sql(
            "SELECT DISTINCT v.content_hash FROM circles c JOIN documents d ON d.collection_id = c.collection_id
             JOIN versions v ON v.document_id = d.id WHERE c.source_id = $1",
        )
        .bind(source)
        .all()
        .await?;
    let gone = tx
        .sql("DELETE FROM collections WHERE id IN (SELECT collection_id FROM circles WHERE source_id = $1)")
        .bind(source)
        .run()
        .await?;
    if gone > 0 {
        citings::forget_gone(tx).await?;
        forgotten(tx).await?;
    }
    Ok(originals)
}
