//! Whether an organisation's knowledge agrees with itself: documents with their versions, passages and vectors, and originals with
//! the disk. What points to nothing, and the index of words, [`crate::orphans`] looks at.
//!
//! And that of what was deleted nothing is left in the index of words and in the log of the file.
//!
//! Rows and files cannot be read in one moment: what looks wrong is looked at a second time, and told when it was wrong both times.

use std::collections::BTreeSet;

use domain::OrgId;

use crate::checks::Fault;
use crate::org::OrgStore;
use crate::sql::Access;
use crate::sql::sqlite::merge_words;
use crate::{Backend, Error, Result, Store};

/// How often the log of a file is tried to be emptied while others read it, and the pause between.
const TRIES: usize = 10;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);
/// Pages of the index of words that are written in one turn, which takes some tens of milliseconds, and the most turns: for 40 GB of words.
const PAGES: i64 = 500;
const TURNS: usize = 40_000;

impl OrgStore {
    /// Takes what was deleted out of the index of words, which only marks it, and empties the log of the organisation's file, so that no
    /// older page is left in it. The index is written anew in short turns: others come in between. On PostgreSQL the server does both in
    /// its own time.
    /// # Errors
    /// [`Error::Busy`] when others read all the time; as the disk.
    pub async fn rinse(&self) -> Result<()> {
        let (store, org) = (self.store(), self.scope().org());
        let Backend::Embedded { files, .. } = &store.0.backend else { return Ok(()) };
        let file = store.file(files, org).await?;
        for _ in 0..TURNS {
            let file = file.clone();
            let merged =
                tokio::task::spawn_blocking(move || file.exclusively(|connection| merge_words(connection, PAGES)))
                    .await;
            if merged.map_err(|error| Error::bug(error.to_string()))?? {
                break;
            }
        }
        let mut tried = 1;
        loop {
            let file = file.clone();
            let rinsed = tokio::task::spawn_blocking(move || file.rinse()).await;
            match rinsed.map_err(|error| Error::bug(error.to_string()))? {
                Err(Error::Busy(_)) if tried < TRIES => tokio::time::sleep(PAUSE).await,
                other => return other,
            }
            tried += 1;
        }
    }
}

impl Store {
    /// What does not agree.
    /// # Errors
    /// As the database and the disk.
    pub async fn knowledge_faults(&self, org: OrgId) -> Result<Vec<Fault>> {
        let first = self.look_at_knowledge(org).await?;
        if first.is_empty() {
            return Ok(Vec::new());
        }
        let second = self.look_at_knowledge(org).await?;
        Ok(first.intersection(&second).cloned().collect())
    }

    async fn look_at_knowledge(&self, org: OrgId) -> Result<BTreeSet<Fault>> {
        let mut tx = self.tenant(org, Access::Read).await?;
        let counted: Vec<(String, i64)> = tx
            .sql(
                "SELECT what, number FROM (
                   SELECT 'documents whose newest version is not there' AS what, count(*) AS number FROM documents d
                     WHERE NOT EXISTS (SELECT 1 FROM versions v
                       WHERE v.document_id = d.id AND v.number = d.latest AND v.content_hash = d.content_hash)
                   UNION ALL SELECT 'documents that are ready and do not show their newest version', count(*) FROM documents
                     WHERE status = 'ready' AND shown <> latest
                   UNION ALL SELECT 'documents that have other passages than they count', count(*) FROM documents d
                     WHERE d.passages <> (SELECT count(*) FROM chunks c WHERE c.document_id = d.id)
                   UNION ALL SELECT 'documents that have fewer vectors than they count', count(*) FROM documents d
                     WHERE d.embedded > (SELECT count(DISTINCT v.chunk) FROM chunks c JOIN vectors v ON v.chunk = c.number
                       WHERE c.document_id = d.id)
                   UNION ALL SELECT 'vectors of a model that nobody asks', count(*) FROM vectors v
                     WHERE EXISTS (SELECT 1 FROM embedding)
                       AND NOT EXISTS (SELECT 1 FROM embedding e WHERE v.model = e.current OR v.model = e.coming)
                 ) counted WHERE number > 0",
            )
            .all()
            .await?;
        let needed: Vec<String> = tx
            .sql("SELECT content_hash FROM versions UNION SELECT content_hash FROM imports WHERE content_hash <> ''")
            .all()
            .await?;
        drop(tx);
        let mut faults: BTreeSet<Fault> =
            counted.into_iter().map(|(what, number)| format!("{number} {what}")).collect();
        let blobs = self.blobs(org).await?;
        let look = tokio::task::spawn_blocking(move || blobs.compare(&needed)).await;
        let (missing, extra) = look.map_err(|error| Error::bug(error.to_string()))??;
        for (number, what) in [(missing, "are missing"), (extra, "belong to nothing")] {
            if number > 0 {
                faults.insert(format!("{number} originals {what}"));
            }
        }
        Ok(faults)
    }
}
