//! `POST /api/v1/search`: passages that fit a question, by words and by meaning, out of what the caller sees.

mod explain;
pub(crate) mod rerank;

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use domain::access::{Permission, can};
use domain::{ChunkId, CollectionId, DocumentId, ProjectId, Time};
use knowledge::highlights::highlights;
use knowledge::search::{self, Found as Hit, MOST, Wish};
use metering::rules::Spender;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Scope;
use store::org::knowledge::collections::Collection;
use store::org::knowledge::search::Filter;
use tokio::time::timeout;

use self::explain::Explanation;
use self::rerank::{Rerank, Reranked};
use crate::App;
use crate::embedding::Meant;
use crate::gateway::spender;
use crate::http::body::{Body, HOLDS_NUL};
use crate::http::caller::{Local, Metered, meters};
use crate::http::error::{Problem, Result};
use crate::http::reply::Found;
use crate::knowledge::place::Place;
use crate::knowledge::sight;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.post("/api/v1/search", "Finds passages by words and by meaning.", post)
}

/// Characters of a query.
const QUERY: usize = 4000;
/// Passages that are given when nobody says how many.
const USUAL: usize = 10;
/// Values of one filter.
const VALUES: usize = 100;
/// How long a search that has found its words keeps its connection for the meaning: some four times what that takes by itself.
const PATIENCE: Duration = Duration::from_millis(30);

/// What to look for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchFor {
    query: String,
    /// At most how many passages, 1 to 100; 10 when left out.
    #[serde(default)]
    limit: Option<usize>,
    /// Only in these; in all that the caller sees when left out.
    #[serde(default)]
    collections: Option<Vec<CollectionId>>,
    #[serde(default)]
    filters: Filters,
    /// Whether to say why each passage is there, and why other documents are not.
    #[serde(default)]
    explain: bool,
    /// Lets a model put the best of what was found into order, which costs what a call of it costs.
    #[serde(default)]
    rerank: Option<Rerank>,
}

/// Which documents.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Filters {
    /// Only of these kinds: `pdf`, `markdown`, ...
    #[serde(default)]
    kinds: Vec<String>,
    /// Only from these sources: `upload`, ...
    #[serde(default)]
    sources: Vec<String>,
    /// Only with all of these tags.
    #[serde(default)]
    tags: Vec<String>,
    /// Only what was added at this time or later.
    #[serde(default)]
    since: Option<Time>,
    /// Only what was added before this time.
    #[serde(default)]
    until: Option<Time>,
}

/// What was found, the best first.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SearchResults {
    results: Vec<SearchResult>,
    /// How many collections were searched.
    collections: usize,
    /// Whether a model put them into order; null unless it was asked for.
    reranked: Option<Reranked>,
    /// Why it is so; null unless it was asked for.
    explanation: Option<Explanation>,
}

/// A passage.
#[derive(Debug, Serialize, JsonSchema)]
struct SearchResult {
    document_id: DocumentId,
    chunk_id: ChunkId,
    collection_id: CollectionId,
    title: String,
    text: String,
    /// How well it fits, from 0 to 1, within this search.
    score: f64,
    page: Option<i64>,
    heading: String,
    /// Where it is in the document's text, in bytes.
    start: i64,
    end: i64,
    /// Where words of the query stand in `text`, in bytes.
    highlights: Vec<Highlight>,
    why: Why,
}

/// A word of the query.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SearchHighlight")]
struct Highlight {
    start: usize,
    end: usize,
}

/// Why a passage was found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SearchResultWhy")]
struct Why {
    /// How well its words fit, by BM25; null when they do not.
    words: Option<f64>,
    /// How near its meaning is, as a cosine; null when it is not among the nearest or has no vector yet.
    meaning: Option<f64>,
}

impl SearchResult {
    fn of(hit: Hit, query: &str) -> Self {
        let highlights = highlights(query, &hit.chunk.text);
        Self {
            document_id: hit.document.id,
            chunk_id: hit.chunk.id,
            collection_id: hit.document.collection_id,
            title: hit.document.title,
            text: hit.chunk.text,
            highlights: highlights.into_iter().map(|(start, end)| Highlight { start, end }).collect(),
            score: hit.score,
            page: hit.chunk.page,
            heading: hit.chunk.heading,
            start: hit.chunk.starts,
            end: hit.chunk.ends,
            why: Why { words: hit.words, meaning: hit.meaning },
        }
    }
}

async fn post(
    gate: Metered<Local<can::KnowledgeRead>, meters::Search>,
    Body(body): Body<SearchFor>,
) -> Result<Found<SearchResults>> {
    let (gate, _pass) = gate.through();
    let mut caller = gate.each();
    caller.answered()?;
    let SearchFor { query, limit, collections, filters, explain, rerank: wish } = body;
    if query.trim().is_empty() || query.chars().count() > QUERY {
        return Err(Problem::field("query", format!("must be 1 to {QUERY} characters long")));
    }
    let limit = limit.unwrap_or(USUAL);
    if limit == 0 || limit > MOST {
        return Err(Problem::field("limit", format!("must be 1 to {MOST}")));
    }
    let lists =
        [("filters.kinds", &filters.kinds), ("filters.sources", &filters.sources), ("filters.tags", &filters.tags)];
    for (name, list) in lists {
        if list.len() > VALUES {
            return Err(Problem::field(name, format!("may name {VALUES} at the most")));
        }
        if list.iter().any(|value| value.contains('\0')) {
            return Err(Problem::field(name, HOLDS_NUL));
        }
    }
    let Filters { kinds, sources, tags, since, until } = filters;
    let tags = tags.into_iter().map(|tag| tag.to_lowercase()).collect();
    let filter = Filter { kinds, sources, tags, since, until };
    let asked = Asked {
        query: &query,
        spender: spender(caller.scope()),
        // A model is given more than are told of: the best may be among them.
        limit: if wish.is_some() { limit.max(rerank::MOST) } else { limit },
        collections: collections.as_deref(),
        project: None,
        filter: &filter,
        explain,
    };
    if wish.is_some() {
        let place = Place::of(&mut caller.read().await?, caller.scope().selected_project()).await?;
        place.require(&caller, Permission::ModelsUse).await?;
    }
    let Looked { mut found, searched, mut explanation } = look(caller.app(), caller.scope(), &asked).await?;
    let by_search: Vec<ChunkId> = found.iter().map(|hit| hit.chunk.id).collect();
    let reranked = match &wish {
        Some(wish) => {
            Some(rerank::rerank(caller.app(), caller.scope(), asked.spender, wish, &query, &mut found).await?)
        }
        None => None,
    };
    let beyond = found.split_off(limit.min(found.len()));
    if let (Some(explanation), Some(reranked)) = (&mut explanation, &reranked) {
        explanation.reordered(&by_search, reranked, &found, &beyond);
    }
    let results = found.into_iter().map(|hit| SearchResult::of(hit, &query)).collect();
    let results = SearchResults { results, collections: searched, reranked, explanation };
    let tx = caller.begin_answer().await?;
    caller.commit(tx, Found(results)).await
}

/// What somebody asks for.
pub(crate) struct Asked<'a> {
    pub(crate) query: &'a str,
    /// Whose limits the embedding of the query takes from, where that costs something.
    pub(crate) spender: Spender,
    pub(crate) limit: usize,
    pub(crate) collections: Option<&'a [CollectionId]>,
    /// Only in this project.
    pub(crate) project: Option<ProjectId>,
    pub(crate) filter: &'a Filter,
    /// Whether to say why.
    pub(crate) explain: bool,
}

/// What was found for somebody.
pub(crate) struct Looked {
    pub(crate) found: Vec<Hit>,
    /// How many collections were searched.
    searched: usize,
    explanation: Option<Explanation>,
}

/// Searches what somebody sees. What they see is decided in the transaction that searches, and so is what they are told of it.
///
/// The meaning of the query is reckoned on other threads, while this one looks for its words. When it is long in coming, because many
/// wait for theirs, the transaction is let go, so that nobody waits for its connection; then all is looked up anew.
pub(crate) async fn look(app: &App, scope: &Scope, asked: &Asked<'_>) -> Result<Looked> {
    let mut model = Meant::model(app, scope).await?;
    loop {
        match look_by(app, scope, asked, model).await? {
            Ok(looked) => return Ok(looked),
            // Another model answers by now.
            Err(now) => model = now,
        }
    }
}

/// Searches with what the query means to a model, unless another one answers by now.
async fn look_by(
    app: &App,
    scope: &Scope,
    asked: &Asked<'_>,
    model: Arc<str>,
) -> Result<std::result::Result<Looked, Arc<str>>> {
    let mut coming = pin!(Meant::of(app, scope, asked.spender, &model, asked.query));
    let mut come = None;
    loop {
        let mut tx = app.house.store.open(scope).read().await?;
        if let Some(other) = Meant::other(app, scope, &mut tx, &model).await? {
            return Ok(Err(other));
        }
        let mut seen = sight::seen(&mut tx, scope, Permission::KnowledgeRead).await?;
        seen.retain(|one| asked.project.is_none_or(|project| one.project_id == Some(project)));
        let wanted: Vec<i64> = match asked.collections {
            None => seen.iter().map(|collection| collection.number).collect(),
            Some(ids) => {
                if !ids.iter().all(|id| seen.iter().any(|one| one.id == *id)) {
                    return Err(Problem::not_found());
                }
                // With a collection all that is within it.
                let is_named =
                    |one: &&Collection| ids.contains(&one.id) || one.within.is_some_and(|id| ids.contains(&id));
                seen.iter().filter(is_named).map(|one| one.number).collect()
            }
        };
        let limit = if asked.explain { MOST } else { asked.limit };
        let wish = Wish { query: asked.query, collections: &wanted, filter: asked.filter, limit };
        let halfway = search::look_up(&mut tx, &app.memory, &wish).await?;
        let meant = match come.take() {
            Some(meant) => Some(meant),
            None => timeout(PATIENCE, &mut coming).await.ok(),
        };
        let Some(meant) = meant else {
            drop((halfway, tx));
            come = Some(coming.as_mut().await);
            continue;
        };
        // Without the meaning the words still find something.
        let mut found = halfway.found(&mut tx, meant.meaning()).await?;
        let all: BTreeSet<DocumentId> = found.iter().map(|hit| hit.document.id).collect();
        found.truncate(asked.limit);
        let explanation = if asked.explain {
            let told = found.iter().map(|hit| hit.document.id).collect();
            let looked =
                explain::Looked { scope, seen: &seen, wanted: &wanted, filter: asked.filter, told, found: all };
            Some(looked.explain(&mut tx, meant).await?)
        } else {
            None
        };
        return Ok(Ok(Looked { found, searched: wanted.len(), explanation }));
    }
}
