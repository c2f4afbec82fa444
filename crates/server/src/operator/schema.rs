//! `GET /api/v1/operator/schema`: shows the schema of the installation, with the hashes that `rowhouse migrate` prints.

use schemars::JsonSchema;
use serde::Serialize;
use store::schema::Part;

use crate::http::caller::Operator;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// A part of the schema.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SchemaPart")]
pub(crate) struct PartView {
    /// `control`, or `org` for what each organisation has.
    part: &'static str,
    /// The newest migration.
    migration: &'static str,
    /// The hash of the tables, columns, keys, indexes and references as the database tells them; the same on both engines.
    hash: String,
    /// Whether it is the hash of what the migrations make.
    as_migrated: bool,
}

pub(crate) async fn schema(operator: Operator) -> Result<Found<Page<PartView>>> {
    let store = operator.person().store();
    let mut data = Vec::new();
    for part in Part::ALL {
        let hash = store.schema_hash(part).await?;
        let as_migrated = hash == part.expected()?;
        data.push(PartView { part: part.as_str(), migration: part.newest(), hash, as_migrated });
    }
    Ok(Found(Page { data, next_cursor: None }))
}
