//! How much knowledge a plan has room for: looked at before bytes are kept, and once more where they are counted.

use domain::OrgId;
use domain::plan::Meter;
use store::org::knowledge::documents;
use store::org::quota_alerts::{self, Kept};
use store::{OrgStore, Tx};
use tenancy::House;

use crate::http::error::{Problem, Result};

/// How much knowledge the plan has room for.
pub(crate) struct Room {
    documents: i64,
    storage: i64,
    plan: String,
}

impl Room {
    /// For what has its place already.
    pub(super) fn unbounded() -> Self {
        Self { documents: i64::MAX, storage: i64::MAX, plan: String::new() }
    }

    /// The room of an organisation.
    pub(crate) async fn of(house: &House, org: OrgId) -> Result<Self> {
        let mut tx = house.store.read_control().await?;
        let entitlements = tenancy::entitlements::of(house, &mut tx, org).await?;
        let most = |meter| i64::try_from(entitlements.limit(meter).value).unwrap_or(i64::MAX);
        Ok(Self {
            documents: most(Meter::Documents),
            storage: most(Meter::Storage),
            plan: entitlements.plan().to_string(),
        })
    }

    /// Bytes that are left of it, once as many more documents have their places.
    pub(super) async fn left(&self, tx: &mut Tx, more: i64) -> Result<u64> {
        let (documents, bytes) = documents::totals(tx).await?;
        self.admits(if more == 0 { 0 } else { documents + more }, bytes)?;
        Ok(u64::try_from(self.storage.saturating_sub(bytes)).unwrap_or(0))
    }

    /// Refuses what was written in a transaction when it is too much; `more` says whether a document came, or only bytes. Notes which
    /// thresholds were passed by it.
    pub(super) async fn require(&self, tx: &mut Tx, more: bool) -> Result<()> {
        let (documents, bytes) = documents::totals(tx).await?;
        self.admits(if more { documents } else { 0 }, bytes)?;
        quota_alerts::weigh(tx, Kept::Documents, documents, self.documents, false).await?;
        Ok(quota_alerts::weigh(tx, Kept::Storage, bytes, self.storage, false).await?)
    }

    /// Notes that there was no room for something, in a transaction of its own: those who run the organisation are told.
    pub(crate) async fn note_refused(&self, org: &OrgStore, problem: &Problem) {
        let noted = async {
            let mut tx = org.begin().await?;
            let (documents, bytes) = documents::totals(&mut tx).await?;
            let refused = |name: &str| problem.param.as_deref() == Some(name);
            quota_alerts::weigh(&mut tx, Kept::Documents, documents, self.documents, refused("documents")).await?;
            quota_alerts::weigh(&mut tx, Kept::Storage, bytes, self.storage, refused("storage")).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            tracing::warn!(%error, "that there was no room is told with the next document");
        }
    }

    fn admits(&self, documents: i64, bytes: i64) -> Result<()> {
        if documents > self.documents {
            let message = format!(
                "The plan {} includes {} documents; delete some, or change the plan.",
                self.plan, self.documents
            );
            return Err(Problem { param: Some("documents".into()), ..Problem::new("entitlement", message) });
        }
        if bytes > self.storage { Err(self.full()) } else { Ok(()) }
    }

    /// What is said of a file that does not fit.
    pub(super) fn full(&self) -> Problem {
        let message = format!(
            "The plan {} includes {} MiB of documents, and this file does not fit; delete some, or change the plan.",
            self.plan,
            self.storage >> 20
        );
        Problem { param: Some("storage".into()), ..Problem::new("entitlement", message) }
    }
}
