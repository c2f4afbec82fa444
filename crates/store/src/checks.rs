//! What an operator asks the store about its own health: `rowhouse doctor` and `rowhouse migrate`. Nothing of a tenant's content
//! leaves here, only whether it is whole.

use domain::OrgId;
use serde::Deserialize;

use crate::control::{installation, organisations};
use crate::schema::{Part, differs};
use crate::sql::{Access, Pair};
use crate::{Backend, Error, Result, Store, Turn};

/// The fact that says up to which number all organisations' files were migrated.
const ORG_SCHEMA: &str = "org_schema";

/// How much there is.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Counts {
    /// People.
    pub people: i64,
    /// Organisations in any state.
    pub organisations: i64,
    /// Organisations that are half made.
    pub unfinished: i64,
    /// Changes on their way into organisations' stores.
    pub deliveries: i64,
    /// Mails that wait to be sent.
    pub mails_waiting: i64,
    /// Mails that were given up.
    pub mails_failed: i64,
}

/// What was found when all organisations were brought to the newest schema.
#[derive(Debug, Default)]
pub struct Migrated {
    /// Files that were opened; none when nothing was to be done.
    pub opened: usize,
    /// Organisations that could not be brought there, and why.
    pub stragglers: Vec<(OrgId, String)>,
}

/// A database role with a right that it must not have, a table without its wall, or the like.
pub type Fault = String;

impl Store {
    /// How much there is.
    /// # Errors
    /// As the database.
    pub async fn counts(&self) -> Result<Counts> {
        let mut tx = self.read_control().await?;
        tx.sql(
            "SELECT (SELECT count(*) FROM people) AS people, (SELECT count(*) FROM organisations) AS organisations,
                    (SELECT count(*) FROM organisations WHERE status = 'creating') AS unfinished,
                    (SELECT count(*) FROM deliveries) AS deliveries,
                    (SELECT count(*) FROM mails WHERE sent_at IS NULL AND failed_at IS NULL) AS mails_waiting,
                    (SELECT count(*) FROM mails WHERE failed_at IS NOT NULL) AS mails_failed",
        )
        .one()
        .await
    }

    /// The organisations whose files this process could not open, or only reads, and why; none on PostgreSQL.
    #[must_use]
    pub fn troubled(&self) -> Vec<(OrgId, String)> {
        match &self.0.backend {
            Backend::Embedded { files, .. } => files.troubled(),
            Backend::Postgres { .. } => Vec::new(),
        }
    }

    /// Whether nobody has ever used this installation.
    /// # Errors
    /// As the database.
    pub async fn is_untouched(&self) -> Result<bool> {
        let mut tx = self.read_control().await?;
        tx.sql("SELECT count(*) FROM people").one::<i64>().await.map(|people| people == 0)
    }

    /// What is wrong with the control database: changed pages, broken indexes, rows that point nowhere, a schema that no migration
    /// makes.
    /// # Errors
    /// As the database.
    pub async fn control_faults(&self) -> Result<Vec<Fault>> {
        let mut faults = match &self.0.backend {
            Backend::Embedded { control, .. } => {
                let control = control.clone();
                blocking(move || control.faults()).await?
            }
            Backend::Postgres { .. } => self.database_faults().await?,
        };
        faults.extend(self.schema_faults().await?);
        faults.extend(self.control_orphans().await?);
        Ok(faults)
    }

    /// What is wrong with an organisation's store: the file cannot be opened, is not whole, or holds rows that point nowhere or to
    /// stays that no longer exist.
    /// # Errors
    /// [`Error::Damaged`] when it cannot be opened; as the databases.
    pub async fn org_faults(&self, org: OrgId) -> Result<Vec<Fault>> {
        let mut faults = Vec::new();
        if let Backend::Embedded { files, .. } = &self.0.backend {
            let file = self.file(files, org).await?;
            faults = blocking(move || file.faults()).await?;
            faults.extend(differs(Part::Org, &self.org_schema_hash(org).await?)?);
        }
        let mut tx = self.tenant(org, Access::Read).await?;
        let whose: Option<OrgId> = tx.sql("SELECT id FROM tenant").optional().await?;
        if whose != Some(org) {
            faults.push("it does not say whose it is".into());
        }
        drop(tx);
        faults.extend(self.org_orphans(org).await?);
        Ok(faults)
    }

    /// Walls and rights on PostgreSQL that are not as they must be: each tenant table has forced row security with a policy for
    /// reading and writing, no role may more than it needs, and no reference is unchecked.
    pub(crate) async fn database_faults(&self) -> Result<Vec<Fault>> {
        let mut tx = self.read_control().await?;
        tx.sql(Pair {
            sqlite: "SELECT name FROM installation WHERE 1 = 0",
            postgres: "SELECT fault FROM (
              WITH ours AS (SELECT oid, rolname FROM pg_roles WHERE rolname IN
                (current_user, replace(current_user, '_control', '_app'), replace(current_user, '_control', '_ops'),
                  replace(current_user, '_control', '_eraser')))
              SELECT 1 AS place, 'the role ' || r.rolname || ' may more than it needs' AS fault
                FROM pg_roles r JOIN ours o ON o.oid = r.oid
                WHERE r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication
                  OR has_database_privilege(r.oid, current_database(), 'TEMPORARY')
              UNION ALL SELECT 2, 'the table org.' || c.relname || ' stands outside the tenant wall'
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'org' AND c.relkind IN ('r', 'p')
                  AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
                    SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL))
              UNION ALL SELECT 3, 'the table ' || c.relname || ' belongs to a role of the server'
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN ours o ON o.oid = c.relowner
                WHERE n.nspname IN ('org', 'control') AND c.relkind IN ('r', 'p')
              UNION ALL SELECT 4, 'the constraint ' || k.conname || ' was never checked'
                FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
                WHERE n.nspname IN ('org', 'control') AND NOT k.convalidated) faults
              ORDER BY place, fault",
        })
        .all()
        .await
    }

    /// The version of the extension that searches vectors, where the database has one. Nothing needs it yet.
    /// # Errors
    /// As the database.
    pub async fn vector_extension(&self) -> Result<Option<String>> {
        let mut tx = self.read_control().await?;
        tx.sql(Pair {
            sqlite: "SELECT name FROM installation WHERE 1 = 0",
            postgres: "SELECT extversion FROM pg_extension WHERE extname = 'vector'",
        })
        .optional()
        .await
    }

    /// Brings every organisation's file to the newest schema, opening none when all are known to be there. On PostgreSQL all of them
    /// are brought there at the start, together.
    /// # Errors
    /// As the control database; an organisation that cannot be brought there is no error but a straggler.
    pub async fn migrate_organisations(&self) -> Result<Migrated> {
        let mut migrated = Migrated::default();
        let Backend::Embedded { files, .. } = &self.0.backend else { return Ok(migrated) };
        let newest = files.newest().to_string();
        let mut tx = self.read_control().await?;
        let known = installation::find(&mut tx, ORG_SCHEMA).await?;
        drop(tx);
        if known.as_ref() == Some(&newest) {
            return Ok(migrated);
        }
        let mut after = None;
        loop {
            let mut tx = self.read_control().await?;
            let page = organisations::list(&mut tx, after, 1000).await?;
            drop(tx);
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            // One that is half made has no file yet; it is made with the newest schema. One that is being erased needs none.
            // One that lies in the bucket is brought there when it comes back.
            let here = |org: &OrgId| !files.is_cold(*org);
            for org in page.iter().filter(|one| one.status.is_whole()).map(|one| one.id).filter(here) {
                // The file is migrated when it is opened.
                match self.tenant(org, Access::Read).await {
                    Ok(_) => migrated.opened += 1,
                    Err(error) => migrated.stragglers.push((org, error.to_string())),
                }
            }
        }
        if migrated.stragglers.is_empty() {
            let mut tx = self.begin_control(Turn::Free).await?;
            installation::set(&mut tx, ORG_SCHEMA, &newest).await?;
            tx.commit().await?;
        }
        Ok(migrated)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::bug(error.to_string()))?
}
