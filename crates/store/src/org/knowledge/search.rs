//! Finding passages by their words: BM25, on files by FTS5's index, on PostgreSQL by its own.

use domain::DocumentId;
use serde::Deserialize;

use super::passages::Passages;
use crate::org::Tx;
use crate::sql::{Json, Pair};
use crate::{Engine, Result};

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
    if tx.store.engine() == Engine::Sqlite {
        return super::words::weigh(tx, passages, &words, collections, is_wanted, limit).await;
    }
    // Quoted, so that nothing in them is an operator.
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let most = if only.is_some() { usize::MAX } else { limit };
    let mut hits: Vec<Hit> = tx.sql(Pair {
        sqlite: "SELECT 0 AS number, 0.0 AS score WHERE $1 = $2 LIMIT $3",
        // As FTS5 counts it: k1 = 1.2, b = 0.75, and what stands in half of the passages or more tells next to nothing. What is
        // counted here is what the asker may see. `octet_length` is known without reading a long text.
        postgres: "SELECT number, score FROM (
            WITH asked AS (SELECT regexp_replace(normalize($1, NFD), '[\\u0300-\\u036f]', '', 'g') AS bare),
              seen AS (SELECT count(*)::float8 AS number, greatest(avg(octet_length(heading) + octet_length(text)), 1)::float8 AS mean
                FROM chunks WHERE collection = ANY (SELECT jsonb_array_elements_text($2::jsonb)::bigint)),
              fits AS MATERIALIZED (SELECT number, words, (octet_length(heading) + octet_length(text))::float8 AS length FROM chunks
                WHERE collection = ANY (SELECT jsonb_array_elements_text($2::jsonb)::bigint)
                  AND words @@ websearch_to_tsquery('passages', (SELECT bare FROM asked))),
              terms AS (SELECT unnest(tsvector_to_array(to_tsvector('passages', bare))) AS term FROM asked),
              found AS (SELECT f.number, f.length, u.lexeme AS term, cardinality(u.positions)::float8 AS times
                FROM fits f CROSS JOIN LATERAL unnest(f.words) u JOIN terms t ON t.term = u.lexeme),
              rare AS (SELECT term, greatest(ln(((SELECT number FROM seen) - count(*) + 0.5) / (count(*) + 0.5)), 0.000001) AS weight
                FROM found GROUP BY term)
            SELECT number, sum(weight * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * length / (SELECT mean FROM seen)))) AS score
            FROM found JOIN rare USING (term) GROUP BY number) scored ORDER BY score DESC, number LIMIT $3",
    })
    .bind(quoted.join(" OR "))
    .bind(Json(collections.to_vec()).text())
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .all()
    .await?;
    hits.retain(|hit| is_wanted(hit.number));
    hits.truncate(limit);
    Ok(hits)
}

/// The numbers of the passages of documents that a filter lets through.
/// # Errors
/// As the database.
pub async fn filtered(tx: &mut Tx, filter: &Filter, collections: &[i64]) -> Result<Vec<i64>> {
    tx.sql(Pair {
        sqlite: "SELECT chunks.number FROM chunks JOIN documents ON documents.id = chunks.document_id
            WHERE chunks.collection IN (SELECT value FROM json_each($1))
              AND ($2 = '[]' OR documents.kind IN (SELECT value FROM json_each($2)))
              AND ($3 = '[]' OR documents.source IN (SELECT value FROM json_each($3)))
              AND NOT EXISTS (SELECT 1 FROM json_each($4) wanted
                              WHERE wanted.value NOT IN (SELECT value FROM json_each(documents.tags)))
              AND ($5 IS NULL OR documents.created_at >= $5) AND ($6 IS NULL OR documents.created_at < $6)
            ORDER BY chunks.number",
        postgres: "SELECT chunks.number FROM chunks JOIN documents ON documents.id = chunks.document_id
            WHERE chunks.collection = ANY (SELECT jsonb_array_elements_text($1::jsonb)::bigint)
              AND ($2 = '[]' OR documents.kind IN (SELECT jsonb_array_elements_text($2::jsonb)))
              AND ($3 = '[]' OR documents.source IN (SELECT jsonb_array_elements_text($3::jsonb)))
              AND documents.tags::jsonb @> $4::jsonb
              AND ($5::bigint IS NULL OR documents.created_at >= $5) AND ($6::bigint IS NULL OR documents.created_at < $6)
            ORDER BY chunks.number",
    })
    .bind(Json(collections.to_vec()).text())
    .bind(Json(filter.kinds.clone()).text())
    .bind(Json(filter.sources.clone()).text())
    .bind(Json(filter.tags.clone()).text())
    .bind(filter.since)
    .bind(filter.until)
    .all()
    .await
}

/// The documents that a filter lets through, whether they were read or not.
/// # Errors
/// As the database.
pub async fn filtered_documents(tx: &mut Tx, filter: &Filter, collections: &[i64]) -> Result<Vec<DocumentId>> {
    tx.sql(Pair {
        sqlite: "SELECT documents.id FROM documents JOIN collections ON collections.id = documents.collection_id
            WHERE collections.number IN (SELECT value FROM json_each($1))
              AND ($2 = '[]' OR documents.kind IN (SELECT value FROM json_each($2)))
              AND ($3 = '[]' OR documents.source IN (SELECT value FROM json_each($3)))
              AND NOT EXISTS (SELECT 1 FROM json_each($4) wanted
                              WHERE wanted.value NOT IN (SELECT value FROM json_each(documents.tags)))
              AND ($5 IS NULL OR documents.created_at >= $5) AND ($6 IS NULL OR documents.created_at < $6)
            ORDER BY documents.id",
        postgres: "SELECT documents.id FROM documents JOIN collections ON collections.id = documents.collection_id
            WHERE collections.number = ANY (SELECT jsonb_array_elements_text($1::jsonb)::bigint)
              AND ($2 = '[]' OR documents.kind IN (SELECT jsonb_array_elements_text($2::jsonb)))
              AND ($3 = '[]' OR documents.source IN (SELECT jsonb_array_elements_text($3::jsonb)))
              AND documents.tags::jsonb @> $4::jsonb
              AND ($5::bigint IS NULL OR documents.created_at >= $5) AND ($6::bigint IS NULL OR documents.created_at < $6)
            ORDER BY documents.id",
    })
    .bind(Json(collections.to_vec()).text())
    .bind(Json(filter.kinds.clone()).text())
    .bind(Json(filter.sources.clone()).text())
    .bind(Json(filter.tags.clone()).text())
    .bind(filter.since)
    .bind(filter.until)
    .all()
    .await
}
