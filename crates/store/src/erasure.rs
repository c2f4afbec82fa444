//! The end of an organisation's store: its rows are counted, its key is destroyed, then its page of the books, and its file or its rows.
//!
//! The directory says `erasing` before any of it, and each step can be repeated: whoever finds an organisation in that state does
//! the rest. The key goes first, so that from then on no copy of the file anywhere can be opened.

use std::collections::BTreeMap;

use domain::status::OrgStatus;
use domain::{Id, OrgId, UserId};

use crate::control::erasures::{self, Counts, Erasure};
use crate::control::{organisations, people};
use crate::keys::sha256;
use crate::sql::{Access, Statement, Transaction, postgres};
use crate::{Backend, Error, Result, Store, Turn, lock_number};

/// Rows of a table that grows that one transaction removes.
const BATCH: i64 = 5_000;

/// A statement that removes a part of a table, for a number of rows that is to be bound.
type Step = fn(&mut Transaction) -> Statement<'_>;

/// How the tables are emptied that grow with what people do: what refers to another one before it, so that no row takes more than itself
/// along.
const STEPS: &[Step] = &[
    |tx| tx.sql("DELETE FROM audit WHERE seq < (SELECT min(seq) FROM audit) + $1"),
    |tx| tx.sql("DELETE FROM vectors WHERE chunk < (SELECT min(chunk) FROM vectors) + $1"),
    |tx| tx.sql("DELETE FROM chunks WHERE number < (SELECT min(number) FROM chunks) + $1"),
    |tx| {
        tx.sql(
            "DELETE FROM group_members WHERE (source_id, name, address) IN (
               SELECT source_id, name, address FROM group_members ORDER BY source_id, name, address LIMIT $1)",
        )
    },
    |tx| {
        tx.sql(
            "DELETE FROM circle_readers WHERE (collection_id, kind, reader) IN (
               SELECT collection_id, kind, reader FROM circle_readers ORDER BY collection_id, kind, reader LIMIT $1)",
        )
    },
    |tx| {
        tx.sql("DELETE FROM circles WHERE collection_id IN (SELECT collection_id FROM circles ORDER BY collection_id LIMIT $1)")
    },
    |tx| {
        tx.sql(
            "DELETE FROM source_items WHERE (source_id, key) IN (
               SELECT source_id, key FROM source_items ORDER BY source_id, key LIMIT $1)",
        )
    },
    |tx| {
        tx.sql(
            "DELETE FROM import_files WHERE (import_id, place) IN (
               SELECT import_id, place FROM import_files ORDER BY import_id, place LIMIT $1)",
        )
    },
    |tx| tx.sql("DELETE FROM imports WHERE id IN (SELECT id FROM imports ORDER BY id LIMIT $1)"),
    |tx| {
        tx.sql(
            "DELETE FROM versions WHERE (document_id, number) IN (
               SELECT document_id, number FROM versions ORDER BY document_id, number LIMIT $1)",
        )
    },
    |tx| tx.sql("DELETE FROM documents WHERE id IN (SELECT id FROM documents ORDER BY id LIMIT $1)"),
    |tx| {
        tx.sql(
            "DELETE FROM shares WHERE (shared, level, subject) IN (
               SELECT shared, level, subject FROM shares ORDER BY shared, level, subject LIMIT $1)",
        )
    },
    // The newest first: those within another are newer than it, and would go along with it.
    |tx| tx.sql("DELETE FROM collections WHERE id IN (SELECT id FROM collections ORDER BY id DESC LIMIT $1)"),
    |tx| {
        tx.sql(
            "DELETE FROM citings WHERE (document_id, message_id) IN (
               SELECT document_id, message_id FROM citings ORDER BY document_id, message_id LIMIT $1)",
        )
    },
    |tx| tx.sql("DELETE FROM messages WHERE id IN (SELECT id FROM messages ORDER BY id LIMIT $1)"),
    |tx| tx.sql("DELETE FROM threads WHERE id IN (SELECT id FROM threads ORDER BY id LIMIT $1)"),
    |tx| {
        tx.sql(
            "DELETE FROM kept_citings WHERE (scope, document_id) IN (
               SELECT scope, document_id FROM kept_citings ORDER BY scope, document_id LIMIT $1)",
        )
    },
    |tx| tx.sql("DELETE FROM idempotency WHERE scope IN (SELECT scope FROM idempotency ORDER BY scope LIMIT $1)"),
    |tx| tx.sql("DELETE FROM webhook_messages WHERE id IN (SELECT id FROM webhook_messages ORDER BY id LIMIT $1)"),
    |tx| tx.sql("DELETE FROM delivered WHERE id IN (SELECT id FROM delivered ORDER BY id LIMIT $1)"),
    |tx| {
        tx.sql(
            "DELETE FROM configs WHERE (user_id, version) IN (
               SELECT user_id, version FROM configs ORDER BY user_id, version LIMIT $1)",
        )
    },
    |tx| {
        tx.sql(
            "DELETE FROM project_members WHERE (project_id, user_id) IN (
               SELECT project_id, user_id FROM project_members ORDER BY project_id, user_id LIMIT $1)",
        )
    },
    |tx| {
        tx.sql(
            "DELETE FROM team_members WHERE (team_id, user_id) IN (
               SELECT team_id, user_id FROM team_members ORDER BY team_id, user_id LIMIT $1)",
        )
    },
];

impl Store {
    /// Destroys the store of an organisation that is being erased, after what is in it was counted for the receipt. Repeating it
    /// changes nothing more.
    /// # Errors
    /// [`Error::Refused`] when the directory does not say that it is being erased; as the databases and the disk.
    pub async fn destroy(&self, org: OrgId) -> Result<()> {
        let mut tx = self.read_control().await?;
        if organisations::get(&mut tx, org).await?.status != OrgStatus::Erasing {
            return Err(Error::Refused("the organisation is not being erased".into()));
        }
        let erasure = erasures::about(&mut tx, &org.to_string()).await?;
        drop(tx);
        if erasure.counts.is_none() {
            let counted = match self.count_rows(org).await {
                Ok(counted) => Some(counted),
                // What cannot be read can still be destroyed.
                Err(Error::Damaged { .. } | Error::NotFound(_)) => None,
                Err(error) => return Err(error),
            };
            let books = self.count_books(org).await?;
            let mut tx = self.begin_control(Turn::Org(org)).await?;
            let counts = Counts::from([("ledger".to_owned(), Some(books)), ("organisation".to_owned(), counted)]);
            erasures::note(&mut tx, erasure.id, &counts).await?;
            organisations::shred(&mut tx, org).await?;
            tx.commit().await?;
            self.0.ciphers.invalidate(&org);
        }
        self.empty_books(org).await?;
        let store = self.clone();
        tokio::task::spawn_blocking(move || store.remove_blobs(org))
            .await
            .map_err(|error| Error::bug(error.to_string()))??;
        if let Backend::Embedded { .. } = &self.0.backend {
            let store = self.clone();
            let removed = tokio::task::spawn_blocking(move || match &store.0.backend {
                Backend::Embedded { files, .. } => files.remove(org),
                Backend::Postgres { .. } => Ok(()),
            });
            return removed.await.map_err(|error| Error::bug(error.to_string()))?;
        }
        self.delete_rows(org).await
    }

    /// How many rows each table of an organisation's store has.
    async fn count_rows(&self, org: OrgId) -> Result<BTreeMap<String, i64>> {
        let mut tx = match &self.0.backend {
            Backend::Embedded { .. } => self.tenant(org, Access::Read).await?,
            Backend::Postgres { .. } => self.eraser(org, Access::Read).await?,
        };
        let rows: Vec<(String, i64)> = tx
            .sql(
                "SELECT 'aliases' AS what, count(*) AS number FROM aliases
                 UNION ALL SELECT 'audit', count(*) FROM audit
                 UNION ALL SELECT 'audit_head', count(*) FROM audit_head
                 UNION ALL SELECT 'budgets', count(*) FROM budgets
                 UNION ALL SELECT 'chunks', count(*) FROM chunks
                 UNION ALL SELECT 'circle_readers', count(*) FROM circle_readers
                 UNION ALL SELECT 'circles', count(*) FROM circles
                 UNION ALL SELECT 'citings', count(*) FROM citings
                 UNION ALL SELECT 'collections', count(*) FROM collections
                 UNION ALL SELECT 'configs', count(*) FROM configs
                 UNION ALL SELECT 'connections', count(*) FROM connections
                 UNION ALL SELECT 'delivered', count(*) FROM delivered
                 UNION ALL SELECT 'documents', count(*) FROM documents
                 UNION ALL SELECT 'embedding', count(*) FROM embedding
                 UNION ALL SELECT 'former_teams', count(*) FROM former_teams
                 UNION ALL SELECT 'group_members', count(*) FROM group_members
                 UNION ALL SELECT 'idempotency', count(*) FROM idempotency
                 UNION ALL SELECT 'import_files', count(*) FROM import_files
                 UNION ALL SELECT 'imports', count(*) FROM imports
                 UNION ALL SELECT 'kept_citings', count(*) FROM kept_citings
                 UNION ALL SELECT 'messages', count(*) FROM messages
                 UNION ALL SELECT 'project_members', count(*) FROM project_members
                 UNION ALL SELECT 'project_teams', count(*) FROM project_teams
                 UNION ALL SELECT 'projects', count(*) FROM projects
                 UNION ALL SELECT 'providers', count(*) FROM providers
                 UNION ALL SELECT 'quota_alerts', count(*) FROM quota_alerts
                 UNION ALL SELECT 'rate_limits', count(*) FROM rate_limits
                 UNION ALL SELECT 'roles', count(*) FROM roles
                 UNION ALL SELECT 'shares', count(*) FROM shares
                 UNION ALL SELECT 'source_items', count(*) FROM source_items
                 UNION ALL SELECT 'sources', count(*) FROM sources
                 UNION ALL SELECT 'team_members', count(*) FROM team_members
                 UNION ALL SELECT 'teams', count(*) FROM teams
                 UNION ALL SELECT 'tenant', count(*) FROM tenant
                 UNION ALL SELECT 'threads', count(*) FROM threads
                 UNION ALL SELECT 'vectors', count(*) FROM vectors
                 UNION ALL SELECT 'versions', count(*) FROM versions
                 UNION ALL SELECT 'webhook_messages', count(*) FROM webhook_messages
                 UNION ALL SELECT 'webhooks', count(*) FROM webhooks",
            )
            .all()
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// How many rows of an organisation's store are a person's own: they go with the end of the person's stay, or of their account.
    /// # Errors
    /// As the database.
    pub async fn count_of_person(&self, org: OrgId, user: UserId) -> Result<BTreeMap<String, i64>> {
        let mut tx = self.tenant(org, Access::Read).await?;
        let rows: Vec<(String, i64)> = tx
            .sql(
                "SELECT 'configs' AS what, count(*) AS number FROM configs WHERE user_id = $1
                 UNION ALL SELECT 'connections', count(*) FROM connections WHERE user_id = $1
                 UNION ALL SELECT 'collections', count(*) FROM collections WHERE made_by = $1 AND access = 'private'
                 UNION ALL SELECT 'documents', count(*) FROM documents d JOIN collections c ON c.id = d.collection_id
                   WHERE c.made_by = $1 AND c.access = 'private'
                 UNION ALL SELECT 'project_members', count(*) FROM project_members WHERE user_id = $1
                 UNION ALL SELECT 'providers', count(*) FROM providers WHERE user_id = $1
                 UNION ALL SELECT 'shares', count(*) FROM shares WHERE level = 'user' AND subject = $1
                 UNION ALL SELECT 'team_members', count(*) FROM team_members WHERE user_id = $1
                 UNION ALL SELECT 'threads', count(*) FROM threads WHERE user_id = $1",
            )
            .bind(user)
            .all()
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// Removes all rows of an organisation: those of tables that grow in steps, the others together with the row that says whose they are.
    async fn delete_rows(&self, org: OrgId) -> Result<()> {
        for step in STEPS {
            loop {
                let mut tx = self.eraser(org, Access::Write).await?;
                let removed = step(&mut tx).bind(BATCH).unaudited(ERASED).run().await?;
                tx.commit().await?;
                if removed == 0 {
                    break;
                }
            }
        }
        let mut tx = self.eraser(org, Access::Write).await?;
        // Once more, in the transaction that ends it all: for what came meanwhile.
        for step in STEPS {
            step(&mut tx).bind(BATCH).unaudited(ERASED).run().await?;
        }
        tx.sql("DELETE FROM sources").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM embedding").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM project_teams").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM aliases").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM providers").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM connections").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM projects").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM teams").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM former_teams").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM roles").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM budgets").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM quota_alerts").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM rate_limits").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM webhooks").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM audit_head").unaudited(ERASED).run().await?;
        tx.sql("DELETE FROM tenant").unaudited(ERASED).run().await?;
        tx.commit().await
    }

    /// A transaction in the role that may empty an organisation's tables, its audit log too; the wall holds for it as for all. What it asks
    /// takes as long as the organisation is large.
    async fn eraser(&self, org: OrgId, access: Access) -> Result<Transaction> {
        let Backend::Postgres { eraser, .. } = &self.0.backend else {
            return Err(Error::bug("a file is removed, not emptied"));
        };
        let turn = [lock_number(&format!("tenant {org}"))];
        let locks = if access == Access::Write { &turn[..] } else { &[] };
        let begun = postgres::begin(eraser, access, Some(org.uuid()), locks).await?;
        Ok(Transaction::postgres(begun.patient(), access))
    }

    /// Makes sure that the logs of the control file and of the books hold no page any more that was there before, such as one with a
    /// destroyed key.
    /// On PostgreSQL the server does that in its own time.
    /// # Errors
    /// As the disk.
    pub async fn rinse(&self) -> Result<()> {
        let Backend::Embedded { control, ledger, .. } = &self.0.backend else { return Ok(()) };
        let files = [control.clone(), ledger.clone()];
        let rinsed = tokio::task::spawn_blocking(move || files.iter().try_for_each(|file| file.rinse()));
        rinsed.await.map_err(|error| Error::bug(error.to_string()))?
    }

    /// Whether a receipt says what was signed when its erasure was done.
    #[must_use]
    pub fn attests(&self, erasure: &Erasure) -> bool {
        let Some(statement) = erasure.statement() else { return false };
        erasure.hash.as_deref() == Some(sha256(&statement).as_slice())
            && erasure.signature.as_deref().is_some_and(|signature| self.is_signed(statement.as_bytes(), signature))
    }

    /// Removes the originals that work which was still under way wrote after its organisation was erased. Those of one that stands in the
    /// directory stay, and those of one that nobody erased.
    /// # Errors
    /// As the control database, the disk and the bucket.
    pub async fn remove_latecomers(&self, org: OrgId) -> Result<()> {
        let mut tx = self.read_control().await?;
        let stands = organisations::find(&mut tx, org).await?.is_some();
        let erasure = erasures::find(&mut tx, &org.to_string()).await?;
        drop(tx);
        if stands || erasure.is_none_or(|erasure| erasure.erased_at.is_none()) {
            return Ok(());
        }
        let store = self.clone();
        let removed = tokio::task::spawn_blocking(move || store.remove_blobs(org)).await;
        removed.map_err(|error| Error::bug(error.to_string()))?
    }

    /// What is still there of an organisation whose receipt says that it was erased; nothing when the receipt is right.
    /// # Errors
    /// As the databases.
    pub async fn remains(&self, org: OrgId) -> Result<Vec<String>> {
        let mut remains = Vec::new();
        let mut tx = self.read_control().await?;
        if organisations::find(&mut tx, org).await?.is_some() {
            remains.push("it stands in the directory".to_owned());
        }
        drop(tx);
        let mut rows = self.count_books(org).await?;
        match &self.0.backend {
            Backend::Embedded { files, .. } => remains.extend(files.remains(org)),
            Backend::Postgres { .. } => rows.extend(self.count_rows(org).await?),
        }
        let store = self.clone();
        let looked = tokio::task::spawn_blocking(move || store.blobs_left(org)).await;
        let originals = looked.map_err(|error| Error::bug(error.to_string()))??;
        if originals > 0 {
            remains.push(format!("{originals} originals"));
        }
        let left = rows.into_iter().filter(|(_, rows)| *rows > 0);
        remains.extend(left.map(|(table, rows)| format!("{rows} rows of {table}")));
        Ok(remains)
    }

    /// What is still there of a person who was erased, in control and in the organisations that the receipt names; nothing when the
    /// receipt is right.
    /// # Errors
    /// As the control database. An organisation that cannot be looked into is told of like one in which something is left.
    pub async fn remains_of_person(&self, user: UserId, receipt: &Erasure) -> Result<Vec<String>> {
        let mut remains = Vec::new();
        let mut tx = self.read_control().await?;
        if people::find(&mut tx, user).await?.is_some() {
            remains.push("they stand among the people".to_owned());
        }
        let mut orgs = Vec::new();
        for org in receipt.counted().keys().filter_map(|place| place.parse::<OrgId>().ok()) {
            // Of one that is gone, or is about to be, there is a receipt of its own.
            orgs.extend(organisations::find(&mut tx, org).await?.filter(|one| one.status.is_whole()).map(|one| one.id));
        }
        drop(tx);
        for org in orgs {
            // To look is no use of it. One that is cold is woken: what is left there would be left.
            let mut counted = None;
            self.keep_house(org, async { counted = Some(self.count_of_person(org, user).await) }).await?;
            let counted = match counted {
                Some(counted) => counted,
                None => self.count_of_person(org, user).await,
            };
            match counted {
                Ok(rows) => {
                    let left = rows.into_iter().filter(|(_, rows)| *rows > 0);
                    remains.extend(left.map(|(table, rows)| format!("{rows} rows of {table} in {org}")));
                }
                Err(error) => remains.push(format!("{org} cannot be looked into: {error}")),
            }
        }
        Ok(remains)
    }
}

const ERASED: &str = "part of the erasure, whose beginning and end are recorded";
