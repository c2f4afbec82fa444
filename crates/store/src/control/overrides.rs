//! Exceptions from organisations' plans, made by the operator.

use domain::plan::{Exception, Override};
use domain::{OrgId, OverrideId, Time};
use serde::{Deserialize, Serialize};

use super::ControlTx;
use crate::{OrNotFound, Result};

/// An exception as stored: of a meter or of a feature.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OverrideRow {
    /// The id.
    pub id: OverrideId,
    /// Whose plan it is from.
    pub org_id: OrgId,
    /// The meter whose limit is another.
    pub meter: Option<String>,
    /// The feature that is given or taken away.
    pub feature: Option<String>,
    /// The limit in the meter's unit; for a feature 1 when it is given and 0 when it is taken away.
    pub amount: Option<i64>,
    /// When it ends.
    pub until: Option<Time>,
    /// Why it was made.
    pub reason: String,
    /// When it was made.
    pub created_at: Time,
}

impl OverrideRow {
    /// The row of an exception.
    #[must_use]
    pub fn new(id: OverrideId, org_id: OrgId, exception: &Override, reason: String) -> Self {
        let Override { exception, until, created_at } = *exception;
        let (meter, feature, amount) = match exception {
            // A limit is at most 2^53 - 1.
            Exception::Limit { meter, limit } => (Some(meter), None, i64::try_from(limit).unwrap_or(i64::MAX)),
            Exception::Feature { feature, granted } => (None, Some(feature), i64::from(granted)),
        };
        let (meter, feature) = (meter.map(|meter| meter.to_string()), feature.map(|feature| feature.to_string()));
        Self { id, org_id, meter, feature, amount: Some(amount), until, reason, created_at }
    }

    /// The exception; none when this version does not know the meter or the feature.
    #[must_use]
    pub fn to_domain(&self) -> Option<Override> {
        let amount = self.amount?;
        let exception = match (&self.meter, &self.feature) {
            (Some(meter), None) => Exception::Limit { meter: meter.parse().ok()?, limit: u64::try_from(amount).ok()? },
            (None, Some(feature)) => Exception::Feature { feature: feature.parse().ok()?, granted: amount > 0 },
            _ => return None,
        };
        Some(Override { exception, until: self.until, created_at: self.created_at })
    }
}

/// Adds an exception.
/// # Errors
/// As the database.
pub async fn insert(tx: &mut ControlTx, row: &OverrideRow) -> Result<()> {
    tx.sql(
        "INSERT INTO plan_overrides (id, org_id, meter, feature, amount, until, reason, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(row.id)
    .bind(row.org_id)
    .bind(row.meter.clone())
    .bind(row.feature.clone())
    .bind(row.amount)
    .bind(row.until)
    .bind(&row.reason)
    .bind(row.created_at)
    .run()
    .await?;
    Ok(())
}

/// An exception of an organisation.
/// # Errors
/// [`crate::Error::NotFound`] when the organisation has no such exception.
pub async fn get(tx: &mut ControlTx, org: OrgId, id: OverrideId) -> Result<OverrideRow> {
    tx.sql(
        "SELECT id, org_id, meter, feature, amount, until, reason, created_at FROM plan_overrides
         WHERE org_id = $1 AND id = $2",
    )
    .bind(org)
    .bind(id)
    .optional()
    .await
    .or_not_found("override")
}

/// Takes an exception of an organisation back.
/// # Errors
/// As the database.
pub async fn delete(tx: &mut ControlTx, org: OrgId, id: OverrideId) -> Result<()> {
    tx.sql("DELETE FROM plan_overrides WHERE org_id = $1 AND id = $2").bind(org).bind(id).run().await?;
    Ok(())
}

/// All exceptions of an organisation, ended ones too, the oldest first. Only the operator makes them, so they are few.
/// # Errors
/// As the database.
pub async fn list(tx: &mut ControlTx, org: OrgId) -> Result<Vec<OverrideRow>> {
    tx.sql(
        "SELECT id, org_id, meter, feature, amount, until, reason, created_at FROM plan_overrides
         WHERE org_id = $1 ORDER BY created_at, id",
    )
    .bind(org)
    .all()
    .await
}

/// How many exceptions hold at a time in each of the organisations from the first to the last; those without any are left out.
/// # Errors
/// As the database.
pub async fn standing(tx: &mut ControlTx, first: OrgId, last: OrgId, at: Time) -> Result<Vec<(OrgId, i64)>> {
    tx.sql(
        "SELECT org_id, count(*) AS number FROM plan_overrides
         WHERE org_id >= $1 AND org_id <= $2 AND (until IS NULL OR until > $3) GROUP BY org_id",
    )
    .bind(first)
    .bind(last)
    .bind(at)
    .all()
    .await
}

#[cfg(test)]
mod tests {
    use domain::Id;
    use domain::plan::{Feature, MAX_LIMIT, Meter};

    use super::*;

    #[test]
    fn an_exception_survives_its_row() {
        let (id, org) = (OverrideId::from_uuid(uuid::Uuid::nil()), OrgId::from_uuid(uuid::Uuid::nil()));
        for exception in [
            Exception::Limit { meter: Meter::Seats, limit: MAX_LIMIT },
            Exception::Feature { feature: Feature::AuditExport, granted: true },
            Exception::Feature { feature: Feature::AuditExport, granted: false },
        ] {
            let exception = Override { exception, until: Some(Time::from_micros(5)), created_at: Time::from_micros(3) };
            let row = OverrideRow::new(id, org, &exception, "a trial".into());
            assert_eq!(row.to_domain(), Some(exception));
            assert_eq!(OverrideRow { meter: Some("gone".into()), feature: None, ..row }.to_domain(), None);
        }
    }
}
