//! What an operator is told of an organisation from outside: how large its store is, what it spent, whether it is whole. Numbers, and
//! words about files; nothing that anybody wrote, and no file that lies elsewhere is fetched for it.

use domain::OrgId;
use domain::limits::Span;

use crate::ledger::entries;
use crate::sql::{Access, Pair};
use crate::{Backend, Result, Store};

impl Store {
    /// How many bytes an organisation's store takes, its originals aside: the length of its file, nothing for one that is not at hand;
    /// on PostgreSQL what its long columns take, which is counted anew each time.
    /// # Errors
    /// As the database.
    pub async fn size_of(&self, org: OrgId) -> Result<i64> {
        if let Backend::Embedded { files, .. } = &self.0.backend {
            return Ok(i64::try_from(files.size(org)).unwrap_or(i64::MAX));
        }
        let mut tx = self.tenant(org, Access::Read).await?;
        tx.sql(Pair {
            sqlite: "SELECT 0 AS bytes",
            postgres: "SELECT CAST(sum(bytes) AS BIGINT) AS bytes FROM (
                SELECT COALESCE(sum(pg_column_size(text) + pg_column_size(heading) + pg_column_size(words)), 0) AS bytes FROM chunks
                UNION ALL SELECT COALESCE(sum(pg_column_size(value)), 0) FROM vectors
                UNION ALL SELECT COALESCE(sum(COALESCE(pg_column_size(content), 0)), 0) FROM versions
                UNION ALL SELECT COALESCE(sum(pg_column_size(content) + pg_column_size(citations) + pg_column_size(detail)), 0) FROM messages
                UNION ALL SELECT COALESCE(sum(pg_column_size(body)), 0) FROM webhook_messages
                UNION ALL SELECT COALESCE(sum(pg_column_size(detail) + COALESCE(pg_column_size(before), 0)
                  + COALESCE(pg_column_size(after), 0)), 0) FROM audit) parts",
        })
        .one()
        .await
    }

    /// What an organisation spent in a period, in millionths of a US dollar.
    /// # Errors
    /// As the database.
    pub async fn spent_by(&self, org: OrgId, span: Span) -> Result<i64> {
        let mut tx = self.ledger(org, Access::Read).await?;
        entries::spent(&mut tx.page_of(org)?, span).await
    }
}
