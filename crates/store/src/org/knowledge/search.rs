//! Finding passages by their words: BM25, on files by FTS5, on PostgreSQL by its text index.

use domain::DocumentId;
use serde::Deserialize;

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

/// Passages up to which all that have one of the words are weighed.
const ALL: i64 = 20_000;
/// Beyond that the rarest words must be in it: as many of them as so many passages have. What has only the others is far behind.
const ENOUGH: i64 = 2000;

/// The passages of some collections that fit words best, the best first.
///
/// `words` are bare words; a passage fits when it has one of them. Punctuation in one parts it: what it parts must follow each other.
/// How rare a word is counts what is in these collections and nothing else: a score tells nobody of a passage that they do not see.
/// # Errors
/// As the database.
pub async fn by_words(tx: &mut Tx, words: &[String], collections: &[i64], limit: i64) -> Result<Vec<Hit>> {
    let bare = |c: char| if c.is_ascii_punctuation() || c.is_control() { ' ' } else { c };
    let words = words.iter().map(|word| word.chars().map(bare).collect::<String>());
    // Quoted, so that nothing in them is an operator.
    let quoted: Vec<String> = words.filter(|word| !word.trim().is_empty()).map(|word| format!("\"{word}\"")).collect();
    if quoted.is_empty() || collections.is_empty() {
        return Ok(Vec::new());
    }
    if tx.store.engine() == Engine::Sqlite {
        let there: Vec<i64> = tx.sql("SELECT number FROM collections").all().await?;
        let sees_all = there.iter().all(|number| collections.contains(number));
        let numbers: i64 = tx.sql("SELECT numbers FROM tenant").one().await?;
        if !sees_all || numbers > ALL {
            return by_weighed_words(tx, &quoted, collections, sees_all, limit).await;
        }
    }
    tx.sql(Pair {
        sqlite: "SELECT chunks.number AS number, -bm25(chunk_words, 1.0, 1.0) AS score
            FROM chunk_words CROSS JOIN chunks INDEXED BY chunks_collection ON chunks.number = chunk_words.rowid
            WHERE chunk_words MATCH $1 AND chunks.collection IN (SELECT value FROM json_each($2))
            ORDER BY score DESC, chunks.number LIMIT $3",
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
    .bind(limit)
    .all()
    .await
}

/// How many passages have a word.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Count {
    /// The word's place in the query.
    word: i64,
    /// In the organisation.
    passages: i64,
    /// In the collections that are searched.
    seen: i64,
}

/// The same on files, where FTS5 counts the passages of all collections: each word's part of a score is put right by what is seen. In
/// a large organisation what has only common words is not weighed.
async fn by_weighed_words(
    tx: &mut Tx,
    quoted: &[String],
    collections: &[i64],
    sees_all: bool,
    limit: i64,
) -> Result<Vec<Hit>> {
    let collections = Json(collections.to_vec()).text();
    let mut counts: Vec<Count> = tx
        .sql(Pair {
            sqlite: "SELECT word.key AS word, count(*) AS passages, sum(chunks.collection IN (SELECT value FROM json_each($2))) AS seen
                FROM json_each($1) word CROSS JOIN chunk_words
                  CROSS JOIN chunks INDEXED BY chunks_collection ON chunks.number = chunk_words.rowid
                WHERE chunk_words MATCH word.value GROUP BY word.key",
            // Counts what is seen by itself.
            postgres: "SELECT 0::bigint AS word, 0::bigint AS passages, 0::bigint AS seen WHERE $1::text = $2::text",
        })
        .bind(Json(quoted.to_vec()).text())
        .bind(&collections)
        .all()
        .await?;
    counts.retain(|count| count.seen > 0);
    let (all, seen): (i64, i64) = if sees_all {
        (0, 0)
    } else {
        tx.sql(Pair {
            sqlite: "SELECT count(*) AS passages, COALESCE(sum(collection IN (SELECT value FROM json_each($1))), 0) AS seen FROM chunks",
            postgres: "SELECT 0::bigint AS passages, 0::bigint AS seen WHERE $1::text <> ''",
        })
        .bind(&collections)
        .one()
        .await?
    };
    counts.sort_by_key(|count| count.seen);
    let mut reached = 0;
    let mut rare = Vec::new();
    let mut weighed = Vec::new();
    for count in counts {
        let Some(word) = usize::try_from(count.word).ok().and_then(|word| quoted.get(word)) else { continue };
        if (!sees_all && all <= ALL) || reached < ENOUGH {
            rare.push(word.clone());
        }
        reached += count.seen;
        let weight = if sees_all { 1.0 } else { rarity(count.seen, seen) / rarity(count.passages, all) };
        weighed.push((word.clone(), weight));
    }
    if rare.is_empty() {
        return Ok(Vec::new());
    }
    tx.sql(Pair {
        // The plus keeps the passages that were chosen a question to each row; else each would be sought in the index of words.
        sqlite: "SELECT number, score FROM (WITH parts AS MATERIALIZED (
              SELECT chunks.number AS number, -bm25(chunk_words, 1.0, 1.0) * json_extract(word.value, '$[1]') AS part
              FROM json_each($1) word CROSS JOIN chunk_words
                CROSS JOIN chunks INDEXED BY chunks_collection ON chunks.number = chunk_words.rowid
              WHERE chunk_words MATCH json_extract(word.value, '$[0]')
                AND +chunk_words.rowid IN (SELECT rowid FROM chunk_words WHERE chunk_words MATCH $3)
                AND chunks.collection IN (SELECT value FROM json_each($2)))
            SELECT number, sum(part) AS score FROM parts GROUP BY number) scored ORDER BY score DESC, number LIMIT $4",
        postgres: "SELECT 0::bigint AS number, 0::float8 AS score WHERE $1::text = $2::text AND $2 = $3::text LIMIT $4",
    })
    .bind(Json(weighed).text())
    .bind(collections)
    .bind(rare.join(" OR "))
    .bind(limit)
    .all()
    .await
}

/// How much a word tells that so many of all passages have, as FTS5 counts it.
fn rarity(passages: i64, all: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of passages")]
    let (passages, all) = (passages as f64, all as f64);
    ((all - passages + 0.5) / (passages + 0.5)).ln().max(1e-6)
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
