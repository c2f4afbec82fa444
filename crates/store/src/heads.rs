//! Verifying audit chains for the operator, who sees whether they are whole and nothing of their content.

use domain::OrgId;

use crate::audit::Verified;
use crate::sql::Access;
use crate::{Result, Store, audit};

/// Heads of chains that were signed outside the databases: none yet.
#[derive(Debug, Default)]
pub struct SignedHeads;

impl Store {
    /// Reads all signed heads, for verifying many chains.
    /// # Errors
    /// As the disk.
    #[expect(clippy::unused_async, reason = "reading a file will wait")]
    pub async fn signed_heads(&self) -> Result<SignedHeads> {
        Ok(SignedHeads)
    }

    /// Verifies the whole audit chain of an organisation.
    /// # Errors
    /// As the database; what is wrong with the chain is no error but the outcome's fault.
    pub async fn verify_org_with(&self, org: OrgId, _signed: &SignedHeads) -> Result<Verified> {
        let mut tx = self.tenant(org, Access::Read).await?;
        audit::verify(&mut tx, &[]).await
    }

    /// Verifies the installation's own audit chain.
    /// # Errors
    /// As the database; what is wrong with the chain is no error but the outcome's fault.
    pub async fn verify_house(&self) -> Result<Verified> {
        let mut tx = self.read_control().await?;
        audit::verify(tx.transaction(), &[]).await
    }
}
