//! `GET /api/v1/providers/{id}`: shows a provider, without its key.

use domain::ProviderId;
use domain::access::can;

use super::ProviderView;
use super::place::seen;
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(
    local: Local<can::ProvidersRead>,
    Path(id): Path<ProviderId>,
) -> Result<Versioned<Found<ProviderView>>> {
    let caller = local.each();
    let (provider, _) = seen(&caller, id).await?;
    Ok(Versioned(provider.version, Found(provider.into())))
}
