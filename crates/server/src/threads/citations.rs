//! What an answer cites, as whoever reads it now may see it: a conversation that is shared, or that outlived a right, shows nothing of
//! a document that its reader cannot open.

use std::collections::BTreeMap;

use domain::{ChunkId, DocumentId};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::knowledge::threads::{Citation, Message};
use store::{Error, Scope, Tx};

use crate::documents;

/// How it is with what is cited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CitationState {
    /// The document says this.
    Current,
    /// The document has changed since.
    Changed,
    /// The document was deleted, or it is not the reader's to see.
    Gone,
}

/// Where an answer has something from. Of a document that is gone only the number is left.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Citation")]
pub(crate) struct CitationView {
    /// The number that stands in the answer.
    pub(crate) n: u32,
    pub(crate) state: CitationState,
    document_id: Option<DocumentId>,
    /// Which version of it.
    version: Option<i64>,
    chunk_id: Option<ChunkId>,
    /// The document's title, then.
    pub(crate) title: Option<String>,
    /// What the passage says there.
    pub(crate) quote: Option<String>,
    /// The page, from 1.
    pub(crate) page: Option<i64>,
    /// The headings above it.
    pub(crate) heading: Option<String>,
    /// Where the passage begins in the document's text, in bytes.
    starts: Option<i64>,
    /// Where it ends.
    ends: Option<i64>,
}

/// The documents that messages cite, as far as the reader sees them: which version is found of each.
#[derive(Debug)]
pub(crate) struct Citable(BTreeMap<DocumentId, i64>);

impl Citable {
    /// Looks at all documents that messages cite.
    /// # Errors
    /// As the database.
    pub(crate) async fn of(tx: &mut Tx, scope: &Scope, messages: &[Message]) -> store::Result<Self> {
        Self::among(tx, scope, messages.iter().flat_map(|message| &message.citations.0)).await
    }

    /// Looks at the documents of some citations.
    /// # Errors
    /// As the database.
    pub(crate) async fn among(
        tx: &mut Tx,
        scope: &Scope,
        citations: impl Iterator<Item = &Citation> + Send,
    ) -> store::Result<Self> {
        let mut seen: BTreeMap<DocumentId, Option<i64>> = BTreeMap::new();
        for citation in citations {
            let id = citation.document_id;
            if seen.contains_key(&id) {
                continue;
            }
            let shown = match documents::find(tx, scope, id).await {
                Ok((document, _)) => Some(document.shown),
                Err(Error::NotFound(_)) => None,
                Err(error) => return Err(error),
            };
            seen.insert(id, shown);
        }
        Ok(Self(seen.into_iter().filter_map(|(id, shown)| Some((id, shown?))).collect()))
    }

    /// A citation as its reader may see it.
    pub(crate) fn view(&self, citation: Citation) -> CitationView {
        let n = citation.n;
        let Some(shown) = self.0.get(&citation.document_id) else {
            return CitationView {
                n,
                state: CitationState::Gone,
                document_id: None,
                version: None,
                chunk_id: None,
                title: None,
                quote: None,
                page: None,
                heading: None,
                starts: None,
                ends: None,
            };
        };
        let current = *shown == citation.version;
        CitationView {
            n,
            state: if current { CitationState::Current } else { CitationState::Changed },
            document_id: Some(citation.document_id),
            version: Some(citation.version),
            chunk_id: Some(citation.chunk_id),
            title: Some(citation.title),
            quote: Some(citation.quote),
            page: citation.page,
            heading: Some(citation.heading),
            starts: Some(citation.starts),
            ends: Some(citation.ends),
        }
    }
}
