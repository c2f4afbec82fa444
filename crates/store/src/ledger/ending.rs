//! The end of an organisation's page: what stands on it is counted, then removed.

use std::collections::BTreeMap;

use domain::{Id, OrgId};

use super::LedgerTx;
use crate::sql::{Access, Transaction, postgres};
use crate::{Backend, Result, Store, lock_number};

/// Rows of a table that one transaction removes: on the embedded engine all organisations wait for it.
const BATCH: i64 = 5_000;

impl Store {
    /// How many rows each table of the books has for an organisation.
    pub(crate) async fn count_books(&self, org: OrgId) -> Result<BTreeMap<String, i64>> {
        let mut tx = self.last_books(org, Access::Read).await?;
        let rows: Vec<(String, i64)> = tx
            .page_of(org)?
            .sql(
                "SELECT 'admissions' AS what, count(*) AS number FROM admissions WHERE org_id = $1
                 UNION ALL SELECT 'alerts', count(*) FROM alerts WHERE org_id = $1
                 UNION ALL SELECT 'balances', count(*) FROM balances WHERE org_id = $1
                 UNION ALL SELECT 'entries', count(*) FROM entries WHERE org_id = $1
                 UNION ALL SELECT 'holds', count(*) FROM holds WHERE org_id = $1",
            )
            .all()
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// Removes all rows of an organisation from the books, in steps; repeating it changes nothing more.
    ///
    /// Holds go with the first step, so that no call that is still under way can end as an entry afterwards.
    pub(crate) async fn empty_books(&self, org: OrgId) -> Result<()> {
        if let Backend::Embedded { holds, .. } = &self.0.backend {
            holds.erase(org)?;
        }
        loop {
            let mut tx = self.last_books(org, Access::Write).await?;
            let mut page = tx.page_of(org)?;
            page.sql("DELETE FROM holds WHERE org_id = $1").run().await?;
            let mut removed = page
                .sql(
                    "DELETE FROM entries WHERE org_id = $1
                     AND id IN (SELECT id FROM entries WHERE org_id = $1 ORDER BY id LIMIT $2)",
                )
                .bind(BATCH)
                .run()
                .await?;
            removed += page
                .sql(
                    "DELETE FROM balances WHERE org_id = $1 AND (limit_id, counted, starts_at) IN (
                       SELECT limit_id, counted, starts_at FROM balances WHERE org_id = $1
                       ORDER BY limit_id, counted, starts_at LIMIT $2)",
                )
                .bind(BATCH)
                .run()
                .await?;
            removed += page
                .sql(
                    "DELETE FROM alerts WHERE org_id = $1 AND (limit_id, counted, starts_at, percent) IN (
                       SELECT limit_id, counted, starts_at, percent FROM alerts WHERE org_id = $1
                       ORDER BY limit_id, counted, starts_at, percent LIMIT $2)",
                )
                .bind(BATCH)
                .run()
                .await?;
            removed += page
                .sql(
                    "DELETE FROM admissions WHERE org_id = $1 AND starts_at IN (
                       SELECT starts_at FROM admissions WHERE org_id = $1 ORDER BY starts_at LIMIT $2)",
                )
                .bind(BATCH)
                .run()
                .await?;
            tx.commit().await?;
            if removed == 0 {
                // The receipt must not be surer of it than the disk.
                return self.flush_ledger().await;
            }
        }
    }

    /// A transaction on the books of an organisation that is being erased; on PostgreSQL in the role that may remove entries.
    async fn last_books(&self, org: OrgId, access: Access) -> Result<LedgerTx> {
        let now = self.ambient().now();
        match &self.0.backend {
            Backend::Embedded { ledger, .. } => {
                let transaction = Transaction::sqlite(ledger.begin(access).await?, access);
                Ok(LedgerTx { transaction, only: Some(org), now, _share: None })
            }
            Backend::Postgres { eraser, .. } => {
                let turn = [lock_number(&format!("ledger {org}"))];
                let locks = if access == Access::Write { &turn[..] } else { &[] };
                let begun = postgres::begin(eraser, access, Some(org.uuid()), locks).await?;
                let transaction = Transaction::postgres(begun.patient(), access);
                Ok(LedgerTx { transaction, only: Some(org), now, _share: None })
            }
        }
    }
}
