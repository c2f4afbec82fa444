//! `POST /api/v1/collections/{id}/documents/web`: fetches a page of the web, once, and takes it as a file (`connectors/src/pages.rs`). A
//! page that was fetched before is a new version of its document.

use bytes::Bytes;
use connectors::pages::{self, NoPage, Page};
use domain::CollectionId;
use domain::access::{Permission, can};
use domain::text::{DocumentTitle, Tag};
use egress::{Egress, Endpoint};
use schemars::JsonSchema;
use serde::Deserialize;
use store::org::knowledge::documents;

use super::arrive::{Uploaded, arrive};
use super::paste::said;
use super::receive::{Desk, Received};
use super::replace::again;
use crate::http::body::{Body, Path};
use crate::http::caller::{Local, Metered, meters};
use crate::http::error::{Problem, Result};
use crate::http::reply::Accepted;
use crate::knowledge::sight;

/// The address of a page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FetchPage {
    /// An `https` address without a user name; what follows `#` is left out.
    url: String,
    /// What to call it; what the page calls itself when left out.
    #[serde(default)]
    title: Option<DocumentTitle>,
    /// Each once.
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(crate) async fn fetch(
    gate: Metered<Local<can::KnowledgeWrite>, meters::Documents>,
    Path(id): Path<CollectionId>,
    Body(body): Body<FetchPage>,
) -> Result<Accepted<Uploaded>> {
    let (gate, _pass) = gate.through();
    let mut caller = gate.each();
    let mut tx = caller.read().await?;
    let seen = sight::find(&mut tx, caller.scope(), Permission::KnowledgeWrite, id).await?;
    drop(tx);
    caller.answered()?;
    seen.require_open()?;
    let tags = said(&body.tags)?;
    let desk = Desk::open(&caller, 1).await?;
    let egress = caller.models().outside_for(caller.scope().org());
    let (name, endpoint) = pages::address(&body.url).ok_or_else(wrong)?;
    egress.policy().precheck(&endpoint).map_err(|_| wrong())?;
    let page = get(&egress, endpoint).await?;
    let written = desk.bytes(page).await?;
    let title = body.title.map(|title| title.as_str().to_owned());
    let mut tx = caller.read().await?;
    let known = match documents::named(&mut tx, id, &name, caller.user()).await? {
        Some(known) => documents::find(&mut tx, known).await?,
        None => None,
    };
    drop(tx);
    // Somebody who may not change what another brought has a document of their own of it.
    let mine = known.filter(|known| known.source == "web" && seen.may_change_added(caller.scope(), known.made_by));
    match mine {
        Some(before) => {
            let tags = Some(tags).filter(|tags| !tags.is_empty());
            again(&caller, &before, Received { written, name, title, tags }, &desk).await
        }
        None => arrive(&caller, id, Received { written, name, title, tags: Some(tags) }, "web", &desk).await,
    }
}

fn wrong() -> Problem {
    Problem::field("url", "must be the https address of a page on the internet")
}

async fn get(egress: &Egress, endpoint: Endpoint) -> Result<Bytes> {
    match pages::fetch(egress, endpoint, None).await {
        Ok(Page::Content(bytes, _)) => Ok(bytes),
        Ok(Page::Unchanged) => Ok(Bytes::new()),
        Err(NoPage::Unreachable(error)) => Err(unreachable(&error)),
        Err(other) => Err(Problem::new("upstream_failed", other.to_string())),
    }
}

/// What is said of a call that failed: nothing of the network behind this server.
fn unreachable(error: &egress::Error) -> Problem {
    if let egress::Error::TooLarge(most) = error {
        return Problem::new("too_large", format!("A page may have {} MiB.", most >> 20));
    }
    let code = if error.timed_out() { "upstream_timeout" } else { "upstream_failed" };
    // The log learns no more: the address is the tenant's.
    Problem::new(code, "The page cannot be reached, or its server did not answer.")
}
