//! The walls between two organisations' stores, tried from the inside: with the server's own keys and database roles, and with bytes as a
//! thief of the disk would have them. What `rowhouse isolation verify` says of each store.
//!
//! Nothing of a tenant's content leaves here, only whether a wall holds. Each check looks at the store's own things first, so that
//! one that sees nothing at all does not count as a wall.

use std::io::Read;
use std::path::{Path, PathBuf};

use domain::{Id, OrgId};

use crate::blobs::Blobs;
use crate::checks::Fault;
use crate::sql::{Access, Pair, Transaction, postgres, sqlite};
use crate::{Backend, Error, Result, Store};

/// Bytes of a file that are looked at in one piece.
const PIECE: usize = 1 << 20;

/// A wall, and what was found at it: what holds, or how it does not.
#[derive(Debug)]
pub struct Wall {
    /// Which.
    pub what: &'static str,
    /// What was found.
    pub outcome: std::result::Result<String, String>,
}

/// What one organisation keeps that must be found nowhere else.
#[derive(Debug, Clone)]
pub struct Planted {
    /// Texts that stand in its rows.
    pub texts: Vec<String>,
    /// Words of documents and conversations, which stand readable in no row of PostgreSQL.
    pub written: Vec<String>,
    /// The SHA-256 of an original of its own, in hexadecimal.
    pub original: String,
}

impl Store {
    /// Tries the walls between an organisation and another, which must not see what is planted in the first.
    /// # Errors
    /// As the databases and the disk: then nothing is known.
    pub async fn walls(&self, one: OrgId, other: OrgId, planted: &Planted) -> Result<Vec<Wall>> {
        let mut walls = Vec::new();
        let mut note = |what, outcome| walls.push(Wall { what, outcome });
        note("whose store it is", self.whose(one, other).await?);
        let (own, strange) = (self.blobs(one).await?, self.blobs(other).await?);
        match &self.0.backend {
            Backend::Embedded { files, .. } => {
                let (path, key) = (files.path(one), self.org_key(other).await?);
                note(
                    "the organisation's file under another's key",
                    blocking(move || strangers_key(&path, &key)).await?,
                );
                let mut places = self.bytes_of(one);
                places.extend(self.bytes_of(other));
                places.extend(self.bytes_of_all());
                let texts = planted.texts.clone();
                note("planted texts in the bytes of files", blocking(move || search(places, &texts)).await?);
            }
            Backend::Postgres { .. } => {
                note("tables, entered by nobody", self.seen_by_nobody(one).await?);
                note("tables, entered by the other", self.seen_by(one, other).await?);
                note("planted words in the rows, as they are kept", self.readable(one, &planted.written).await?);
                note("policies and roles", no_faults(&self.database_faults().await?));
                let (places, texts) = (vec![self.blobs_of(one), self.blobs_of(other)], planted.texts.clone());
                note("planted texts in the bytes of originals", blocking(move || search(places, &texts)).await?);
            }
        }
        let hash = planted.original.clone();
        note("originals under another's key", blocking(move || originals(&own, &strange, &hash)).await?);
        Ok(walls)
    }

    /// Each store says whose it is.
    async fn whose(&self, one: OrgId, other: OrgId) -> Result<std::result::Result<String, String>> {
        for org in [one, other] {
            let mut tx = self.tenant(org, Access::Read).await?;
            let found: Vec<OrgId> = tx.sql("SELECT id FROM tenant").all().await?;
            if found != [org] {
                return Ok(Err(format!("the store of {org} says it is that of {found:?}")));
            }
        }
        Ok(Ok("each says so itself".into()))
    }

    /// What the tenants' role sees before it has entered an organisation.
    async fn seen_by_nobody(&self, one: OrgId) -> Result<std::result::Result<String, String>> {
        let full = self.rows_seen(Some(one), one).await?;
        let seen = self.rows_seen(None, one).await?;
        Ok(judge(&full, &seen))
    }

    /// What the other sees of the one's rows.
    async fn seen_by(&self, one: OrgId, other: OrgId) -> Result<std::result::Result<String, String>> {
        let full = self.rows_seen(Some(one), one).await?;
        let seen = self.rows_seen(Some(other), one).await?;
        Ok(judge(&full, &seen))
    }

    /// How many rows of an organisation whoever has entered sees in each table, in the tenants' role.
    async fn rows_seen(&self, entered: Option<OrgId>, whose: OrgId) -> Result<Vec<(String, i64)>> {
        let Backend::Postgres { app, .. } = &self.0.backend else { return Ok(Vec::new()) };
        let begun = postgres::begin(app, Access::Read, entered.map(Id::uuid), &[]).await?;
        let mut tx = Transaction::postgres(begun, Access::Read);
        tx.sql(Pair {
            sqlite: "SELECT '' AS name, 0 AS number FROM tenant WHERE $1 IS NULL",
            // One text for all tables that there are, so that a new one is never forgotten. Of what PostgreSQL has everywhere, `ts_stat`
            // alone runs a query that is made of values, with the rights of who asks: here each row is a text of one word, whose it is.
            postgres: "SELECT c.relname::text AS name, coalesce(seen.ndoc, 0)::bigint AS number
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 LEFT JOIN LATERAL ts_stat(format('SELECT array_to_tsvector(ARRAY[org_id::text]) FROM org.%I', c.relname)) seen
                   ON seen.word = ($1::uuid)::text
                 WHERE n.nspname = 'org' AND c.relkind IN ('r', 'p') ORDER BY 1",
        })
        .bind(whose)
        .all()
        .await
    }

    /// Whether what people wrote stands readable in a row of an organisation, as text or as bytes.
    async fn readable(&self, one: OrgId, words: &[String]) -> Result<std::result::Result<String, String>> {
        let mut tx = self.tenant(one, Access::Read).await?;
        // What must be found comes first: the id that is in each row.
        let itself = one.uuid().to_string();
        let mut tables = 0;
        for word in std::iter::once(&itself).chain(words) {
            let found: Vec<String> = tx
                .sql(Pair {
                    sqlite: "SELECT '' AS name FROM tenant WHERE $1 = $2",
                    postgres: "SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                         CROSS JOIN LATERAL ts_stat(format('SELECT array_to_tsvector(ARRAY[''found'']) FROM org.%I t
                           WHERE strpos(t::text, %L) > 0 OR strpos(t::text, %L) > 0', c.relname, $1::text, $2::text)) seen
                         WHERE n.nspname = 'org' AND c.relkind IN ('r', 'p') ORDER BY 1",
                })
                .bind(word)
                .bind(crate::hex(word.as_bytes()))
                .all()
                .await?;
            match (word == &itself, found.is_empty()) {
                (true, true) => return Ok(Err("nothing could be seen at all, so nothing is known".into())),
                (true, false) => tables = found.len(),
                (false, true) => {}
                (false, false) => return Ok(Err(format!("“{word}” stands in {}", found.join(", ")))),
            }
        }
        Ok(Ok(format!("none in {tables} tables that have rows")))
    }

    /// Where an organisation's bytes lie.
    fn bytes_of(&self, org: OrgId) -> Vec<PathBuf> {
        let Backend::Embedded { files, .. } = &self.0.backend else { return Vec::new() };
        let mut places = with_log(files.path(org));
        places.push(self.blobs_of(org));
        places
    }

    /// Where the bytes lie that all organisations share.
    fn bytes_of_all(&self) -> Vec<PathBuf> {
        let Backend::Embedded { house_file, .. } = &self.0.backend else { return Vec::new() };
        let data = house_file.parent().unwrap_or(house_file);
        let files = ["control.db", "ledger.db"].iter().flat_map(|name| with_log(data.join(name)));
        files.chain([data.join("ledger.holds")]).collect()
    }
}

/// A file of the embedded engine and its log.
fn with_log(path: PathBuf) -> Vec<PathBuf> {
    let mut log = path.clone().into_os_string();
    log.push("-wal");
    vec![path, log.into()]
}

fn judge(full: &[(String, i64)], seen: &[(String, i64)]) -> std::result::Result<String, String> {
    let filled = full.iter().filter(|(_, number)| *number > 0).count();
    let through: Vec<&str> = seen.iter().filter(|(_, number)| *number > 0).map(|(name, _)| name.as_str()).collect();
    match (filled, through.is_empty()) {
        (0, _) => Err("nothing could be seen by the organisation itself, so nothing is known".into()),
        (_, false) => Err(format!("rows are seen in {}", through.join(", "))),
        (filled, true) => Ok(format!("no row in {} tables, {filled} of which have some", seen.len())),
    }
}

fn no_faults(faults: &[Fault]) -> std::result::Result<String, String> {
    if faults.is_empty() { Ok("as they must be".into()) } else { Err(faults.join("; ")) }
}

/// Whether another's key opens the file. That its own does was seen before.
fn strangers_key(path: &Path, key: &crate::keys::Secret) -> Result<std::result::Result<String, String>> {
    match sqlite::File::open(path, key.derive("file"), 0, false, None) {
        Ok(_) => Ok(Err("it opens".into())),
        // The words of the engine for a file that no page of which can be read.
        Err(Error::Sealed(_) | Error::Damaged { .. } | Error::Setup(_)) => Ok(Ok("it does not open".into())),
        Err(other) => Err(other),
    }
}

/// Whether another finds or reads an original.
fn originals(own: &Blobs, strange: &Blobs, hash: &str) -> Result<std::result::Result<String, String>> {
    own.each_part(hash, |_| Ok(()))?;
    Ok(match (strange.each_part(hash, |_| Ok(())), own.under(strange).each_part(hash, |_| Ok(()))) {
        (Err(Error::NotFound(_)), Err(Error::NotFound(_) | Error::Sealed(_))) => Ok("neither found nor opened".into()),
        (one, two) => Err(format!("its content is known to another: {one:?}, {two:?}")),
    })
}

/// Looks for texts in files, and in all files below folders.
fn search(places: Vec<PathBuf>, texts: &[String]) -> Result<std::result::Result<String, String>> {
    let (mut files, mut bytes, mut left) = (0_u64, 0_u64, places);
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).map_err(|error| unread(&path, &error))?;
            left.extend(entries.filter_map(|entry| entry.ok().map(|entry| entry.path())));
            continue;
        }
        match found_in(&path, texts) {
            Ok((_, Some(text))) => return Ok(Err(format!("{} holds “{text}”", path.display()))),
            Ok((size, None)) => {
                files += 1;
                bytes += size;
            }
            // Somebody's file came to its end meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(unread(&path, &error)),
        }
    }
    Ok(Ok(format!("none in {files} files, {} MiB", bytes >> 20)))
}

/// The size of a file, and the first of the texts that is found in it.
fn found_in(path: &Path, texts: &[String]) -> std::io::Result<(u64, Option<String>)> {
    let longest = texts.iter().map(String::len).max().unwrap_or(0);
    let (mut file, mut size) = (std::fs::File::open(path)?, 0);
    let (mut piece, mut kept) = (vec![0; PIECE + longest], 0);
    loop {
        let read = file.read(&mut piece[kept..])?;
        let seen = &piece[..kept + read];
        let finders = texts.iter().filter(|text| !text.is_empty());
        for text in finders {
            if memchr::memmem::find(seen, text.as_bytes()).is_some() {
                keep_locks(path, file);
                return Ok((size, Some(text.clone())));
            }
        }
        if read == 0 {
            keep_locks(path, file);
            return Ok((size, None));
        }
        size += read as u64;
        // The end of a piece may be the beginning of a text.
        let end = kept + read;
        let again = longest.min(end);
        piece.copy_within(end - again..end, 0);
        kept = again;
    }
}

/// Keeps a database open until this program ends: closing it takes away the locks that `SQLite` has on it in this process
/// (<https://www.sqlite.org/howtocorrupt.html>, 2.2), and a server beside it would remove a log that is still written.
fn keep_locks(path: &Path, file: std::fs::File) {
    if path.extension().is_some_and(|ending| ending == "db" || ending == "db-shm") {
        std::mem::forget(file);
    }
}

fn unread(path: &Path, error: &std::io::Error) -> Error {
    Error::Disk(format!("{} could not be read: {error}", path.display()))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::bug(error.to_string()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_across_the_pieces_of_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let texts = ["needle".to_owned(), "another text".to_owned()];
        for before in [0, 5, PIECE - 3, PIECE + 9, 2 * PIECE - 2] {
            let mut bytes = vec![b'.'; before];
            bytes.extend_from_slice(b"needle");
            bytes.extend(vec![b'.'; PIECE / 2]);
            std::fs::write(&path, &bytes).expect("written");
            assert_eq!(found_in(&path, &texts).expect("read").1.as_deref(), Some("needle"), "{before}");
        }
        std::fs::write(&path, vec![b'.'; 3 * PIECE]).expect("written");
        assert_eq!(found_in(&path, &texts).expect("read"), (3 * PIECE as u64, None));
        std::fs::write(&path, b"another text").expect("written");
        assert!(search(vec![folder.path().to_owned()], &texts).expect("searched").is_err());
    }
}
