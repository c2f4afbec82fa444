//! Finding passages by their words, and by what is known of their documents.

use domain::DocumentId;
use serde::Deserialize;

use super::documents::tag_keys;
use super::passages::Passages;
use crate::Result;
use crate::org::Tx;
use crate::sql::{Json, Pair};

/// A passage that was found by its words.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Hit {
    /// Its number.
    pub number: i64,
    /// How well it fits: BM25, more is better.
    pub score: f64,
}

/// Which documents are looked at, beside the collections.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only documents of these kinds; none named for all.
    pub kinds: Vec<String>,
    /// Only documents from these sources; none named for all.
    pub sources: Vec<String>,
    /// Only documents that have all of these tags.
    pub tags: Vec<String>,
    /// Only documents that were added at or after this time.
    pub since: Option<domain::Time>,
    /// Only documents that were added before this time.
    pub until: Option<domain::Time>,
}

impl Filter {
    /// Whether it lets every document through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
            && self.sources.is_empty()
            && self.tags.is_empty()
            && self.since.is_none()
            && self.until.is_none()
    }
}

/// The passages of some collections that fit words best, the best first, at most `limit`.
///
/// `words` are bare words; a passage fits when it has one of them. Punctuation in one parts it: what it parts must follow each other.
/// How rare a word is counts what is in these collections and nothing else: a score tells nobody of a passage that they do not see.
/// `passages` are all that the transaction sees. With `only`, which is sorted, those alone are given, scored as without.
/// # Errors
/// As the database.
pub async fn by_words(
    tx: &mut Tx,
    passages: &Passages,
    words: &[String],
    collections: &[i64],
    only: Option<&[i64]>,
    limit: usize,
) -> Result<Vec<Hit>> {
    let bare = |c: char| if c.is_ascii_punctuation() || c.is_control() { ' ' } else { c };
    let words = words.iter().map(|word| word.chars().map(bare).collect::<String>());
    let words: Vec<String> = words.filter(|word| !word.trim().is_empty()).collect();
    if words.is_empty() || collections.is_empty() {
        return Ok(Vec::new());
    }
    let is_wanted = |number: i64| only.is_none_or(|only| only.binary_search(&number).is_ok());
    super::words::weigh(tx, passages, words, collections, is_wanted, limit).await
}

/// The numbers of the passages of documents that a filter lets through.
/// # Errors
/// As the database.
pub async fn filtered(tx: &mut Tx, filter: &Filter, collections: &[i64]) -> Result<Vec<i64>> {
    let tags = tag_keys(tx, &filter.tags)?;
    tx.sql(Pair {
        sqlite: "SELECT chunks.number FROM chunks JOIN documents ON documents.id = chunks.document_id
            WHERE chunks.collection IN (SELECT value FROM json_each($1))
              AND ($2 = '[]' OR documents.kind IN (SELECT value FROM json_each($2)))
              AND ($3 = '[]' OR documents.source IN (SELECT value FROM json_each($3)))
              AND NOT EXISTS (SELECT 1 FROM json_each($4) wanted
                              WHERE wanted.value NOT IN (SELECT value FROM json_each(documents.tag_keys)))
              AND ($5 IS NULL OR documents.created_at >= $5) AND ($6 IS NULL OR documents.created_at < $6)
            ORDER BY chunks.number",
        postgres: "SELECT chunks.number FROM chunks JOIN documents ON documents.id = chunks.document_id
            WHERE chunks.collection = ANY (SELECT jsonb_array_elements_text($1::jsonb)::bigint)
              AND ($2 = '[]' OR documents.kind IN (SELECT jsonb_array_elements_text($2::jsonb)))
              AND ($3 = '[]' OR documents.source IN (SELECT jsonb_array_elements_text($3::jsonb)))
              AND documents.tag_keys::jsonb @> $4::jsonb
              AND ($5::bigint IS NULL OR documents.created_at >= $5) AND ($6::bigint IS NULL OR documents.created_at < $6)
            ORDER BY chunks.number",
    })
    .bind(Json(collections.to_vec()).text())
    .bind(Json(filter.kinds.clone()).text())
    .bind(Json(filter.sources.clone()).text())
    .bind(tags)
    .bind(filter.since)
    .bind(filter.until)
    .all()
    .await
}

/// The documents that a filter lets through, whether they were read or not.
/// # Errors
/// As the database.
pub async fn filtered_documents(tx: &mut Tx, filter: &Filter, collections: &[i64]) -> Result<Vec<DocumentId>> {
    let tags = tag_keys(tx, &filter.tags)?;
    tx.sql(Pair {
        sqlite: "SELECT documents.id FROM documents JOIN collections ON collections.id = documents.collection_id
            WHERE collections.number IN (SELECT value FROM json_each($1))
              AND ($2 = '[]' OR documents.kind IN (SELECT value FROM json_each($2)))
              AND ($3 = '[]' OR documents.source IN (SELECT value FROM json_each($3)))
              AND NOT EXISTS (SELECT 1 FROM json_each($4) wanted
                              WHERE wanted.value NOT IN (SELECT value FROM json_each(documents.tag_keys)))
              AND ($5 IS NULL OR documents.created_at >= $5) AND ($6 IS NULL OR documents.created_at < $6)
            ORDER BY documents.id",
        postgres: "SELECT documents.id FROM documents JOIN collections ON collections.id = documents.collection_id
            WHERE collections.number = ANY (SELECT jsonb_array_elements_text($1::jsonb)::bigint)
              AND ($2 = '[]' OR documents.kind IN (SELECT jsonb_array_elements_text($2::jsonb)))
              AND ($3 = '[]' OR documents.source IN (SELECT jsonb_array_elements_text($3::jsonb)))
              AND documents.tag_keys::jsonb @> $4::jsonb
              AND ($5::bigint IS NULL OR documents.created_at >= $5) AND ($6::bigint IS NULL OR documents.created_at < $6)
            ORDER BY documents.id",
    })
    .bind(Json(collections.to_vec()).text())
    .bind(Json(filter.kinds.clone()).text())
    .bind(Json(filter.sources.clone()).text())
    .bind(tags)
    .bind(filter.since)
    .bind(filter.until)
    .all()
    .await
}
