//! `GET /api/v1/knowledge/embedding`: shows by which model documents are embedded, and how far a change is.

use domain::access::can;

use super::EmbeddingView;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(caller: Caller<can::ProvidersRead>) -> Result<Versioned<Found<EmbeddingView>>> {
    let mut tx = caller.read().await?;
    let (version, view) = EmbeddingView::read(&mut tx).await?;
    Ok(Versioned(version, Found(view)))
}
