//! `POST /api/v1/collections/{id}/sources`: sets up a source in a collection, and brings what it has.

use connectors::pages::{self, MOST, Which};
use domain::access::{Permission, can};
use domain::plan::Meter;
use domain::text::DocumentTitle;
use domain::{CollectionId, SourceId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::Json;
use store::audit::Event;
use store::org::knowledge::sources::{self, Counts, Source, Sync};
use tenancy::entitlements;

use super::{SourceView, hours, queue};
use crate::http::body::{Body, Path};
use crate::http::caller::{Caller, Local, Metered, meters};
use crate::http::error::{Problem, Result};
use crate::http::reply::Created;
use crate::knowledge::sight;

/// The most sources of a collection, and pages that are listed for one.
const SOURCES: i64 = 50;
const PAGES: usize = 200;

/// A source: either pages that are listed, or a sitemap that names them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateSource {
    /// What to call it; its first address when left out.
    #[serde(default)]
    name: Option<DocumentTitle>,
    /// `https` addresses of pages, 1 to 200.
    #[serde(default)]
    urls: Option<Vec<String>>,
    /// The `https` address of a sitemap, whose pages on the same host are brought; at most 1,000.
    #[serde(default)]
    sitemap: Option<String>,
    /// After how many hours it is asked by itself, 1 to 720; only by hand when left out.
    #[serde(default)]
    every: Option<i64>,
}

pub(crate) async fn create(
    gate: Metered<Local<can::KnowledgeWrite>, meters::Documents>,
    Path(id): Path<CollectionId>,
    Body(body): Body<CreateSource>,
) -> Result<Created<SourceView>> {
    let (gate, _pass) = gate.through();
    let mut caller = gate.each();
    let mut tx = caller.read().await?;
    let seen = sight::find(&mut tx, caller.scope(), Permission::KnowledgeWrite, id).await?;
    drop(tx);
    caller.answered()?;
    seen.require_open()?;
    let every_hours = hours(body.every)?;
    let (which, first) = checked(&caller, body.urls, body.sitemap)?;
    let room = entitlements::room(caller.house(), caller.org(), Meter::Schedules).await?;
    let (source_id, now) = (caller.ambient().id::<SourceId>(), caller.ambient().now());
    let job_id = queue(&caller, source_id).await?;
    let source = Source {
        id: source_id,
        collection_id: id,
        name: body.name.map_or(first, |name| name.as_str().to_owned()),
        settings: Json(serde_json::to_value(&which).unwrap_or_default()),
        status: Sync::Queued,
        fault: None,
        cursor: None,
        round: 0,
        counts: Json(Counts::default()),
        job_id,
        made_by: caller.user(),
        synced_at: None,
        every_hours,
        next_sync_at: None,
        failures: 0,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let mut tx = caller.begin().await?;
    let seen = sight::find(&mut tx, caller.scope(), Permission::KnowledgeWrite, id).await?;
    seen.require_open()?;
    if sources::list(&mut tx, id, None, SOURCES).await?.len() >= usize::try_from(SOURCES).unwrap_or(usize::MAX) {
        return Err(Problem::new("conflict", format!("The collection has {SOURCES} sources, the most there may be.")));
    }
    if every_hours.is_some() {
        room.require(sources::scheduled(&mut tx, source_id, false).await?)?;
    }
    sources::insert(&mut tx, &source).await?;
    let event = Event::new("source.created", source.id).after(&source);
    tx.record(event.detail(json!({ "collection": id }))).await?;
    let reply = caller.commit(tx, Created(source.into())).await?;
    caller.store().wake_workers();
    Ok(reply)
}

/// Which pages, and the first address; what may not be called is refused at once.
fn checked(
    caller: &Caller<can::KnowledgeWrite>,
    urls: Option<Vec<String>>,
    sitemap: Option<String>,
) -> Result<(Which, String)> {
    let policy = caller.models().outside().policy();
    let rule = "must be the https address of a page on the internet";
    let read = |field: String, url: &str| {
        let known = pages::address(url).filter(|(_, endpoint)| policy.precheck(endpoint).is_ok());
        known.map(|(url, _)| url).ok_or_else(|| Problem::field(field, rule))
    };
    match (urls, sitemap) {
        (Some(_), Some(_)) => Err(Problem::field("sitemap", "cannot be given with urls")),
        (None, None) => Err(Problem::field("urls", "must be given, or a sitemap")),
        (None, Some(url)) => {
            let url = read("sitemap".into(), &url)?;
            Ok((Which::Sitemap(url.clone()), url))
        }
        (Some(urls), None) => {
            if urls.is_empty() || urls.len() > PAGES.min(MOST) {
                return Err(Problem::field("urls", format!("must be 1 to {PAGES}")));
            }
            let mut all: Vec<String> = Vec::with_capacity(urls.len());
            for (at, url) in urls.iter().enumerate() {
                let url = read(format!("urls[{at}]"), url)?;
                if !all.contains(&url) {
                    all.push(url);
                }
            }
            let first = all[0].clone();
            Ok((Which::Listed(all), first))
        }
    }
}
