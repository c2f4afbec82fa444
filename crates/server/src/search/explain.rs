//! Why a search gave what it gave: under which grant each passage was read, and why a document that its asker sees is not there. Of what
//! the asker does not see nothing is said, not even how much it is.

use std::collections::BTreeSet;

use domain::{ChunkId, CollectionId, DocumentId};
use knowledge::rerank;
use knowledge::search::Found as Hit;
use schemars::JsonSchema;
use serde::Serialize;
use store::org::knowledge::collections::{Collection, Reach};
use store::org::knowledge::documents::{self, Document, Fault};
use store::org::knowledge::search::{Filter, filtered_documents};
use store::{Scope, Tx};

use super::rerank::Reranked;
use crate::embedding::Meant;

/// Documents of which it is said why they are not there.
const MOST: usize = 100;
/// Documents that are read at once.
const PAGE: i64 = 100;

/// By what somebody sees a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SearchGrant")]
pub(super) enum Grant {
    /// They made it.
    Own,
    /// It is shared with them, or with a team that they are in.
    Shared,
    /// Its source names them, or a group that they are in, as its reader.
    Reader,
    /// Their role in its project.
    Project,
    /// Their role in the organisation.
    Organization,
}

impl Grant {
    pub(super) fn of(scope: &Scope, collection: &Collection) -> Self {
        match (collection.access, collection.project_id) {
            (Reach::Project, Some(_)) => Self::Project,
            (Reach::Project, None) => Self::Organization,
            _ if collection.within.is_some() => Self::Reader,
            _ if collection.made_by == scope.user() => Self::Own,
            _ => Self::Shared,
        }
    }
}

/// Why a document is not among what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SearchLeftOutWhy")]
enum WhyNot {
    /// Its collection was not asked for.
    CollectionNotChosen,
    /// The filters leave it out.
    FilteredOut,
    /// It cannot be searched: it was not read yet, or could not be.
    NotReady,
    /// It was found, but others fit better.
    BelowTheLimit,
    /// Neither its words nor its meaning fit.
    NoMatch,
}

/// A document that was not found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SearchLeftOut")]
struct LeftOut {
    document_id: DocumentId,
    collection_id: CollectionId,
    title: String,
    why: WhyNot,
}

/// Why a search gave what it gave.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SearchExplanation")]
pub(crate) struct Explanation {
    meaning: Meaning,
    /// The collections that were searched, and by what the caller sees each.
    collections: Vec<Searched>,
    /// Documents that the caller sees and that are not among the results; at most 100.
    left_out: Vec<LeftOut>,
    /// Whether there are more of these.
    more: bool,
    /// What a model was given to put into order; null unless it was asked for.
    orders: Option<Orders>,
}

/// Two orders of the same passages. Those that are not among the results are in a document of `left_out`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SearchOrders")]
struct Orders {
    /// As the search found them, the best first.
    search: Vec<ChunkId>,
    /// As the model put them; null when it gave no order.
    model: Option<Vec<ChunkId>>,
}

impl Explanation {
    /// Tells what a model made of the order: `found` is left of it, `beyond` fell behind the limit.
    pub(super) fn reordered(&mut self, by_search: &[ChunkId], reranked: &Reranked, found: &[Hit], beyond: &[Hit]) {
        let told: BTreeSet<DocumentId> = found.iter().map(|hit| hit.document.id).collect();
        let ordered = by_search.len().min(rerank::MOST);
        let by_model = found.iter().chain(beyond).take(ordered).map(|hit| hit.chunk.id);
        let model = reranked.is_done().then(|| by_model.collect());
        self.orders = Some(Orders { search: by_search[..ordered].to_vec(), model });
        // They come first: nothing was nearer to being told.
        let (mut seen, mut left_out) = (told, Vec::new());
        for hit in beyond {
            let (document_id, collection_id) = (hit.document.id, hit.document.collection_id);
            if seen.insert(document_id) {
                let title = hit.document.title.clone();
                left_out.push(LeftOut { document_id, collection_id, title, why: WhyNot::BelowTheLimit });
            }
        }
        left_out.append(&mut self.left_out);
        self.more |= left_out.len() > MOST;
        left_out.truncate(MOST);
        self.left_out = left_out;
    }
}

/// By what the meaning of the query was compared.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SearchMeaning")]
struct Meaning {
    /// The model, as `provider/model`, or the embedded one's name.
    model: String,
    /// Why the query was searched by its words alone; null when it was not.
    error: Option<Fault>,
}

impl From<Meant> for Meaning {
    fn from(meant: Meant) -> Self {
        Self { model: meant.model.to_string(), error: meant.outcome.err().map(|refusal| refusal.fault) }
    }
}

/// A collection that was searched.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SearchedCollection")]
struct Searched {
    collection_id: CollectionId,
    name: String,
    grant: Grant,
}

/// What a search was, in the transaction that searched.
pub(super) struct Looked<'a> {
    pub(super) scope: &'a Scope,
    /// What the asker sees.
    pub(super) seen: &'a [Collection],
    /// The numbers of those that were searched.
    pub(super) wanted: &'a [i64],
    pub(super) filter: &'a Filter,
    /// The documents that are told of.
    pub(super) told: BTreeSet<DocumentId>,
    /// Those that were found at all.
    pub(super) found: BTreeSet<DocumentId>,
}

impl Looked<'_> {
    pub(super) async fn explain(self, tx: &mut Tx, meant: Meant) -> store::Result<Explanation> {
        let is_wanted = |one: &Collection| self.wanted.contains(&one.number);
        let searched = self.seen.iter().filter(|one| is_wanted(one)).map(|one| Searched {
            collection_id: one.id,
            name: one.name.to_string(),
            grant: Grant::of(self.scope, one),
        });
        let let_through: Option<BTreeSet<DocumentId>> = if self.filter.is_empty() {
            None
        } else {
            Some(filtered_documents(tx, self.filter, self.wanted).await?.into_iter().collect())
        };
        let (meaning, collections) = (meant.into(), searched.collect());
        let mut explanation = Explanation { meaning, collections, left_out: Vec::new(), more: false, orders: None };
        for collection in self.seen {
            let mut after = None;
            loop {
                let page = documents::list(tx, collection.id, after, PAGE).await?;
                after = page.last().map(|document| document.id);
                for document in page {
                    let Some(why) = self.why_not(&document, is_wanted(collection), let_through.as_ref()) else {
                        continue;
                    };
                    if explanation.left_out.len() >= MOST {
                        explanation.more = true;
                        return Ok(explanation);
                    }
                    let (document_id, title) = (document.id, document.title);
                    explanation.left_out.push(LeftOut { document_id, collection_id: collection.id, title, why });
                }
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(explanation)
    }

    fn why_not(&self, document: &Document, wanted: bool, let_through: Option<&BTreeSet<DocumentId>>) -> Option<WhyNot> {
        if self.told.contains(&document.id) {
            return None;
        }
        Some(if !wanted {
            WhyNot::CollectionNotChosen
        } else if let_through.is_some_and(|through| !through.contains(&document.id)) {
            WhyNot::FilteredOut
        } else if document.shown == 0 {
            WhyNot::NotReady
        } else if self.found.contains(&document.id) {
            WhyNot::BelowTheLimit
        } else {
            WhyNot::NoMatch
        })
    }
}
